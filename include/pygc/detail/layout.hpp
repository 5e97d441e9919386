// SPDX-License-Identifier: BSL-1.0
// How objects of one type lie in their pages.
#pragma once

#include <pygc/detail/ownership.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Of the type's bin in every heap, in bytes from the first. Given at first use; 0 until then.
template <class T>
inline constinit std::uint32_t bin_offset = 0;

/// `T` is what lives in the slots: a class derived from py_object, or a box.
template <class T>
struct layout {
    static_assert(
        requires(py_object * p) { static_cast<T*>(p); },
        "pygc: derive from pygc::py_object once, publicly and not virtually");

    template <class U>
    struct unboxed {
        using type = U;
    };
    template <class U>
    struct unboxed<box<U>> {
        using type = U;
    };
    /// The type as the user knows it.
    using value_type = typename unboxed<T>::type;

    static constexpr bool container = can_be_cyclic<value_type>();
    static constexpr bool has_finalizer = access::has_finalize<value_type>();
    static constexpr std::uint32_t header_offset = static_cast<std::uint32_t>(access::header_offset<T>());
    static constexpr std::uint32_t link_offset = header_offset == 0 ? std::uint32_t{sizeof(header)} : 0;
    static_assert(access::header_offset<T>() < page_bytes,
                  "pygc: name pygc::py_object first among the base classes of so large a class");
    static_assert(alignof(T) <= chunk_bytes / 2, "pygc: alignments up to 2 MiB are supported");

    static constexpr std::size_t slot_alignment = alignof(T) < alignof(header) ? alignof(header) : alignof(T);
    static constexpr std::size_t smallest_slot = sizeof(header) + sizeof(void*);
    static constexpr std::size_t slot_bytes =
        ((sizeof(T) < smallest_slot ? smallest_slot : sizeof(T)) + slot_alignment - 1) / slot_alignment *
        slot_alignment;
    static constexpr bool shares_page = slot_bytes <= largest_shared_slot;
    static constexpr std::uint32_t slot_count = shares_page ? static_cast<std::uint32_t>(page_bytes / slot_bytes) : 1;

    static const type_info info;

    PYGC_INLINE static T* object_of(py_object* p) noexcept { return static_cast<T*>(p); }
    PYGC_INLINE static void* slot_of(py_object* p) noexcept { return reinterpret_cast<char*>(p) - header_offset; }
};

} // namespace pygc::inline PYGC_ABI::detail
