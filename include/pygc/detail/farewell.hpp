// SPDX-License-Identifier: BSL-1.0
// What garbage may ask for before it is destroyed, in the one order there is for it:
//
//   run_finalizers          weak references are still alive, the objects intact
//   reprieve                the garbage is examined again: who was made reachable lives on
//   end_weak_references     all those to the rest are dead; then their callbacks, unless garbage too
//   erase_dead_keys         entries of associative containers whose keys are garbage
//   save_all                if so wanted, the rest goes to the list `garbage` and lives on
//
// Only garbage with a finalizer or a weak reference comes here. While code of the user runs its objects are
// "condemned": hidden from lists, and what dies among them keeps its slot until the collection has seen it.
#pragma once

#include <pygc/detail/clear_references.hpp>
#include <pygc/object_list.hpp>

namespace pygc::inline PYGC_ABI::detail {

class farewell : protected clearing {
protected:
    using clearing::clearing;

    /// Whether any of the garbage must be treated with more than destructors.
    bool has_farewell() noexcept {
        has_dead_keys_ = snapshot_.keyed && find_dead_keys();
        if (has_dead_keys_ || wants(debug::save_all) || wants(debug::collectable)) return true;
        bool found = ephemerons_.any_map_unreached(); // its values aren't among the edges of its owner
        for (std::size_t i = 0; i != page_count_ && !found; ++i) {
            const page& p = *pages_[i].where;
            if ((p.type->finalize == nullptr && !p.type->weak_record && !p.weak) || !has_garbage(pages_[i])) continue;
            for_each_found(pages_[i], [&](page&, py_object*, header& h) noexcept {
                found |= p.type->weak_record || (h.state & life_weak) != 0 ||
                         (p.type->finalize != nullptr && (h.state & life_finalized) == 0);
            });
        }
        return found;
    }

    /// Finalizers, then another look at what came back; weak references and their callbacks. What is left
    /// of the garbage is intact afterwards, and nobody can reach it.
    PYGC_NOINLINE void say_farewell() noexcept {
        keep_pages_with_garbage();
        if (!verify_references()) return; // before anybody is told of a death
        forget_numbers();                 // code of the user may start a collection in another heap
        for_each_found([](page&, py_object*, header& h) noexcept { h.state |= life_condemned; });
        if (run_finalizers()) {
            reprieve();
            for (std::size_t i = 0; i != page_count_; ++i) recall_numbers(pages_[i]);
            if (!verify_references()) return; // a `traverse` may lie since
            forget_numbers();
        }
        print_collectable();
        end_weak_references();
        if (wants(debug::save_all)) save_all();
        if (has_dead_keys_) erase_dead_keys();
        for (std::size_t i = 0; i != page_count_; ++i) recall_numbers(pages_[i]);
    }

    /// Returns: whether there was any.
    bool run_finalizers() noexcept {
        bool any = false;
        const std::uint32_t waiting = this_thread.waiting;
        for (std::size_t i = 0; i != page_count_; ++i) {
            if (pages_[i].where->type->finalize == nullptr) continue;
            for_each_found(pages_[i], [&any](page& where, py_object* p, header& h) noexcept {
                if ((h.state & (life_condemned | life_dying | life_finalized | life_postponed)) != life_condemned)
                    return;
                any = true;
                add_reference(h);
                where.type->finalize(where, p);
                drop(p);
            });
        }
        if (this_thread.waiting != waiting) { // they belong to this phase, however deep we are
            const std::int32_t nesting_left = this_thread.nesting_left;
            this_thread.nesting_left = level_below_all(nesting_left);
            destroy_postponed(waiting);
            this_thread.nesting_left = nesting_left;
        }
        return any;
    }

    /// The garbage is examined again, as a set of its own: what is referred to from outside now, and what
    /// that leads to, lives on. What died meanwhile gives its slot back.
    void reprieve() noexcept {
        std::size_t kept = 0;
        for (std::size_t i = 0; i != page_count_; ++i) {
            std::size_t dead = 0, condemned = 0;
            for_each_found(pages_[i], [&](page& where, py_object*, header& h) noexcept {
                if ((h.state & life_condemned) == 0) return; // resurrected by its count, or a zombie
                if ((h.state & life_dying) == 0) {
                    ++condemned;
                    return;
                }
                h.state = age_none | life_dying;
                link_free_slot(where, reinterpret_cast<char*>(&h) - where.type->header_offset, *where.type);
                ++dead;
            });
            if (condemned != 0) pages_[kept++] = pages_[i];
            if (dead != 0) return_slots(*pages_[i].where, dead);
        }
        page_count_ = kept;

        const std::size_t candidates = candidates_;
        const bool counted = number_pages() && count_condemned();
        garbage_ = 0;
        if (counted) find_unreachable();
        candidates_ = candidates;
        if (!counted) ++stats().given_up; // no memory: all of it stays, until another time
        for (std::size_t i = 0; i != page_count_; ++i) {
            page& p = *pages_[i].where;
            for (std::uint32_t slot = 0; slot != p.carved; ++slot) {
                header& h = header_at(p, slot);
                if (!is_condemned(h)) continue;
                if (!counted || ((garbage_on(pages_[i])[slot / 64] >> (slot % 64)) & 1) == 0) survive(p, h);
            }
        }
        forget_numbers();
        if (counted) {
            keep_pages_with_garbage();
        } else {
            page_count_ = 0; // the bits say nothing
        }
    }

    static bool is_condemned(const header& h) noexcept {
        return !is_poisoned(&h) && (h.state & (life_condemned | life_dying)) == life_condemned;
    }

    bool count_condemned() noexcept {
        const traversal_guard guard(heap_);
        count_visitor visit(snapshot_);
        for (std::size_t i = 0; i != page_count_; ++i) {
            page& p = *pages_[i].where;
            for (std::uint32_t slot = 0; slot != p.carved; ++slot) {
                header& h = header_at(p, slot);
                if (!is_condemned(h)) continue;
                const std::uint32_t n = pages_[i].first + slot;
                snapshot_.trial[n] = static_cast<std::uint32_t>(h.count);
                snapshot_.in_set[n / 64] |= std::uint64_t{1} << (n % 64);
                snapshot_.first_edge[n] = visit.edge_count();
#if PYGC_DEBUG
                visit.begin(*p.type, &h);
#endif
                p.type->traverse(reinterpret_cast<py_object*>(&h), visit);
                snapshot_.first_edge[n + 1] = visit.edge_count();
                if (snapshot_.failed) return false;
                if (snapshot_.deferred != nullptr) ephemerons_.find_owners(n, 1);
            }
        }
        snapshot_.edge_count = visit.edge_count();
        snapshot_.keyed |= visit.keyed();
        if (!ephemerons_.count()) return false;
        snapshot_.subtract_edges();
        if (guard.nothing_died()) return true;
        forget_numbers(); // their destructors are code of the user
        return false;
    }

    void end_weak_references() noexcept {
        if (garbage_ == 0) return;
        // Garbage among the weak references: their callbacks are never called, whatever they refer to.
        for (std::size_t i = 0; i != page_count_; ++i) {
            if (!pages_[i].where->type->weak_record) continue;
            for_each_found(pages_[i],
                           [](page&, py_object* p, header&) noexcept { detach(*static_cast<weak_record*>(p)); });
        }
        pending_callbacks pending;
        for (std::size_t i = 0; i != page_count_; ++i) {
            if (!pages_[i].where->weak) continue;
            for_each_found(pages_[i], [&](page&, py_object* p, header& h) noexcept {
                if ((h.state & life_weak) != 0) sever(heap_, p, pending);
            });
        }
        if (pending.first == nullptr) return;
        null_dead_values();
        // A callback may still have a plain pointer: no weak reference can be made from it any more.
        for_each_found([](page&, py_object*, header& h) noexcept { h.state |= life_dying; });
        found_ += detail::run(pending);
    }

    /// Whether garbage has an associative container with a key that leads to garbage.
    PYGC_NOINLINE bool find_dead_keys() noexcept {
        struct context {
            const std::uint64_t* unreached;
            bool found;
        } c{snapshot_.unreached, false};
        place_visitor visit(
            [](void* to, py_object*& place, bool in_keys) noexcept {
                context& here = *static_cast<context*>(to);
                const std::size_t n = in_keys && place != nullptr ? number_of(place) : 0;
                here.found |= ((here.unreached[n / 64] >> (n % 64)) & 1) != 0;
            },
            &c);
        const traversal_guard guard(heap_);
        for_each_found([&](page& where, py_object* p, header&) noexcept {
            if (!c.found) where.type->traverse(p, visit);
        });
        return c.found;
    }

    /// A dead key is not nulled, lest its container never find it again: the entry goes, while all objects are still
    /// whole. Hashes, comparisons and destructors of the user run, so that each of the garbage is held.
    PYGC_NOINLINE void erase_dead_keys() noexcept {
        for_each_found([](page&, py_object*, header& h) noexcept {
            h.state |= life_condemned | life_dying;
            ++h.count;
        });
        {
            erase_visitor visit(heap_);
            for_each_found([&visit](page& where, py_object* p, header&) noexcept {
                visit.begin(*where.type, p);
                where.type->traverse(p, visit);
            });
            if (visit.failed()) kept_because_ = "an entry with a dead key could not be taken out; kept, with others:";
        } // here the entries end
        for_each_found([](page&, py_object*, header& h) noexcept { --h.count; });
    }

    /// What the values of dead ephemerons refer to among the garbage: they go with the entries, which are told now, and
    /// their destructors see null, as those of garbage do.
    void null_dead_values() noexcept {
        for (std::size_t i = 0; i != page_count_; ++i) recall_numbers(pages_[i]);
        place_visitor visit(
            [](void* unreached, py_object*& place, bool in_keys) noexcept {
                if (place == nullptr || in_keys) return;
                const std::size_t n = number_of(place);
                if (((static_cast<const std::uint64_t*>(unreached)[n / 64] >> (n % 64)) & 1) == 0) return;
                --header_of(place).count;
                place = nullptr;
            },
            snapshot_.unreached);
        ephemerons_.visit_dead(visit);
        forget_numbers();
    }

    void print_collectable() noexcept {
        if (!wants(debug::collectable)) return;
        for_each_found([](page& where, py_object* p, header&) noexcept { report("collectable", where.type, p); });
    }

    /// What was found goes to the list `garbage` instead of being freed.
    void save_all() noexcept {
        object_list& list = garbage_list(heap_);
        if (!list_access::reserve(list, garbage_)) {
            ++stats().given_up;
        } else {
            found_ += garbage_;
            for_each_found([&list](page&, py_object* p, header&) noexcept { list_access::append(list, p); });
        }
        for_each_found([this](page& where, py_object*, header& h) noexcept { survive(where, h); });
        garbage_ = 0;
        page_count_ = 0;
    }

    bool has_dead_keys_ = false;
    std::size_t found_ = 0; // what `collect` returns, but for those lied about
};

} // namespace pygc::inline PYGC_ABI::detail
