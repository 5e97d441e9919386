// SPDX-License-Identifier: BSL-1.0
// What AddressSanitizer's report can't know of memory that it didn't allocate: of what type the dead object was and, in
// debug mode, where it died.
#pragma once

#include <cstddef>
#include <cstdint>

#include <pygc/config.hpp>
#include <pygc/detail/chunk_map.hpp>
#include <pygc/detail/page.hpp>

#if PYGC_ASAN
#include <cstdio>  // fprintf
#include <cstdlib> // malloc, free

extern "C" {
void __asan_set_error_report_callback(void (*callback)(const char* text));
void* __asan_get_report_address();
std::size_t __asan_get_free_stack(void* address, void** trace, std::size_t size, int* thread);
void __sanitizer_symbolize_pc(void* pc, const char* format, char* text, std::size_t size);
}
#endif

namespace pygc::inline PYGC_ABI::detail {

#if PYGC_ASAN

#if PYGC_DEBUG

/// The sanitizer keeps the stack of each `free`: a block freed where an object dies remembers the place.
struct last_death {
    const void* slot;
    void* block;
};

inline constexpr std::size_t remembered_deaths = std::size_t{1} << 14; // 256 KiB
PYGC_SHARED inline constinit last_death last_deaths[remembered_deaths] = {};
PYGC_SHARED inline constinit std::uint32_t death_count = 0;

/// The object in the slot has been destroyed.
PYGC_NOINLINE inline void note_death(const void* slot) noexcept {
    void* const block = std::malloc(1);
    std::free(block);
    const std::uint32_t n = __atomic_fetch_add(&death_count, 1u, __ATOMIC_RELAXED);
    last_deaths[n % remembered_deaths] = {slot, block};
}

/// Prints where the object in the slot died, if that is still known.
inline void report_place_of_death(const void* slot) noexcept {
    for (std::uint32_t back = 1; back <= remembered_deaths; ++back) {
        const last_death& d = last_deaths[(death_count - back) % remembered_deaths];
        if (d.slot != slot) continue;
        void* trace[32];
        int thread = 0;
        const std::size_t depth = __asan_get_free_stack(d.block, trace, sizeof(trace) / sizeof(*trace), &thread);
        if (depth == 0) break;
        std::fprintf(stderr, "pygc: it died here, in thread T%d:\n", thread);
        for (std::size_t i = 2; i < depth; ++i) { // without `free` and `note_death`
            char text[1024];
            auto* const call = reinterpret_cast<char*>(trace[i]) - 1; // what returns there
            __sanitizer_symbolize_pc(call, "    %p in %f %s:%l", text, sizeof(text));
            std::fprintf(stderr, "    #%zu%s\n", i - 2, text);
        }
        return;
    }
    std::fputs("pygc: where it died is not known any more\n", stderr);
}

#else

inline void note_death(const void*) noexcept {}
inline void report_place_of_death(const void*) noexcept {
    std::fputs("pygc: compiled with PYGC_DEBUG=1 it would be told where it died\n", stderr);
}

#endif

/// Called by the sanitizer when its own report is complete.
inline void explain_asan_report(const char*) noexcept {
    const auto* const at = static_cast<const char*>(__asan_get_report_address());
    if (!is_chunk(&chunk_of(at))) return;
    std::size_t i = page_index_of(at);
    page* const pages = chunk_of(at).pages;
    const auto type_at = [pages](std::size_t index) noexcept {
        const page& p = pages[index];
        return p.type != nullptr ? p.type : p.last_type;
    };
    const type_info* type = type_at(i);
    for (std::size_t back = 1; type == nullptr && back <= i; ++back) { // an object of several pages
        type = type_at(i - back);
        if (type == nullptr) continue;
        if (type->pages <= back) return;
        i -= back;
    }
    if (type == nullptr || i == 0) return;
    const char* const first = first_slot(pages[i]);
    const auto offset = static_cast<std::size_t>(at - first);
    const std::size_t slot = type->slot_count == 1 ? 0 : offset / type->slot_bytes;
    const char* const object = first + slot * type->slot_bytes;
    std::fprintf(stderr, "pygc: %p is %zu bytes into a dead object of type %.*s at %p, which has %zu bytes\n",
                 static_cast<const void*>(at), static_cast<std::size_t>(at - object),
                 static_cast<int>(type->name_length), type->name, static_cast<const void*>(object), type->slot_bytes);
    report_place_of_death(object);
}

/// To be called once. A program that sets a callback of its own later replaces this one.
inline void explain_asan_reports() noexcept { __asan_set_error_report_callback(explain_asan_report); }

#else

PYGC_INLINE void note_death(const void*) noexcept {}
inline void explain_asan_reports() noexcept {}

#endif

} // namespace pygc::inline PYGC_ABI::detail
