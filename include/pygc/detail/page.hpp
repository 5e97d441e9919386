// SPDX-License-Identifier: BSL-1.0
// Chunks and pages: where objects live, and how an address leads to its page, its heap and its number.
//
//   chunk: 4 MiB, aligned to its size, belongs to one heap
//   +----------------+--------+--------+--------+-- ... --+--------+
//   | page 0:        | page 1 | page 2 | page 3 |         | page   |
//   | chunk header   |        |        |        |         |   127  |
//   +----------------+--------+--------+--------+-- ... --+--------+
//    numbers[128]      each 32 KiB: slots of ONE type, from its first byte
//    pages[128]        +------+------+------+- ... -+--------+
//                      | slot | slot | slot |       | unused |
//                      +------+------+------+- ... -+--------+
//
// All that is known about a page stands in its chunk's header, not in the page: heads at the same
// offset of every page would fight for the same few cache sets. An object larger than a quarter of a
// page gets consecutive pages of its own, or a chunk of its own beyond 4 MiB.
//
// During a collection each page taking part gets a range of numbers, one a slot. The number of an
// object follows from its address alone, so counting a reference never touches the object it leads to.
#pragma once

#include <cstddef>
#include <cstdint>

#include <pygc/config.hpp>
#include <pygc/detail/header.hpp>
#include <pygc/fwd.hpp>

namespace pygc::inline PYGC_ABI::detail {

inline constexpr std::size_t chunk_bytes = std::size_t{4} << 20;
inline constexpr std::size_t page_bytes = std::size_t{32} << 10;
inline constexpr std::size_t pages_per_chunk = chunk_bytes / page_bytes;
inline constexpr std::size_t largest_shared_slot = page_bytes / 4;

class snapshot;
struct collected_page;

/// What the engine knows about a type. The loops over a page are inside the functions, so that the
/// user's `traverse` is inlined into them: one indirect call a page, none an object or an edge.
struct type_info {
    const char* name;
    std::size_t name_length;
    std::uint32_t* bin_offset;    // of the type's bin in every heap, in bytes, given at first use; 0 = none yet
    std::size_t slot_bytes;       // a multiple of the type's alignment, and at least 16
    std::uint32_t slot_count;     // in a page; 1 if the type has pages of its own
    std::uint32_t reciprocal;     // of slot_bytes: offset * reciprocal >> 32 is the slot; 0 if there is one
    std::uint32_t header_offset;  // of py_object inside the type
    std::uint32_t link_offset;    // of a free slot's link to the next: beside the header, which stays valid
    std::uint32_t pages;          // consecutive pages that one allocation takes
    std::uint32_t page_alignment; // in pages
    bool container;               // can hold references that lead back: takes part in collections
    bool weak_record;             // what a py_weakref refers to: see weak_record.hpp

    void (*destroy)(page&, py_object*) noexcept;              // the last reference went
    void (*destruct)(py_object*) noexcept;                    // the destructor, and nothing else
    void (*count)(page&, snapshot&, int generation) noexcept; // these three only for containers
    void (*unlink)(const collected_page&, snapshot&) noexcept;
    void (*dispose_garbage)(collected_page&, const std::uint64_t* garbage) noexcept;
    void (*traverse)(py_object*, visitor&);
    void (*finalize)(page&, py_object*) noexcept; // calls the user's finalizer; null without one
    std::uint32_t value_offset;                   // of what the user knows: 0, or behind the header of a box
};

/// Number of a page's first slot and reciprocal of its slot size. Both are zero outside collections
/// and for pages that don't take part: every object there has number 0, which stands for "outside".
struct numbering {
    std::uint32_t first;
    std::uint32_t reciprocal;
};

/// One page's bookkeeping: a cache line in the chunk's header. As many slots are in use as `event + until` says, unless
/// make_ref takes them unseen: see slots.hpp.
struct alignas(64) page {
    void* free;                                  // head of the list of free slots
    void (*destroy)(page&, py_object*) noexcept; // that of the type: one load less for every death
    const type_info* type;                       // null while the page is free
    page* next;                                  // in the bin's list of pages with room
    page* previous;
    page* next_touched;       // in the heap's list of pages that hold young or middle-aged objects
    std::uint16_t until;      // so many slots come back until `page_event` has something to do
    std::uint16_t event;      // slots in use by then
    std::uint16_t carved;     // slots whose header is valid; the rest has never been used
    std::uint16_t counted;    // slots that the heap's `containers` includes
    bool listed : 1;          // in the bin's list of pages with room
    bool touched : 1;         // in the heap's touched list
    bool young : 1;           // may hold objects of generation 0
    bool middle : 1;          // the same for generation 1
    bool held : 1;            // make_ref takes slots here
    bool weak : 1;            // some object on it has, or had, weak references
    bool frozen : 1;          // hidden from collections; no slot is handed out here
    bool in_construction : 1; // the collection met an object here whose constructor hasn't returned
#if PYGC_ASAN
    std::uint16_t free_count; // freed slots queue up, to be reused as late as possible
    void* free_tail;
    const type_info* last_type; // of the objects that were here when the page went back
    page* next_resting;         // in the heap's queue of pages that went back: see storage.hpp
#endif
};
static_assert(PYGC_ASAN || sizeof(void*) != 8 || sizeof(page) == 64);

struct chunk {
    // First the cold part: an address in here must not look like that of a page's first objects, which
    // a processor compares by its low twelve bits only.
    chunk* next; // in the order in which they were mapped
    chunk* previous;
    chunk* next_with_room; // in a list of chunks with equal room: see storage.hpp
    chunk* previous_with_room;
    std::size_t bytes;
    std::uint64_t free_pages[2];
    std::uint64_t dirty_pages[2]; // free pages that still have memory behind them
    std::uint16_t free_count;
    std::uint8_t longest_run; // of free pages
    bool huge_pages; // asked for: see storage.hpp
    numbering numbers[pages_per_chunk];
    heap_state* heap;
    page pages[pages_per_chunk];
};
static_assert(sizeof(chunk) <= page_bytes);

PYGC_INLINE chunk& chunk_of(const void* p) noexcept {
    return *reinterpret_cast<chunk*>(reinterpret_cast<std::uintptr_t>(p) & ~(chunk_bytes - 1));
}

PYGC_INLINE std::size_t page_index_of(const void* p) noexcept {
    return (reinterpret_cast<std::uintptr_t>(p) / page_bytes) % pages_per_chunk;
}

/// The page that holds the header at `p`.
PYGC_INLINE page& page_of(const void* p) noexcept {
    // pages[page_index_of(p)], with both shifts in one where the size of a page's line allows.
    if constexpr (page_bytes % sizeof(page) == 0) {
        const std::uintptr_t line = reinterpret_cast<std::uintptr_t>(p) / (page_bytes / sizeof(page));
        const std::uintptr_t offset = line & ((pages_per_chunk - 1) * sizeof(page));
        return *reinterpret_cast<page*>(reinterpret_cast<char*>(chunk_of(p).pages) + offset);
    } else {
        return chunk_of(p).pages[page_index_of(p)];
    }
}

inline std::size_t index_in_chunk(const page& p) noexcept { return static_cast<std::size_t>(&p - chunk_of(&p).pages); }

inline char* first_slot(page& p) noexcept {
    return reinterpret_cast<char*>(&chunk_of(&p)) + index_in_chunk(p) * page_bytes;
}

inline header& header_at(page& p, std::size_t slot) noexcept {
    return *reinterpret_cast<header*>(first_slot(p) + slot * p.type->slot_bytes + p.type->header_offset);
}

/// The number of the object whose header is at `p`.
PYGC_INLINE std::uint32_t number_of(const void* p) noexcept {
    // numbers[page_index_of(p)], with both shifts in one.
    const std::uintptr_t line = reinterpret_cast<std::uintptr_t>(p) / (page_bytes / sizeof(numbering));
    const std::uintptr_t at = line & ((pages_per_chunk - 1) * sizeof(numbering));
    const numbering& n = *reinterpret_cast<numbering*>(reinterpret_cast<char*>(chunk_of(p).numbers) + at);
    const std::uint64_t offset = reinterpret_cast<std::uintptr_t>(p) % page_bytes;
    return n.first + static_cast<std::uint32_t>((offset * n.reciprocal) >> 32);
}

} // namespace pygc::inline PYGC_ABI::detail
