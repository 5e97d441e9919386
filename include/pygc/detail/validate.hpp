// SPDX-License-Identifier: BSL-1.0
// In debug mode, checks before and after each collection that a heap's books agree with its pages.
#pragma once

#include <pygc/detail/check.hpp>
#include <pygc/detail/slots.hpp>

namespace pygc::inline PYGC_ABI::detail {

#if PYGC_DEBUG

inline void expect(bool holds, const char* what, const page& p) noexcept {
    if (!holds) report_and_abort(what, p.type, &p);
}

/// Adds a page's tracked objects to `found`, by age. Aborts with a report if the page contradicts itself.
inline void validate_page(page& p, std::size_t (&found)[4]) noexcept {
    const type_info& t = *p.type;
    std::size_t free = 0;
    for (void* slot = p.free; slot != nullptr;) {
        expect(++free <= p.carved, "invariant broken: the free slots form a circle in a page of", p);
        unpoison(slot, t.slot_bytes);
        void* next = link_of(slot, t);
        expect(age_of(header_of_slot(slot, t)) == age_none, "invariant broken: a free slot is tracked, of", p);
        poison(slot, t.slot_bytes);
        slot = next;
    }
    expect(free + objects_on(p) == p.carved, "invariant broken: slots used and free don't add up, of", p);
    expect(PYGC_ASAN || !is_taken_unseen(p) || !t.container || p.counted == p.carved,
           "invariant broken: the heap doesn't know of all slots that make_ref may take, of", p);
    if (p.frozen) return;
    for (std::size_t i = 0; i != p.carved; ++i) {
        const header& h = header_at(p, i);
        if (is_poisoned(&h) || age_of(h) > age_old) continue;
        ++found[age_of(h)];
        expect(t.container, "invariant broken: tracked without a traverse,", p);
        expect(h.count != 0 && (h.state & (life_dying | life_zombie | life_postponed | life_condemned)) == 0,
               "invariant broken: tracked though dead,", p);
        const bool seen = age_of(h) == age_young ? p.young : age_of(h) != age_middle || p.middle;
        expect(seen, "invariant broken: a young collection would miss an object of", p);
    }
    expect(p.touched || !(p.young || p.middle), "invariant broken: a young collection would miss a page of", p);
}

/// Complexity: linear in the heap.
inline void validate(heap_state& h) noexcept {
    std::size_t found[4] = {};
    std::size_t counted = 0;
    h.pages.for_each_page([&](page& p) noexcept {
        validate_page(p, found);
        counted += p.counted;
    });
    if (!h.counts_each && counted != h.containers) {
        report_and_abort("invariant broken: the pages don't make up the number of containers in the heap", nullptr, &h);
    }
    for (std::uint32_t age = age_middle; age <= age_old; ++age) {
        if (found[age] != h.objects_of_age[age]) {
            report_and_abort("invariant broken: a generation's size is wrong in the heap", nullptr, &h);
        }
    }
}

#else

inline void validate(heap_state&) noexcept {}

#endif

} // namespace pygc::inline PYGC_ABI::detail
