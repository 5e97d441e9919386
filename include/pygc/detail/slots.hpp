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
//
// Neither make_ref nor a death counts. From the page that make_ref holds it takes slots unseen: all that are carved
// count as in use there, until it lets go of the page and the free ones are counted. Elsewhere `until` falls with
// each slot that comes back, and the heap hears of them when it reaches zero, or in the next collection. A heap that
// `counts_each` is told of every single one: nothing is unseen, and each death is an event.
#pragma once

#include <new>

#include <pygc/detail/asan_report.hpp>
#include <pygc/detail/heap_list.hpp>

namespace pygc::inline PYGC_ABI::detail {

inline constexpr std::uint32_t carved_bytes = 4096;

/// The first batches are smaller: the pacing takes what make_ref may take unseen for made, and types with few objects
/// would bring collections that nobody needs.
inline constexpr std::uint32_t first_batch = 16;

/// Under AddressSanitizer so many freed slots rest, poisoned, as long as the page has others, so that a stale pointer
/// is caught even long after.
inline constexpr std::size_t resting = 256;

inline void*& link_of(void* slot, const type_info& t) noexcept {
    return *reinterpret_cast<void**>(static_cast<char*>(slot) + t.link_offset);
}

inline header& header_of_slot(void* slot, const type_info& t) noexcept {
    return *reinterpret_cast<header*>(static_cast<char*>(slot) + t.header_offset);
}

/// A full page is offered to make_ref again once an eighth of it is free: picking up single slots
/// all over the heap would cost more than it saves.
constexpr std::uint32_t room_mark(std::uint32_t count) noexcept { return count - (count >= 8 ? count / 8 : 1); }

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

inline void touch_page(page& p) noexcept {
    if (p.touched) return;
    heap_state& h = *chunk_of(&p).heap;
    p.touched = true;
    p.next_touched = h.touched;
    h.touched = &p;
}

/// Lets collections of generation 0 look at a page.
inline void mark_young(page& p) noexcept {
    p.young = true;
    touch_page(p);
}

/// Lets collections of generation 1 look at a page.
inline void mark_middle(page& p) noexcept {
    p.middle = true;
    touch_page(p);
}

/// Complexity: linear in them.
inline std::size_t free_slots(const page& p) noexcept {
    std::size_t n = 0;
    for (void* slot = p.free; slot != nullptr; ++n) {
        unpoison(slot, p.type->slot_bytes);
        void* next = link_of(slot, *p.type);
        poison(slot, p.type->slot_bytes);
        slot = next;
    }
    return n;
}

/// Whether make_ref takes slots from the page unseen.
inline bool is_taken_unseen(const page& p) noexcept { return p.held && !chunk_of(&p).heap->counts_each; }

/// How many slots of a page make_ref may have in use before it looks for others.
inline std::size_t usable_slots(const page& p) noexcept {
#if PYGC_ASAN
    if (p.carved != p.type->slot_count) {
        const std::size_t next = p.free_count > resting ? p.free_count - resting : 1;
        return p.carved - p.free_count + next;
    }
#endif
    return p.carved;
}

/// The number of objects on a page. Complexity: constant; where slots are taken unseen linear in the free ones.
inline std::size_t objects_on(const page& p) noexcept {
    return is_taken_unseen(p) ? p.carved - free_slots(p) : std::size_t{p.event} + p.until;
}

/// With `used` slots in use, sets when there is something to do again.
inline void expect_event(page& p, std::size_t used) noexcept {
    const std::uint32_t mark = room_mark(p.type->slot_count);
    std::size_t event = used > mark ? mark : 0; // one that was passed already would never be met again
    if (p.listed || p.frozen) event = 0;
    if (chunk_of(&p).heap->counts_each && used != 0) event = used - 1;
    p.event = static_cast<std::uint16_t>(event);
    p.until = static_cast<std::uint16_t>(used - event);
}

/// Tells the heap how many containers there are on a page.
inline void settle(page& p, std::size_t containers) noexcept {
    heap_state& h = *chunk_of(&p).heap;
    if (p.type->container && !p.frozen && !h.counts_each) h.count_containers(p, containers);
}

/// An object that a collection has seen dies: the pacing hears of it at once. Preconditions: the page isn't frozen.
PYGC_INLINE void settle_death(heap_state& h, page& p) noexcept {
    if (p.held || h.counts_each || p.counted == 0) return;
    --p.counted;
    --h.containers;
    if (h.containers < h.containers_then) h.containers_then = h.containers;
}

/// Returns empty chunks to the system, all but `spare`. Complexity: linear in them and in the touched pages.
PYGC_NOINLINE inline void unmap_empty_chunks(heap_state& h, std::size_t spare) noexcept {
    if (!h.pages.has_more_empty_chunks(spare)) return;
    for (page** link = &h.touched; *link != nullptr;) {
        page& p = **link;
        if (p.type != nullptr) {
            link = &p.next_touched;
        } else {
            p.touched = false;
            *link = p.next_touched;
        }
    }
    h.pages.unmap_empty_chunks(spare);
}

/// The last object of a page went, and make_ref doesn't hold it.
PYGC_NOINLINE inline void page_emptied(page& p) noexcept {
    heap_state& h = *chunk_of(&p).heap;
    bin& b = h.bin_of(*p.type);
    settle(p, 0);
    if (b.current == &p) b.current = &h.no_page; // an abandoned heap holds none
    if (p.listed) unlist_page(b, p);
    h.pages.give(p);
    if (h.collecting || h.visits != 0) return;
    if (h.abandoned && h.pages.pages() == 0) {
        // Destructors that still run will give their slots back; the last one comes here again.
        if (h.users == 0) release_heap(h);
    } else if (h.pages.worth_unmapping()) {
        unmap_empty_chunks(h, h.pages.spare_chunks());
    }
}

/// Fewer slots of a page are in use than before: if it is empty, or has room for make_ref again, it goes where it
/// belongs. Preconditions: none is taken unseen there.
inline void use_fell(page& p, std::size_t used) noexcept {
    if (used == 0 && !p.held) return page_emptied(p);
    bin& b = chunk_of(&p).heap->bin_of(*p.type);
    if (used <= room_mark(p.type->slot_count) && !p.listed && !p.frozen && b.current != &p) list_page(b, p);
    expect_event(p, used);
    settle(p, used);
}

/// `until` has reached zero.
PYGC_NOINLINE inline void page_event(page& p) noexcept {
    heap_state& h = *chunk_of(&p).heap;
    if (h.counts_each) {
        const type_info& t = *p.type;
        if (t.container) h.note_freed_containers(1);
        if (p.event != 0 && (p.held || p.listed || p.frozen || p.event > room_mark(t.slot_count))) {
            --p.event; // nothing else has changed
            p.until = 1;
            return;
        }
    }
    if (is_taken_unseen(p)) {
        p.until = UINT16_MAX; // no event here
    } else {
        use_fell(p, p.event);
    }
}

/// Makes `p` the page of make_ref in its bin. An abandoned heap holds no page, lest it never end.
inline void hold(heap_state& h, bin& b, page& p) noexcept {
    b.current = &p;
    if (h.abandoned) return;
    p.held = true;
    if (h.counts_each) return;
    p.event = 0;
    p.until = UINT16_MAX;
    if (p.type->container) h.count_containers(p, usable_slots(p));
}

/// make_ref takes no more slots from its current page. What room there is will be found again, unless the heap is to
/// take no more objects there.
inline void let_go(bin& b, page& p, bool for_good = false) noexcept {
    const std::size_t used = objects_on(p);
    b.current = &chunk_of(&p).heap->no_page;
    p.held = false;
    if (used == 0) return page_emptied(p);
    if (!for_good && (p.free != nullptr || p.carved != p.type->slot_count)) list_page(b, p);
    expect_event(p, used);
    settle(p, used);
}

/// Lets go of all pages that make_ref holds: what is in use is known then, page by page.
PYGC_NOINLINE inline void let_go_of_pages(heap_state& h, bool for_good = false) noexcept {
    for (std::uint32_t i = 1; i < h.bin_count; ++i) {
        bin& b = h.bins[i];
        if (b.current != &h.no_page) let_go(b, *b.current, for_good);
        while (for_good && b.with_room != nullptr) unlist_page(b, *b.with_room);
    }
}

/// Chooses how a heap counts: CPython's rule and the end of a heap need each object, the pacing doesn't. Complexity:
/// linear in the pages where that changes.
PYGC_NOINLINE inline void choose_counting(heap_state& h, bool counts_each) noexcept {
    if (counts_each == h.counts_each) return;
    let_go_of_pages(h);
    h.counts_each = counts_each;
    std::size_t containers = 0;
    h.pages.for_each_page([&](page& p) noexcept {
        const std::size_t used = objects_on(p);
        expect_event(p, used);
        p.counted = p.type->container && !p.frozen ? static_cast<std::uint16_t>(used) : std::uint16_t{0};
        containers += p.counted;
    });
    if (counts_each) {
        h.allocations = containers > h.containers_then ? containers - h.containers_then : 0;
    } else {
        h.containers = containers;
        h.containers_then = containers > h.allocations ? containers - h.allocations : 0;
    }
    h.show_bins();
}

/// Containers made minus containers gone since the last collection: exactly, whatever was unseen. Complexity: linear
/// in the pages unless the heap counts each.
inline std::size_t count_allocations(heap_state& h) noexcept {
    if (h.counts_each) return h.allocations;
    std::size_t containers = 0;
    h.pages.for_each_page([&containers](const page& p) noexcept {
        if (p.type->container && !p.frozen) containers += objects_on(p);
    });
    return containers > h.containers_then ? containers - h.containers_then : 0;
}

/// Puts a slot into its page's list. Its header must say "not tracked" already.
PYGC_INLINE void link_free_slot(page& p, void* slot, const type_info& t) noexcept {
#if PYGC_ASAN
    ::new (static_cast<void*>(static_cast<char*>(slot) + t.link_offset)) void*(nullptr);
    ++p.free_count;
    if (p.free == nullptr) {
        p.free = slot;
    } else {
        unpoison(p.free_tail, t.slot_bytes);
        link_of(p.free_tail, t) = slot;
        poison(p.free_tail, t.slot_bytes);
    }
    p.free_tail = slot;
    poison(slot, t.slot_bytes);
    note_death(slot);
#else
    ::new (static_cast<void*>(static_cast<char*>(slot) + t.link_offset)) void*(p.free);
    p.free = slot;
#endif
}

/// Gives a slot back to its page.
PYGC_INLINE void free_slot(page& p, void* slot, const type_info& t) noexcept {
    link_free_slot(p, slot, t);
    if (--p.until == 0) [[unlikely]]
        page_event(p);
}

/// Takes note that `count` slots were linked. With `keep_empty` a page without objects waits for make_ref as it is, so
/// that nobody has to carve its slots again: see `release_empty_pages`.
inline void return_slots(page& p, std::size_t count, bool keep_empty = false) noexcept {
    heap_state& h = *chunk_of(&p).heap;
    if (p.type->container) h.note_freed_containers(count);
    if (is_taken_unseen(p)) return;
    const std::size_t used = std::size_t{p.event} + p.until - count;
    if (used != 0 || !keep_empty || h.counts_each || p.type->slot_count == 1) return use_fell(p, used);
    if (!p.listed) list_page(h.bin_of(*p.type), p);
    expect_event(p, 0);
    settle(p, 0);
}

/// Gives back the pages that wait without an object. Complexity: linear in the pages with room.
inline void release_empty_pages(heap_state& h) noexcept {
    for (std::uint32_t i = 1; i < h.bin_count; ++i) {
        for (page* p = h.bins[i].with_room; p != nullptr;) {
            page& candidate = *p;
            p = p->next;
            if (candidate.event == 0 && candidate.until == 0) page_emptied(candidate);
        }
    }
}

/// Takes the first free slot of a page that has one.
PYGC_INLINE void* pop_slot(page& p, const type_info& t) noexcept {
    void* slot = p.free;
    unpoison(slot, t.slot_bytes);
    p.free = link_of(slot, t);
#if PYGC_ASAN
    --p.free_count;
#endif
    return slot;
}

/// True if `pop_slot` may be called.
PYGC_INLINE bool has_slot(const page& p) noexcept {
#if PYGC_ASAN
    return p.free != nullptr && (p.carved == p.type->slot_count || p.free_count > resting);
#else
    return p.free != nullptr;
#endif
}

/// Makes the next slots of a page usable, in address order.
inline void carve(page& p, const type_info& t) noexcept {
    auto count = static_cast<std::uint32_t>(t.slot_bytes < carved_bytes ? carved_bytes / t.slot_bytes : 1);
    if (count > p.carved + first_batch) count = p.carved + first_batch;
    if (count > t.slot_count - p.carved) count = t.slot_count - p.carved;
    if (is_taken_unseen(p) && t.container) { // not past the next collection
        const heap_state& h = *chunk_of(&p).heap;
        const std::size_t left = h.trigger > h.made() ? h.trigger - h.made() : 1;
        if (count > left) count = static_cast<std::uint32_t>(left);
    }
    char* const begin = first_slot(p) + std::size_t{p.carved} * t.slot_bytes;
    char* const last = begin + std::size_t{count - 1} * t.slot_bytes;
    unpoison(begin, std::size_t{count} * t.slot_bytes);
    const auto prepare = [header_at = t.header_offset, link_at = t.link_offset](char* slot, void* next) {
        ::new (static_cast<void*>(slot + header_at)) header{dying_count, age_none | life_dying};
        ::new (static_cast<void*>(slot + link_at)) void*(next);
    };
    const std::size_t stride = t.slot_bytes;
    for (char* slot = begin; slot != last; slot += stride) prepare(slot, slot + stride);
    prepare(last, p.free); // fresh slots go before resting ones
#if PYGC_ASAN
    if (p.free == nullptr) p.free_tail = last;
    p.free_count = static_cast<std::uint16_t>(p.free_count + count);
    poison(begin, std::size_t{count} * t.slot_bytes);
#endif
    p.free = begin;
    p.carved = static_cast<std::uint16_t>(p.carved + count);
    if (is_taken_unseen(p)) settle(p, usable_slots(p));
}

/// The place of the last type that was given one.
PYGC_SHARED inline constinit std::uint32_t last_bin_offset = 0; // guarded by shared_lock

/// Gives the type a bin in this heap, and a place for it in all. Null: no memory.
inline bin* bin_for(heap_state& h, const type_info& t) noexcept {
    std::uint32_t offset = load_relaxed(*t.bin_offset);
    if (offset == 0) {
        shared_lock lock;
        offset = *t.bin_offset;
        if (offset == 0) store_relaxed(*t.bin_offset, offset = last_bin_offset += sizeof(bin));
    }
    const std::size_t index = offset / sizeof(bin);
    if (index >= h.bin_capacity) {
        scratch<bin> more;
        if (!more.reserve(index * 2)) return nullptr;
        for (std::uint32_t i = 0; i != h.bin_count; ++i) more[i] = h.bins[i];
        h.more_bins.release();
        h.more_bins = more;
        h.bins = more.data();
        h.bin_capacity = static_cast<std::uint32_t>(more.capacity());
    }
    while (h.bin_count <= index) ::new (static_cast<void*>(&h.bins[h.bin_count++])) bin{&h.no_page};
    h.show_bins();
    bin& b = h.bins[index];
    if (b.type == nullptr) b.type = copy_type(h, t, offset);
    return b.type != nullptr ? &b : nullptr;
}

/// A page with a free slot, made the current one of its bin. Null: the system has no memory. Complexity: amortised
/// constant.
inline page* page_with_slot(heap_state& h, const type_info& t) noexcept {
    bin* b = bin_for(h, t);
    if (b == nullptr) return nullptr;
    const bool has_others = b->current != &h.no_page;
    for (;;) {
        page* p = b->current;
        if (p != &h.no_page) {
            if (has_slot(*p)) return p;
            if (p->carved != t.slot_count) {
                carve(*p, t);
                return p;
            }
            let_go(*b, *p);
        }
        if (b->with_room != nullptr) {
            p = b->with_room;
            unlist_page(*b, *p);
        } else {
            p = h.pages.take(h, t.pages, t.page_alignment, has_others);
            if (p == nullptr) return nullptr;
            h.note_growth();
            p->type = b->type;
            p->destroy = t.destroy;
            poison(first_slot(*p), t.pages * page_bytes);
            if (t.slot_count == 1) { // full with its first object: nobody's current page
                carve(*p, t);
                return p;
            }
        }
        hold(h, *b, *p);
    }
}

/// Where each object is counted: a page whose next slot the caller may take. Null: there is more to do first.
inline page* page_for_counted_slot(heap_state& h, const type_info& t) noexcept {
    const std::uint32_t offset = load_relaxed(*t.bin_offset);
    if (offset >= h.bin_count * sizeof(bin)) return nullptr;
    page& p = *h.bin_at(offset).current;
    if (!has_slot(p) || h.traversing) return nullptr;
    if (t.container) {
        if (!p.young || h.allocations >= h.trigger) return nullptr;
        ++h.allocations;
    }
    p.event = static_cast<std::uint16_t>(p.event + p.until);
    p.until = 1;
    return &p;
}

/// The slow path of allocation: a page whose next slot the caller may take. Null: the system has no memory.
PYGC_NOINLINE inline page* page_for_slot(heap_state& h, const type_info& t) noexcept {
    page* p = page_with_slot(h, t);
    if (p == nullptr) return nullptr;
    if (t.container && !p->young) mark_young(*p);
    if (is_taken_unseen(*p)) return p;
    const std::size_t used = std::size_t{p->event} + p->until + 1;
    expect_event(*p, used);
    settle(*p, used);
    return p;
}

} // namespace pygc::inline PYGC_ABI::detail
