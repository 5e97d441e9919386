// SPDX-License-Identifier: BSL-1.0
// The state of one heap: bins, generations, counters, thresholds, statistics. No algorithm.
//
//   thread_state                                             what make_ref and every death look at
//     heap
//     trashcan[0 .. waiting]                                 dead objects whose destructors wait
//   heap_state
//     bins[id of type] -> current page, pages with room      allocation
//     touched -> page -> page                                pages with objects of generation 0 or 1
//     storage -> chunks -> pages -> slots                    every object, with its age in its header
//     containers, trigger                                    when the next collection is due
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib> // malloc

#include <pygc/callbacks.hpp>
#include <pygc/config.hpp>
#include <pygc/detail/callable.hpp>
#include <pygc/detail/header.hpp>
#include <pygc/detail/malloc_plug.hpp>
#include <pygc/detail/pacing.hpp>
#include <pygc/detail/page.hpp>
#include <pygc/detail/scratch.hpp>
#include <pygc/detail/storage.hpp>
#include <pygc/detail/weak_table.hpp>
#include <pygc/unraisable.hpp>

namespace pygc::inline PYGC_ABI {

/// Totals of one generation since the heap began.
struct generation_stats {
    std::size_t collections = 0;   ///< collections of exactly this generation
    std::size_t collected = 0;     ///< objects they found unreachable and freed
    std::size_t uncollectable = 0; ///< objects whose traverse reported more than they own
    std::size_t candidates = 0;    ///< objects they examined
    std::size_t given_up = 0;      ///< collections that found no memory to work in, and freed nothing
    double duration = 0;           ///< seconds of elapsed time they took
};

/// Where automatic collections may run.
enum class mode : unsigned char {
    at_allocation, ///< in make_ref, before the object is made: from the start
    at_safe_point, ///< in `safe_point()` only
};
using enum mode;

/// What a collection prints to stderr, and whether it keeps what it finds: the flags of Python's gc module.
enum class debug : unsigned {
    none = 0,
    stats = 1,         ///< a few lines a collection
    collectable = 2,   ///< each object found unreachable
    uncollectable = 4, ///< each object whose traverse reported more than it owns
    save_all = 32,     ///< what is found unreachable goes to `garbage()` and is not freed
    leak = 38,         ///< collectable, uncollectable and save_all: to find a leak
};
[[nodiscard]] constexpr debug operator|(debug a, debug b) noexcept {
    return static_cast<debug>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
[[nodiscard]] constexpr debug operator&(debug a, debug b) noexcept {
    return static_cast<debug>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
[[nodiscard]] constexpr debug operator~(debug a) noexcept { return static_cast<debug>(~static_cast<unsigned>(a)); }

} // namespace pygc::inline PYGC_ABI

namespace pygc::inline PYGC_ABI::detail {

struct finalizer_entry;
struct ephemeron_part;
struct heap_type;

/// Where objects of one type are made.
struct bin {
    page* current;                   // the heap's `no_page` if there is none
    page* with_room = nullptr;       // doubly linked; never holds `current`
    const heap_type* type = nullptr; // what the heap keeps of the type; null: it has had no page of it
};

/// A heap's own copy of what is known about a type. A shared library may be unloaded when its last object is gone,
/// while the heap still has a page that it used.
struct heap_type : type_info {
    explicit heap_type(const type_info& t, std::uint32_t o) noexcept : type_info(t), offset(o) {}
    std::uint32_t offset; // of the bin
};

/// Room for more of them.
struct type_block {
    static constexpr std::size_t bytes = std::size_t{64} << 10;
    type_block* next;
};

/// What the objects of a heap own outside it. It outlives the heap: whatever added bytes gives them back here.
struct external_account {
    std::size_t bytes = 0;
    std::size_t fields = 0;           // `external_bytes` that refer to it
    heap_state* heap = nullptr;       // null: it has ended
    external_account* into = nullptr; // the heap's objects have joined another heap
};

/// A page under collection.
struct collected_page {
    page* where;
    std::uint32_t first;        // the number of its first slot
    std::uint32_t carved;       // slots with numbers: a destructor that makes objects may have more carved meanwhile
    void* freed = nullptr;      // slots of garbage whose destructors have run, linked
    void** last_freed = nullptr; // where the link of the last of those stands
    bool escaped = false;       // some destructor let a reference to its object escape
    bool single = false;        // has one slot, whose number is next to that of another page
    std::uint64_t single_garbage = 0; // whether the object there was found unreachable
};

/// A range of memory.
struct memory_range {
    char* begin = nullptr;
    std::size_t bytes = 0;
};

struct heap_state {
    bin* bins = nullptr;
    std::uint32_t visible_bytes = 0;    // of the bins that make_ref may use without looking closer: all or none
    std::uint32_t bin_count = 0;        // those in use; types with a higher number have none here yet
    std::size_t objects_of_age[4] = {}; // [age_young] isn't kept: it would cost every make_ref
    page* touched = nullptr;

    // Counting. Page by page: neither make_ref nor a death touches a counter of the heap.
    std::size_t containers = 0;      // slots of containers in use, and those that make_ref may take unseen
    std::size_t containers_then = 0; // what it was at the last collection, or has fallen to since
    // Or one by one, where CPython's rule is followed to the letter and where a heap waits for its last object.
    bool counts_each = false;
    std::size_t allocations = 0; // containers made minus containers gone since the last collection, never below zero

    // Pacing.
    std::size_t trigger = 0; // when more containers than this were made, a collection is due
    pacing pace;
    std::size_t threshold[3] = {default_threshold[0], default_threshold[1], default_threshold[2]};
    std::size_t younger_collections[3] = {}; // get_count()[1] and [2]
    signed char requested = -1; // the generation of a `collect` that waits until nothing is dying: see is_dying
    bool enabled = true;
    bool collecting = false;
    bool traversing = false; // a `traverse` of the user is running
#if PYGC_DEBUG
    bool told_of_wait = false; // of a collection that waits for an object that is dying
#endif
    mode when = mode::at_allocation;
    std::size_t pauses = 0; // no_collect scopes alive

    // Lifetime.
    bool abandoned = false; // its thread or its owner is gone: it lives as long as its last object
    bool has_frozen = false;
    std::uint32_t users = 0;     // its thread, scopes, no_collects: it isn't released under them
    std::uint32_t last_pass = 0; // of the collections of abandoned heaps
    bool listed = false;         // among the abandoned heaps; guarded by shared_lock, as are
    heap_state* next = nullptr;
    heap_state* previous = nullptr;
#if PYGC_DEBUG
    std::uint32_t owner = 0; // the thread that may use it: see `check_thread`; 0: whoever holds the objects
#endif
    void* handle = nullptr; // the `heap` that users see; for a thread's own heap it stands here:
    alignas(void*) unsigned char handle_place[2 * sizeof(void*)] = {};

    // Seldom used.
    weak_table weak;
    finalizer_entry* newest_finalizer = nullptr; // see finalizer.hpp
    ephemeron_part* ephemerons = nullptr;        // of weak_key_maps with values that hold references
    callback_list callbacks;
    callable<const unraisable&> unraisable_hook;
    debug debug_flags = debug::none;
    object_list* garbage = nullptr; // stands here once it is needed:
    alignas(void*) unsigned char garbage_place[3 * sizeof(void*)] = {};
    std::size_t visits = 0; // running `visit_objects`: pages must stay where they are

    storage pages;
    std::uint32_t bin_capacity = 0;
    scratch<bin> more_bins; // once the types have outgrown the place behind the state
    heap_type* next_type = nullptr; // room for copies
    heap_type* end_of_types = nullptr;
    type_block* type_blocks = nullptr; // once they have outgrown theirs
    page no_page{}; // stands where a bin has no current page: it has no free slot, so the fast path needs no null test
    const void* library = nullptr;        // the copy of the library that made the heap and numbers its types
    external_account* external = nullptr; // null: nothing yet
    std::size_t examined = 0;             // by its automatic full collections since the abandoned heaps were looked at
    generation_stats stats[3];
    malloc_plug plug;

    // Working memory of a collection: see snapshot.hpp.
    scratch<collected_page> collected_pages;
    scratch<std::uint32_t> trial;
    scratch<std::uint32_t> first_edge;
    scratch<std::uint32_t> edges;
    scratch<std::uint64_t> in_set;
    scratch<std::uint64_t> roots;
    scratch<std::uint64_t> unreached;
    memory_range reserve; // for when the system has none: see collector.hpp

    /// Containers made minus containers gone since the last collection, never below zero. Counting page by page it
    /// takes what make_ref may take unseen for made, and sees deaths later.
    [[nodiscard]] std::size_t made() const noexcept { return counts_each ? allocations : containers - containers_then; }

    /// Whether a collection is due once `more` containers have been made.
    [[nodiscard]] bool is_over_trigger(std::size_t more = 0) const noexcept {
        return (trigger == 0 || made() + more > trigger) && pauses == 0;
    }

    /// Preconditions: `t` is the heap's own copy.
    [[nodiscard]] bin& bin_of(const type_info& t) const noexcept {
        return bin_at(static_cast<const heap_type&>(t).offset);
    }

    /// Lets make_ref find the bins, unless something else is to be done first.
    void show_bins() noexcept {
        const std::size_t visible = counts_each || traversing || trigger == 0 ? 0 : bin_count;
        visible_bytes = static_cast<std::uint32_t>(visible * sizeof(bin));
    }

    [[nodiscard]] PYGC_INLINE bin& bin_at(std::uint32_t offset) const noexcept {
        return *reinterpret_cast<bin*>(reinterpret_cast<char*>(bins) + offset);
    }

    /// To be called when something changes that the next collection depends on. Without a trigger the counter still
    /// counts.
    void update_trigger() noexcept {
        if (when != mode::at_allocation) {
            trigger = SIZE_MAX;
        } else if (requested >= 0) { // by the user, and so whether or not automatic collections run
            trigger = 0;
        } else if (!enabled || threshold[0] == 0) {
            trigger = SIZE_MAX;
        } else {
            trigger = too_many_bytes() ? 0 : next_collection();
        }
        show_bins();
    }

    /// Objects have more memory now, here or outside.
    void note_growth() noexcept {
        if (trigger == SIZE_MAX || !too_many_bytes()) return;
        trigger = 0;
        show_bins();
    }

    /// Whether the thresholds are the default ones, so that pygc paces its collections itself.
    [[nodiscard]] bool paces_itself() const noexcept {
        return threshold[0] == default_threshold[0] && threshold[1] == default_threshold[1] &&
               threshold[2] == default_threshold[2];
    }

    /// A collection is due when more containers than these have been made.
    [[nodiscard]] std::size_t next_collection() const noexcept {
        return paces_itself() ? pace.next(pending(), objects_of_age[age_old]) : threshold[0];
    }

    [[nodiscard]] bool too_many_bytes() const noexcept { return paces_itself() && bytes() > pace.bytes_limit; }

    /// Whether a collection is due by what is known now, wherever automatic collections may run.
    [[nodiscard]] bool is_due(std::size_t more = 0) const noexcept {
        return may_collect() && (made() + more > next_collection() || too_many_bytes());
    }

    /// Whether a full collection is due, if one is.
    [[nodiscard]] bool wants_full(std::size_t more) const noexcept {
        return pending() + made() + more > pace.full_limit(objects_of_age[age_old]) || too_many_bytes();
    }

    /// Containers that no full collection has seen, those since the last collection apart.
    [[nodiscard]] std::size_t pending() const noexcept {
        return pace.kept_young + objects_of_age[age_middle] + objects_of_age[age_old_new];
    }

    /// Memory that objects have, or may have next, here and outside.
    [[nodiscard]] std::size_t bytes() const noexcept {
        return pages.pages() * page_bytes + (external != nullptr ? external->bytes : 0);
    }

    /// Whether automatic collections run at all.
    [[nodiscard]] bool may_collect() const noexcept { return enabled && threshold[0] != 0 && pauses == 0; }

    /// Containers went. CPython's rule: the counter falls, but never below zero.
    void note_freed_containers(std::size_t count) noexcept { allocations -= count < allocations ? count : allocations; }

    /// The number of containers on a page changed, or was seen to have changed.
    void count_containers(page& p, std::size_t count) noexcept {
        containers += count - p.counted; // modulo the size of the type
        p.counted = static_cast<std::uint16_t>(count);
        if (containers < containers_then) containers_then = containers;
    }

    void release_scratch() noexcept {
        collected_pages.release();
        release_snapshot();
        plug.release();
    }

    PYGC_NOINLINE void release_snapshot() noexcept {
        trial.release();
        first_edge.release();
        edges.release();
        in_set.release();
        roots.release();
        unreached.release();
    }
};

/// No automatic collection of a heap runs as long as one lives.
class pause_scope {
public:
    explicit pause_scope(heap_state& h) noexcept : heap_(h) { ++h.pauses; }
    pause_scope(const pause_scope&) = delete;
    pause_scope& operator=(const pause_scope&) = delete;
    ~pause_scope() { --heap_.pauses; }

private:
    heap_state& heap_;
};

/// Never destroyed: statics that die last still look at it.
union heap_state_for_good {
    heap_state state;
    constexpr heap_state_for_good() noexcept : state{} {}
    ~heap_state_for_good() {}
};
PYGC_SHARED inline constinit heap_state_for_good no_heap_place;

/// Stands where a thread has no heap yet: it has no bins, so the fast path needs no null test.
inline constinit heap_state& no_heap = no_heap_place.state;

/// How deep destructors may nest before further objects wait in a list: deep enough that ordinary
/// programs see the order of shared_ptr, shallow enough for a 64 KiB stack.
inline constexpr std::int32_t nesting_limit = 24;

/// What every make_ref and every death looks at. Small: it may stand in the room that libraries share.
struct thread_state {
    heap_state* heap = &no_heap;                // that make_ref and the free functions act on
    std::int32_t nesting_left = nesting_limit;  // destructors that may yet nest
    std::int32_t resting_level = nesting_limit; // what it is while no object dies: see is_dying

    // Dead objects whose destructors wait: see postponed.hpp.
    py_object** trashcan = nullptr; // the array of them: `first_trashcan`, or memory of its own
    std::uint32_t waiting = 0;
    std::uint32_t trashcan_capacity = 0;
    std::uint32_t trashcan_base = 0; // those below belong to somebody further up the stack
    bool keeps_trashcan = false;     // until the thread ends
    bool trashcan_failed = false;    // there was no memory for it, so that something nested deeper
    py_object* first_trashcan[8] = {};
    scratch<py_object*> more_trashcan;

    void* innermost_scope = nullptr; // the heap::scope that was made last, of those that live
};
static_assert(sizeof(thread_state) <= 160);
PYGC_SHARED inline constinit PYGC_THREAD_LOCAL thread_state this_thread{};

/// Whether an object is dying on this thread because its last reference went: that may have happened in the middle of a
/// container's clear(), and a collection would look at that container.
PYGC_INLINE bool is_dying() noexcept { return this_thread.nesting_left < this_thread.resting_level; }

/// As long as it lives, deaths that began before it are no reason to put collections off. `level`: of what runs in it.
class resting_scope {
public:
    explicit resting_scope(std::int32_t level) noexcept : previous_(this_thread.resting_level) {
        this_thread.resting_level = level;
    }
    resting_scope(const resting_scope&) = delete;
    resting_scope& operator=(const resting_scope&) = delete;
    ~resting_scope() { this_thread.resting_level = previous_; }

private:
    const std::int32_t previous_;
};

/// The account that `a` has become part of.
inline external_account& final_account(external_account& a) noexcept {
    external_account* last = &a;
    while (last->into != nullptr) last = last->into;
    return *last;
}

/// The account of a heap, made if need be. Null: no memory.
inline external_account* account_of(heap_state& h) noexcept {
    if (h.external != nullptr) return h.external;
    void* memory = std::malloc(sizeof(external_account));
    if (memory == nullptr) return nullptr;
    h.external = ::new (memory) external_account{};
    h.external->heap = &h;
    return h.external;
}

/// One field, or account that became part of it, less.
inline void leave_account(external_account* a) noexcept {
    while (a != nullptr && --a->fields == 0 && a->heap == nullptr) {
        external_account* const into = a->into;
        std::free(a);
        a = into;
    }
}

/// The end of a heap: its account stays as long as somebody refers to it.
inline void release_account(heap_state& h) noexcept {
    external_account* const a = h.external;
    h.external = nullptr;
    ++a->fields;
    a->heap = nullptr;
    leave_account(a);
}

} // namespace pygc::inline PYGC_ABI::detail
