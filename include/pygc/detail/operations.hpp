// SPDX-License-Identifier: BSL-1.0
// What the engine does with the objects of one type, gathered in its type_info: the end of one, and the loops over a
// page of them.
#pragma once

#include <pygc/detail/destruction.hpp>
#include <pygc/visitor.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// `T` is what lives in the slots: a class derived from py_object, or a box.
template <class T>
struct operations : destruction<T> {
    using typename layout<T>::value_type;
    using layout<T>::container;
    using layout<T>::has_finalizer;
    using layout<T>::header_offset;
    using layout<T>::info;
    using layout<T>::object_of;
    using layout<T>::shares_page;
    using layout<T>::slot_bytes;
    using layout<T>::slot_of;
    using destruction<T>::destruct;

    struct loops {
        void (*count)(page&, snapshot&, int) noexcept = nullptr;
        void (*unlink)(const collected_page&, snapshot&) noexcept = nullptr;
        void (*dispose_garbage)(collected_page&, const std::uint64_t*) noexcept = nullptr;
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
            static_assert(check_visible<value_type>());
            visit_value(visit, object.value);
        }
    }

    /// Objects that can't be part of a cycle are looked into for get_referents only.
    static constexpr bool visited() noexcept {
        if constexpr (container) {
            return true;
        } else if constexpr (__is_same(T, value_type)) {
            return access::has_traverse<T, visitor>();
        } else {
            return can_be_visited(owned_types<value_type>{}) && holds_references<value_type>();
        }
    }

    static void traverse([[maybe_unused]] py_object* p, [[maybe_unused]] visitor& visit) {
        if constexpr (container) {
            traverse_object(*object_of(p), visit);
        } else if constexpr (visited() && __is_same(T, value_type)) {
            access::traverse(*object_of(p), visit);
        } else if constexpr (visited()) {
            visit_value(visit, object_of(p)->value);
        }
    }

    /// A full collection makes everything old while it is here: another pass over the headers would cost as much
    /// as this one. Of garbage nobody asks the age any more.
    PYGC_FLATTEN static void count(page& p, snapshot& s, int generation) noexcept {
        count_visitor visit(s);
        const std::uint32_t oldest = oldest_age_of[generation];
        const std::uint32_t older_from_now_on = generation == 2 ? std::uint32_t{age_old} : 0;
        const std::size_t first = chunk_of(&p).numbers[index_in_chunk(p)].first;
        std::uint32_t* const trial = s.trial;
        std::uint32_t* const first_edge = s.first_edge;
        char* slot = first_slot(p);
        const std::size_t end = first + p.carved;
        std::size_t n = first;
        first_edge[n] = visit.edge_count();
        while (n != end) {
            const std::size_t word = n / 64;
            const std::size_t end_of_word = word * 64 + 64 < end ? word * 64 + 64 : end;
            std::uint64_t members = 0;
            for (std::uint64_t member = std::uint64_t{1} << (shares_page ? 0 : n % 64); n != end_of_word; ++n, slot += slot_bytes, member <<= 1) {
                auto& h = *reinterpret_cast<header*>(slot + header_offset);
                const bool readable = !is_poisoned(&h);
                const std::uint32_t age = readable ? age_of(h) : std::uint32_t{age_none};
                if (age <= oldest) {
                    if (age < older_from_now_on) h.state |= age_old;
                    trial[n] = static_cast<std::uint32_t>(h.count);
                    members |= member;
#if PYGC_DEBUG
                    visit.begin(info, &h);
#endif
                    traverse_object(*object_of(reinterpret_cast<py_object*>(&h)), visit);
                } else if (readable && is_in_construction(h)) {
                    p.in_construction = true; // and young once its constructor returns, which nobody will say
                }
                first_edge[n + 1] = visit.edge_count();
            }
            s.in_set[word] = shares_page ? members : s.in_set[word] | members;
        }
        s.edge_count = visit.edge_count();
        s.keyed |= visit.keyed();
    }

    /// Calls `f(py_object*)` for the garbage on the page.
    template <class F>
    PYGC_INLINE static void for_each_garbage(page& p, std::uint32_t carved, const std::uint64_t* garbage, F f) {
        char* word = first_slot(p) + header_offset;
        for (std::size_t base = 0; base < carved; base += 64, word += 64 * slot_bytes) {
            char* at = word;
            for (std::uint64_t bits = garbage[base / 64]; bits != 0; bits >>= 1, at += slot_bytes) {
                if ((bits & 1) == 0) { // garbage is mostly met in rows
                    const auto skipped = static_cast<unsigned>(__builtin_ctzll(bits));
                    bits >>= skipped;
                    at += skipped * slot_bytes;
                }
                f(reinterpret_cast<py_object*>(at));
            }
        }
    }

    /// Code of the user may have made more slots of the page usable meanwhile: they have no numbers.
    PYGC_FLATTEN static void unlink(const collected_page& c, snapshot& s) noexcept {
        unlink_visitor visit(s);
        page& p = *c.where;
        const std::uint64_t* const garbage = shares_page ? s.unreached + c.first / 64 : &c.single_garbage;
        const std::size_t carved = c.carved;
        char* word = first_slot(p) + header_offset;
        // Not `for_each_garbage`: of a function in between g++ doesn't always inline what it calls.
        for (std::size_t base = 0; base < carved; base += 64, word += 64 * slot_bytes) {
            char* at = word;
            for (std::uint64_t bits = garbage[base / 64]; bits != 0; bits >>= 1, at += slot_bytes) {
                if ((bits & 1) == 0) { // garbage is mostly met in rows
                    const auto skipped = static_cast<unsigned>(__builtin_ctzll(bits));
                    bits >>= skipped;
                    at += skipped * slot_bytes;
                }
                auto* const object = reinterpret_cast<py_object*>(at);
                visit.begin(slot_of(object), sizeof(T));
                traverse_object(*object_of(object), visit);
            }
        }
        s.cleared_count = visit.logged();
    }

    /// Runs the destructors, for headers that say so already, and links the slots for `reclaim`: what nobody has a list
    /// of yet, nobody can use again.
    static void dispose_garbage(collected_page& c, const std::uint64_t* garbage) noexcept {
        page& p = *c.where;
        --this_thread.nesting_left;
        const bool innermost = this_thread.nesting_left == 0;
        void** last = &c.freed;
        for_each_garbage(p, c.carved, garbage, [&](py_object* g) {
            destruct(g);
            if (innermost) [[unlikely]]
                destroy_postponed();
            if (has_escaped(g)) [[unlikely]] {
                header_of(g).state |= life_dying; // its slot belongs to this collection until the end
                c.escaped = true;
            } else if constexpr (!PYGC_ASAN) {
                void* const slot = slot_of(g);
                *last = slot;
                last = ::new (static_cast<void*>(&link_of(slot, info))) void*;
            }
        });
        c.last_freed = last;
        ++this_thread.nesting_left;
    }
};

template <class T>
constexpr type_info layout<T>::info = {
    type_name<value_type>().begin,
    type_name<value_type>().length,
    &bin_offset<T>,
    slot_bytes,
    layout<T>::slot_count,
    static_cast<std::uint32_t>(shares_page ? (std::uint64_t{1} << 32) / slot_bytes + 1 : 0),
    header_offset,
    layout<T>::link_offset,
    static_cast<std::uint32_t>((slot_bytes + page_bytes - 1) / page_bytes),
    static_cast<std::uint32_t>(alignof(T) <= page_bytes ? 1 : alignof(T) / page_bytes),
    container,
    __is_base_of(weak_record, T),
    &operations<T>::destroy,
    &operations<T>::destruct,
    operations<T>::page_loops().count,
    operations<T>::page_loops().unlink,
    operations<T>::page_loops().dispose_garbage,
    &operations<T>::traverse,
    has_finalizer ? &operations<T>::finalize : nullptr,
    static_cast<std::uint32_t>(box_value_offset<value_type>()),
};

} // namespace pygc::inline PYGC_ABI::detail
