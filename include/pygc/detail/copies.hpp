// SPDX-License-Identifier: BSL-1.0
// Finds out whether a process has two copies of the library.
//
// A program that is linked without -rdynamic keeps its symbols to itself: a library that it loads by dlopen then has
// the variables of pygc once more, and so heaps of its own that the program's collections don't look at. Nothing that
// the two share by name could tell, so they meet at an address.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>

#include <pygc/config.hpp>
#include <pygc/detail/process.hpp>

#if defined(__linux__)
#include <sys/mman.h> // mmap
#endif

namespace pygc::inline PYGC_ABI::detail {

/// To be called once by each copy. Effects: if it isn't the first, a line to stderr says so.
PYGC_NOINLINE inline void tell_of_second_copy() noexcept {
#if defined(__linux__) && defined(MAP_FIXED_NOREPLACE) && defined(__LP64__) && !PYGC_SEPARATE_COPY
    static constexpr char mark[] = "/pygc is here/";
    void* const meeting_place = reinterpret_cast<void*>(std::uintptr_t{0x67790000});
    void* const page =
        ::mmap(meeting_place, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (page == meeting_place) {
        std::memcpy(page, mark, sizeof(mark));
        return;
    }
    if (page != MAP_FAILED) { // a system too old to know the flag
        ::munmap(page, 4096);
        return;
    }
    const auto* const path = static_cast<const char*>(meeting_place);
    if (!is_mapped(path)) return;
    if (std::memcmp(path, mark, sizeof(mark)) != 0) return;
    std::fputs("pygc: this process has two copies of the library, and a collection of one does not see the objects of "
               "the other; link the program with -rdynamic so that there is one (or compile a library that hands no "
               "objects over with PYGC_SEPARATE_COPY=1)\n",
               stderr);
#endif
}

} // namespace pygc::inline PYGC_ABI::detail
