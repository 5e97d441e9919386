// SPDX-License-Identifier: BSL-1.0
// Begins and ends heap states, and knows all of them.
#pragma once

#include <new>

#include <pygc/detail/heap_state.hpp>
#include <pygc/detail/shared.hpp>

namespace pygc::inline PYGC_ABI::detail {

inline constexpr std::size_t heap_state_bytes = std::size_t{64} << 10;

/// What a collection can work in when the system has no memory. Only addresses until then: they are behind the state,
/// in the same mapping.
inline constexpr std::size_t reserve_bytes = std::size_t{256} << 10;

/// A processor guesses by the low twelve bits of two addresses whether a load needs an earlier store.
/// The first objects of every page have small ones; the state's counters keep away from those.
inline constexpr std::size_t heap_state_offset = 3072;

inline constinit heap_state* all_heaps = nullptr; // guarded by shared_lock

/// A new, empty heap, or null if the system has no memory.
inline heap_state* create_heap() noexcept {
    void* memory = map_memory(heap_state_bytes + reserve_bytes, heap_state_bytes);
    if (memory == nullptr) return nullptr;
    watch_for_leaks(memory, heap_state_bytes); // hooks and callbacks are found from here
    heap_state* h = ::new (static_cast<void*>(static_cast<char*>(memory) + heap_state_offset)) heap_state{};
    // The first bins stand behind the state, in the same mapping: enough for some four thousand types.
    constexpr std::size_t begin =
        heap_state_offset + (sizeof(heap_state) + alignof(bin) - 1) / alignof(bin) * alignof(bin);
    h->bins = reinterpret_cast<bin*>(static_cast<char*>(memory) + begin);
    h->bin_capacity = static_cast<std::uint32_t>((heap_state_bytes - begin) / sizeof(bin));
    h->reserve = {static_cast<char*>(memory) + heap_state_bytes, reserve_bytes};
    h->pace.limit_bytes(h->bytes());
    h->update_trigger();
    shared_lock lock;
    h->next = all_heaps;
    if (all_heaps != nullptr) all_heaps->previous = h;
    all_heaps = h;
    return h;
}

/// Gives all of an empty heap back, the state itself included.
inline void release_heap(heap_state& h) noexcept {
    {
        shared_lock lock;
        (h.previous != nullptr ? h.previous->next : all_heaps) = h.next;
        if (h.next != nullptr) h.next->previous = h.previous;
    }
    if (this_thread.heap == &h) this_thread.heap = &no_heap;
    h.pages.unmap_all();
    h.release_scratch();
    h.more_bins.release();
    h.weak.release();
    h.~heap_state();
    void* const memory = reinterpret_cast<char*>(&h) - heap_state_offset;
    unwatch_for_leaks(memory, heap_state_bytes);
    unmap_memory(memory, heap_state_bytes + reserve_bytes);
}

} // namespace pygc::inline PYGC_ABI::detail
