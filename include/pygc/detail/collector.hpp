// SPDX-License-Identifier: BSL-1.0
// The collection: finds by trial deletion what only cycles keep alive, and frees it.
//
// Trial deletion asks of each object of a set: how many of its references come from outside the set?
// What has some is alive, and so is what it leads to; the rest is garbage, whatever the set. That is why
// a young collection needs no record of references from old objects: they count as outside.
//
//   choose_pages        which pages hold objects of the generations, and their numbers
//   count_references    references minus references from inside, and a copy of the edges
//   find_unreachable    what nothing outside leads to
//   promote             survivors grow older
//   say_farewell        only if garbage has finalizers or weak references: those, and another look
//   clear_references, dispose, reclaim    garbage: references among it nulled, destructors, memory
//
// Without memory for all that the set is examined in portions.
#pragma once

#include <pygc/detail/clock.hpp>
#include <pygc/detail/farewell.hpp>
#include <pygc/detail/freeze.hpp>
#include <pygc/detail/validate.hpp>

namespace pygc::inline PYGC_ABI::detail {

class collection : farewell {
public:
    /// Preconditions: no collection is running in `h`; 0 <= generation <= 2. `paced`: the pacing asked for it, and
    /// wants to know what came of it.
    collection(heap_state& h, int generation, bool paced = false) noexcept : farewell(h, generation), paced_(paced) {}

    /// Returns: the number of objects found unreachable. Complexity: linear in the objects of the
    /// generation and all younger ones and in their references.
    std::size_t run() noexcept {
        validate(heap_);
        const double begin = seconds_now();
        // What it calls is in the middle of no container's operation, whatever began further up.
        const resting_scope scope(this_thread.nesting_left);
        heap_.collecting = true;
        if (heap_.requested <= generation_) heap_.requested = -1;
#if PYGC_DEBUG
        heap_.told_of_wait = false;
#endif
        tell(collection_phase::start, {.generation = generation_});
        if (wants(debug::stats)) print_start();
        let_go_of_pages(heap_);
        const std::size_t made = heap_.made();
        const bool chosen = choose_pages();
        reset_counters();
        if (chosen && count_references(generation_) && look_for_garbage()) {
            collect_counted();
        } else {
            const bool no_memory = !chosen || snapshot_.failed;
            restore_ages();
            if (!no_memory || !collect_in_portions()) {
                ++stats().given_up;
                heap_.pace.kept_young += made;
            }
        }
        const double duration = seconds_now() - begin;
        generation_stats& s = stats();
        ++s.collections;
        s.collected += found_;
        s.uncollectable += lied_about_;
        s.candidates += candidates_;
        s.duration += duration;
        if (wants(debug::stats)) {
            std::fprintf(stderr, "gc: done, %zu unreachable, %zu uncollectable, %.4fs elapsed\n", found_ + lied_about_,
                         lied_about_, duration);
        }
        tell(collection_phase::stop, {generation_, found_, lied_about_, candidates_, duration});
        tidy();
        heap_.collecting = false;
        heap_.update_trigger();
        validate(heap_);
        return found_ + lied_about_;
    }

private:
    /// What follows once all references of the generation are counted.
    void collect_counted() noexcept {
        promote();
        free_garbage_found();
        heap_.pace.kept_young = kept_young_;
        if (paced_) learn();
    }

    void free_garbage_found() noexcept {
        if (garbage_ != 0 && has_farewell()) [[unlikely]]
            say_farewell();
        if (garbage_ != 0) {
            keep_pages_with_garbage();
            if (clear_references()) found_ += garbage_;
        }
        forget_numbers();
        if (garbage_ != 0) {
            if (paced_) heap_.plug.renew(heap_.bytes());
            dispose();
            reclaim();
        }
    }

    /// There is no memory to examine the whole set at once. Trial deletion is right for any set, so it is examined
    /// in portions for which there is memory, at worst that of the heap's reserve; only garbage that is spread over
    /// several of them stays. What was freed may be memory for all. Returns: whether all was examined at once in the end.
    /// Complexity: as for the whole set, a few times.
    PYGC_NOINLINE bool collect_in_portions() noexcept {
        // A finalizer might make new garbage for ever.
        for (int round = 0; round != 8; ++round) {
            const std::size_t before = found_;
            if (examine_portions()) return true;
            if (found_ == before) return false;
            release_empty_pages(heap_);
            heap_.collected_pages.release();
            heap_.release_snapshot();
            if (heap_.visits == 0) unmap_empty_chunks(heap_, 0);
            if (choose_pages() && count_references(generation_) && look_for_garbage()) {
                collect_counted();
                return true;
            }
            const bool no_memory = !snapshot_.prepared || snapshot_.failed;
            restore_ages();
            if (!no_memory) return false;
        }
        return false;
    }

    /// Frees the garbage that fits a portion. Ages stay as they are, but those of garbage. Returns: whether one portion
    /// was all.
    bool examine_portions() noexcept {
        const memory_range reserve = snapshot_.spare;
        std::size_t room = reserve_pages();
        if (room == 0) { // a quarter of the reserve is for the list of pages
            snapshot_.spare = {reserve.begin + reserve.bytes / 4, reserve.bytes - reserve.bytes / 4};
            pages_ = reinterpret_cast<collected_page*>(reserve.begin);
            room = reserve.bytes / 4 / sizeof(collected_page);
        } else {
            pages_ = heap_.collected_pages.data();
        }
        const std::size_t most = reserve_numbers();
        std::size_t candidates = 0;
        std::size_t numbers = number_granule;
        std::size_t portions = 0;
        bool complete = true;
        page_count_ = 0;
        const auto examine = [&]() noexcept {
            ++portions;
            if (!examine_portion(pages_, page_count_, candidates)) complete = false;
            numbers = number_granule;
            page_count_ = 0;
        };
        heap_.pages.visit_pages([&](page& p) noexcept {
            if (!holds_candidates(p)) return true;
            if (page_count_ == room || numbers + p.type->slot_count + number_granule > most) {
                examine();
                if (!holds_candidates(p)) return true; // any more
            }
            ::new (&pages_[page_count_++]) collected_page{&p, 0, 0};
            numbers += p.type->slot_count == 1 ? 1 : p.carved + number_granule;
            return true;
        });
        examine();
        candidates_ = candidates;
        snapshot_.spare = reserve;
        return complete && portions == 1;
    }

    /// Memory for a list of pages, as long as there can be one. Returns: for how many; 0: the reserve has room for
    /// more.
    std::size_t reserve_pages() noexcept {
        for (std::size_t n = heap_.pages.pages() + 1; n > 1024; n /= 2) {
            if (heap_.collected_pages.reserve(n)) return n;
        }
        return 0;
    }

    /// Memory for a picture of a portion, as large as there is. Returns: with numbers below which.
    std::size_t reserve_numbers() noexcept {
        std::size_t n = heap_.pages.pages() * number_granule;
        for (; n > snapshot_.numbers_in_spare(); n /= 2) {
            heap_.release_snapshot();
            if (snapshot_.reserve(n, n)) return n;
        }
        heap_.release_snapshot();
        return snapshot_.numbers_in_spare();
    }

    /// As a set of its own. If its references are too many, each half is. Returns: false for that.
    bool examine_portion(collected_page* pages, std::size_t count, std::size_t& candidates) noexcept {
        pages_ = pages;
        page_count_ = 0;
        for (std::size_t i = 0; i != count; ++i) { // code of the user has run since they were listed
            page& p = *pages[i].where; // read before its place is used again
            if (holds_candidates(p)) ::new (&pages_[page_count_++]) collected_page{&p, 0, 0};
        }
        count = page_count_;
        if (count == 0) return true;
        if (number_pages() && count_references(generation_ == 2 ? 3 : generation_) && look_for_garbage()) {
            candidates += candidates_;
            for (std::size_t i = 0; i != page_count_; ++i) pages_[i].where->in_construction = false;
            for_each_found([this](page&, py_object*, const header& h) noexcept { --heap_.objects_of_age[age_of(h)]; });
            free_garbage_found();
            pages_ = pages;
            return true;
        }
        forget_numbers();
        if (count > 1 && (!snapshot_.prepared || snapshot_.failed)) {
            examine_portion(pages, count / 2, candidates);
            examine_portion(pages + count / 2, count - count / 2, candidates);
        }
        pages_ = pages;
        return false;
    }

    /// Calls the callbacks, each with the list as it is now.
    void tell(collection_phase phase, const collection_info& info) noexcept {
        if (heap_.callbacks.empty() || heap_.abandoned) return;
        heap_.callbacks.for_each([&](const auto& callback) noexcept {
#if PYGC_EXCEPTIONS
            try {
                callback(phase, info);
            } catch (...) {
                report_unraisable(heap_, "a callback of a collection of", type_name<heap>(), &heap_);
            }
#else
            callback(phase, info);
#endif
        });
    }

    PYGC_NOINLINE void print_start() const noexcept {
        std::size_t young = 0;
        for (page* p = heap_.touched; p != nullptr; p = p->next_touched) {
            if (p->type == nullptr || !p->type->container || p->frozen) continue;
            for (std::uint32_t i = 0; i != p->carved; ++i) {
                const header& h = header_at(*p, i);
                young += !is_poisoned(&h) && age_of(h) == age_young;
            }
        }
        std::fprintf(stderr, "gc: collecting generation %d...\n", generation_);
        std::fprintf(stderr, "gc: objects in each generation: %zu %zu %zu\n", young, heap_.objects_of_age[age_middle],
                     heap_.objects_of_age[age_old_new] + heap_.objects_of_age[age_old]);
    }

    /// Preconditions: all containers were counted.
    void reset_counters() noexcept {
        heap_.allocations = 0;
        heap_.containers_then = heap_.containers;
        for (int g = 1; g <= generation_; ++g) heap_.younger_collections[g] = 0;
        if (generation_ < 2) ++heap_.younger_collections[generation_ + 1];
    }

    [[nodiscard]] bool holds_candidates(const page& p) const noexcept {
        if (p.type == nullptr || !p.type->container || p.frozen || objects_on(p) == 0) return false;
        return generation_ == 2 || p.young || (generation_ == 1 && p.middle);
    }

    /// Lists and numbers the pages that hold candidates.
    bool choose_pages() noexcept {
        const std::size_t upper_bound = generation_ == 2 ? heap_.pages.pages() : touched_pages();
        const bool room = heap_.collected_pages.reserve(upper_bound + 1);
        pages_ = heap_.collected_pages.data();
        page_count_ = 0;
        snapshot_.prepared = false;
        const auto choose = [this, room](page& p) noexcept {
            if (!p.type->container || p.frozen) return;
            settle(p, objects_on(p));
            if (room && holds_candidates(p)) ::new (&pages_[page_count_++]) collected_page{&p, 0, 0};
        };
        // Where no page is touched no object is young, and all deaths are counted.
        if (generation_ == 2) {
            heap_.pages.for_each_page(choose);
        } else {
            for (page* p = heap_.touched; p != nullptr; p = p->next_touched) {
                if (p->type != nullptr) choose(*p);
            }
        }
        return room && number_pages();
    }

    [[nodiscard]] std::size_t touched_pages() const noexcept {
        std::size_t n = 0;
        for (page* p = heap_.touched; p != nullptr; p = p->next_touched) ++n;
        return n;
    }

    bool count_references(int generation) noexcept {
        const traversal_guard guard(heap_);
        for (std::size_t i = 0; i != page_count_; ++i) {
            page& p = *pages_[i].where;
            p.type->count(p, snapshot_, generation);
            if (snapshot_.failed) return false;
            if (snapshot_.deferred != nullptr) ephemerons_.find_owners(pages_[i].first, pages_[i].carved);
        }
        if (!ephemerons_.count()) return false;
        snapshot_.subtract_edges();
        if (guard.nothing_died()) return true;
        forget_numbers(); // their destructors are code of the user
        return false;
    }

    /// False: objects died, which makes the picture worthless.
    bool look_for_garbage() noexcept {
        find_unreachable();
        return lied_about_ == 0 || explain_lies();
    }

    /// Nothing was freed, but a full collection made old what it had counted by then.
    PYGC_NOINLINE void restore_ages() noexcept {
        forget_numbers();
        if (generation_ != 2) return;
        for (std::size_t& n : heap_.objects_of_age) n = 0;
        heap_.pages.for_each_page([this](page& p) noexcept {
            if (p.frozen) return;
            for (std::uint32_t i = 0; i != p.carved; ++i) {
                const header& h = header_at(p, i);
                if (!is_poisoned(&h) && age_of(h) != age_young && age_of(h) <= age_old)
                    ++heap_.objects_of_age[age_of(h)];
            }
        });
    }

    /// Survivors get the next age; the pages know whether they hold young ones.
    void promote() noexcept {
        const std::size_t survivors = candidates_ - garbage_;
        std::uint32_t age = survivor_age_of[generation_];
        if (paced_ && generation_ != 2 && survivors <= pacing::few) { // too few to be worth a generation
            if (generation_ == 0) {
                kept_young_ = survivors;
                return;
            }
            age = age_middle;
        }
        for (std::size_t i = 0; i != page_count_; ++i) {
            page& p = *pages_[i].where;
            const std::uint32_t end =
                generation_ == 2 ? 0 : pages_[i].carved; // a full collection did it while it counted
            for (std::uint32_t base = 0; base < end; base += 64) {
                const std::size_t word = (pages_[i].first + base) / 64;
                std::uint64_t alive = snapshot_.in_set[word] & ~snapshot_.unreached[word];
                if (pages_[i].single) alive = (alive >> (pages_[i].first % 64)) & 1;
                for (; alive != 0; alive &= alive - 1) {
                    header& h = header_at(p, base + static_cast<std::uint32_t>(__builtin_ctzll(alive)));
                    h.state = (h.state & ~std::uint32_t{age_mask}) | age;
                }
            }
            p.middle = age == age_middle && (p.middle || p.young);
            p.young = false;
            if (p.in_construction) mark_young(p);
            p.in_construction = false;
        }
        if (generation_ >= 1) heap_.objects_of_age[age_middle] = 0;
        if (generation_ == 2) heap_.objects_of_age[age_old_new] = heap_.objects_of_age[age_old] = 0;
        heap_.objects_of_age[age] += survivors;
        forget_untouched_pages();
    }

    /// Keeps in the touched list only pages that still have such objects.
    void forget_untouched_pages() noexcept {
        for (page** link = &heap_.touched; *link != nullptr;) {
            page& p = **link;
            if (p.young || p.middle) {
                link = &p.next_touched;
            } else {
                p.touched = false;
                *link = p.next_touched;
            }
        }
    }

    void learn() noexcept {
        if (generation_ == 2) {
            heap_.pace.learn_from_full(candidates_, found_);
        } else {
            heap_.pace.learn_from_young(candidates_, found_, kept_young_ + heap_.objects_of_age[age_middle]);
        }
    }

    void dispose() noexcept {
        const resting_scope scope(this_thread.nesting_left - 1); // that of the destructors
        for (std::size_t i = 0; i != page_count_; ++i) {
            pages_[i].where->type->dispose_garbage(pages_[i], garbage_on(pages_[i]));
        }
    }

    /// Gives the memory back, after all destructors: until then no address is used twice.
    void reclaim() noexcept {
        for (std::size_t i = 0; i != page_count_; ++i) {
            const collected_page& c = pages_[i];
            page& p = *c.where;
            std::size_t dead = 0;
            for (std::uint32_t base = 0; base < c.carved; base += 64) {
                dead += count_ones(garbage_on(c)[base / 64]);
            }
            if (c.escaped || PYGC_ASAN) {
                dead -= free_garbage(p, garbage_on(c), dead);
            } else {
                *c.last_freed = p.free;
                p.free = c.freed;
            }
            return_slots(p, dead, generation_ != 2);
        }
    }

    /// Links the `dead` slots of a page that the bits name, except zombies. Returns: how many those are.
    PYGC_NOINLINE std::size_t free_garbage(page& p, const std::uint64_t* garbage, std::size_t dead) noexcept {
        const type_info& t = *p.type;
        char* const begin = first_slot(p);
        std::size_t zombies = 0;
        for (std::uint32_t base = 0; dead != 0; base += 64) {
            for (std::uint64_t bits = garbage[base / 64]; bits != 0; bits &= bits - 1, --dead) {
                char* slot = begin + (base + static_cast<std::uint32_t>(__builtin_ctzll(bits))) * t.slot_bytes;
                header& h = header_of_slot(slot, t);
                if ((h.state & life_zombie) != 0) [[unlikely]] {
                    h.state &= ~std::uint32_t{life_dying}; // from now on its last reference frees it
                    ++zombies;
                } else {
                    link_free_slot(p, slot, t);
                }
            }
        }
        return zombies;
    }

    /// Keeps little of what a collection needed, and returns what it freed.
    void tidy() noexcept {
        if (generation_ != 2) return;
        release_empty_pages(heap_);
        // Mapped again for each collection it would cost a page fault for every 330 objects; where that is few beside
        // what huge pages save, it goes.
        const std::size_t worth_keeping = paced_ ? huge_page_bytes : huge_page_bytes / 2;
        heap_.trial.shrink_to(worth_keeping);
        heap_.first_edge.shrink_to(worth_keeping);
        heap_.edges.shrink_to(worth_keeping);
        heap_.pace.limit_bytes(heap_.bytes());
        heap_.plug.settle(paced_ ? heap_.bytes() : 0);
        // What the pacing lets the heap grow by until the next full collection would have to be mapped and cleared
        // again. Who collects by hand wants to have the memory back.
        const std::size_t spare = paced_ ? heap_.pace.growth(heap_.bytes()) / page_bytes : 64;
        if (heap_.visits == 0) unmap_empty_chunks(heap_, 1 + spare / pages_per_chunk);
        heap_.pages.discard_free_pages(spare);
    }

    const bool paced_;
    std::size_t kept_young_ = 0;
};

/// Gives back what an abandoned heap doesn't need; all of it if its last object is gone.
PYGC_NOINLINE inline void settle_abandoned(heap_state& h) noexcept {
    h.abandoned = false; // or its last page would take it along in the midst of this
    choose_counting(h, true);
    let_go_of_pages(h);
    release_empty_pages(h);
    h.abandoned = true;
    set_owner(h, 0);
    if (h.pages.pages() != 0) {
        h.release_scratch();
    } else if (h.visits == 0 && h.users == 0) {
        return release_heap(h);
    }
    list_abandoned(h);
}

/// One user less. Preconditions: there is one.
inline void leave_heap(heap_state& h) noexcept {
    const bool last = --h.users == 0 && h.abandoned && h.visits == 0 && !h.collecting;
    if (last && h.pages.pages() == 0) release_heap(h);
}

/// What a heap doesn't outlive as long as it lives, whatever ends it: see `heap_state::users`.
class heap_use {
public:
    explicit heap_use(heap_state& h) noexcept : heap_(h) { ++h.users; }
    heap_use(const heap_use&) = delete;
    heap_use& operator=(const heap_use&) = delete;
    ~heap_use() { leave_heap(heap_); }

private:
    heap_state& heap_;
};

void collect_abandoned_heaps_when_due(heap_state& h, std::size_t examined) noexcept;

/// Runs a collection unless one is running. Returns: the objects found unreachable.
PYGC_NOINLINE inline std::size_t collect(heap_state& h, int generation, bool paced = false) noexcept {
    if (h.collecting || h.bins == nullptr) return 0;
    check_thread(h, nullptr, &h);
    const bool was_abandoned = h.abandoned;
    const std::size_t found = collection(h, generation, paced).run();
    if (h.abandoned) {
        // A destructor that ran now ended the heap: its last collection had to wait for this one.
        if (!was_abandoned) {
            keep_no_garbage(h);
            if (h.has_frozen) unfreeze(h);
            collection(h, 2).run();
        }
        settle_abandoned(h);
    }
    return found;
}

/// A `collect` of the user: while an object dies it waits for the first make_ref of a container, or safe_point,
/// afterwards.
PYGC_NOINLINE inline std::size_t collect_or_request(heap_state& h, int generation) noexcept {
    if (!is_dying()) return collect(h, generation);
    if (h.collecting || h.bins == nullptr || generation <= h.requested) return 0;
    h.requested = static_cast<signed char>(generation);
    h.update_trigger();
    return 0;
}

/// The generation that an automatic collection should take now, before `more` containers are made. With thresholds of
/// the user it is CPython's rule: a
/// full collection waits until a quarter of generation 2 is new to it, so that growing a heap costs linear time
/// in all.
inline int due_generation(const heap_state& h, std::size_t more) noexcept {
    if (h.paces_itself()) {
        if (h.wants_full(more)) return 2;
        return h.objects_of_age[age_middle] != 0 ? 1 : 0;
    }
    if (h.younger_collections[2] > h.threshold[2] && h.objects_of_age[age_old_new] >= h.objects_of_age[age_old] / 4) {
        return 2;
    }
    return h.younger_collections[1] > h.threshold[1] ? 1 : 0;
}

/// In debug mode, tells once of a collection that has been due for long, but for an object that is dying.
inline void warn_of_long_wait([[maybe_unused]] heap_state& h) noexcept {
#if PYGC_DEBUG
    const std::size_t few = pacing::few; // less is worth no word
    const std::size_t bound = h.next_collection() > few ? h.next_collection() : few;
    if (h.told_of_wait || !h.is_due() || h.made() / 2 <= bound) return;
    h.told_of_wait = true;
    report("a collection has waited long for an object that is still dying; an event loop in a destructor needs a "
           "pygc::may_collect; the heap",
           nullptr, &h);
#endif
}

/// With `more` containers there would be more than the trigger allows. Returns: what was found.
PYGC_NOINLINE inline std::size_t collect_automatically(heap_state& h, std::size_t more = 0) noexcept {
    if (h.collecting) return 0;
    if (is_dying()) {
        warn_of_long_wait(h);
        return 0;
    }
    const int due = h.is_due(more) ? due_generation(h, more) : -1;
    if (h.requested > due) return collect(h, h.requested);
    if (due < 0) { // what was pending has died meanwhile
        h.update_trigger();
        return 0;
    }
    if (due != 2 || !h.paces_itself() || &h != own.state) return collect(h, due, h.paces_itself());
    const heap_use use(h);
    const std::size_t before = h.stats[2].candidates;
    const std::size_t found = collect(h, 2, true);
    collect_abandoned_heaps_when_due(h, h.stats[2].candidates - before);
    return found;
}

} // namespace pygc::inline PYGC_ABI::detail
