// SPDX-License-Identifier: BSL-1.0
// Hands slots out and takes them back.
//
//   page   [ used | free | used | never used ... ]
//                    |
//          free -----+--> next free --> null        linked through the slots themselves
//
// Slots are carved from a fresh page in small batches, so that a type with one object costs 4 KiB, not
// a page. Freed slots go back to their own page, last in, first out. The header of a carved slot is
// always valid: that of a free one says "not tracked", so loops over a page need no list of free slots.
#pragma once

#include <new>

#include <pygc/detail/heap_list.hpp>

namespace pygc::inline PYGC_ABI::detail {

inline constexpr std::uint32_t carved_bytes = 4096;

/// Where a free slot keeps its link: beside the header, which stays valid.
constexpr std::uint32_t link_offset(std::uint32_t header_offset) noexcept {
    return header_offset == 0 ? static_cast<std::uint32_t>(sizeof(header)) : 0;
}

inline void*& link_of(void* slot, const type_info& t) noexcept {
    return *reinterpret_cast<void**>(static_cast<char*>(slot) + link_offset(t.header_offset));
}

inline header& header_of_slot(void* slot, const type_info& t) noexcept {
    return *reinterpret_cast<header*>(static_cast<char*>(slot) + t.header_offset);
}

/// A full page is offered to make_ref again once an eighth of it is free: picking up single slots
/// all over the heap would cost more than it saves.
constexpr std::uint32_t room_mark(std::uint32_t slots) noexcept { return slots - (slots >= 8 ? slots / 8 : 1); }

inline void list_page(bin& b, page& p) noexcept {
    p.listed = true;
    p.previous = nullptr;
    p.next = b.with_room;
    if (b.with_room != nullptr) b.with_room->previous = &p;
    b.with_room = &p;
}

inline void unlist_page(bin& b, page& p) noexcept {
    p.listed = false;
    (p.previous != nullptr ? p.previous->next : b.with_room) = p.next;
    if (p.next != nullptr) p.next->previous = p.previous;
}

/// Lets young collections look at a page.
inline void touch_page(page& p) noexcept {
    if (p.touched) return;
    heap_state& h = *chunk_of(&p).heap;
    p.touched = true;
    p.next_touched = h.touched;
    h.touched = &p;
}

/// Notes that the card of a header holds an object of generation 0.
PYGC_NOINLINE inline void mark_card(page& p, const header* young) noexcept {
    p.young |= card_of(young);
    touch_page(p);
}

/// The same for generation 1.
inline void mark_middle_card(page& p, const header* middle) noexcept {
    p.middle |= card_of(middle);
    touch_page(p);
}

/// Returns empty chunks to the system, all but `spare`. Complexity: linear in the chunks with room.
inline void unmap_empty_chunks(heap_state& h, std::size_t spare) noexcept {
    h.pages.unmap_empty_chunks(spare, [&h](const chunk& gone) noexcept {
        for (page** link = &h.touched; *link != nullptr;) {
            page& p = **link;
            if (&chunk_of(&p) == &gone) {
                *link = p.next_touched;
            } else {
                link = &p.next_touched;
            }
        }
    });
}

/// The last object of a page went.
PYGC_NOINLINE inline void page_emptied(page& p) noexcept {
    heap_state& h = *chunk_of(&p).heap;
    bin& b = h.bins[*p.type->id];
    if (b.current == &p) b.current = &no_page; // an abandoned heap holds none
    if (p.listed) unlist_page(b, p);
    h.pages.give(p);
    if (h.collecting || h.visits != 0) return;
    if (h.abandoned && h.pages.pages() == 0) {
        // Destructors that still run will give their slots back; the last one comes here again.
        release_heap(h);
    } else if (h.pages.worth_unmapping()) {
        unmap_empty_chunks(h, h.pages.spare_chunks());
    }
}

/// The used slots fell to `event`: the page is empty, or has room for make_ref again.
PYGC_NOINLINE inline void page_event(page& p) noexcept {
    if (p.used == 0) {
        page_emptied(p);
        return;
    }
    p.event = 0;
    if (p.frozen) return;
    bin& b = chunk_of(&p).heap->bins[*p.type->id];
    if (!p.listed && b.current != &p) list_page(b, p);
}

/// Makes `p` the page of make_ref in its bin. An abandoned heap holds no page, lest it never end.
inline void hold(heap_state& h, bin& b, page& p) noexcept {
    b.current = &p;
    p.event = 0;
    if (h.abandoned) return;
    p.held = true;
    ++p.used;
}

/// Ends that. Preconditions: all slots of the page are in use, or nobody will use the bin.
inline void let_go(bin& b, page& p) noexcept {
    b.current = &no_page;
    if (p.held) {
        p.held = false;
        if (--p.used == 0) return page_emptied(p);
    }
    // A mark that the used slots have passed already would never be met again.
    const std::uint32_t mark = room_mark(p.type->slots);
    p.event = p.used > mark ? static_cast<std::uint16_t>(mark) : std::uint16_t{0};
}

/// Puts a slot into its page's list. Its header must say "not tracked" already.
PYGC_INLINE void link_free_slot(page& p, void* slot, const type_info& t) noexcept {
#if PYGC_ASAN
    ::new (static_cast<void*>(static_cast<char*>(slot) + link_offset(t.header_offset))) void*(nullptr);
    if (p.free == nullptr) {
        p.free = slot;
    } else {
        unpoison(p.free_tail, t.slot_bytes);
        link_of(p.free_tail, t) = slot;
        poison(p.free_tail, t.slot_bytes);
    }
    p.free_tail = slot;
    poison(slot, t.slot_bytes);
#else
    ::new (static_cast<void*>(static_cast<char*>(slot) + link_offset(t.header_offset))) void*(p.free);
    p.free = slot;
#endif
}

/// Gives a slot back to its page.
PYGC_INLINE void free_slot(page& p, void* slot, const type_info& t) noexcept {
    link_free_slot(p, slot, t);
    if (--p.used == p.event) [[unlikely]]
        page_event(p);
}

/// Takes note that `count` slots were linked.
inline void return_slots(page& p, std::size_t count) noexcept {
    const bool was_above = p.used > p.event;
    p.used = static_cast<std::uint16_t>(p.used - count);
    if (was_above && p.used <= p.event) page_event(p);
}

/// Takes the first free slot of a page that has one.
PYGC_INLINE void* pop_slot(page& p, const type_info& t) noexcept {
    void* slot = p.free;
    unpoison(slot, t.slot_bytes);
    p.free = link_of(slot, t);
    ++p.used;
    return slot;
}

/// True if `pop_slot` may be called. Under AddressSanitizer freed slots rest, poisoned, as long as
/// the page has others, so that a stale pointer is caught even long after.
PYGC_INLINE bool has_slot(const page& p) noexcept {
#if PYGC_ASAN
    constexpr int resting = 256;
    return p.free != nullptr && (p.carved == p.type->slots || p.carved - p.used > resting);
#else
    return p.free != nullptr;
#endif
}

/// Makes the next slots of a page usable, in address order.
inline void carve(page& p, const type_info& t) noexcept {
    auto count = static_cast<std::uint32_t>(carved_bytes / t.slot_bytes) + 1;
    if (count > t.slots - p.carved) count = t.slots - p.carved;
    char* const begin = first_slot(p) + std::size_t{p.carved} * t.slot_bytes;
    char* const last = begin + std::size_t{count - 1} * t.slot_bytes;
    unpoison(begin, std::size_t{count} * t.slot_bytes);
    for (char* slot = begin;; slot += t.slot_bytes) {
        ::new (static_cast<void*>(slot + t.header_offset)) header{dying_count, age_none | life_dying};
        void* next = slot == last ? p.free : slot + t.slot_bytes; // fresh slots go before resting ones
        ::new (static_cast<void*>(slot + link_offset(t.header_offset))) void*(next);
        if (slot == last) break;
    }
#if PYGC_ASAN
    if (p.free == nullptr) p.free_tail = last;
    poison(begin, std::size_t{count} * t.slot_bytes);
#endif
    p.free = begin;
    p.carved = static_cast<std::uint16_t>(p.carved + count);
}

/// Numbers the type if it has no number, and makes its bin in this heap. Null: no memory.
inline bin* bin_for(heap_state& h, const type_info& t) noexcept {
    std::uint32_t id = load_relaxed(*t.id);
    if (id == 0) {
        static constinit std::uint32_t last_id = 0;
        shared_lock lock;
        id = *t.id;
        if (id == 0) store_relaxed(*t.id, id = ++last_id);
    }
    if (id >= h.bin_capacity) {
        scratch<bin> more;
        if (!more.reserve(std::size_t{id} * 2)) return nullptr;
        for (std::uint32_t i = 0; i != h.bin_count; ++i) more[i] = h.bins[i];
        h.more_bins.release();
        h.more_bins = more;
        h.bins = more.data();
        h.bin_capacity = static_cast<std::uint32_t>(more.capacity());
    }
    while (h.bin_count <= id) ::new (static_cast<void*>(&h.bins[h.bin_count++])) bin{};
    return &h.bins[id];
}

/// The slow path of allocation: a page with a free slot, made the current one of its bin. Null: the
/// system has no memory. Complexity: amortised constant.
PYGC_NOINLINE inline page* page_with_slot(heap_state& h, const type_info& t) noexcept {
    bin* b = bin_for(h, t);
    if (b == nullptr) return nullptr;
    for (;;) {
        page* p = b->current;
        if (p != &no_page) {
            if (has_slot(*p)) return p;
            if (p->carved != t.slots) {
                carve(*p, t);
                return p;
            }
            let_go(*b, *p);
        }
        if (b->with_room != nullptr) {
            p = b->with_room;
            unlist_page(*b, *p);
        } else {
            p = h.pages.take(h, t.pages, t.page_alignment);
            if (p == nullptr) return nullptr;
            h.note_growth();
            p->type = &t;
            p->free = nullptr;
            p->used = p->carved = 0;
            poison(first_slot(*p), t.pages * page_bytes);
            if (t.slots == 1) { // full with its first object: nobody's current page
                p->event = 0;
                carve(*p, t);
                return p;
            }
        }
        hold(h, *b, *p);
    }
}

} // namespace pygc::inline PYGC_ABI::detail
