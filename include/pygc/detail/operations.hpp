// SPDX-License-Identifier: BSL-1.0
// What the engine does with the objects of one type, gathered in its type_info: the end of one, and the loops over a
// page of them.
#pragma once

#include <pygc/detail/death.hpp>
#include <pygc/visitor.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// `T` is what lives in the slots: a class derived from py_object, or a box.
template <class T>
struct operations : death<T> {
    using typename layout<T>::value_type;
    using layout<T>::container;
    using layout<T>::header_offset;
    using layout<T>::info;
    using layout<T>::object_of;
    using layout<T>::slot_bytes;
    using death<T>::begin_death;
    using death<T>::run_destructor;

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

    template <class Visitor>
    PYGC_INLINE static void traverse_object(T& object, Visitor& visit) {
        if constexpr (__is_same(T, value_type)) {
            access::traverse(object, visit);
        } else {
            visit_value(visit, object.value);
        }
    }

    static void traverse(py_object* p, visitor& visit) {
        if constexpr (container) traverse_object(*object_of(p), visit);
    }

    /// A full collection makes everything old while it is here: another pass over the headers would cost as much
    /// as this one. Of garbage nobody asks the age any more.
    PYGC_FLATTEN static void count(page& p, snapshot& s, int generation) noexcept {
        count_visitor visit(s);
        const std::uint32_t oldest = oldest_age_of[generation];
        const std::uint32_t first = chunk_of(&p).numbers[index_in_chunk(p)].first;
        std::int32_t* const trial = s.trial;
        std::uint32_t* const first_edge = s.first_edge;
        char* slot = first_slot(p);
        const std::uint32_t end = first + p.carved;
        std::uint32_t n = first;
        first_edge[n] = visit.edge_count();
        while (n != end) {
            const std::uint32_t end_of_word = n / 64 * 64 + 64 < end ? n / 64 * 64 + 64 : end;
            const std::size_t word = n / 64;
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
            s.in_set[word] = members;
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
        std::size_t escaped = 0;
        --this_thread.nesting_left;
        for_each_garbage(p, carved, garbage, [&](py_object* g) {
            begin_death(g);
            if (run_destructor(g)) [[unlikely]] {
                header_of(g).state |= life_dying; // its slot belongs to this collection until the end
                ++escaped;
            }
            if (this_thread.nesting_left == 0) [[unlikely]]
                destroy_postponed();
        });
        ++this_thread.nesting_left;
        return escaped;
    }
};

template <class T>
constexpr type_info layout<T>::info = {
    type_name<value_type>().begin,
    type_name<value_type>().length,
    &bin_offset<T>,
    slot_bytes,
    slots,
    static_cast<std::uint32_t>(shares_page ? (std::uint64_t{1} << 32) / slot_bytes + 1 : 0),
    header_offset,
    static_cast<std::uint32_t>((slot_bytes + page_bytes - 1) / page_bytes),
    static_cast<std::uint32_t>(alignof(T) <= page_bytes ? 1 : alignof(T) / page_bytes),
    container,
    __is_base_of(weak_record, T),
    &operations<T>::destroy,
    &operations<T>::dispose,
    operations<T>::page_loops().count,
    operations<T>::page_loops().unlink,
    operations<T>::page_loops().dispose_garbage,
    &operations<T>::traverse,
    has_finalizer ? &operations<T>::finalize : nullptr,
};

} // namespace pygc::inline PYGC_ABI::detail
