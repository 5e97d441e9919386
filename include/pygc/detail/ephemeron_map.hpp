// SPDX-License-Identifier: BSL-1.0
// A weak_key_map whose values can hold references, as a full collection sees it: a table of ephemerons. Each heap has
// a list of those that hold entries for its objects.
#pragma once

#include <cstdint>

#include <pygc/detail/heap_state.hpp>

namespace pygc::inline PYGC_ABI {
class visitor;
} // namespace pygc::inline PYGC_ABI

namespace pygc::inline PYGC_ABI::detail {

class ephemeron_table;

struct ephemeron_map {
    ephemeron_map() noexcept = default;
    ephemeron_map(const ephemeron_map&) = delete;
    ephemeron_map& operator=(const ephemeron_map&) = delete;

    /// An entry for an object of `h` came.
    void enter(heap_state& h) noexcept {
        if (count_values == nullptr) return;
        if (home == nullptr) {
            home = &h;
            next = h.ephemerons;
            if (next != nullptr) next->previous = this;
            h.ephemerons = this;
        }
        if (home == &h) ++entries_at_home;
    }
    /// An entry for an object of `h` went. A heap may end once it holds no record of an entry: by then the list has
    /// forgotten the map.
    void leave(heap_state& h) noexcept {
        if (home != &h || --entries_at_home != 0) return;
        (previous != nullptr ? previous->next : h.ephemerons) = next;
        if (next != nullptr) next->previous = previous;
        next = previous = nullptr;
        home = nullptr;
    }

    // Null where values can't hold references.
    void (*count_values)(ephemeron_map&, ephemeron_table&) = nullptr; // each value, and the key that it hangs on
    void (*visit_value_of)(void* entry, visitor&) = nullptr;

    heap_state* home = nullptr; // whose list it is in; entries for objects of other heaps are kept as they are
    ephemeron_map* next = nullptr;
    ephemeron_map* previous = nullptr;
    std::size_t entries_at_home = 0;

    // For the collection that runs.
    ephemeron_map* next_deferred = nullptr;
    std::uint32_t place = 0; // among the edges, where a traverse showed it
    std::uint32_t index = 0; // in the collection's table
    bool deferred = false;   // a traverse has shown it
    bool shown_twice = false; // some traverse shows what isn't its object's: whose it is, nobody knows
};

} // namespace pygc::inline PYGC_ABI::detail
