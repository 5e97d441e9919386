// SPDX-License-Identifier: BSL-1.0
// Memory straight from the operating system. The library's own storage never comes from global
// operator new, so a program that counts those calls sees only its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include <pygc/config.hpp>

#if defined(_WIN32)
// Declared as <windows.h> does, which may come before or after: its SIZE_T is another type than std::size_t in 32 bits.
#if defined(_WIN64)
#define PYGC_WINDOWS_SIZE unsigned long long
#else
#define PYGC_WINDOWS_SIZE unsigned long
#endif
extern "C" {
__declspec(dllimport) void* __stdcall VirtualAlloc(void*, PYGC_WINDOWS_SIZE, unsigned long, unsigned long);
__declspec(dllimport) int __stdcall VirtualFree(void*, PYGC_WINDOWS_SIZE, unsigned long);
}
#undef PYGC_WINDOWS_SIZE
#elif defined(__unix__) || defined(__APPLE__)
#define PYGC_HAS_MMAP 1
#include <sys/mman.h> // mmap, munmap, madvise
#if defined(__SANITIZE_THREAD__) && defined(__linux__)
#include <sys/syscall.h> // SYS_munmap
extern "C" long syscall(long number, ...) // see process.hpp
#if defined(__GLIBC__)
    noexcept
#endif
    ;
#endif
#else
#include <cstdlib> // aligned_alloc: wasm and other systems without mapping
#endif
#ifndef PYGC_HAS_MMAP
#define PYGC_HAS_MMAP 0
#endif

namespace pygc::inline PYGC_ABI::detail {

#if PYGC_HAS_MMAP
/// Gives back what nobody has written to. ThreadSanitizer needs not be told, and would take most of the time of a
/// mapping to look for what it knows of the range.
inline void unmap_untouched(void* p, std::size_t bytes) noexcept {
    if (bytes == 0) return;
#if defined(__SANITIZE_THREAD__) && defined(__linux__)
    ::syscall(SYS_munmap, p, bytes);
#else
    ::munmap(p, bytes);
#endif
}
#endif

/// Memory of `bytes` (a multiple of `alignment`, which is a power of two and at least 64 KiB),
/// readable and writable, or null. Complexity: one to three system calls.
inline void* map_memory(std::size_t bytes, std::size_t alignment) noexcept {
#if PYGC_HAS_MMAP
    if (bytes + alignment < bytes) return nullptr;
    void* raw = ::mmap(nullptr, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return nullptr;
    const auto begin = reinterpret_cast<std::uintptr_t>(raw);
    const std::uintptr_t aligned = (begin + alignment - 1) & ~(alignment - 1);
    unmap_untouched(raw, aligned - begin);
    unmap_untouched(reinterpret_cast<void*>(aligned + bytes), begin + alignment - aligned);
    return reinterpret_cast<void*>(aligned);
#elif defined(_WIN32)
    constexpr unsigned long reserve = 0x2000, commit = 0x1000, release = 0x8000, read_write = 4;
    for (int tries = 0; tries != 16; ++tries) { // another thread may take the place in between
        void* raw = VirtualAlloc(nullptr, bytes + alignment, reserve, read_write);
        if (raw == nullptr) return nullptr;
        const std::uintptr_t aligned = (reinterpret_cast<std::uintptr_t>(raw) + alignment - 1) & ~(alignment - 1);
        VirtualFree(raw, 0, release);
        if (void* p = VirtualAlloc(reinterpret_cast<void*>(aligned), bytes, reserve | commit, read_write)) return p;
    }
    return nullptr;
#else
    return std::aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
#endif
}

inline void unmap_memory(void* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if PYGC_HAS_MMAP
    ::munmap(p, bytes);
#elif defined(_WIN32)
    VirtualFree(p, 0, 0x8000);
#else
    std::free(p);
#endif
}

/// Moves what is in `p`, of `bytes`, to a range of `more` bytes, without copying it and without a moment in which there is
/// memory for both. Null: nothing has changed, since this system can't, or has no memory. Preconditions: `alignment` is a
/// power of two, and a divisor of `more`. Complexity: one to four system calls.
inline void* grow_mapping([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes,
                          [[maybe_unused]] std::size_t more, [[maybe_unused]] std::size_t alignment) noexcept {
#if PYGC_HAS_MMAP && defined(MREMAP_MAYMOVE) && defined(MREMAP_FIXED)
    const bool aligned = reinterpret_cast<std::uintptr_t>(p) % alignment == 0;
    void* const longer = aligned ? ::mremap(p, bytes, more, 0) : MAP_FAILED;
    if (longer != MAP_FAILED) return longer;
    void* const place = map_memory(more, alignment);
    // Where there are no addresses for both, the kernel finds a place, for ordinary pages.
    void* const moved = place != nullptr ? ::mremap(p, bytes, more, MREMAP_MAYMOVE | MREMAP_FIXED, place)
                                         : ::mremap(p, bytes, more, MREMAP_MAYMOVE);
    if (moved != MAP_FAILED) return moved;
    if (place != nullptr) ::munmap(place, more);
#endif
    return nullptr;
}

/// What systems that have larger pages than the usual ones mostly offer.
inline constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

/// Asks for memory in huge pages, or in ordinary ones again, where nothing is yet. A range of many MiB then costs a
/// few page faults instead of thousands, and a walk in random order fewer misses in the table of addresses.
inline void prefer_huge_pages([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes,
                              [[maybe_unused]] bool huge) noexcept {
#if PYGC_HUGE_PAGES && PYGC_HAS_MMAP && defined(MADV_HUGEPAGE)
    ::madvise(p, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
}

/// Gives the memory behind a mapped range back; its content is lost, the range stays usable.
inline void discard_memory([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if PYGC_HAS_MMAP && defined(MADV_DONTNEED)
    ::madvise(p, bytes, MADV_DONTNEED);
#endif
}

} // namespace pygc::inline PYGC_ABI::detail
