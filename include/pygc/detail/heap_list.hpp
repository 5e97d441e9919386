// SPDX-License-Identifier: BSL-1.0
// Begins and ends heap states. Knows those that have been abandoned, and keeps some empty ones for the next threads.
//
//   create_heap --> in use --> abandoned, in the list, until its last object is gone --> release_heap
//       ^                                                                                     |
//       +------------------------------ spare_heaps <-----------------------------------------+
#pragma once

#include <new>

#include <pygc/detail/asan_report.hpp>
#include <pygc/detail/copies.hpp>
#include <pygc/detail/heap_state.hpp>
#include <pygc/detail/process.hpp>
#include <pygc/detail/shared.hpp>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h> // pthread_atfork
#endif

namespace pygc::inline PYGC_ABI::detail {

void unmap_empty_chunks(heap_state& h, std::size_t spare) noexcept;

inline constexpr std::size_t heap_state_bytes = std::size_t{64} << 10;

/// What a collection can work in when the system has no memory. Only addresses until then: they are behind the state,
/// in the same mapping.
inline constexpr std::size_t reserve_bytes = std::size_t{256} << 10;

/// A processor guesses by the low twelve bits of two addresses whether a load needs an earlier store.
/// The first objects of every page have small ones; the state's counters keep away from those.
inline constexpr std::size_t heap_state_offset = 3072;

PYGC_SHARED inline constinit heap_state* abandoned_heaps = nullptr; // guarded by shared_lock
PYGC_SHARED inline constinit std::uint32_t abandoned_count = 0;

/// Empty heaps whose memory waits for the next thread: mapping it and touching it anew would take most of the time of
/// a short-lived one.
PYGC_SHARED inline constinit heap_state* spare_heaps = nullptr; // guarded by shared_lock
PYGC_SHARED inline constinit std::uint32_t spare_heap_count = 0;

inline constexpr std::uint32_t most_spare_heaps = 8;
inline constexpr std::size_t most_spare_pages = 8; // with memory behind them, in each
inline constexpr std::size_t spare_array_bytes = std::size_t{64} << 10;

/// What a thread has of its own.
struct own_heap {
    heap_state* state = nullptr;
    bool held = false;      // counted among the state's `users`
    bool ending = false;    // its last collection has begun; destructors of thread_locals and statics may follow
    unsigned char ends = 0; // those that were registered
};
PYGC_SHARED inline constinit thread_local own_heap own{};

inline void list_abandoned(heap_state& h) noexcept {
    const shared_lock lock;
    if (h.listed) return;
    h.listed = true;
    h.previous = nullptr;
    h.next = abandoned_heaps;
    if (abandoned_heaps != nullptr) abandoned_heaps->previous = &h;
    abandoned_heaps = &h;
    store_relaxed(abandoned_count, abandoned_count + 1);
}

/// Preconditions: the lock is held.
inline void unlist_abandoned(heap_state& h) noexcept {
    if (!h.listed) return;
    h.listed = false;
    store_relaxed(abandoned_count, abandoned_count - 1);
    (h.previous != nullptr ? h.previous->next : abandoned_heaps) = h.next;
    if (h.next != nullptr) h.next->previous = h.previous;
}

#if defined(__unix__) || defined(__APPLE__)
/// A child process has only the thread that forked. The lock is free there, and heaps of other threads are left alone:
/// one of them may have been in the middle of something, in a heap of its own or in an abandoned one.
struct fork_handlers {
    inline static constinit bool was_alone = false; // guarded by shared_lock

    static void before() noexcept {
        shared_lock::take();
        was_alone = abandoned_heaps == nullptr || !other_threads_run();
    }
    static void in_parent() noexcept { shared_lock::give_back(); }
    static void in_child() noexcept {
        while (!was_alone && abandoned_heaps != nullptr) unlist_abandoned(*abandoned_heaps);
        shared_lock::give_back();
    }
};
#endif

PYGC_SHARED inline constinit bool has_begun = false; // guarded by shared_lock

/// What a copy of the library does before its first heap.
inline void begin_library() noexcept {
    {
        const shared_lock lock;
        if (has_begun) return;
        has_begun = true;
    }
    tell_of_second_copy();
    explain_asan_reports();
#if defined(__unix__) || defined(__APPLE__)
    ::pthread_atfork(fork_handlers::before, fork_handlers::in_parent, fork_handlers::in_child);
#endif
}

/// In debug mode a heap knows which thread may use it: its own, or the one in a `heap::scope` of it. 0: nobody yet, or
/// whoever holds its objects.
inline std::uint32_t thread_number() noexcept {
#if PYGC_DEBUG
    static constinit std::uint32_t last = 0;
    static constinit thread_local std::uint32_t number = 0;
    if (number == 0) {
        const shared_lock lock;
        number = ++last;
    }
    return number;
#else
    return 0;
#endif
}
inline std::uint32_t owner_of([[maybe_unused]] const heap_state& h) noexcept {
#if PYGC_DEBUG
    return load_relaxed(h.owner);
#else
    return 0;
#endif
}
inline void set_owner([[maybe_unused]] heap_state& h, [[maybe_unused]] std::uint32_t thread) noexcept {
#if PYGC_DEBUG
    store_relaxed(h.owner, thread);
#endif
}

/// The copy of the library that this code belongs to: a program and a library loaded at run time may have one each.
inline const void* this_library() noexcept { return &shared_lock_taken; }

/// What a new state and one that is to be used again have in common.
inline void begin_heap(heap_state& h) noexcept {
    h.library = this_library();
    h.pace.limit_bytes(h.bytes());
    h.update_trigger();
}

inline heap_state* map_heap() noexcept {
    void* memory = map_memory(heap_state_bytes + reserve_bytes, heap_state_bytes);
    if (memory == nullptr) return nullptr;
    watch_for_leaks(memory, heap_state_bytes); // hooks and callbacks are found from here
    heap_state* h = ::new (static_cast<void*>(static_cast<char*>(memory) + heap_state_offset)) heap_state{};
    // The first bins, and copies of what is known about their types, stand behind the state in the same mapping:
    // enough for some four hundred types.
    constexpr std::size_t begin =
        heap_state_offset + (sizeof(heap_state) + alignof(heap_type) - 1) / alignof(heap_type) * alignof(heap_type);
    constexpr std::size_t types = (heap_state_bytes - begin) / (sizeof(bin) + sizeof(heap_type));
    h->bins = reinterpret_cast<bin*>(static_cast<char*>(memory) + begin);
    h->reserve = {static_cast<char*>(memory) + heap_state_bytes, reserve_bytes};
    h->bin_capacity = static_cast<std::uint32_t>(types);
    h->next_type = reinterpret_cast<heap_type*>(static_cast<char*>(memory) + begin + types * sizeof(bin));
    h->end_of_types = h->next_type + types;
    return h;
}

/// The heap's own copy of what is known about a type. Null: no memory.
inline const heap_type* copy_type(heap_state& h, const type_info& t, std::uint32_t offset) noexcept {
    if (h.next_type == h.end_of_types) {
        void* memory = map_memory(type_block::bytes, type_block::bytes);
        if (memory == nullptr) return nullptr;
        h.type_blocks = ::new (memory) type_block{h.type_blocks};
        static_assert(sizeof(type_block) <= sizeof(heap_type));
        auto* const places = static_cast<heap_type*>(memory); // the first is the block's own
        h.next_type = places + 1;
        h.end_of_types = places + type_block::bytes / sizeof(heap_type);
    }
    return ::new (static_cast<void*>(h.next_type++)) heap_type(t, offset);
}

/// A new, empty heap, or null if the system has no memory.
inline heap_state* create_heap() noexcept {
    begin_library();
    heap_state* h = nullptr;
    {
        const shared_lock lock;
        h = spare_heaps;
        if (h != nullptr) {
            spare_heaps = h->next;
            --spare_heap_count;
        }
    }
    if (h == nullptr) h = map_heap();
    if (h == nullptr) return nullptr;
    h->next = nullptr;
    begin_heap(*h);
    return h;
}

/// Makes an empty heap as good as new. Its memory stays, in so far as the next one may need it.
inline void renew_heap(heap_state& h) noexcept {
    unmap_empty_chunks(h, 1);
    h.pages.discard_free_pages(most_spare_pages);
    for (; h.touched != nullptr; h.touched = h.touched->next_touched) h.touched->touched = false;
    h.weak.release();
    h.plug.release();
    h.collected_pages.shrink_to(spare_array_bytes);
    h.trial.shrink_to(spare_array_bytes);
    h.first_edge.shrink_to(spare_array_bytes);
    h.edges.shrink_to(spare_array_bytes);
    h.in_set.shrink_to(spare_array_bytes);
    h.roots.shrink_to(spare_array_bytes);
    h.unreached.shrink_to(spare_array_bytes);
    if (h.external != nullptr) release_account(h);

    bin* const bins = h.bins;
    const std::uint32_t bin_count = h.bin_count, bin_capacity = h.bin_capacity;
    heap_type* const next_type = h.next_type;
    heap_type* const end_of_types = h.end_of_types;
    type_block* const type_blocks = h.type_blocks;
    const auto more_bins = h.more_bins;
    const storage pages = h.pages;
    const memory_range reserve = h.reserve;
    const auto collected_pages = h.collected_pages;
    const auto trial = h.trial, first_edge = h.first_edge, edges = h.edges;
    const auto in_set = h.in_set, roots = h.roots, unreached = h.unreached;
    h.~heap_state();
    ::new (static_cast<void*>(&h)) heap_state{};
    h.bins = bins;
    h.bin_count = bin_count;
    h.bin_capacity = bin_capacity;
    h.next_type = next_type;
    h.end_of_types = end_of_types;
    h.type_blocks = type_blocks;
    h.more_bins = more_bins;
    h.pages = pages;
    h.reserve = reserve;
    h.collected_pages = collected_pages;
    h.trial = trial;
    h.first_edge = first_edge;
    h.edges = edges;
    h.in_set = in_set;
    h.roots = roots;
    h.unreached = unreached;
}

/// Gives all of an empty heap back to the system, the state itself included.
PYGC_NOINLINE inline void unmap_heap(heap_state& h) noexcept {
    h.pages.unmap_all();
    h.release_scratch();
    h.more_bins.release();
    h.weak.release();
    while (h.type_blocks != nullptr) {
        type_block* const gone = h.type_blocks;
        h.type_blocks = gone->next;
        unmap_memory(gone, type_block::bytes);
    }
    if (h.external != nullptr) release_account(h);
    h.~heap_state();
    void* const memory = reinterpret_cast<char*>(&h) - heap_state_offset;
    unwatch_for_leaks(memory, heap_state_bytes);
    unmap_memory(memory, heap_state_bytes + reserve_bytes);
}

/// Gives the memory of heaps that wait for a thread back to the system.
PYGC_NOINLINE inline void release_spare_heaps() noexcept {
    for (;;) {
        heap_state* h;
        {
            const shared_lock lock;
            h = spare_heaps;
            if (h == nullptr) return;
            spare_heaps = h->next;
            --spare_heap_count;
        }
        unmap_heap(*h);
    }
}

/// The end of an empty heap: it waits for the next thread, or goes. Preconditions: it has no users.
inline void release_heap(heap_state& h) noexcept {
    if (this_thread.heap == &h) this_thread.heap = &no_heap;
    if (own.state == &h) own.state = nullptr;
    bool spare;
    {
        const shared_lock lock;
        unlist_abandoned(h);
        spare = spare_heap_count < most_spare_heaps;
        spare_heap_count += spare;
    }
    if (!spare) return unmap_heap(h);
    renew_heap(h);
    const shared_lock lock;
    h.next = spare_heaps;
    spare_heaps = &h;
}

} // namespace pygc::inline PYGC_ABI::detail
