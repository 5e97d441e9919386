// SPDX-License-Identifier: BSL-1.0
// What a random program consists of: the kinds of nodes, the operations, and the events that both the
// plain model and the library have to produce in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace model {

/// Signed indices keep "none" (-1) simple.
template <class Container>
auto& at(Container& c, int i) {
    return c[static_cast<std::size_t>(i)];
}

constexpr int none = -1;

// ---- nodes ----------------------------------------------------------------------------------------

enum class kind : int { pair, second, shape, circle, boxed, leaf, holder, outline, large, huge, wide, watcher, keeper };
constexpr int kinds = 13;
constexpr int kinds_without_farewell = 11; // the last two have a weak reference, the keeper a finalizer too

/// The static type of a reference member: what it can refer to.
enum class reference : int { to_any, to_box, to_shape, to_either };

/// The places of a kind. Members are declared in this order: fixed places, then the vector; the holder
/// has its variant first, then the map, then the two places inside what its unique_ptr owns.
struct layout {
    int fixed_count;
    reference fixed[4];
    bool vector;
    bool map;
    bool inner; // fixed places 1 and 2 are there only while the unique_ptr is not null
    bool container;
    bool weak = false;      // has a weak reference, declared last
    bool finalizer = false; // has a `finalize`
};

constexpr layout layouts[kinds] = {
    {2, {reference::to_any, reference::to_any}, true, false, false, true},                                      // pair
    {3, {reference::to_any, reference::to_shape, reference::to_box}, false, false, false, true},                // second
    {1, {reference::to_shape}, false, false, false, true},                                                      // shape
    {2, {reference::to_shape, reference::to_any}, false, false, false, true},                                   // circle
    {4, {reference::to_box, reference::to_box, reference::to_box, reference::to_any}, false, false, false, true}, // boxed
    {0, {}, false, false, false, false},                                                                        // leaf
    {3, {reference::to_either, reference::to_any, reference::to_box}, false, true, true, true},                 // holder
    {1, {reference::to_any}, true, false, false, true},                                                         // outline
    {2, {reference::to_any, reference::to_box}, false, false, false, true},                                     // large
    {1, {reference::to_any}, false, false, false, true},                                                        // huge
    {4, {reference::to_any, reference::to_shape, reference::to_box, reference::to_box}, false, false, false, true}, // wide
    {2, {reference::to_any, reference::to_any}, false, false, false, true, true},                                    // watcher
    {2, {reference::to_any, reference::to_any}, false, false, false, true, true, true},                              // keeper
};

constexpr const layout& layout_of(kind k) { return layouts[static_cast<int>(k)]; }

constexpr bool accepts(reference r, kind target) {
    switch (r) {
    case reference::to_any: return target != kind::boxed;
    case reference::to_box: return target == kind::boxed;
    case reference::to_shape: return target == kind::shape || target == kind::circle;
    case reference::to_either: return true;
    }
    return false;
}

// ---- operations -----------------------------------------------------------------------------------

enum class action : int {
    nothing,
    make,         // root a = a new node of kind b in heap c
    make_throw,   // a constructor in heap a throws
    copy_root,    // root a = root b
    move_root,    // root a = move(root b)
    swap_roots,   // swap(root a, root b)
    drop_root,    // root a = null
    link,         // place b of node a = root c
    move_in,      // place b of node a = move(root c)
    unlink,       // place b of node a = null
    load,         // root c = place b of node a
    take,         // root c = move(place b of node a)
    swap_places,  // swap(place b of node a, place d of node c)
    push,         // node a's vector gets root b; moved if c
    vector_set,   // element b of node a's vector = root c
    vector_erase, // element b of node a's vector goes
    vector_clear, // all of them go, by way of a local vector
    map_set,      // node a's map [b] = root c
    map_erase,    // node a's map loses key b
    inner_make,   // node a's unique_ptr gets a new struct
    inner_reset,  // node a's unique_ptr becomes null
    clear,        // every reference of node a goes
    collect,      // heap a, generation b
    threshold,    // heap a: b, c, d
    enable,       // heap a: b != 0
    retire,       // heap a ends, whatever still lives in it; a new one takes its place
    save,         // root a = node b, which is being finalized
    watch,        // weak table a = a weak reference to root b, without a callback
    watch_call,   // the same with a callback, which captures root c, unless that is none
    weak_copy,    // weak table a = weak table b
    weak_drop,    // weak table a = null
    weak_lock,    // root a = what weak table b refers to
    weak_put,     // node a's weak reference = weak table b
    weak_get,     // weak table a = node b's weak reference
};

constexpr const char* action_names[] = {
    "nothing", "make", "make_throw", "copy_root", "move_root", "swap_roots", "drop_root", "link", "move_in",
    "unlink", "load", "take", "swap_places", "push", "vector_set", "vector_erase", "vector_clear", "map_set",
    "map_erase", "inner_make", "inner_reset", "clear", "collect", "threshold", "enable", "retire",
    "save", "watch", "watch_call", "weak_copy", "weak_drop", "weak_lock", "weak_put", "weak_get"};

struct operation {
    action what = action::nothing;
    int a = 0, b = 0, c = 0, d = 0;
};

inline std::string to_string(const operation& op) {
    return std::string(action_names[static_cast<int>(op.what)]) + ' ' + std::to_string(op.a) + ' ' +
           std::to_string(op.b) + ' ' + std::to_string(op.c) + ' ' + std::to_string(op.d);
}

// ---- events ---------------------------------------------------------------------------------------

enum class event_kind : int { died, sees, collected, threw, finalized, called, released };

struct event {
    event_kind what;
    int value;
    friend bool operator==(const event&, const event&) = default;
};

inline std::string to_string(const event& e) {
    constexpr const char* names[] = {"died", "sees", "collected", "threw", "finalized", "called", "released"};
    return std::string(names[static_cast<int>(e.what)]) + ' ' + std::to_string(e.value);
}

// ---- random numbers -------------------------------------------------------------------------------

/// splitmix64: the same numbers everywhere, unlike the distributions of the standard library.
class random_source {
public:
    explicit random_source(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    /// 0 .. n-1
    int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
    bool chance(int percent) { return below(100) < percent; }

private:
    std::uint64_t state_;
};

/// Not the default: those leave the pacing to the heap, all others are followed to the letter, and each object is
/// counted.
inline constexpr long first_threshold = 2001;
/// The default: objects are counted page by page.
inline constexpr long paced_threshold = 2000;

/// What a program looks like, besides its seed.
struct settings {
    std::uint64_t seed = 0;
    int steps = 100;
    int roots = 10;
    int heaps = 1;
    int acting_destructors = 0; // percent
    int most_alive = 60;
    int nodes_at_first = 0;
    int chain_at_first = 0; // its length: deep enough, and ends have to wait
    int check_every = 1;
    bool tiny_thresholds = false;
    bool paced = false;          // the heaps pace themselves; the program is too short for a collection by itself
    bool own_first_heap = false; // else heap 0 is the thread's
    int weak_table = 0;          // its size; not 0: there are finalizers and weak references
};

/// What the destructor of node `id` does: the same for the model and for the library. Nodes born in a
/// destructor make no others, or the program might never end.
inline operation plan_of(const settings& s, int id, bool born_in_destructor) {
    random_source r(s.seed * 1000003u + static_cast<std::uint64_t>(id));
    if (!r.chance(s.acting_destructors)) return {};
    const int root = r.below(s.roots), other = r.below(s.roots), heap = r.below(s.heaps);
    switch (r.below(born_in_destructor ? 8 : 12)) {
    case 0:
    case 1: return {action::drop_root, root};
    case 2:
    case 3:
    case 4: return {action::collect, heap, r.below(3)};
    case 5: return {action::copy_root, root, other};
    case 6: return {action::move_root, root, other};
    case 7: return {action::swap_roots, root, other};
    default: return {action::make, root, r.below(s.weak_table != 0 ? kinds : kinds_without_farewell), heap};
    }
}

/// What the finalizer of node `id` does.
inline operation finalizer_plan_of(const settings& s, int id, bool born_in_destructor) {
    random_source r(s.seed * 1000033u + static_cast<std::uint64_t>(id));
    const int root = r.below(s.roots), entry = r.below(s.weak_table), heap = r.below(s.heaps);
    switch (r.below(born_in_destructor ? 14 : 16)) {
    case 0:
    case 1:
    case 2: return {};
    case 3:
    case 4:
    case 5: return {action::save, root, id};
    case 6:
    case 7:
    case 8: return {action::clear, id};
    case 9: return {action::drop_root, root};
    case 10: return {action::collect, heap, r.below(3)};
    case 11: return {action::weak_lock, root, entry};
    case 12: return {action::weak_drop, entry};
    case 13: return {action::watch, entry, root};
    case 14: return {action::make, root, r.below(kinds), heap};
    default: return {action::watch_call, entry, root, r.chance(50) ? r.below(s.roots) : none};
    }
}

/// What the callback with number `name` does.
inline operation callback_plan_of(const settings& s, int name, bool born_in_destructor) {
    random_source r(s.seed * 1000037u + static_cast<std::uint64_t>(name));
    const int root = r.below(s.roots), entry = r.below(s.weak_table), heap = r.below(s.heaps);
    switch (r.below(born_in_destructor ? 11 : 12)) {
    case 0:
    case 1:
    case 2:
    case 3: return {};
    case 4:
    case 5: return {action::drop_root, root};
    case 6: return {action::collect, heap, r.below(3)};
    case 7:
    case 8: return {action::weak_drop, entry};
    case 9: return {action::weak_lock, root, entry};
    case 10: return {action::watch, entry, root};
    default: return {action::make, root, r.below(kinds), heap};
    }
}

} // namespace model
