// SPDX-License-Identifier: BSL-1.0
// The little that threads share: a lock, type numbers and relaxed reads of them. <atomic> would cost
// as much to include as everything else together, so GNU compilers use their builtins.
#pragma once

#include <cstdint>
#include <type_traits>

#include <pygc/config.hpp>

#if !defined(__GNUC__)
#include <atomic>
#endif

namespace pygc::inline PYGC_ABI::detail {

template <class T>
PYGC_INLINE T load_relaxed(const T& x) noexcept {
#if defined(__GNUC__)
    return __atomic_load_n(&x, __ATOMIC_RELAXED);
#else
    return std::atomic_ref<T>(const_cast<T&>(x)).load(std::memory_order_relaxed);
#endif
}

template <class T>
PYGC_INLINE void store_relaxed(T& x, std::type_identity_t<T> value) noexcept {
#if defined(__GNUC__)
    __atomic_store_n(&x, value, __ATOMIC_RELAXED);
#else
    std::atomic_ref<T>(x).store(value, std::memory_order_relaxed);
#endif
}

/// Whether the lock is held.
PYGC_SHARED inline constinit bool shared_lock_taken = false;

/// Held for a few instructions when a heap begins or ends and when a type is first used.
class shared_lock {
public:
    shared_lock() noexcept { take(); }
    ~shared_lock() { give_back(); }
    shared_lock(const shared_lock&) = delete;
    shared_lock& operator=(const shared_lock&) = delete;

    static void take() noexcept {
#if defined(__GNUC__)
        while (__atomic_test_and_set(&shared_lock_taken, __ATOMIC_ACQUIRE)) {
        }
#else
        while (std::atomic_ref<bool>(shared_lock_taken).exchange(true, std::memory_order_acquire)) {
        }
#endif
    }
    static void give_back() noexcept {
#if defined(__GNUC__)
        __atomic_clear(&shared_lock_taken, __ATOMIC_RELEASE);
#else
        std::atomic_ref<bool>(shared_lock_taken).store(false, std::memory_order_release);
#endif
    }
};

} // namespace pygc::inline PYGC_ABI::detail
