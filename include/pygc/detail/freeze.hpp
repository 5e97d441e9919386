// SPDX-License-Identifier: BSL-1.0
// The permanent generation: pages that no collection looks at.
#pragma once

#include <pygc/detail/slots.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Moves everything to the permanent generation, page by page: no object is touched. Slots that are free
/// there stay so, which keeps the pages as they are, also in a forked process. Complexity: linear in the pages.
inline void freeze(heap_state& h) noexcept {
    if (h.collecting) return;
    release_empty_pages(h);
    let_go_of_pages(h, true);
    h.has_frozen = true;
    h.pages.for_each_page([](page& p) noexcept {
        p.frozen = true;
        p.young = p.middle = false;
        p.counted = 0;
        expect_event(p, objects_on(p));
    });
    for (; h.touched != nullptr; h.touched = h.touched->next_touched) h.touched->touched = false;
    for (std::size_t& n : h.objects_of_age) n = 0;
    for (std::size_t& n : h.younger_collections) n = 0;
    h.containers = h.containers_then = h.allocations = 0;
    h.pace.kept_young = 0;
    h.pace.limit_bytes(h.bytes());
    h.update_trigger();
}

/// Calls `f(page&, header&)` for each tracked object on frozen pages.
template <class F>
void for_each_frozen(heap_state& h, F f) noexcept {
    h.pages.for_each_page([&f](page& p) noexcept {
        if (!p.frozen || !p.type->container) return;
        for (std::uint32_t i = 0; i != p.carved; ++i) {
            header& object = header_at(p, i);
            if (!is_poisoned(&object) && age_of(object) <= age_old) f(p, object);
        }
    });
}

/// Whether an object on the page is in construction, and young once its constructor returns, which nobody will say.
inline bool may_become_young(page& p) noexcept {
    for (std::uint32_t i = 0; i != p.carved; ++i) {
        const header& object = header_at(p, i);
        if (!is_poisoned(&object) && is_in_construction(object)) return true;
    }
    return false;
}

/// Moves the permanent generation to generation 2. Complexity: linear in its objects.
inline void unfreeze(heap_state& h) noexcept {
    if (h.collecting) return;
    for_each_frozen(h, [&h](page&, header& object) noexcept {
        object.state = (object.state & ~std::uint32_t{age_mask}) | age_old;
        ++h.objects_of_age[age_old];
    });
    const std::size_t made = h.made();
    h.pages.for_each_page([&h](page& p) noexcept {
        if (!p.frozen) return;
        const std::size_t used = objects_on(p);
        p.frozen = p.middle = false;
        if (p.type->container && may_become_young(p)) mark_young(p);
        if (used <= room_mark(p.type->slot_count) || p.carved != p.type->slot_count) list_page(h.bin_of(*p.type), p);
        expect_event(p, used);
        settle(p, used);
    });
    h.has_frozen = false;
    if (!h.counts_each) h.containers_then = h.containers - made; // they weren't made now
    h.update_trigger();
}

} // namespace pygc::inline PYGC_ABI::detail
