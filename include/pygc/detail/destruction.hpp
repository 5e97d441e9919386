// SPDX-License-Identifier: BSL-1.0
// The end of one object of type T.
#pragma once

#include <type_traits> // is_trivially_destructible, is_nothrow_destructible

#include <pygc/detail/death.hpp>
#include <pygc/detail/layout.hpp>
#include <pygc/detail/type_name.hpp>

namespace pygc::inline PYGC_ABI::detail {

template <class T>
struct destruction : layout<T> {
    using typename layout<T>::value_type;
    using layout<T>::container;
    using layout<T>::has_finalizer;
    using layout<T>::info;
    using layout<T>::object_of;
    using layout<T>::slot_of;

    /// The count of `p` fell to zero.
    static void destroy(page& where, py_object* p) noexcept {
        if (is_kept_for_another_thread(info, p)) return;
        header& h = header_of(p);
        // A young container and an untracked leaf are the common cases, and one comparison.
        if constexpr (has_finalizer) {
            if (!prepare_death(where, p)) return;
        } else if (h.state != state_of_simple_death(info)) [[unlikely]] {
            return prepare_and_destroy(where, p);
        }
        if constexpr (std::is_trivially_destructible_v<T> && !container) {
            h.state = age_none | life_dying;
            free_slot(where, slot_of(p), info);
        } else {
            if (--this_thread.nesting_left < 0) [[unlikely]]
                return postpone_or_destroy(where, p, has_finalizer ? h.state & state_mask : 0);
            destroy_nested(where, p);
        }
    }

    /// Runs the destructor. Preconditions: `begin_death`.
    PYGC_INLINE static void destruct(py_object* p) noexcept {
        T* const object = object_of(p);
        keep_bytes(p);
#if PYGC_EXCEPTIONS
        if constexpr (!std::is_nothrow_destructible_v<T>) {
            try {
                access::destroy(*object);
            } catch (...) {
                report_unraisable(*chunk_of(p).heap, "the destructor of", type_name<value_type>(), p);
            }
        } else
#endif
        {
            access::destroy(*object);
        }
        keep_bytes(p);
    }

    /// Calls the user's `finalize`, for the first and last time. Preconditions: a reference is held.
    static void finalize([[maybe_unused]] page& where, [[maybe_unused]] py_object* p) noexcept {
        if constexpr (has_finalizer) {
            header_of(p).state |= life_finalized;
#if PYGC_EXCEPTIONS
            try {
                access::finalize(*object_of(p));
            } catch (...) {
                report_unraisable(*chunk_of(&where).heap, "the finalizer of", type_name<value_type>(), p);
            }
#else
            access::finalize(*object_of(p));
#endif
        }
    }

private:
    /// Preconditions: `nesting_left` is that of the destructor; afterwards it is the caller's again.
    PYGC_INLINE static void destroy_nested(page& where, py_object* p) noexcept {
        begin_death(p);
        destruct(p);
        if (this_thread.nesting_left == 0) [[unlikely]]
            destroy_postponed();
        keep_bytes(p); // or the compiler keeps the number, for three instructions instead of one
        ++this_thread.nesting_left;
        if (!has_escaped(p)) [[likely]]
            free_slot(where, slot_of(p), info);
    }
};

} // namespace pygc::inline PYGC_ABI::detail
