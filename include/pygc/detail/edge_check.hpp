// SPDX-License-Identifier: BSL-1.0
// In debug mode, holds each reference that is counted against the pages: a collection that starts in the middle of a
// container's operation, or a `traverse` that shows what is none, meets memory that is no object.
#pragma once

#include <cstddef>
#include <cstdint>

#include <pygc/detail/check.hpp>

namespace pygc::inline PYGC_ABI::detail {

#if PYGC_DEBUG

/// Whose references come.
struct edge_shower {
    const type_info* type = nullptr;
    const void* object = nullptr;
};

[[noreturn]] PYGC_NOINLINE inline void report_edge(const edge_shower& shower, const char* what,
                                                   const void* target) noexcept {
    std::fprintf(stderr, "pygc: a traverse shows %s, %p\n", what, target);
    report_and_abort("a collection started in the middle of a container's operation (hold a pygc::no_collect around "
                     "it), or traverse shows what is no reference, of the",
                     shower.type, shower.object);
}

/// Aborts with a report unless a living object is at `target`. Complexity: constant.
inline void check_edge(const edge_shower& shower, const py_object* target) noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(target);
    if (at % alignof(header) != 0 || !is_chunk(&chunk_of(target))) {
        report_edge(shower, "an address where no object can be", target);
    }
    const page& where = page_of(target);
    if (where.type == nullptr || is_poisoned(target)) report_edge(shower, "memory that was freed", target);
    const std::size_t offset = at % page_bytes;
    const std::size_t stride = where.type->slot_count == 1 ? page_bytes : where.type->slot_bytes;
    if (offset % stride != where.type->header_offset) report_edge(shower, "an address inside an object", target);
    const header& h = header_of(target);
    if ((h.state & life_dying) != 0 && h.count == dying_count) report_edge(shower, "an object that has died", target);
}

/// Aborts with a report if an object has been shown more often than there are references to it, as in a list whose links
/// have become a circle. `numbers`: what the shower has shown so far. Complexity: linear in them; asked when their array
/// has to grow.
inline void check_repeated_edge(const edge_shower& shower, const py_object* target, const std::uint32_t* numbers,
                                std::size_t count) noexcept {
    const std::uint32_t wanted = number_of(target);
    const std::int32_t references = header_of(target).count;
    if (wanted == 0 || references < 0) return; // outside, or immortal
    std::size_t shown = 0;
    for (std::size_t i = 0; i != count; ++i) shown += numbers[i] == wanted;
    if (shown > static_cast<std::size_t>(references) + 1024) {
        report_edge(shower, "one reference again and again", target);
    }
}

#endif

} // namespace pygc::inline PYGC_ABI::detail
