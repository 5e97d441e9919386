// SPDX-License-Identifier: BSL-1.0
// The trashcan, as in CPython: dead objects whose destructors wait, so that no structure is too deep for the stack.
//
//   trashcan   [ theirs .. | 6 | 5 | 4 | 3 | 2 | 1 ]   the last is the next to go
//               0           base                  waiting
//
// One destructor appends what it drops in the order of the drops, and that part is turned round when it has returned:
// objects are destroyed in the order in which recursion would have reached them. A waiting object is whole, and its
// header is its own: whoever finds it by a plain pointer may make a reference, and then it lives on.
#pragma once

#include <pygc/detail/heap_state.hpp>
#include <pygc/object.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Between two uses a thread keeps so much, until it ends.
inline constexpr std::size_t kept_trashcan_bytes = std::size_t{64} << 10;

/// Room for another object. False: no memory; what would have to wait must nest deeper then, for nothing may be lost.
PYGC_NOINLINE inline bool grow_trashcan() noexcept {
    thread_state& t = this_thread;
    if (t.trashcan == nullptr) {
        t.trashcan = t.first_trashcan;
        t.trashcan_capacity = sizeof(t.first_trashcan) / sizeof(py_object*);
        return true;
    }
    const bool is_first = t.trashcan == t.first_trashcan;
    if (t.waiting >= UINT32_MAX / 2 || !t.more_trashcan.reserve(std::size_t{2} * t.waiting, is_first ? 0 : t.waiting)) {
        t.trashcan_failed = true;
        return false;
    }
    for (std::uint32_t i = 0; is_first && i != t.waiting; ++i) t.more_trashcan[i] = t.first_trashcan[i];
    t.trashcan = t.more_trashcan.data();
    const std::size_t capacity = t.more_trashcan.capacity();
    t.trashcan_capacity = static_cast<std::uint32_t>(capacity < UINT32_MAX ? capacity : UINT32_MAX);
    return true;
}

PYGC_INLINE bool is_trashcan_full() noexcept { return this_thread.waiting == this_thread.trashcan_capacity; }

/// Whether another object may wait.
PYGC_INLINE bool has_room_in_trashcan() noexcept { return !is_trashcan_full() || grow_trashcan(); }

/// Gives back the memory of an empty trashcan.
PYGC_NOINLINE inline void release_trashcan() noexcept {
    thread_state& t = this_thread;
    t.more_trashcan.release();
    t.trashcan = t.first_trashcan;
    t.trashcan_capacity = sizeof(t.first_trashcan) / sizeof(py_object*);
}

/// Gives back what a thread needs seldom: all of it where the thread ends or has no heap.
PYGC_INLINE void shrink_trashcan() noexcept {
    const thread_state& t = this_thread;
    if (t.waiting != 0 || t.trashcan == t.first_trashcan) return;
    if (!t.keeps_trashcan || t.more_trashcan.capacity() * sizeof(py_object*) > kept_trashcan_bytes) release_trashcan();
}

/// A dead object joins those whose destructors wait. `kept`: what of its state its destructor must find; the caller
/// says it, since reading it back here would cost every postponed end 2 ns. Preconditions: `has_room_in_trashcan`, and
/// the object has left the registry.
inline void postpone(py_object* p, std::uint32_t kept) noexcept {
    thread_state& t = this_thread;
    header_of(p) = {0, (kept & ~std::uint32_t{age_mask}) | life_postponed | age_none};
    t.trashcan[t.waiting++] = p;
}

/// Turns round those that one destructor added, `begin` and further up: they are taken in the order in which they came.
PYGC_INLINE void turn_round_trashcan(std::uint32_t begin) noexcept {
    const thread_state& t = this_thread;
    for (std::uint32_t end = t.waiting; begin + 1 < end; ++begin) {
        py_object* const p = t.trashcan[begin];
        t.trashcan[begin] = t.trashcan[--end];
        t.trashcan[end] = p;
    }
}

} // namespace pygc::inline PYGC_ABI::detail
