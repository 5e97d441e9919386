// SPDX-License-Identifier: BSL-1.0
// The compact picture of the objects under collection that is taken in one pass over their pages; the
// phases after it read the picture, not the objects.
//
//   number of object      0  ..63 64  65  66  ...       0 = everything outside, 1..63 unused
//   trial                 [ any | c0 | c1 | c2 | ... ]  references; in the end those from outside the set
//   first_edge            [     | .  | .  | .  | ... ]  where the object's edges begin
//                                 |    +----------+
//                                 v               v
//   edges                 [ 0 .. | 65 | 66 | 64 | 66 | ... ]  numbers of what the objects refer to
//   in_set     one bit an object: takes part in this collection
//   roots      has references from outside
//   unreached  nothing known to be alive leads to it
#pragma once

#include <pygc/detail/heap_state.hpp>
#include <pygc/detail/place_check.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Numbers below this belong to no page; a page's numbers begin at a multiple of it.
inline constexpr std::uint32_t number_granule = 64;

/// The edge array as a visitor needs it.
struct edge_room {
    std::uint32_t* edges;
    std::size_t count;
    std::size_t capacity;
};

/// A reference among garbage that was nulled: where it stands, and what it led to.
struct cleared_reference {
    py_object** place;
    py_object* target;

    /// A raw pointer that owns a count needn't lead to the header: until the counts are restored its place is odd.
    static py_object** mark_raw(py_object*& place) noexcept {
        return reinterpret_cast<py_object**>(reinterpret_cast<std::uintptr_t>(&place) | 1u);
    }
    [[nodiscard]] bool is_marked_raw() const noexcept { return (reinterpret_cast<std::uintptr_t>(place) & 1u) != 0; }
    void unmark_raw() noexcept { place = reinterpret_cast<py_object**>(reinterpret_cast<std::uintptr_t>(place) - 1); }
};

class snapshot {
public:
    /// A picture of so many objects stays in the cache: waiting for it costs less than prefetching.
    static constexpr std::size_t cached_size = std::size_t{64} << 10;

    explicit snapshot(heap_state& h) noexcept : heap(h), spare(h.reserve) {}

    /// Memory for numbers below `count`, of `objects` objects. False: there is none.
    [[nodiscard]] bool prepare(std::size_t count, std::size_t objects) noexcept {
        prepared = failed = false;
        if (reserve(count, objects)) {
            trial = heap.trial.data();
            first_edge = heap.first_edge.data();
            in_set = heap.in_set.data();
            roots = heap.roots.data();
            unreached = heap.unreached.data();
            use(heap.edges);
        } else if (!use_spare(count, objects)) {
            return false;
        }
        const std::size_t words = words_for(count);
        std::memset(in_set, 0, words * sizeof(std::uint64_t));
        std::memset(roots, 0, words * sizeof(std::uint64_t));
        std::memset(unreached, 0, words * sizeof(std::uint64_t));
        size = count;
        edge_count = 0;
        log_memory = nullptr;
        log_capacity = 0;
        return prepared = true;
    }

    /// Asks the system for the memory that `prepare` would need, without writing to it.
    [[nodiscard]] bool reserve(std::size_t count, std::size_t objects) noexcept {
        const std::size_t words = words_for(count);
        return heap.trial.reserve(count + 64) && heap.first_edge.reserve(count + 65) && heap.in_set.reserve(words) &&
               heap.roots.reserve(words) && heap.unreached.reserve(words) &&
               heap.edges.reserve(2 * objects + 64); // the visitor asks for more
    }

    /// With so many numbers half of `spare` is left for edges.
    [[nodiscard]] std::size_t numbers_in_spare() const noexcept { return spare.bytes / 2 / 9 - 128; }

    /// Room for a log of so many references. Preconditions: the edges aren't needed any more. Without memory it is
    /// as long as it can be.
    void prepare_log(std::size_t count) noexcept {
        constexpr std::size_t size_in_edges = sizeof(cleared_reference) / sizeof(std::uint32_t);
        static_assert(sizeof(cleared_reference) % sizeof(std::uint32_t) == 0);
        if (edges != nullptr) { // and from then on it is the log's memory
            log_memory = edges;
            log_capacity = edge_capacity;
            edges = nullptr;
            edge_count = edge_capacity = 0;
        }
        const bool is_odd = reinterpret_cast<std::uintptr_t>(log_memory) % alignof(cleared_reference) != 0;
        std::size_t capacity = log_capacity > 1 ? (log_capacity - is_odd) / size_in_edges : 0;
        cleared = reinterpret_cast<cleared_reference*>(log_memory + is_odd);
        const std::size_t kept =
            heap.edges.data() != nullptr ? 1 : 0; // nothing, but it costs page faults to begin anew
        if (capacity < count && count <= SIZE_MAX / size_in_edges && heap.edges.reserve(count * size_in_edges, kept)) {
            cleared = reinterpret_cast<cleared_reference*>(heap.edges.data());
            log_memory = heap.edges.data();
            log_capacity = heap.edges.capacity();
            capacity = count;
        }
        incomplete_log = capacity < count;
        cleared_capacity = incomplete_log ? capacity : count;
        cleared_count = 0;
        lied = false;
    }

    /// Called when the edge array is full, with the number of edges in it. Without memory it starts
    /// over, so that the page being counted can finish, and remembers that the picture is worthless.
    /// Gives and takes values, so that its caller's copies may stay in registers.
    PYGC_NOINLINE edge_room grow_edges(std::size_t count) noexcept {
        if (failed || edge_capacity > UINT32_MAX / 2 || !double_edges(count)) {
            failed = true;
            return {edges, 0, edge_capacity};
        }
        use(heap.edges);
        return {edges, count, edge_capacity};
    }

    /// Subtracts the references that objects of the set hold on each other: in a loop of its own, where the processor
    /// can have many under way.
    void subtract_edges() noexcept {
        constexpr std::uint32_t ahead = 32; // the time for an entry to reach the cache
        const std::uint32_t* e = edges;
        const std::uint32_t* const end = edges + edge_count;
        if (size > cached_size && edge_count > ahead) {
            for (; e != end - ahead; ++e) {
                prefetch(trial + e[ahead]);
                --trial[*e];
            }
        }
        for (; e != end; ++e) --trial[*e];
    }

    /// An object shows what can't be its own.
    PYGC_NOINLINE void note_lie(place_kind kind, const type_info& t, const void* slot, const void* place) noexcept {
        lied = true;
        if (lie_type != nullptr) return;
        lie_kind = kind;
        lie_type = &t;
        lie_slot = slot;
        lie_place = place;
    }

    heap_state& heap;
    std::size_t size = 0;           // of the range of numbers
    std::uint32_t* trial = nullptr; // modulo 2^32: immortal counts are negative
    std::uint32_t* first_edge = nullptr;
    std::uint32_t* edges = nullptr;
    std::uint32_t edge_count = 0;
    std::uint32_t edge_capacity = 0;
    std::uint64_t* in_set = nullptr;
    std::uint64_t* roots = nullptr;
    std::uint64_t* unreached = nullptr;
    bool prepared = false; // there was memory to begin with
    bool failed = false;   // but not for all edges
    memory_range spare;    // what may be used if the system has no memory
    bool keyed = false; // some object of the set has an associative container whose keys hold references

    /// While references are nulled: the counts of garbage, in the memory of `trial`. Null: those of the headers serve.
    /// Where these don't fit the cache, four bytes an object cost less than its line.
    std::uint32_t* counts = nullptr;

    /// One less for an object. It waits until the count has reached the cache.
    void count_down(std::size_t number) noexcept {
        prefetch(counts + number);
        std::uint32_t& delayed = delayed_[next_delayed_++ % delay];
        --counts[delayed];
        delayed = static_cast<std::uint32_t>(number);
    }
    void begin_to_count_down() noexcept {
        counts = trial;
        for (std::uint32_t& number : delayed_) number = 0; // of nobody
    }
    void finish_counting_down() noexcept {
        for (const std::uint32_t number : delayed_) --counts[number];
    }

    // While references are nulled `edges` lends its memory to the log.
    cleared_reference* cleared = nullptr; // the log
    std::uint32_t* log_memory = nullptr;  // in which it is, once the edges aren't needed any more
    std::size_t log_capacity = 0;         // in edges
    std::size_t cleared_count = 0;
    std::size_t cleared_capacity = 0; // as many as there can be if nobody lies
    bool incomplete_log = false;      // there was no memory for more
    bool for_good = false;            // or the references are put back
    bool lied = false;                // more was shown than before, or what belongs to somebody else
    place_check places;
    const void* frame = nullptr; // on the stack, above all that a `traverse` puts there

    // The first lie of the collection, to be reported.
    place_kind lie_kind = place_kind::unknown;
    const type_info* lie_type = nullptr;
    const void* lie_slot = nullptr;
    const void* lie_place = nullptr;
    bool defers_ephemerons = false;    // maps of weak keys that are shown join a list instead of showing their values:
    ephemeron_part* deferred = nullptr; // see ephemerons.hpp

private:
    static constexpr std::uint32_t delay = 32;
    std::uint32_t delayed_[delay];
    std::uint32_t next_delayed_ = 0;

    static constexpr std::size_t words_for(std::size_t count) noexcept { return count / 64 + 1; }

    /// Where there is no memory for twice as many, a little more may be all that is needed.
    [[nodiscard]] bool double_edges(std::size_t count) noexcept {
        if (edges != heap.edges.data()) { // in the spare memory: a fresh array, then
            if (!heap.edges.reserve(2 * count)) return false;
            std::memcpy(heap.edges.data(), edges, count * sizeof *edges);
            return true;
        }
        return heap.edges.reserve(2 * count, count) || heap.edges.reserve(count + count / 8, count);
    }

    /// Lays all arrays out in the spare memory; what is left is for the edges. False: it is too small.
    [[nodiscard]] bool use_spare(std::size_t count, std::size_t objects) noexcept {
        const std::size_t words = words_for(count);
        const std::size_t ints = (count + 64) + (count + 65) + (2 * objects + 64);
        if (spare.bytes < 3 * words * sizeof(std::uint64_t) + ints * sizeof(std::uint32_t)) return false;
        in_set = reinterpret_cast<std::uint64_t*>(spare.begin);
        roots = in_set + words;
        unreached = roots + words;
        trial = reinterpret_cast<std::uint32_t*>(unreached + words);
        first_edge = trial + count + 64;
        edges = first_edge + count + 65;
        const char* const end = spare.begin + spare.bytes;
        edge_capacity =
            static_cast<std::uint32_t>(static_cast<std::size_t>(end - reinterpret_cast<char*>(edges)) / sizeof *edges);
        heap.edges.release(); // too small, or it would have been used
        return true;
    }

    void use(const scratch<std::uint32_t>& memory) noexcept {
        edges = memory.data();
        edge_capacity = static_cast<std::uint32_t>(memory.capacity() < UINT32_MAX ? memory.capacity() : UINT32_MAX);
    }
};

} // namespace pygc::inline PYGC_ABI::detail
