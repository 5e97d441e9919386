// SPDX-License-Identifier: BSL-1.0
// A weak_key_map whose values can hold references, as full collections see it: a table of ephemerons. Its keys may come
// from several heaps; the entries for objects of one heap are a part of the map, and each heap has a list of the parts
// that are its own. So a collection knows every entry whose key it may free, whatever heap the other keys, the map
// or its owner are in.
#pragma once

#include <cstdint>

#include <pygc/detail/heap_state.hpp>

namespace pygc::inline PYGC_ABI {
class visitor;
} // namespace pygc::inline PYGC_ABI

namespace pygc::inline PYGC_ABI::detail {

class ephemeron_table;

struct ephemeron_map;

/// The entries of a map for objects of one heap.
struct ephemeron_part {
    heap_state* home = nullptr; // in whose list it is; null: it isn't used
    ephemeron_map* map = nullptr;
    std::size_t entries = 0;
    ephemeron_part* next = nullptr;
    ephemeron_part* previous = nullptr;
    ephemeron_part* next_of_map = nullptr;

    // For the collection of its heap that runs.
    ephemeron_part* next_deferred = nullptr;
    std::uint32_t place = 0;  // among the edges, where a traverse showed the map
    std::uint32_t index = 0;  // in the collection's table
    bool deferred = false;    // a traverse has shown the map
    bool shown_twice = false; // some traverse shows what isn't its object's: whose the map is, nobody knows
};

struct ephemeron_map {
    ephemeron_map() noexcept = default;
    ephemeron_map(const ephemeron_map&) = delete;
    ephemeron_map& operator=(const ephemeron_map&) = delete;

    /// An entry whose record is in `h`, as its object is, comes. Throws: std::bad_alloc; then nothing has changed.
    void enter(heap_state& h) {
        if (count_values == nullptr) return;
        ephemeron_part* part = part_of(h);
        if (part == nullptr) part = make_part(h);
        ++part->entries;
    }
    /// An entry for an object of `h` went. A heap ends after the last of them: its list is empty by then.
    void leave(heap_state& h) noexcept {
        if (count_values == nullptr) return;
        ephemeron_part* const part = part_of(h);
        if (--part->entries == 0) end_part(*part);
    }

    /// Null: it has no entry for an object of `h`.
    [[nodiscard]] ephemeron_part* part_of(const heap_state& h) noexcept {
        if (first.home == &h) return &first;
        ephemeron_part* part = first.next_of_map;
        while (part != nullptr && part->home != &h) part = part->next_of_map;
        return part;
    }

    /// All objects of `from` are those of `into` from now on.
    static void move_parts(heap_state& into, heap_state& from) noexcept {
        while (ephemeron_part* const part = from.ephemerons) {
            if (ephemeron_part* const other = part->map->part_of(into)) {
                other->entries += part->entries;
                part->map->end_part(*part);
            } else {
                unlist(*part);
                list(*part, into);
            }
        }
    }

    // Null where values can't hold references.
    void (*count_values)(ephemeron_map&, ephemeron_table&) = nullptr; // each value, and the key that it hangs on
    void (*visit_value_of)(void* entry, visitor&) = nullptr;

private:
    static void list(ephemeron_part& part, heap_state& h) noexcept {
        part.home = &h;
        part.previous = nullptr;
        part.next = h.ephemerons;
        if (part.next != nullptr) part.next->previous = &part;
        h.ephemerons = &part;
    }
    static void unlist(ephemeron_part& part) noexcept {
        (part.previous != nullptr ? part.previous->next : part.home->ephemerons) = part.next;
        if (part.next != nullptr) part.next->previous = part.previous;
        part.home = nullptr;
    }

    PYGC_NOINLINE ephemeron_part* make_part(heap_state& h) {
        ephemeron_part* part = &first;
        if (first.home != nullptr) {
            part = new ephemeron_part;
            part->next_of_map = first.next_of_map;
            first.next_of_map = part;
        }
        part->map = this;
        list(*part, h);
        return part;
    }
    PYGC_NOINLINE void end_part(ephemeron_part& part) noexcept {
        part.entries = 0;
        unlist(part);
        if (&part == &first) return;
        ephemeron_part* before = &first;
        while (before->next_of_map != &part) before = before->next_of_map;
        before->next_of_map = part.next_of_map;
        delete &part;
    }

    ephemeron_part first; // nearly all maps have keys of one heap
};

} // namespace pygc::inline PYGC_ABI::detail
