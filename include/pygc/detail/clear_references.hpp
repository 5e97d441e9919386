// SPDX-License-Identifier: BSL-1.0
// Nulls the references that garbage holds on garbage, so that destructors see null for a dead peer, and proves by that
// that nobody else has one:
//
//   begin_counting  garbage is marked, and its counts raised so high that none falls to zero
//   unlink          each place that a `traverse` shows and that leads to garbage is nulled, logged, and counted down
//   counts_match    an object whose count has fallen by all that it was has no other reference anywhere
//   restore         if some don't match every place gets back what it had, and all that was found lives on
//
// Of large sets copies of the counts fall instead: see snapshot::counts.
// So a `traverse` that shows too much, too little, copies, or others than before destroys nothing. Whose a
// place is doesn't follow from counts: see place_check.hpp.
#pragma once

#include <pygc/detail/lie_report.hpp>
#include <pygc/detail/reachability.hpp>
#include <pygc/detail/traversal_guard.hpp>
#include <pygc/visitor.hpp>

namespace pygc::inline PYGC_ABI::detail {

class clearing : protected reachability {
protected:
    using reachability::reachability;

    void keep_pages_with_garbage() noexcept {
        std::size_t kept = 0;
        for (std::size_t i = 0; i != page_count_; ++i) {
            if (has_garbage(pages_[i])) {
                pages_[kept++] = pages_[i];
            } else {
                numbers_of(*pages_[i].where) = {}; // what lives there counts as outside from now on
            }
        }
        page_count_ = kept;
    }

    /// More references were shown than there are: says who shows them. False: objects died meanwhile.
    PYGC_NOINLINE bool explain_lies() noexcept {
        const traversal_guard guard(heap_);
        lie_report lies(snapshot_);
        explain(lies, snapshot_.in_set);
        if (guard.nothing_died()) return true;
        forget_numbers(); // their destructors are code of the user
        return false;
    }

    /// Whether only garbage refers to garbage. If so its references are null afterwards and its headers those of dying
    /// objects; if not everything found is kept, as it was, and reported. Preconditions: only pages with garbage are
    /// left.
    bool clear_references() noexcept { return try_to_clear(true); }

    /// As `clear_references`, but nothing is changed, except that what must be kept is.
    PYGC_NOINLINE bool verify_references() noexcept { return try_to_clear(false); }

    /// An object that was found lives on, in the generation of the survivors.
    void survive(page& p, header& h) noexcept {
        const std::uint32_t age = survivor_age_of[generation_];
        h.state = (h.state & ~(std::uint32_t{age_mask} | life_condemned | life_dying)) | age;
        ++heap_.objects_of_age[age];
        if (age == age_middle) mark_middle(p);
    }

    const char* kept_because_ = nullptr; // if nobody lied

private:
    bool try_to_clear(bool for_good) noexcept {
        snapshot_.frame = frame();
        snapshot_.for_good = for_good;
        const bool cleared = unlink_and_check(for_good);
        if (!cleared) [[unlikely]]
            keep_all();
        return cleared;
    }

    PYGC_INLINE static const void* frame() noexcept {
#if defined(__GNUC__)
        return __builtin_frame_address(0);
#else
        return nullptr;
#endif
    }

    bool unlink_and_check(bool for_good) noexcept {
        const traversal_guard guard(heap_);
#if PYGC_DEBUG
        if (generation_ != 2 && !nobody_else_shows_garbage()) {
            forget_numbers();
            return false;
        }
#endif
        std::size_t references = 0;
        snapshot_.counts = nullptr;
        if (counts_in_headers()) {
            for (std::size_t i = 0; i != page_count_; ++i) references += begin_counting(pages_[i]);
        } else {
            references = copy_counts();
        }
        snapshot_.prepare_log(references);
        if (snapshot_.incomplete_log && !for_good) {
            restore_headers();
            return true; // what can't be put back stays until it must be known
        }
        for (std::size_t i = 0; i != page_count_; ++i) pages_[i].where->type->unlink(pages_[i], snapshot_);
        if (!for_good) { // later they are gone
            unlink_visitor visit(snapshot_);
            visit.begin(nullptr, SIZE_MAX);
            ephemerons_.visit_dead(visit);
            snapshot_.cleared_count = visit.logged();
        }
        bool match = !snapshot_.lied && guard.nothing_died();
        if (snapshot_.counts != nullptr) {
            snapshot_.finish_counting_down();
            match = match && copied_counts_match(for_good);
        } else {
            for (std::size_t i = 0; i != page_count_ && match; ++i) match = counts_match(pages_[i], for_good);
        }
        if (match && for_good) return true;
        restore_headers();
        restore_counts();
        if (match) {
            put_back();
            return true;
        }
        restore_references(for_good);
        if (snapshot_.counts == nullptr) end_dropped();
        report_what_is_known();
        forget_numbers(); // if objects died, their destructors are code of the user
        return false;
    }

    /// Whether the counts of the headers fall, or copies. In debug mode by turns, so that tests meet both.
    [[nodiscard]] bool counts_in_headers() const noexcept {
#if PYGC_DEBUG
        return heap_.stats[generation_].collections % 2 == 0;
#else
        return snapshot_.size <= 2 * snapshot::cached_size;
#endif
    }

    /// Marks the garbage of a page, and raises its counts by that of a dying object. Returns: the sum of what they
    /// were.
    std::size_t begin_counting(const collected_page& c) noexcept {
        std::size_t references = 0;
        all_of(c, [&references](header& h) noexcept {
            const auto count = static_cast<std::uint32_t>(h.count);
            references += count;
            h.count = static_cast<std::int32_t>(count + std::uint32_t{dying_count});
            h.state |= life_unlinked;
            return true;
        });
        return references;
    }

    /// Where a count isn't down to what it was raised by, a reference is left somewhere. With `for_good` those that
    /// match are made dying.
    bool counts_match(const collected_page& c, bool for_good) noexcept {
        if (!for_good) return all_of(c, [](const header& h) noexcept { return h.count == dying_count; });
        if (c.where->type->finalize != nullptr) {
            return all_of(c, [](header& h) noexcept {
                if (h.count != dying_count) return false;
                h.state = (h.state & life_finalized) | age_none | life_dying;
                return true;
            });
        }
        return all_of(c, [](header& h) noexcept {
            if (h.count != dying_count) return false;
            h.state = age_none | life_dying;
            return true;
        });
    }

    /// As `begin_counting`, for all pages of a large set.
    PYGC_NOINLINE std::size_t copy_counts() noexcept {
        std::size_t references = 0;
        snapshot_.begin_to_count_down();
        for_each_number([this, &references](std::uint32_t n, header& h) noexcept {
            snapshot_.counts[n] = static_cast<std::uint32_t>(h.count);
            references += snapshot_.counts[n];
            return true;
        });
        return references;
    }

    /// As `counts_match`, for all pages of a large set.
    PYGC_NOINLINE bool copied_counts_match(bool for_good) noexcept {
        const std::uint32_t* const counts = snapshot_.counts;
        if (!for_each_number([counts](std::uint32_t n, header&) noexcept { return counts[n] == 0; })) return false;
        if (!for_good) return true;
        for_each_number([](std::uint32_t, header& h) noexcept {
            h = {dying_count, (h.state & life_finalized) | age_none | life_dying};
            return true;
        });
        return true;
    }

    /// Calls `f(number, header)` for each of the garbage, until it returns false.
    template <class F>
    PYGC_INLINE bool for_each_number(F f) noexcept {
        for (std::size_t i = 0; i != page_count_; ++i) {
            const collected_page& c = pages_[i];
            const std::size_t stride = c.where->type->slot_bytes;
            char* const begin = first_slot(*c.where) + c.where->type->header_offset;
            for (std::uint32_t base = 0; base < c.carved; base += 64) {
                for (std::uint64_t bits = garbage_on(c)[base / 64]; bits != 0; bits &= bits - 1) {
                    const std::uint32_t slot = base + static_cast<std::uint32_t>(__builtin_ctzll(bits));
                    if (!f(c.first + slot, *reinterpret_cast<header*>(begin + slot * stride))) return false;
                }
            }
        }
        return true;
    }

    /// Calls `f(header)` for each of the garbage, until it returns false.
    template <class F>
    PYGC_INLINE bool all_of(const collected_page& c, F f) noexcept {
        const std::size_t stride = c.where->type->slot_bytes;
        char* slot = first_slot(*c.where) + c.where->type->header_offset;
        for (std::size_t base = 0; base < c.carved; base += 64, slot += 64 * stride) {
            std::uint64_t bits = garbage_on(c)[base / 64];
            if (bits == ~std::uint64_t{0}) {
                const char* const end = slot + 64 * stride;
                for (char* at = slot; at != end; at += 4 * stride) { // half the instructions of one by one
                    if (!f(*reinterpret_cast<header*>(at)) || !f(*reinterpret_cast<header*>(at + stride)) ||
                        !f(*reinterpret_cast<header*>(at + 2 * stride)) ||
                        !f(*reinterpret_cast<header*>(at + 3 * stride))) {
                        return false;
                    }
                }
                continue;
            }
            for (; bits != 0; bits &= bits - 1) {
                const auto k = static_cast<std::size_t>(__builtin_ctzll(bits));
                if (!f(*reinterpret_cast<header*>(slot + k * stride))) return false;
            }
        }
        return true;
    }

    /// Undoes what `begin_counting` and `counts_match` did.
    PYGC_NOINLINE void restore_headers() noexcept {
        if (snapshot_.counts != nullptr) return;
        for_each_found([this](page&, py_object*, header& h) noexcept {
            if ((h.state & life_unlinked) == 0) h.state = (h.state & life_finalized) | survivor_age_of[generation_];
            h.state &= ~std::uint32_t{life_unlinked};
            h.count = static_cast<std::int32_t>(static_cast<std::uint32_t>(h.count) - std::uint32_t{dying_count});
        });
    }

    /// What was nulled counts again.
    PYGC_NOINLINE void restore_counts() noexcept {
        for (std::size_t i = 0; i != snapshot_.cleared_count; ++i) {
            cleared_reference& r = snapshot_.cleared[i];
            const bool is_raw = r.is_marked_raw();
            if (is_raw) r.unmark_raw();
            if (snapshot_.counts == nullptr) ++(is_raw ? header_around(r.target) : header_of(r.target)).count;
        }
    }

    /// A `traverse` may have dropped the last reference to garbage, whose raised count hid that: it dies now, and waits
    /// for the guard to let it.
    void end_dropped() noexcept {
        for_each_found([](page&, py_object* p, header& h) noexcept {
            if (h.count != 0 || (h.state & life_postponed) != 0) return;
            h.count = 1;
            drop(p);
        });
    }

    /// If nobody lied all places are as they were.
    void put_back() noexcept {
        for (std::size_t i = snapshot_.cleared_count; i != 0; --i) {
            *snapshot_.cleared[i - 1].place = snapshot_.cleared[i - 1].target;
        }
    }

    /// After a lie nobody knows which places still exist: a copy that was shown is gone. Those that are shown again do,
    /// and those inside an object. What was nulled elsewhere was a copy, as was what has another value by now: the
    /// count of its target is one too many.
    PYGC_NOINLINE void restore_references([[maybe_unused]] bool for_good) noexcept {
        sort_log();
        std::size_t left = snapshot_.cleared_count;
        for (int round = 0; round != 8 && left != 0; ++round) {
            struct context {
                clearing& self;
                std::size_t& left;
            } c{*this, left};
            place_visitor visit(
                [](void* to, py_object*& place, bool) noexcept {
                    if (place != nullptr) return;
                    context& here = *static_cast<context*>(to);
                    cleared_reference* const r = here.self.logged_at(&place);
                    if (r == nullptr) return;
                    place = r->target;
                    r->target = nullptr;
                    --here.left;
                },
                &c);
            for_each_found([&](page& p, py_object* g, header& h) noexcept {
                if (age_of(h) <= age_old) p.type->traverse(g, visit);
            });
            if (!for_good) ephemerons_.visit_dead(visit);
        }
        for (std::size_t i = 0; i != snapshot_.cleared_count; ++i) {
            const cleared_reference& r = snapshot_.cleared[i];
            if (r.target == nullptr) continue;
            if (heap_.pages.covers(r.place) && *r.place == nullptr) {
                *r.place = r.target;
            } else if (header& h = header_around(r.target); h.count > 1) {
                --h.count;
            }
        }
    }

    /// The header of the object that holds what a reference or a raw pointer leads to.
    [[nodiscard]] static header& header_around(const void* address) noexcept {
        std::size_t index = page_index_of(address);
        while (chunk_of(address).pages[index].type == nullptr) --index; // an object may need several pages
        page& p = chunk_of(address).pages[index];
        const std::uintptr_t offset =
            reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(first_slot(p));
        return header_at(p, offset / p.type->slot_bytes);
    }

    [[nodiscard]] cleared_reference* logged_at(py_object** place) const noexcept {
        std::size_t first = 0, last = snapshot_.cleared_count;
        while (first != last) {
            const std::size_t middle = first + (last - first) / 2;
            if (order(snapshot_.cleared[middle].place, place) < 0) {
                first = middle + 1;
            } else {
                last = middle;
            }
        }
        for (; first != snapshot_.cleared_count && snapshot_.cleared[first].place == place; ++first) {
            if (snapshot_.cleared[first].target != nullptr) return snapshot_.cleared + first;
        }
        return nullptr;
    }

    /// By place, as a heap: in place, and never slow.
    void sort_log() noexcept {
        cleared_reference* const log = snapshot_.cleared;
        const auto sink = [log](std::size_t at, std::size_t size) noexcept {
            const cleared_reference moved = log[at];
            for (std::size_t child = 2 * at + 1; child < size; child = 2 * at + 1) {
                if (child + 1 < size && order(log[child].place, log[child + 1].place) < 0) ++child;
                if (order(moved.place, log[child].place) >= 0) break;
                log[at] = log[child];
                at = child;
            }
            log[at] = moved;
        };
        const std::size_t size = snapshot_.cleared_count;
        for (std::size_t i = size / 2; i != 0; --i) sink(i - 1, size);
        for (std::size_t end = size; end > 1;) {
            --end;
            const cleared_reference last = log[end];
            log[end] = log[0];
            log[0] = last;
            sink(0, end);
        }
    }

    /// Calls the reporter for all objects that the bits name.
    void explain(lie_report& lies, const std::uint64_t* set) noexcept {
        for (std::size_t i = 0; i != page_count_; ++i) {
            page& p = *pages_[i].where;
            for (std::uint32_t slot = 0; slot != pages_[i].carved; ++slot) {
                const std::uint32_t n = pages_[i].first + slot;
                header& h = header_at(p, slot);
                if (((set[n / 64] >> (n % 64)) & 1) == 0 || is_poisoned(&h) || age_of(h) > age_old) continue;
                lies.examine(*p.type, reinterpret_cast<py_object*>(&h));
            }
        }
    }

    PYGC_NOINLINE void report_what_is_known() noexcept {
        lie_report lies(snapshot_);
        if (snapshot_.lie_type != nullptr) {
            report_place(snapshot_.lie_kind, *snapshot_.lie_type, snapshot_.lie_slot, snapshot_.lie_place);
        } else {
            explain(lies, snapshot_.unreached);
        }
        twice_ = lies.found_twice();
        snapshot_.lie_type = nullptr;
    }

    /// All objects found live on.
    PYGC_NOINLINE void keep_all() noexcept {
        bool first = true;
        for_each_found([&](page& p, py_object*, header& h) noexcept {
            if (age_of(h) > age_old) return;
            survive(p, h);
            ++lied_about_;
            if (first) {
                report(kept_because_ != nullptr ? kept_because_
                       : twice_                 ? "a traverse shows a reference twice; kept for good, with others:"
                                : "a traverse shows what its object doesn't own, or not what it showed before; kept, "
                                  "with others:",
                       p.type, &h);
            }
            first = false;
        });
        garbage_ = 0;
        page_count_ = 0;
    }

#if PYGC_DEBUG
    /// A young collection can't see from counts that a `traverse` shows what an old object owns.
    bool nobody_else_shows_garbage() noexcept {
        struct context {
            clearing& self;
            page* where;
            py_object* object;
            bool found = false;
        } c{*this, nullptr, nullptr};
        call_visitor visit(
            [](void* to, py_object* target) noexcept {
                context& here = *static_cast<context*>(to);
                const std::size_t n = number_of(target);
                if (here.found || ((here.self.snapshot_.unreached[n / 64] >> (n % 64)) & 1) == 0) return;
                here.found = true;
                report("a traverse shows a reference that belongs to another object, the", here.where->type,
                       here.object);
                report("and that leads to the", page_of(target).type, target);
            },
            &c);
        heap_.pages.for_each_page([&](page& p) noexcept {
            if (!p.type->container) return;
            for (std::uint32_t slot = 0; slot != p.carved; ++slot) {
                header& h = header_at(p, slot);
                if (c.found || is_poisoned(&h) || age_of(h) > age_old) continue;
                const std::size_t n = number_of(&h);
                if (((snapshot_.unreached[n / 64] >> (n % 64)) & 1) != 0) continue;
                c.where = &p;
                c.object = reinterpret_cast<py_object*>(&h);
                p.type->traverse(c.object, visit);
            }
        });
        return !c.found;
    }
#endif

    bool twice_ = false;
};

} // namespace pygc::inline PYGC_ABI::detail
