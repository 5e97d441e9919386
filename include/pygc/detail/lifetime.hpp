// SPDX-License-Identifier: BSL-1.0
// When heaps begin and end: one a thread, made at first use; collected at the thread's end and once
// more when the last static of the program has died.
#pragma once

#include <pygc/detail/collector.hpp>
#include <pygc/detail/finalizer_entry.hpp>

namespace pygc::inline PYGC_ABI::detail {

inline constinit thread_local bool thread_is_ending = false;

/// Collects, and leaves the heap to its last object. Effects: the memory of all dead objects is returned;
/// what is still referenced, from a static perhaps, stays usable and takes the heap with it when it dies.
inline void abandon_heap(heap_state& h) noexcept {
    if (h.collecting) {
        choose_counting(h, true);
        h.abandoned = true; // a destructor of its own garbage ends it: `collect` does the rest
        return;
    }
    h.callbacks.clear();
    if (h.garbage != nullptr) h.garbage->clear();
    run_exit_finalizers(h);
    collect(h, 2);
    settle_abandoned(h);
}

/// Its destructor runs when the thread ends.
struct thread_end {
    heap_state* heap;
    ~thread_end() {
        thread_is_ending = true;
        this_thread.keeps_trashcan = false;
        if (heap != nullptr) abandon_heap(*heap);
        shrink_trashcan();
    }
};

/// An abandoned heap that the running pass of `collect_abandoned_heaps` hasn't seen yet, or null.
inline heap_state* next_abandoned_heap(std::uint32_t pass) noexcept {
    shared_lock lock; // other threads may still run, and begin or end heaps of their own
    heap_state* h = all_heaps;
    while (h != nullptr && (!h->abandoned || h->last_pass == pass)) h = h->next;
    return h;
}

/// Collects what abandoned heaps still hold. Each collection may end other heaps, so the search starts
/// over after each; and what one heap's garbage held in another is garbage for the next pass, of which
/// there are at most as many as heaps. Complexity: linear in their objects, times the passes.
inline void collect_abandoned_heaps() noexcept {
    std::uint32_t heaps = 0;
    {
        shared_lock lock;
        for (const heap_state* h = all_heaps; h != nullptr; h = h->next) ++heaps;
    }
    bool found = true;
    for (std::uint32_t pass = 1; found && pass <= heaps + 1; ++pass) {
        found = false;
        while (heap_state* h = next_abandoned_heap(pass)) {
            h->last_pass = pass;
            if (collect(*h, 2) != 0) found = true;
        }
    }
}

struct program_end {
    ~program_end() {
        // Made after the thread's end, by the destructor of a static: no thread_end will come for it.
        if (this_thread.heap != &no_heap && !this_thread.heap->abandoned) abandon_heap(*this_thread.heap);
        collect_abandoned_heaps();
    }
};

// Constructed before every static of the program, and so destroyed after them: cycles that statics
// held are garbage by then. The priority covers statics of files that don't include this header.
#if defined(__GNUC__) && !defined(__APPLE__)
__attribute__((init_priority(101)))
#endif
inline program_end at_program_end;

/// This thread's heap, made if need be. Null: the system has no memory.
PYGC_NOINLINE inline heap_state* ensure_heap() noexcept {
    if (this_thread.heap != &no_heap) return this_thread.heap;
    heap_state* h = create_heap();
    if (h == nullptr) return nullptr;
    this_thread.heap = h;
    static_cast<void>(&at_program_end);
    if (thread_is_ending) {
        choose_counting(*h, true);
        h->abandoned = true; // made by a destructor that runs after the thread's last collection
    } else {
        static thread_local thread_end end{nullptr};
        end.heap = h;
        this_thread.keeps_trashcan = true;
    }
    return h;
}

} // namespace pygc::inline PYGC_ABI::detail
