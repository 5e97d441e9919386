// SPDX-License-Identifier: BSL-1.0
// When heaps begin and end: one a thread, made at first use; collected at the thread's end and once
// more when the last static of the program has died.
#pragma once

#include <pygc/detail/collector.hpp>

namespace pygc::inline PYGC_ABI::detail {

inline constinit thread_local bool thread_is_ending = false;

/// Collects, and leaves the heap to its last object. Effects: the memory of all dead objects is returned;
/// what is still referenced, from a static perhaps, stays usable and takes the heap with it when it dies.
inline void abandon_heap(heap_state& h) noexcept {
    if (h.collecting) {
        h.abandoned = true; // a destructor of its own garbage ends it: `collect` does the rest
        return;
    }
    collect(h, 2);
    h.abandoned = true;
    settle_abandoned(h);
}

/// Its destructor runs when the thread ends.
struct thread_end {
    heap_state* heap;
    ~thread_end() {
        thread_is_ending = true;
        if (heap != nullptr) abandon_heap(*heap);
    }
};

/// Collects what abandoned heaps still hold. Complexity: linear in their objects.
inline void collect_abandoned_heaps() noexcept {
    heap_state* next = nullptr;
    for (heap_state* h = all_heaps; h != nullptr; h = next) {
        next = h->next;
        if (h->abandoned) collect(*h, 2);
    }
}

struct program_end {
    ~program_end() { collect_abandoned_heaps(); }
};

// Constructed before every static of the program, and so destroyed after them: cycles that statics
// held are garbage by then. The priority covers statics of files that don't include this header.
#if defined(__GNUC__) && !defined(__APPLE__)
__attribute__((init_priority(101)))
#endif
inline program_end at_program_end;

/// This thread's heap, made if need be. Null: the system has no memory.
PYGC_NOINLINE inline heap_state* ensure_heap() noexcept {
    if (current_heap != &no_heap) return current_heap;
    heap_state* h = create_heap();
    if (h == nullptr) return nullptr;
    current_heap = h;
    static_cast<void>(&at_program_end);
    if (thread_is_ending) {
        h->abandoned = true; // made by a destructor that runs after the thread's last collection
    } else {
        static thread_local thread_end end{nullptr};
        end.heap = h;
    }
    return h;
}

} // namespace pygc::inline PYGC_ABI::detail
