// SPDX-License-Identifier: BSL-1.0
// What nothing outside a set of objects leads to: the pages that hold the set, and the phases between
// counting and the end of the garbage.
//
//   number_pages        numbers for their slots
//   find_unreachable    what nothing outside leads to, from the snapshot alone
#pragma once

#include <utility> // swap

#include <pygc/detail/check.hpp>
#include <pygc/detail/ephemerons.hpp>
#include <pygc/detail/snapshot.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// The part of a collection that knows which pages take part and which of their objects are unreached.
class reachability {
protected:
    reachability(heap_state& h, int generation) noexcept : heap_(h), generation_(generation), snapshot_(h),
          ephemerons_(snapshot_) {}
    ~reachability() = default;
    reachability(const reachability&) = delete;
    reachability& operator=(const reachability&) = delete;

    generation_stats& stats() noexcept { return heap_.stats[generation_]; }

    [[nodiscard]] bool wants(debug flag) const noexcept { return (heap_.debug_flags & flag) != debug::none; }

    /// Gives the slots of the chosen pages their numbers, and makes an empty picture of them. False: no memory.
    bool number_pages() noexcept {
        std::uint64_t next_number = number_granule;
        std::size_t objects = 0;
        std::size_t shared = 0;
        for (std::size_t i = 0; i != page_count_; ++i) {
            if (pages_[i].where->type->slot_count == 1) continue;
            if (i != shared) std::swap(pages_[i], pages_[shared]);
            collected_page& c = pages_[shared++];
            c.first = static_cast<std::uint32_t>(next_number);
            c.carved = c.where->carved;
            c.single = false;
            recall_numbers(c);
            objects += c.carved;
            next_number += (c.carved + number_granule - 1) / number_granule * number_granule;
        }
        // Pages with one slot come last, their numbers next to each other: a granule for each would be 64 times as much.
        objects += page_count_ - shared;
        for (std::size_t i = shared; i != page_count_; ++i) {
            collected_page& c = pages_[i];
            c.first = static_cast<std::uint32_t>(next_number++);
            c.carved = 1;
            c.single = true;
            recall_numbers(c);
        }
        return next_number < UINT32_MAX && snapshot_.prepare(static_cast<std::size_t>(next_number), objects) &&
               (generation_ != 2 || ephemerons_.begin());
    }

    /// Sets the bit `unreached` of exactly the garbage.
    void find_unreachable() noexcept {
        std::size_t unreached = 0;
        candidates_ = 0;
        for (std::size_t i = 0; i != page_count_; ++i) unreached += compare_counts(pages_[i]);
        garbage_ = unreached;
        if (unreached != 0 && unreached != candidates_) { // else all is alive, or all is garbage
            mark();
            if (garbage_ != 0) garbage_ -= ephemerons_.mark(snapshot_.trial);
        }
        for (std::size_t i = page_count_; i != 0 && pages_[i - 1].single; --i) {
            const std::uint32_t n = pages_[i - 1].first;
            pages_[i - 1].single_garbage = (snapshot_.unreached[n / 64] >> (n % 64)) & 1;
        }
    }

    /// Notes which candidates of a page nothing outside refers to; of pages with one slot the first in a word does it
    /// for all of them. Returns their number.
    std::size_t compare_counts(const collected_page& c) noexcept {
        std::size_t unreached = 0;
        if (c.single && c.first % 64 != 0) return 0;
        for (std::uint32_t base = c.first; base < c.first + c.carved; base += 64) {
            const std::uint64_t in_set = snapshot_.in_set[base / 64];
            if (in_set == 0) continue;
            candidates_ += count_ones(in_set);
            const std::uint32_t* trial = snapshot_.trial + base;
            snapshot_.roots[base / 64] = in_set;
            const std::uint64_t low = signs_of<1>(trial) & in_set; // zero or less
            if (low == 0) continue;
            const std::uint64_t negative = signs_of<0>(trial) & in_set;
            const std::uint64_t zero = low & ~negative;
            snapshot_.unreached[base / 64] = zero;
            snapshot_.roots[base / 64] = in_set & ~zero;
            unreached += count_ones(zero);
            if (negative != 0) [[unlikely]] {
                if (c.single) {
                    report_lies_of_singles(base, negative);
                } else {
                    report_lies(*c.where, base - c.first, negative);
                }
            }
        }
        return unreached;
    }

    /// Bit k: whether `values[k] - Subtrahend` is negative, for 64 of them.
    template <std::int32_t Subtrahend>
    PYGC_INLINE static std::uint64_t signs_of(const std::uint32_t* values) noexcept {
        std::uint64_t bits = 0;
#if defined(__SSE2__) && defined(__GNUC__)
        using four_ints = std::int32_t __attribute__((vector_size(16)));
        using four_floats = float __attribute__((vector_size(16)));
        for (int k = 0; k != 64; k += 4) {
            four_ints v;
            std::memcpy(&v, values + k, sizeof v);
            const int signs = __builtin_ia32_movmskps(reinterpret_cast<four_floats>(v - Subtrahend));
            bits |= static_cast<std::uint64_t>(static_cast<unsigned>(signs)) << k;
        }
#else
        for (int k = 0; k != 64; ++k) {
            const bool sign = static_cast<std::int32_t>(values[k]) < Subtrahend;
            bits |= static_cast<std::uint64_t>(sign) << k;
        }
#endif
        return bits;
    }

    PYGC_INLINE static std::size_t count_ones(std::uint64_t bits) noexcept {
#if defined(__POPCNT__) || !defined(__x86_64__)
        return static_cast<std::size_t>(__builtin_popcountll(bits));
#else
        // Sums of two, of four, of eight bits, and of the eight bytes: the compiler would call a function.
        bits -= (bits >> 1) & 0x5555'5555'5555'5555;
        bits = (bits & 0x3333'3333'3333'3333) + ((bits >> 2) & 0x3333'3333'3333'3333);
        bits = (bits + (bits >> 4)) & 0x0f0f'0f0f'0f0f'0f0f;
        return static_cast<std::size_t>(bits * 0x0101'0101'0101'0101 >> 56);
#endif
    }

    /// More references were shown than counted: some `traverse` shows one twice, or one that its object
    /// doesn't own. Nothing is freed on such evidence.
    PYGC_NOINLINE void report_lies(page& p, std::uint32_t base, std::uint64_t negative) noexcept {
        for (; negative != 0; negative &= negative - 1) {
            const auto slot = base + static_cast<std::uint32_t>(__builtin_ctzll(negative));
            if ((header_at(p, slot).state & life_immortal) != 0) continue; // its count is negative, too
            if (lied_about_++ < 8 || wants(debug::uncollectable)) {
                report("a traverse shows more references than there are to the", p.type, &header_at(p, slot));
            }
        }
    }

    PYGC_NOINLINE void report_lies_of_singles(std::uint32_t base, std::uint64_t negative) noexcept {
        for (std::size_t i = 0; i != page_count_; ++i) {
            const collected_page& c = pages_[i];
            if (c.single && c.first / 64 == base / 64 && ((negative >> (c.first % 64)) & 1) != 0) {
                report_lies(*c.where, 0, 1);
            }
        }
    }

    /// Clears `unreached` of everything that candidates with references from outside lead to. `roots` holds what is
    /// known to be alive and hasn't been looked at.
    void mark() noexcept {
        // Trial counts have done their work; their memory becomes the stack of objects to look at.
        std::uint32_t* const stack = snapshot_.trial;
        if (snapshot_.size <= snapshot::cached_size) {
            for_each_root([&](std::uint32_t root) noexcept {
                std::uint32_t* const top = reach(root, stack);
                if (top != stack) garbage_ -= mark_from(stack, top);
                return garbage_ != 0;
            });
            return;
        }
        // Where there is much to look at it is met soonest in order of its numbers, in which memory is fast; where
        // there is little, by following it.
        const std::size_t much = snapshot_.size / 32;
        std::size_t waiting = candidates_ - garbage_;
        while (waiting != 0 && garbage_ != 0) {
            if (waiting > much) {
                waiting = sweep_roots();
                continue;
            }
            waiting = 0;
            for_each_root([&](std::uint32_t root) noexcept {
                snapshot_.roots[root / 64] &= ~(std::uint64_t{1} << (root % 64));
                std::uint32_t* top = reach(root, stack);
                if (top != stack) garbage_ -= mark_with_prefetch(stack, top, much);
                waiting = static_cast<std::size_t>(top - stack);
                garbage_ -= waiting;
                while (top != stack) {
                    const std::uint32_t n = *--top;
                    snapshot_.roots[n / 64] |= std::uint64_t{1} << (n % 64);
                }
                return waiting == 0;
            });
        }
    }

    /// Calls `f(number)` for the roots in order, until it returns false.
    template <class F>
    PYGC_INLINE void for_each_root(F f) const noexcept {
        for (std::size_t word = 0; word <= snapshot_.size / 64; ++word) {
            for (std::uint64_t roots = snapshot_.roots[word]; roots != 0; roots &= roots - 1) {
                if (!f(static_cast<std::uint32_t>(word * 64 + static_cast<unsigned>(__builtin_ctzll(roots))))) return;
            }
        }
    }

    /// Looks at all roots in order; what they lead to are roots from then on, and those with a larger number are met on
    /// the way. Returns: how many are left.
    std::size_t sweep_roots() noexcept {
        std::uint64_t* const roots = snapshot_.roots;
        std::uint64_t* const unreached = snapshot_.unreached;
        std::size_t reached = 0;
        for (std::size_t word = 0; word <= snapshot_.size / 64; ++word) {
            while (roots[word] != 0) {
                const auto bit = static_cast<unsigned>(__builtin_ctzll(roots[word]));
                roots[word] &= roots[word] - 1;
                const std::size_t n = word * 64 + bit;
                const std::uint32_t* const end = snapshot_.edges + snapshot_.first_edge[n + 1];
                for (const std::uint32_t* e = snapshot_.edges + snapshot_.first_edge[n]; e != end; ++e) {
                    // Nobody can tell beforehand which have been reached: no branch.
                    const std::uint64_t is_new = (unreached[*e / 64] >> (*e % 64)) & 1;
                    unreached[*e / 64] &= ~(is_new << (*e % 64));
                    roots[*e / 64] |= is_new << (*e % 64);
                    reached += is_new;
                }
            }
        }
        garbage_ -= reached;
        std::size_t left = 0;
        for (std::size_t word = 0; word <= snapshot_.size / 64; ++word) {
            left += count_ones(roots[word]);
        }
        return left;
    }

    /// Clears the bits of what an object refers to, and puts those that had one on the stack. Returns: the new top.
    PYGC_INLINE std::uint32_t* reach(std::uint32_t number, std::uint32_t* top) const noexcept {
        const std::uint32_t last = reach_and_keep_last(number, top);
        if (last != 0) *top++ = last;
        return top;
    }

    /// As `reach`, but the last of them is returned and not put on the stack; 0 if there was none. The caller goes on
    /// with it: a chain is followed in a register, without the detour through the memory of the stack.
    PYGC_INLINE std::uint32_t reach_and_keep_last(std::uint32_t number, std::uint32_t*& top) const noexcept {
        std::uint64_t* const unreached = snapshot_.unreached;
        const std::uint32_t* e = snapshot_.edges + snapshot_.first_edge[number];
        const std::uint32_t* const end = snapshot_.edges + snapshot_.first_edge[number + 1];
        std::uint32_t last = 0;
        for (; e != end; ++e) {
            std::uint64_t& word = unreached[*e / 64];
            const std::uint64_t bit = std::uint64_t{1} << (*e % 64);
            if ((word & bit) == 0) continue;
            word &= ~bit;
            *top = last; // a store to nowhere costs less than a branch
            top += last != 0;
            last = *e;
        }
        return last;
    }

    /// Empties the stack. Returns: how many objects were on it.
    std::size_t mark_from(std::uint32_t* const bottom, std::uint32_t* top) const noexcept {
        std::size_t marked = 0;
        while (top != bottom) {
            std::uint32_t number = *--top;
            do {
                ++marked;
                number = reach_and_keep_last(number, top);
            } while (number != 0);
        }
        return marked;
    }

    /// Marks through a short queue: between an object's entry and its turn, the two cache lines it needs arrive,
    /// first where its edges begin, then the edges. Where only one object is left, it and what follows have no
    /// time to gain. Ends early, with `top` above `bottom`, once there are more than `much` on the stack.
    std::size_t mark_with_prefetch(std::uint32_t* const bottom, std::uint32_t*& top, std::size_t much) const noexcept {
        constexpr std::uint32_t length = 16;
        std::uint32_t queue[length];
        std::uint32_t in = 0, out = 0;
        std::size_t marked = 0;
        while (top != bottom || in != out) {
            if (top > bottom + much) [[unlikely]] {
                while (in != out) *top++ = queue[out++ % length];
                return marked;
            }
            while (top != bottom && in - out != length) {
                const std::uint32_t number = *--top;
                prefetch(snapshot_.first_edge + number);
                queue[in++ % length] = number;
                if (in - out > length / 2) {
                    prefetch(snapshot_.edges + snapshot_.first_edge[queue[(in - length / 2) % length]]);
                }
            }
            std::uint32_t number = queue[out++ % length];
            ++marked;
            if (in != out) [[likely]] {
                top = reach(number, top);
                continue;
            }
            while ((number = reach_and_keep_last(number, top)) != 0 && top == bottom) ++marked;
            if (number != 0) *top++ = number;
        }
        return marked;
    }

    /// Numbers must not outlive the phases in which no code of the user runs: a collection in another
    /// heap would take them for its own.
    void forget_numbers() noexcept {
        for (std::size_t i = 0; i != page_count_; ++i) numbers_of(*pages_[i].where) = {};
    }

    static numbering& numbers_of(page& p) noexcept { return chunk_of(&p).numbers[index_in_chunk(p)]; }

    static void recall_numbers(const collected_page& c) noexcept {
        numbers_of(*c.where) = {c.first, c.where->type->reciprocal};
    }

    [[nodiscard]] const std::uint64_t* garbage_on(const collected_page& c) const noexcept {
        return c.single ? &c.single_garbage : snapshot_.unreached + c.first / 64;
    }

    [[nodiscard]] bool has_garbage(const collected_page& c) const noexcept {
        std::uint64_t any = 0;
        for (std::uint32_t base = 0; base < c.carved; base += 64) any |= garbage_on(c)[base / 64];
        return any != 0;
    }

    /// Calls `f(page&, py_object*, header&)` for each object that the bits name.
    template <class F>
    void for_each_found(const collected_page& c, F f) noexcept {
        for (std::uint32_t base = 0; base < c.carved; base += 64) {
            for (std::uint64_t bits = garbage_on(c)[base / 64]; bits != 0; bits &= bits - 1) {
                header& h = header_at(*c.where, base + static_cast<std::uint32_t>(__builtin_ctzll(bits)));
                if (!is_poisoned(&h)) f(*c.where, reinterpret_cast<py_object*>(&h), h);
            }
        }
    }
    template <class F>
    void for_each_found(F f) noexcept {
        for (std::size_t i = 0; i != page_count_; ++i) for_each_found(pages_[i], f);
    }

    heap_state& heap_;
    const int generation_;
    snapshot snapshot_;
    ephemeron_table ephemerons_; // empty but in a full collection
    collected_page* pages_ = nullptr;
    std::size_t page_count_ = 0;
    std::size_t candidates_ = 0;
    std::size_t garbage_ = 0;
    std::size_t lied_about_ = 0;
};

} // namespace pygc::inline PYGC_ABI::detail
