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
//   unlink, dispose, reclaim    garbage: references among it nulled, destructors, memory
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
        heap_.collecting = true;
        tell(collection_phase::start, {.generation = generation_});
        if (wants(debug::stats)) print_start();
        let_go_of_pages(heap_);
        const std::size_t made = heap_.made();
        if (choose_pages() && count_references()) {
            find_unreachable();
            promote();
            const bool told = garbage_ != 0 && has_farewell();
            if (told) [[unlikely]]
                say_farewell();
            found_ += garbage_;
            if (garbage_ != 0) unlink(told);
            if (snapshot_.unaccounted != 0) [[unlikely]]
                spare_garbage();
            forget_numbers();
            if (garbage_ != 0) {
                if (paced_) heap_.plug.renew(heap_.bytes());
                dispose();
                reclaim();
            }
            heap_.pace.kept_young = kept_young_;
            if (paced_) learn();
        } else {
            give_up();
            heap_.pace.kept_young += made;
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

    /// Lists and numbers the pages that hold candidates.
    bool choose_pages() noexcept {
        const std::size_t upper_bound = generation_ == 2 ? heap_.pages.pages() : touched_pages();
        const bool room = heap_.collected_pages.reserve(upper_bound + 1);
        pages_ = heap_.collected_pages.data();
        const auto choose = [this, room](page& p) noexcept {
            if (!p.type->container || p.frozen) return;
            const std::size_t objects = objects_on(p);
            settle(p, objects);
            const bool holds_candidates = generation_ == 2 || p.young || (generation_ == 1 && p.middle);
            if (room && objects != 0 && holds_candidates) ::new (&pages_[page_count_++]) collected_page{&p, 0, 0};
        };
        // Where no page is touched no object is young, and all deaths are counted.
        if (generation_ == 2) {
            heap_.pages.for_each_page(choose);
        } else {
            for (page* p = heap_.touched; p != nullptr; p = p->next_touched) {
                if (p->type != nullptr) choose(*p);
            }
        }
        reset_counters();
        return room && number_pages();
    }

    [[nodiscard]] std::size_t touched_pages() const noexcept {
        std::size_t n = 0;
        for (page* p = heap_.touched; p != nullptr; p = p->next_touched) ++n;
        return n;
    }

    bool count_references() noexcept {
        const traversal_guard guard(heap_);
        for (std::size_t i = 0; i != page_count_; ++i) {
            page& p = *pages_[i].where;
            p.type->count(p, snapshot_, generation_);
            if (snapshot_.failed) return false;
        }
        snapshot_.subtract_edges();
        if (guard.nothing_died()) return true;
        forget_numbers(); // their destructors are code of the user
        return false;
    }

    /// Nothing is freed; what was counted by then has grown old.
    PYGC_NOINLINE void give_up() noexcept {
        forget_numbers();
        ++stats().given_up;
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
        if (paced_ && generation_ != 2 && survivors <= pacing::small) { // too few to be worth a generation
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

    /// References among garbage are nulled: destructors see null for a dead peer, and nothing is
    /// counted down inside the garbage. Then only the pages with garbage stay in the list. `changed`: code of the user
    /// has run since the references were counted.
    void unlink(bool changed) noexcept {
        std::size_t kept = 0;
        for (std::size_t i = 0; i != page_count_; ++i) {
            const collected_page c = pages_[i];
            std::uint64_t any = 0;
            for (std::uint32_t base = 0; base < c.carved; base += 64) any |= garbage_on(c)[base / 64];
            if (any == 0) {
                numbers_of(*c.where) = {}; // what lives there counts as outside from now on
                continue;
            }
            if (changed) {
                unlink_changed(c);
            } else {
                c.where->type->unlink(*c.where, snapshot_);
            }
            pages_[kept++] = c;
        }
        page_count_ = kept;
    }

    PYGC_NOINLINE void unlink_changed(const collected_page& c) noexcept {
        unlink_changed_visitor visit(snapshot_);
        std::size_t counted = 0;
        for_each_found(c, [&](page& p, py_object* garbage, header& h) noexcept {
            counted += static_cast<std::size_t>(h.count);
            h.state = (h.state & life_finalized) | age_none | life_dying;
            p.type->traverse(garbage, visit);
        });
        snapshot_.unaccounted += counted - visit.nulled();
    }

    /// Some reference to garbage was shown twice, so that there is one less than it seemed: somebody
    /// outside holds one still. Which, nobody knows: all objects found are kept, for good.
    PYGC_NOINLINE void spare_garbage() noexcept {
        const std::uint32_t age = survivor_age_of[generation_];
        for (std::size_t i = 0; i != page_count_; ++i) {
            page& p = *pages_[i].where;
            for (std::uint32_t slot = 0; slot != pages_[i].carved; ++slot) {
                if (((garbage_on(pages_[i])[slot / 64] >> (slot % 64)) & 1) == 0) continue;
                header& h = header_at(p, slot);
                h.state = (h.state & life_finalized) | age;
                if (age == age_middle) mark_middle(p);
                if (lied_about_++ != 0) continue;
                report("a traverse shows a reference twice; kept for good, with others:", p.type, &h);
            }
        }
        heap_.objects_of_age[age] += garbage_;
        found_ -= garbage_;
        garbage_ = 0;
    }

    void learn() noexcept {
        if (generation_ == 2) {
            heap_.pace.learn_from_full(candidates_, found_);
        } else {
            heap_.pace.learn_from_young(candidates_, found_, kept_young_ + heap_.objects_of_age[age_middle]);
        }
    }

    void dispose() noexcept {
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
                ::new (static_cast<void*>(&link_of(c.last_freed, *p.type))) void*(p.free);
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
            if (h.has_frozen) unfreeze(h);
            collection(h, 2).run();
        }
        settle_abandoned(h);
    }
    return found;
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

/// With `more` containers there would be more than the trigger allows. Returns: what was found.
PYGC_NOINLINE inline std::size_t collect_automatically(heap_state& h, std::size_t more = 0) noexcept {
    if (h.collecting) return 0;
    if (!h.is_due(more)) { // what was pending has died meanwhile
        h.update_trigger();
        return 0;
    }
    const int generation = due_generation(h, more);
    if (generation != 2 || !h.paces_itself() || &h != own.state) return collect(h, generation, h.paces_itself());
    const heap_use use(h);
    const std::size_t before = h.stats[2].candidates;
    const std::size_t found = collect(h, 2, true);
    collect_abandoned_heaps_when_due(h, h.stats[2].candidates - before);
    return found;
}

} // namespace pygc::inline PYGC_ABI::detail
