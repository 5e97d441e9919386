// SPDX-License-Identifier: BSL-1.0
// When heaps begin and end: one a thread, made at first use; collected at the thread's end and once
// more when the last static of the program has died.
//
// What an ended heap leaves behind belongs to whoever holds it, one thread at a time. Nobody else could know when its
// cycles may be looked at: so they are when the process has no other thread, or once their holder adopts them.
#pragma once

#include <pygc/detail/collector.hpp>
#include <pygc/detail/finalizer_entry.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Collects, and leaves the heap to its last object. Effects: the memory of all dead objects is returned;
/// what is still referenced, from a static perhaps, stays usable and takes the heap with it when it dies. `frozen`:
/// whether what is frozen is collected as well.
PYGC_NOINLINE inline void abandon_heap(heap_state& h, bool frozen = true) noexcept {
    keep_no_garbage(h);
    if (h.collecting) {
        choose_counting(h, true);
        h.abandoned = true; // a destructor of its own garbage ends it: `collect` does the rest
        return;
    }
    h.callbacks.clear();
    run_exit_finalizers(h);
    if (h.has_frozen && frozen) unfreeze(h);
    collect(h, 2);
    settle_abandoned(h);
}

/// Its destructor runs when the thread ends: the first time, or again if destructors that came later used the heap.
struct thread_end {
    ~thread_end() {
        own.ending = true;
        this_thread.keeps_trashcan = false;
        end();
        shrink_trashcan();
    }

private:
    static void end() noexcept {
        if (!own.held) return;
        heap_state& h = *own.state;
        if (is_main_thread()) { // statics may use it yet: see program_end
            // A forked child leaves what its parent froze as it is: it would get a copy of every page.
            abandon_heap(h, false);
        } else {
            own.held = false;
            abandon_heap(h);
            leave_heap(h);
        }
    }
};

inline constexpr unsigned char most_thread_ends = 8;

/// Each round registers one more destructor, which the system calls after those that it calls already.
template <unsigned char Round = 0>
void register_thread_end(unsigned char round) noexcept {
    if (round == Round) {
        static thread_local thread_end end;
        static_cast<void>(&end);
    } else if constexpr (Round + 1 < most_thread_ends) {
        register_thread_end<Round + 1>(round);
    }
}

PYGC_SHARED inline constinit std::uint32_t last_pass = 0; // guarded by shared_lock
PYGC_SHARED inline constinit bool pass_is_running = false;
PYGC_SHARED inline constinit std::uint32_t abandoned_objects = 0; // about as many the last pass looked at

/// An abandoned heap that the running pass hasn't seen yet, or null.
inline heap_state* next_abandoned_heap(std::uint32_t pass) noexcept {
    const shared_lock lock;
    heap_state* h = abandoned_heaps;
    while (h != nullptr && h->last_pass == pass) h = h->next;
    if (h != nullptr) h->last_pass = pass;
    return h;
}

/// Collects what abandoned heaps still hold, if no other thread runs that may use it. Each collection may end other
/// heaps, so the search starts over after each; and what one heap's garbage held in another is garbage for the next
/// pass, of which there are at most as many as heaps. Returns: the objects found. Complexity: linear in their objects,
/// times the passes.
PYGC_NOINLINE inline std::size_t collect_abandoned_heaps() noexcept {
    const std::uint32_t heaps = load_relaxed(abandoned_count);
    if (heaps == 0 || other_threads_run() || pass_is_running) return 0;
    pass_is_running = true;
    std::size_t found = 0, objects = 0;
    bool more = true;
    for (std::uint32_t passes = 0; more && passes <= heaps; ++passes) {
        more = false;
        std::uint32_t pass;
        {
            const shared_lock lock;
            pass = ++last_pass;
        }
        while (heap_state* h = next_abandoned_heap(pass)) {
            const std::size_t now = collect(*h, 2);
            objects += now;
            found += now;
            more |= now != 0;
        }
    }
    {
        const shared_lock lock;
        for (const heap_state* h = abandoned_heaps; h != nullptr; h = h->next) objects += h->objects_of_age[age_old];
    }
    store_relaxed(abandoned_objects, objects < UINT32_MAX ? static_cast<std::uint32_t>(objects) : UINT32_MAX);
    pass_is_running = false;
    return found;
}

/// After an automatic full collection that looked at so many objects. Abandoned heaps are looked at when those of the
/// caller make up for their number, so that both together cost at most twice as much.
inline void collect_abandoned_heaps_when_due(heap_state& h, std::size_t examined) noexcept {
    if (load_relaxed(abandoned_count) == 0) return;
    h.examined += examined;
    if (h.examined < load_relaxed(abandoned_objects)) return;
    h.examined = 0;
    collect_abandoned_heaps();
}

/// Ends the main thread's heap, and what other threads left.
PYGC_SHARED inline void end_program() noexcept {
    own.ending = true;
    if (own.state != nullptr) { // destructors of statics may have used it since the thread's end
        heap_state& h = *own.state;
        const heap_use use(h);
        if (own.held) --h.users;
        own.held = false;
        abandon_heap(h, false);
    }
    // `exit` in the middle of a scope.
    if (this_thread.heap != &no_heap && !this_thread.heap->abandoned) abandon_heap(*this_thread.heap, false);
    collect_abandoned_heaps();
}

/// Calls `end_program` by a pointer that the first heap sets: a file that only includes the header must not pay for
/// compiling the collector.
struct program_end {
    ~program_end() {
        if (void (*const end)() noexcept = load_relaxed(function)) end();
    }
    void (*function)() noexcept = nullptr;
};

// Constructed before every static of the program, and so destroyed after them: cycles that statics
// held are garbage by then. The priority covers statics of files that don't include this header.
#if defined(__GNUC__) && !defined(__APPLE__)
__attribute__((init_priority(101)))
#endif
PYGC_SHARED inline constinit program_end at_program_end;

/// A new, empty heap, that `end_program` will know of. Null: the system has no memory.
inline heap_state* begin_new_heap() noexcept {
    store_relaxed(at_program_end.function, &end_program);
    return create_heap();
}

/// Lets the thread keep its heap until its end, or until all destructors that follow have run.
PYGC_NOINLINE inline void hold_own_heap() noexcept {
    own.held = true;
    this_thread.keeps_trashcan = !own.ending;
    ++own.state->users;
    set_owner(*own.state, thread_number());
    if (own.ending && is_main_thread()) return;
    if (own.ends != most_thread_ends) register_thread_end(own.ends++);
}

/// This thread's heap, made if need be. Null: the system has no memory.
PYGC_NOINLINE inline heap_state* ensure_heap() noexcept {
    if (this_thread.heap == &no_heap) {
        heap_state* h = begin_new_heap();
        if (h == nullptr) return nullptr;
        this_thread.heap = own.state = h;
    }
    if (this_thread.heap == own.state && !own.held) hold_own_heap();
    return this_thread.heap;
}

/// Lets the weak references of an abandoned heap be found in another one. False: no memory, and nothing has changed.
inline bool share_weak_references(heap_state& into, heap_state& from) noexcept {
    const auto for_each_referent = [&from](auto f) noexcept {
        from.pages.for_each_page([&f](page& p) noexcept {
            for (std::uint32_t i = 0; p.weak && i != p.carved; ++i) {
                const header& h = header_at(p, i);
                if (!is_poisoned(&h) && (h.state & life_weak) != 0) f(reinterpret_cast<const py_object*>(&h));
            }
        });
    };
    std::size_t shared = 0;
    bool memory = true;
    for_each_referent([&](const py_object* p) noexcept {
        weak_record* const first = from.weak.size() != 0 ? from.weak.find(p) : nullptr;
        memory = memory && (first == nullptr || into.weak.reserve_one());
        if (!memory || first == nullptr) return;
        into.weak.set(p, first);
        ++shared;
    });
    if (memory) {
        from.weak.release();
        return true;
    }
    for_each_referent([&](const py_object* p) noexcept {
        if (shared == 0 || from.weak.find(p) == nullptr) return;
        into.weak.take(p);
        --shared;
    });
    return false;
}

/// A page of an abandoned heap becomes one of another.
inline void adopt_page(heap_state& h, page& p) noexcept {
    const std::size_t used = objects_on(p);
    bin& b = *bin_for(h, *p.type); // there is one
    chunk_of(&p).heap = &h;
    p.type = b.type;
    p.listed = false;
    p.counted = 0;
    if (p.type->container && h.counts_each) p.counted = static_cast<std::uint16_t>(used);
    if (p.type->container && !h.counts_each) {
        h.count_containers(p, used);
        h.containers_then += used; // they weren't made now
    }
    if (used <= room_mark(p.type->slot_count) || p.carved != p.type->slot_count) list_page(b, p);
    expect_event(p, used);
}

/// Whether a heap has ended, and nobody works in it.
inline bool may_be_adopted(const heap_state& h) noexcept {
    const shared_lock lock; // it may be another thread's, which just ends
    return h.listed && !h.collecting && h.visits == 0 && h.users == 0;
}

/// Moves all objects of an abandoned heap to another one, which thereby ends unless somebody uses it. False: there is
/// no memory for that, and nothing has changed. Preconditions: neither is collecting or being walked over.
/// Complexity: linear in the pages, and in the objects of pages with weak references.
PYGC_NOINLINE inline bool adopt_heap(heap_state& into, heap_state& from) noexcept {
    bool memory = true;
    from.pages.for_each_page([&](const page& p) noexcept { memory = memory && bin_for(into, *p.type) != nullptr; });
    if (!memory || !share_weak_references(into, from)) return false;
    const heap_use use(from); // ends it
    for (std::uint32_t i = 1; i < from.bin_count; ++i) {
        from.bins[i].current = &from.no_page;
        from.bins[i].with_room = nullptr;
    }
    from.pages.for_each_page([&into](page& p) noexcept { adopt_page(into, p); });
    into.pages.take_all(from.pages, into);
    while (page* p = from.touched) {
        from.touched = p->next_touched;
        p->next_touched = into.touched;
        into.touched = p;
    }
    for (std::uint32_t age = age_middle; age <= age_old; ++age) {
        into.objects_of_age[age] += from.objects_of_age[age];
        from.objects_of_age[age] = 0;
    }
    into.pace.kept_young += from.pace.kept_young;
    ephemeron_map::move_parts(into, from);
    while (finalizer_entry* e = from.newest_finalizer) {
        from.newest_finalizer = e->older;
        e->heap = &into;
        e->newer = nullptr;
        e->older = into.newest_finalizer;
        if (e->older != nullptr) e->older->newer = e;
        into.newest_finalizer = e;
    }
    if (from.external != nullptr) {
        if (external_account* a = account_of(into)) { // else its bytes stay by themselves
            a->bytes += from.external->bytes;
            ++a->fields;
            from.external->into = a;
        }
        release_account(from);
    }
    into.update_trigger();
    return true;
}

/// The account of the current heap, for one more field. Null: no memory.
inline external_account* join_account() noexcept {
    heap_state* h = ensure_heap();
    external_account* a = h != nullptr ? account_of(*h) : nullptr;
    if (a != nullptr) ++a->fields;
    return a;
}

} // namespace pygc::inline PYGC_ABI::detail
