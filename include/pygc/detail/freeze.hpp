// SPDX-License-Identifier: BSL-1.0
// The permanent generation: pages that no collection looks at.
#pragma once

#include <pygc/detail/slots.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Moves everything to the permanent generation, page by page: no object is touched. Slots that are free
/// there stay so, which keeps the pages as they are, also in a forked process. Complexity: linear in the pages.
inline void freeze(heap_state& h) noexcept {
    if (h.collecting) return;
    for (std::uint32_t i = 1; i < h.bin_count; ++i) {
        bin& b = h.bins[i];
        if (b.current != &no_page) let_go(b, *b.current);
        while (b.with_room != nullptr) unlist_page(b, *b.with_room);
    }
    h.pages.for_each_page([](page& p) noexcept {
        p.frozen = true;
        p.event = 0;
        p.young = p.middle = 0;
    });
    for (; h.touched != nullptr; h.touched = h.touched->next_touched) h.touched->touched = false;
    for (std::size_t& n : h.objects_of_age) n = 0;
    for (std::size_t& n : h.younger_collections) n = 0;
    h.allocations = 0;
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

/// Moves the permanent generation to generation 2. Complexity: linear in its objects.
inline void unfreeze(heap_state& h) noexcept {
    if (h.collecting) return;
    for_each_frozen(h, [&h](page&, header& object) noexcept {
        object.state = (object.state & ~std::uint32_t{age_mask}) | age_old;
        ++h.objects_of_age[age_old];
    });
    h.pages.for_each_page([&h](page& p) noexcept {
        if (!p.frozen) return;
        p.frozen = false;
        p.young = p.middle = 0;
        const std::uint32_t mark = room_mark(p.type->slots);
        if (p.type->slots == 1) return;
        if (p.used > mark && p.carved == p.type->slots) {
            p.event = static_cast<std::uint16_t>(mark);
        } else {
            list_page(h.bins[*p.type->id], p);
        }
    });
    h.update_trigger();
}

} // namespace pygc::inline PYGC_ABI::detail
