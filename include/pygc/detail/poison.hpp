// SPDX-License-Identifier: BSL-1.0
// What AddressSanitizer and LeakSanitizer are told about the library's memory; nothing without them.
#pragma once

#include <cstddef>

#include <pygc/config.hpp>

#if PYGC_ASAN
extern "C" {
void __asan_poison_memory_region(void const volatile* addr, std::size_t size);
void __asan_unpoison_memory_region(void const volatile* addr, std::size_t size);
int __asan_address_is_poisoned(void const volatile* addr);
}
#endif

// Weak: whether LeakSanitizer is there is known when the program is linked. With `-fsanitize=leak` alone no macro tells.
#if PYGC_ASAN || defined(__ELF__)
#define PYGC_MAY_HAVE_LSAN 1
extern "C" {
__attribute__((weak)) void __lsan_register_root_region(void const* p, std::size_t size);
__attribute__((weak)) void __lsan_unregister_root_region(void const* p, std::size_t size);
}
#else
#define PYGC_MAY_HAVE_LSAN 0
#endif

namespace pygc::inline PYGC_ABI::detail {

inline void poison([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if PYGC_ASAN
    __asan_poison_memory_region(p, bytes);
#endif
}

inline void unpoison([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if PYGC_ASAN
    __asan_unpoison_memory_region(p, bytes);
#endif
}

/// True only under AddressSanitizer, for memory that no living object owns.
PYGC_INLINE bool is_poisoned([[maybe_unused]] const void* p) noexcept {
#if PYGC_ASAN
    return __asan_address_is_poisoned(p) != 0;
#else
    return false;
#endif
}

/// LeakSanitizer doesn't look into mapped memory by itself: what only our objects own (the buffer of
/// a vector member) would be reported while the object lives.
inline void watch_for_leaks([[maybe_unused]] const void* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if PYGC_MAY_HAVE_LSAN
    if (&__lsan_register_root_region != nullptr) __lsan_register_root_region(p, bytes);
#endif
}

/// To be called with the range that was watched, before it is unmapped.
inline void unwatch_for_leaks([[maybe_unused]] const void* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if PYGC_MAY_HAVE_LSAN
    if (&__lsan_unregister_root_region != nullptr) __lsan_unregister_root_region(p, bytes);
#endif
}

} // namespace pygc::inline PYGC_ABI::detail
