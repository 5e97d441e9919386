// SPDX-License-Identifier: BSL-1.0
// Every macro of the library, each always defined to a value, and the inline ABI namespace.
#pragma once

#include <pygc/version.hpp>

// 1 adds consistency checks at phase borders and checks of every borrow. Changes the ABI tag, so
// that a program mixing both settings fails to link instead of failing at run time.
#ifndef PYGC_DEBUG
#define PYGC_DEBUG 0
#endif

#ifndef PYGC_EXCEPTIONS
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define PYGC_EXCEPTIONS 1
#else
#define PYGC_EXCEPTIONS 0
#endif
#endif

#ifndef PYGC_RTTI
#if defined(__cpp_rtti) || defined(_CPPRTTI)
#define PYGC_RTTI 1
#else
#define PYGC_RTTI 0
#endif
#endif

// 1 makes it an error, not a warning, to make objects of a class that has a destructor and neither a `traverse` nor
// `pygc_acyclic`. Objects stay the same.
#ifndef PYGC_REQUIRE_TRAVERSE
#define PYGC_REQUIRE_TRAVERSE 0
#endif

// 1 when AddressSanitizer watches this translation unit: freed slots are then poisoned and reused
// as late as possible.
#ifndef PYGC_ASAN
#if defined(__SANITIZE_ADDRESS__)
#define PYGC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PYGC_ASAN 1
#else
#define PYGC_ASAN 0
#endif
#else
#define PYGC_ASAN 0
#endif
#endif

// 1 asks Linux for memory in huge pages where a heap is large: see detail/storage.hpp.
#ifndef PYGC_HUGE_PAGES
#define PYGC_HUGE_PAGES 1
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define PYGC_NOINLINE __declspec(noinline)
#define PYGC_INLINE __forceinline
#define PYGC_FLATTEN
#else
#define PYGC_NOINLINE __attribute__((noinline))
#define PYGC_INLINE __attribute__((always_inline)) inline
// On a loop over a page: whatever it calls, the user's traverse first of all, is inlined into it.
#define PYGC_FLATTEN __attribute__((flatten))
#endif

// Every make_ref and every death needs a few words of the thread. In a shared library the general way to them is a
// function call; this one is a load, and they fit the room that glibc keeps for libraries loaded at run time. In a
// program the compiler knows a better one still.
#if defined(__ELF__) && defined(__PIC__) && !defined(__PIE__) && __has_include(<gnu/libc-version.h>)
#define PYGC_THREAD_LOCAL __attribute__((tls_model("initial-exec"))) thread_local
#else
#define PYGC_THREAD_LOCAL thread_local
#endif

// 1 in a library that has a copy of pygc of its own on purpose, and hands no objects over: see detail/copies.hpp.
#ifndef PYGC_SEPARATE_COPY
#define PYGC_SEPARATE_COPY 0
#endif

// On the variables that all libraries of a process must share, whatever visibility they are compiled with.
#if defined(__GNUC__) && !defined(_WIN32)
#define PYGC_SHARED __attribute__((visibility("default")))
#else
#define PYGC_SHARED
#endif

#if PYGC_DEBUG && PYGC_ASAN
#define PYGC_ABI v0_debug_asan
#elif PYGC_DEBUG
#define PYGC_ABI v0_debug
#elif PYGC_ASAN
#define PYGC_ABI v0_asan
#else
#define PYGC_ABI v0
#endif

namespace pygc::inline PYGC_ABI::detail {

/// Asks for the cache line at `p`; a hint, never a fault.
PYGC_INLINE void prefetch([[maybe_unused]] const void* p) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(p);
#endif
}

/// Tells the compiler that the memory behind `p` is read and written here. Needed around a destructor:
/// a compiler may drop stores made before it and invent values for loads made after it, since the
/// object's lifetime has ended; the header's bytes outlive the object.
PYGC_INLINE void keep_bytes([[maybe_unused]] const void* p) noexcept {
#if defined(__GNUC__)
    asm volatile("" : : "r"(p) : "memory");
#endif
}

} // namespace pygc::inline PYGC_ABI::detail
