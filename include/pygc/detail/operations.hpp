// SPDX-License-Identifier: BSL-1.0
// What the engine does with the objects of one type: destroy one, loop over a page of them.
#pragma once

#include <type_traits> // is_trivially_destructible, is_nothrow_destructible

#include <pygc/detail/check.hpp>
#include <pygc/detail/postponed.hpp>
#include <pygc/detail/slots.hpp>
#include <pygc/detail/type_name.hpp>
#include <pygc/detail/weak_record.hpp>
#include <pygc/visitor.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Runs `f(from, to)` for each run of slots whose headers lie on the given cards.
template <class F>
PYGC_INLINE void for_each_run(const type_info& t, std::uint32_t carved, std::uint64_t cards, F f) {
    if (cards == ~std::uint64_t{0} || t.slots == 1) {
        f(std::uint32_t{0}, carved);
        return;
    }
    const auto slot_from = [&t, carved](std::uint32_t card) noexcept -> std::uint32_t {
        const auto begin = static_cast<std::uint32_t>(card * card_bytes);
        if (begin <= t.header_offset) return 0;
        const auto slot = static_cast<std::uint32_t>((begin - t.header_offset + t.slot_bytes - 1) / t.slot_bytes);
        return slot < carved ? slot : carved;
    };
    while (cards != 0) {
        const auto first = static_cast<std::uint32_t>(__builtin_ctzll(cards));
        const std::uint64_t shifted = ~(cards >> first);
        const auto length = shifted == 0 ? 64 - first : static_cast<std::uint32_t>(__builtin_ctzll(shifted));
        f(slot_from(first), slot_from(first + length));
        if (first + length >= 64) return;
        cards = cards >> (first + length) << (first + length);
    }
}

/// The cards of a page that a collection of `generation` has to look at.
PYGC_INLINE std::uint64_t cards_to_collect(const page& p, int generation) noexcept {
    if (generation == 2) return ~std::uint64_t{0};
    return generation == 1 ? p.young | p.middle : p.young;
}

template <class T>
inline constinit std::uint32_t type_id = 0;

/// `T` is what lives in the slots: a class derived from py_object, or a box.
template <class T>
struct operations {
    static_assert(
        requires(py_object * p) { static_cast<T*>(p); },
        "pygc: derive from pygc::py_object once, publicly and not virtually");

    template <class U>
    struct unboxed {
        using type = U;
    };
    template <class U>
    struct unboxed<box<U>> {
        using type = U;
    };
    /// The type as the user knows it.
    using value_type = typename unboxed<T>::type;

    static constexpr bool container = can_be_cyclic<value_type>();
    static constexpr bool has_finalizer = access::has_finalize<value_type>();
    static constexpr std::uint32_t header_offset = static_cast<std::uint32_t>(access::header_offset<T>());
    static_assert(access::header_offset<T>() < page_bytes,
                  "pygc: name pygc::py_object first among the base classes of so large a class");
    static_assert(alignof(T) <= chunk_bytes / 2, "pygc: alignments up to 2 MiB are supported");

    static constexpr std::size_t slot_alignment = alignof(T) < alignof(header) ? alignof(header) : alignof(T);
    static constexpr std::size_t smallest_slot = sizeof(header) + sizeof(void*);
    static constexpr std::size_t slot_bytes =
        ((sizeof(T) < smallest_slot ? smallest_slot : sizeof(T)) + slot_alignment - 1) / slot_alignment *
        slot_alignment;
    static constexpr bool shares_page = slot_bytes <= largest_shared_slot;
    static constexpr std::uint32_t slots = shares_page ? static_cast<std::uint32_t>(page_bytes / slot_bytes) : 1;

    static const type_info info;

    struct loops {
        void (*count)(page&, snapshot&, int) noexcept = nullptr;
        void (*unlink)(page&, snapshot&) noexcept = nullptr;
        std::size_t (*dispose_garbage)(page&, std::uint32_t, const std::uint64_t*) noexcept = nullptr;
    };
    /// Only containers have them: the loops need a `traverse`.
    static constexpr loops page_loops() noexcept {
        if constexpr (container) {
            return {&count, &unlink, &dispose_garbage};
        } else {
            return {};
        }
    }

    PYGC_INLINE static T* object_of(py_object* p) noexcept { return static_cast<T*>(p); }
    PYGC_INLINE static void* slot_of(py_object* p) noexcept { return reinterpret_cast<char*>(p) - header_offset; }

    template <class Visitor>
    PYGC_INLINE static void traverse_object(T& object, Visitor& visit) {
        if constexpr (__is_same(T, value_type)) {
            access::traverse(object, visit);
        } else {
            visit_value(visit, object.value);
        }
    }

    // ---- one object -------------------------------------------------------------------------

    /// The count of `p` fell to zero.
    static void destroy(page& where, py_object* p) noexcept {
        header& h = header_of(p);
        heap_state& heap = *chunk_of(p).heap;
        // A young container and an untracked leaf are the common cases, and one comparison.
        if (has_finalizer || h.state != (container ? age_young : age_none)) [[unlikely]] {
            if (!prepare_death(heap, where, p)) return;
        }
        if constexpr (container) heap.note_freed_container();
        if constexpr (std::is_trivially_destructible_v<T> && !container) {
            h.state = age_none | life_dying;
            free_slot(where, slot_of(p), info);
        } else if (heap.nesting_left <= 0) [[unlikely]] {
            postpone(heap, p, has_finalizer ? h.state & state_mask : 0);
        } else {
            dispose_in(heap, where, p);
        }
    }

    /// For an object that isn't simply young. Returns: false if there is nothing left to destroy.
    PYGC_NOINLINE static bool prepare_death(heap_state& heap, page& where, py_object* p) noexcept {
        header& h = header_of(p);
        if ((h.state & life_immortal) != 0) {
            h.count = pinned_count;
            return false;
        }
        if ((h.state & life_zombie) != 0) {                     // its last reference went
            const bool collected = (h.state & life_dying) != 0; // by a collection that still runs
            h.state = age_none | life_dying;
            h.count = dying_count;
            if (!collected) free_slot(where, slot_of(p), info);
            return false;
        }
        if ((h.state & life_dying) != 0) return false;
        const bool condemned = (h.state & life_condemned) != 0;
        if (has_farewell(h)) {
            if (heap.nesting_left <= 0) { // whom it would tell may be deep as well
                leave_registry(heap, where, h);
                if constexpr (container) heap.note_freed_container();
                postpone(heap, p, h.state & state_mask);
                return false;
            }
            if (!nested(heap, [&]() noexcept { return say_farewell(heap, where, p); })) return false;
        } else {
            leave_registry(heap, where, h);
        }
        if (!condemned) return true;
        if constexpr (container) heap.note_freed_container();
        if (heap.nesting_left <= 0) {
            postpone(heap, p, h.state & state_mask);
        } else {
            destroy_condemned(heap, p);
        }
        return false;
    }

    /// Whether somebody wants to know of the death first: the object itself, or weak references to it.
    PYGC_INLINE static bool has_farewell(const header& h) noexcept {
        if constexpr (has_finalizer) {
            if ((h.state & life_finalized) == 0) return true;
        }
        return (h.state & life_weak) != 0;
    }

    /// Runs `f` one level deeper, and what had to wait for it.
    template <class F>
    PYGC_INLINE static auto nested(heap_state& heap, F f) noexcept {
        --heap.nesting_left;
        const auto result = f();
        if (heap.nesting_left == 0) [[unlikely]]
            destroy_postponed(heap);
        ++heap.nesting_left;
        return result;
    }

    /// Takes an object out of the count of its age.
    static void leave_registry(heap_state& heap, const page& where, const header& h) noexcept {
        const std::uint32_t age = age_of(h);
        if (age <= age_old && !where.frozen && (h.state & life_condemned) == 0) --heap.objects_of_age[age];
    }

    /// Puts it into generation 0, as a new one.
    static void join_registry([[maybe_unused]] page& where, [[maybe_unused]] header& h) noexcept {
        if constexpr (container) {
            h.state = (h.state & ~std::uint32_t{age_mask}) | age_young;
            if ((where.young & card_of(&h)) == 0) mark_card(where, &h);
        }
    }

    /// The finalizer, then the weak references and their callbacks. Preconditions: no reference is left. Returns:
    /// false if one was made: the object lives on. Otherwise its state says "dying", and it has left the registry.
    static bool say_farewell(heap_state& heap, page& where, py_object* p) noexcept {
        header& h = header_of(p);
        if constexpr (has_finalizer) {
            if ((h.state & life_finalized) == 0) {
                h.count = 1;
                if (!where.frozen && (h.state & life_condemned) == 0) {
                    leave_registry(heap, where, h);
                    join_registry(where, h);
                }
                finalize(where, p);
                if (--h.count != 0) {
                    if ((h.state & life_condemned) != 0) {
                        h.state &= ~std::uint32_t{life_condemned};
                        join_registry(where, h);
                    }
                    return false;
                }
            }
        }
        leave_registry(heap, where, h);
        const bool weak = (h.state & life_weak) != 0;
        h.count = dying_count;
        h.state = (h.state & (life_finalized | life_condemned)) | age_none | life_dying;
        if (!weak) return true;
        sever_and_call(heap, p);
        if (h.count == dying_count) [[likely]]
            return true;
        // A callback made a reference of a plain pointer, while the object is still whole.
        h.count -= dying_count;
        h.state = (h.state & life_finalized) | age_none;
        join_registry(where, h);
        return false;
    }

    /// Calls the user's `finalize`, for the first and last time. Preconditions: a reference is held.
    static void finalize([[maybe_unused]] page& where, [[maybe_unused]] py_object* p) noexcept {
        if constexpr (has_finalizer) {
            header_of(p).state |= life_finalized;
#if PYGC_EXCEPTIONS
            try {
                access::finalize(*object_of(p));
            } catch (...) {
                report_unraisable(*chunk_of(&where).heap, "the finalizer of", type_name<value_type>(), p);
            }
#else
            access::finalize(*object_of(p));
#endif
        }
    }

    /// The destructor of an object that died while a collection ran finalizers over its set: the slot stays that
    /// collection's, lest it be used again under its eyes.
    static void destroy_condemned(heap_state& heap, py_object* p) noexcept {
        nested(heap, [p]() noexcept {
            begin_death(p);
            const bool escaped = run_destructor(p);
            if (!escaped) header_of(p).state |= life_condemned;
            return escaped;
        });
    }

    /// Ends an object that had to wait: runs the destructor and frees the slot.
    static void dispose(page& where, py_object* p) noexcept {
        heap_state& heap = *chunk_of(p).heap;
        const std::uint32_t state = header_of(p).state;
        if ((state & (life_weak | life_condemned)) != 0 || (has_finalizer && (state & life_finalized) == 0))
            [[unlikely]] {
            if (!prepare_postponed_death(heap, where, p)) return;
        }
        dispose_in(heap, where, p);
    }

    /// For one that has more to do first. Returns: false if there is nothing left to destroy.
    PYGC_NOINLINE static bool prepare_postponed_death(heap_state& heap, page& where, py_object* p) noexcept {
        header& h = header_of(p);
        unlink_postponed(h);
        const bool condemned = (h.state & life_condemned) != 0;
        if ((h.state & life_dying) == 0 && has_farewell(h)) {
            if (!nested(heap, [&]() noexcept { return say_farewell(heap, where, p); })) {
                if constexpr (container) ++heap.allocations; // it was taken for dead already
                return false;
            }
        }
        if (condemned) destroy_condemned(heap, p);
        return !condemned;
    }

    PYGC_INLINE static void dispose_in(heap_state& heap, page& where, py_object* p) noexcept {
        --heap.nesting_left;
        begin_death(p);
        const bool escaped = run_destructor(p);
        if (heap.nesting_left == 0) [[unlikely]]
            destroy_postponed(heap);
        ++heap.nesting_left;
        if (!escaped) [[likely]]
            free_slot(where, slot_of(p), info);
    }

    PYGC_INLINE static void begin_death(py_object* p) noexcept { header_of(p) = {dying_count, age_none | life_dying}; }

    /// Preconditions: `begin_death`. Returns: whether the destructor let a reference to the object
    /// escape. Its memory is then kept until that reference goes.
    PYGC_INLINE static bool run_destructor(py_object* p) noexcept {
        const header& h = header_of(p);
        T* const object = object_of(p);
        keep_bytes(p);
#if PYGC_EXCEPTIONS
        if constexpr (!std::is_nothrow_destructible_v<T>) {
            try {
                access::destroy(*object);
            } catch (...) {
                report_unraisable(*chunk_of(p).heap, "the destructor of", type_name<value_type>(), p);
            }
        } else
#endif
        {
            access::destroy(*object);
        }
        keep_bytes(p);
        if (h.count == dying_count) [[likely]]
            return false;
        keep_zombie(p);
        return true;
    }

    PYGC_NOINLINE static void keep_zombie(py_object* p) noexcept {
        header& h = header_of(p);
        ::new (static_cast<void*>(&h)) header{h.count - dying_count, age_none | life_zombie};
        report("a destructor let a reference escape to the destroyed", &info, p);
    }

    static void traverse(py_object* p, visitor& visit) {
        if constexpr (container) traverse_object(*object_of(p), visit);
    }

    // ---- a page of objects under collection ---------------------------------------------------

    static void count(page& p, snapshot& s, int generation) noexcept {
        for_each_run(info, p.carved, cards_to_collect(p, generation), [&](std::uint32_t from, std::uint32_t to) {
            count_run(p, from, to, oldest_age_of[generation], s);
        });
    }

    /// A full collection makes everything old while it is here: another pass over the headers would cost as much
    /// as this one. Of garbage nobody asks the age any more.
    PYGC_FLATTEN static void count_run(page& p, std::uint32_t from, std::uint32_t to, std::uint32_t oldest,
                                       snapshot& s) noexcept {
        count_visitor visit(s);
        const std::uint32_t first = chunk_of(&p).numbers[index_in_chunk(p)].first;
        std::int32_t* const trial = s.trial;
        std::uint32_t* const first_edge = s.first_edge;
        char* slot = first_slot(p) + std::size_t{from} * slot_bytes;
        const std::uint32_t end = first + to;
        std::uint32_t n = first + from;
        first_edge[n] = visit.edge_count();
        while (n != end) {
            const std::uint32_t end_of_word = n / 64 * 64 + 64 < end ? n / 64 * 64 + 64 : end;
            std::uint64_t& word = s.in_set[n / 64];
            std::uint64_t members = 0;
            for (; n != end_of_word; ++n, slot += slot_bytes) {
                auto& h = *reinterpret_cast<header*>(slot + header_offset);
                if (!is_poisoned(&h) && age_of(h) <= oldest) {
                    if (age_of(h) != oldest && oldest == age_old) h.state |= age_old;
                    // As unsigned, so that immortal counts, which are negative, are large.
                    const auto c = static_cast<std::uint32_t>(h.count);
                    trial[n] += (c < outside ? static_cast<std::int32_t>(c) : outside) - outside;
                    members |= std::uint64_t{1} << (n % 64);
                    traverse_object(*object_of(reinterpret_cast<py_object*>(&h)), visit);
                }
                first_edge[n + 1] = visit.edge_count();
            }
            word |= members;
        }
        s.edge_count = visit.edge_count();
    }

    /// Calls `f(py_object*)` for the garbage on the page.
    template <class F>
    PYGC_INLINE static void for_each_garbage(page& p, std::uint32_t carved, const std::uint64_t* garbage, F f) {
        char* const begin = first_slot(p);
        for (std::uint32_t base = 0; base < carved; base += 64) {
            for (std::uint64_t bits = garbage[base / 64]; bits != 0; bits &= bits - 1) {
                const std::uint32_t slot = base + static_cast<std::uint32_t>(__builtin_ctzll(bits));
                f(reinterpret_cast<py_object*>(begin + std::size_t{slot} * slot_bytes + header_offset));
            }
        }
    }

    PYGC_FLATTEN static void unlink(page& p, snapshot& s) noexcept {
        unlink_visitor visit(s);
        std::size_t counted = 0;
        const std::uint64_t* const bits = s.unreached + chunk_of(&p).numbers[index_in_chunk(p)].first / 64;
        for_each_garbage(p, p.carved, bits, [&](py_object* garbage) {
            header& h = header_of(garbage);
            counted += static_cast<std::size_t>(h.count);
            h.state = (h.state & life_finalized) | age_none | life_dying;
            traverse_object(*object_of(garbage), visit);
        });
        s.unaccounted += counted - visit.nulled();
    }

    /// Returns: how many destructors let a reference to their object escape.
    static std::size_t dispose_garbage(page& p, std::uint32_t carved, const std::uint64_t* garbage) noexcept {
        heap_state& heap = *chunk_of(&p).heap;
        std::size_t escaped = 0;
        --heap.nesting_left;
        for_each_garbage(p, carved, garbage, [&](py_object* g) {
            begin_death(g);
            if (run_destructor(g)) [[unlikely]] {
                header_of(g).state |= life_dying; // its slot belongs to this collection until the end
                ++escaped;
            }
            if (heap.nesting_left == 0) [[unlikely]]
                destroy_postponed(heap);
        });
        ++heap.nesting_left;
        return escaped;
    }
};

template <class T>
constexpr type_info operations<T>::info = {
    type_name<value_type>().begin,
    type_name<value_type>().length,
    &type_id<T>,
    slot_bytes,
    slots,
    static_cast<std::uint32_t>(shares_page ? (std::uint64_t{1} << 32) / slot_bytes + 1 : 0),
    header_offset,
    static_cast<std::uint32_t>((slot_bytes + page_bytes - 1) / page_bytes),
    static_cast<std::uint32_t>(alignof(T) <= page_bytes ? 1 : alignof(T) / page_bytes),
    container,
    __is_base_of(weak_record, T),
    &destroy,
    &dispose,
    page_loops().count,
    page_loops().unlink,
    page_loops().dispose_garbage,
    &traverse,
    has_finalizer ? &finalize : nullptr,
};

} // namespace pygc::inline PYGC_ABI::detail
