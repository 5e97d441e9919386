// SPDX-License-Identifier: BSL-1.0
// What every part of a re-entrant program shares: its bytes, what is known of each object without asking the
// library, and the hooks through which the program goes on inside of itself.
//
// A program is a string of bytes. Whoever runs next takes the next byte: the main loop, or a destructor, finalizer,
// callback, comparator, hash, element constructor or allocator that the library or a container calls. After the last
// byte all hooks are silent, and so every string is a program that ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

namespace reentry {

constexpr int none = -1;

/// Parts of the language that a run can leave out: `--without NAME,NAME`.
enum class feature : int {
    destructors,  // a destructor runs a nested program
    finalizers,   // so does a finalizer
    callbacks,    // of weak references, and functions that are called
    comparators,  // and hashes
    elements,     // constructors, copies, moves and destructors of plain elements
    allocators,
    constructors, // of objects
    gc_callbacks, // at the start and stop of a collection
    unraisable,   // the hook for exceptions that nobody can catch
    heaps,        // more than one
    retire,       // heaps end
    freeze,
    throws,
    keys,         // associative containers keyed by references
    noisy,        // containers of plain elements with hooks
    weak_maps,    // the library's own containers
    self_keys,    // values of a weak_key_map that may lead to their key
    weakrefs,
    functions,
    borrow,       // of objects whose destruction waits
    collect,      // explicit, in a hook
    deferral,     // a collect() while an object dies must return 0
    queries,      // get_objects, get_referrers, visit_objects
    count
};

constexpr const char* feature_names[] = {
    "destructors", "finalizers", "callbacks", "comparators", "elements", "allocators", "constructors",
    "gc_callbacks", "unraisable", "heaps", "retire", "freeze", "throws", "keys", "noisy", "weak_maps",
    "self_keys", "weakrefs", "functions", "borrow", "collect", "deferral", "queries"};
static_assert(std::size(feature_names) == static_cast<std::size_t>(feature::count));

/// A set of features.
class feature_set {
public:
    constexpr feature_set() = default;
    [[nodiscard]] constexpr bool has(feature f) const { return ((bits_ >> static_cast<int>(f)) & 1u) != 0; }
    constexpr void add(feature f) { bits_ |= 1u << static_cast<int>(f); }
    /// Returns: whether all names are known.
    bool parse(const std::string& names) {
        for (std::size_t at = 0; at < names.size();) {
            const std::size_t end = std::min(names.find(',', at), names.size());
            const std::string name = names.substr(at, end - at);
            const auto* found = std::find(std::begin(feature_names), std::end(feature_names), name);
            if (found == std::end(feature_names)) return false;
            add(static_cast<feature>(found - std::begin(feature_names)));
            at = end + 1;
        }
        return true;
    }

private:
    std::uint32_t bits_ = 0;
};

/// What the hooks throw.
struct test_error {};

#if defined(__cpp_exceptions)
/// Runs `f`. Returns: whether it came to its end, instead of throwing what hooks throw.
template <class F>
bool guarded(F f) {
    try {
        f();
        return true;
    } catch (const test_error&) {
        return false;
    } catch (const std::bad_alloc&) {
        return false;
    }
}
[[noreturn]] inline void throw_test_error() { throw test_error(); }
[[noreturn]] inline void throw_no_memory() { throw std::bad_alloc(); }
constexpr bool with_exceptions = true;
#else
template <class F>
bool guarded(F f) {
    f();
    return true;
}
inline void throw_test_error() {}
inline void throw_no_memory() {}
constexpr bool with_exceptions = false;
#endif

struct thing;
struct box;
struct captured;
using ref = pygc::py_ref<thing>;
using box_ref = pygc::py_ref<box>;

enum class node_kind : unsigned char { object, box, capture };

/// What is known of an object, or of what a function captured, without asking the library.
struct node {
    node_kind what = node_kind::object;
    bool alive = true; // its destructor hasn't begun
    bool finalized = false;
    bool called = false; // a callback
    int heap = 0;        // the serial number of its heap
    int watched = none;  // by the callback that captured it
    union {
        thing* object;
        box* boxed;
        captured* capture;
    };
    node() : object(nullptr) {}
};

/// The references that something owns, as its own code sees them.
struct edges {
    std::vector<int> targets; // `none` for null
    std::vector<int> captures; // what callbacks and functions own; callbacks let go of it by themselves
    struct entry {
        int key, value;
    };
    std::vector<entry> entries; // of weak_key_maps: the value lives as long as map and key do
    bool null_key = false;      // in an associative container
};

class machine;
inline machine* current = nullptr;

[[noreturn]] inline void out_of_range(const char* what) {
    std::fprintf(stderr, "reentry: %s\n", what);
    std::abort();
}

/// A heap of the program.
struct heap_slot {
    pygc::heap* heap = nullptr;
    bool owned = false;
    int serial = 0;
    int users = 0; // scopes and no_collects
    std::vector<pygc::callback_list::id> callbacks;
};

/// What became of a run.
struct result {
    std::string error;
    long operations = 0;
    long hooks = 0;
    long objects = 0;
};

constexpr int most_alive = 40;
constexpr int deepest = 5;
constexpr long most_operations = 3000;

class machine {
public:
    machine(const std::uint8_t* bytes, std::size_t size, feature_set without, bool stop_at_once)
        : at_(bytes), end_(bytes + size), without_(without), stop_at_once_(stop_at_once) {}
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;

    // ---- bytes ------------------------------------------------------------------------------------

    [[nodiscard]] bool done() const { return at_ == end_ || operations_ >= most_operations; }
    int next() { return at_ == end_ ? 0 : *at_++; }
    int below(int n) { return next() % n; }
    [[nodiscard]] bool has(feature f) const { return !without_.has(f); }

    // ---- faults -----------------------------------------------------------------------------------

    void fail(const std::string& what) {
        if (!result_.error.empty()) return;
        result_.error = what;
        quiet = true;
        if (!stop_at_once_) return;
        std::fprintf(stderr, "reentry: %s\n", what.c_str());
        std::abort();
    }
    void require(bool holds, const char* what, int id = none) {
        if (!holds) [[unlikely]]
            fail(id == none ? what : std::string(what) + ": object " + std::to_string(id));
    }
    [[nodiscard]] bool failed() const { return !result_.error.empty(); }

    // ---- nodes ------------------------------------------------------------------------------------

    node& at(int id) {
        if (id < 0 || static_cast<std::size_t>(id) >= nodes.size()) out_of_range("a reference leads to no object");
        return nodes[static_cast<std::size_t>(id)];
    }
    int new_node(node_kind what, int heap) {
        node n;
        n.what = what;
        n.heap = heap;
        nodes.push_back(n);
        if (what != node_kind::capture) ++alive;
        ++result_.objects;
        return static_cast<int>(nodes.size()) - 1;
    }
    void end_node(int id) {
        node& n = at(id);
        require(n.alive, "a destructor runs twice", id);
        n.alive = false;
        if (n.what != node_kind::capture) --alive;
    }

    // ---- hooks ------------------------------------------------------------------------------------

    /// The nested program of a hook. Returns: whether the hook is to throw.
    bool hook(feature f, thing* whose = nullptr) {
        ++result_.hooks;
        if (quiet || !has(f) || depth >= deepest || done()) return false;
        const int b = next();
        const int steps = b < 128 ? 0 : b < 192 ? 1 : b < 232 ? 2 : 3;
        if (steps != 0) trace("in a hook of %s", feature_names[static_cast<int>(f)]);
        thing* const outer = std::exchange(self, whose);
        ++depth;
        for (int i = 0; i != steps; ++i) step();
        --depth;
        self = outer;
        return with_exceptions && has(feature::throws) && b % 16 == 5;
    }
    inline void step();

    // ---- the program's state ----------------------------------------------------------------------

    std::vector<node> nodes;
    int alive = 0;
    int depth = 0;
    int busy = 0;         // containers in the middle of an operation
    int plain = 0;        // operations in which plain elements may run hooks, under no_collect
    int dying = 0;        // destructors on the stack
    int collecting = 0;   // collections that run
    bool quiet = false;   // hooks do nothing
    thing* self = nullptr; // whose destructor or finalizer runs

    std::vector<heap_slot> heaps;
    int next_serial = 0;
    int current_heap = 0;

    int serial_of_current() { return heaps[static_cast<std::size_t>(current_heap)].serial; }

    void count_operation() { ++operations_; }
    /// With `--trace`: what runs, further right the deeper.
    template <class... X>
    void trace(const char* format, X... x) const {
        if (!traces) return;
        std::fprintf(stderr, "%*s", depth * 4, "");
        std::fprintf(stderr, format, x...);
        std::fputc('\n', stderr);
    }
    bool traces = false;
    result finish() const {
        result r = result_;
        r.operations = operations_;
        return r;
    }

private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    feature_set without_;
    bool stop_at_once_;
    long operations_ = 0;
    result result_;
};

} // namespace reentry
