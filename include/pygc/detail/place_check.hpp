// SPDX-License-Identifier: BSL-1.0
// Whether what a `traverse` shows can belong to the object that shows it, by its address: a collection nulls it.
#pragma once

#include <cstddef>
#include <cstdint>

#include <pygc/detail/heap_state.hpp>

#if defined(__ELF__) && defined(__GNUC__)
extern "C" {
// The static data of the program, and where the stack of its first thread begins. Weak: not every system has them.
__attribute__((weak)) extern char __data_start[];
__attribute__((weak)) extern char _end[];
__attribute__((weak)) extern void* __libc_stack_end;
}
#endif

namespace pygc::inline PYGC_ABI::detail {

/// Where a reference stands that an object shows, and that isn't inside the object.
enum class place_kind : unsigned char {
    unknown,      // memory that the object may own: the buffer of a container, a node of a list
    other_object, // in another object, or among the engine's books
    stack,        // a local variable: a copy, or somebody else's
    statics,      // a static variable
};

/// Tells by an address. Remembers blocks of memory of the size of a chunk that hold neither objects nor statics.
class place_check {
public:
    /// `frame`: the address of a local variable of whoever started the collection.
    PYGC_NOINLINE place_kind kind_of(const heap_state& h, const void* place, const void* frame) noexcept {
        const auto p = reinterpret_cast<std::uintptr_t>(place);
        if (is_on_stack(p, reinterpret_cast<std::uintptr_t>(frame))) return place_kind::stack;
        const std::uintptr_t block = p / chunk_bytes;
        std::uintptr_t& known = unknown_[block % blocks];
        if (known == block) return place_kind::unknown;
        if (h.pages.covers(place)) return place_kind::other_object;
#if defined(__ELF__) && defined(__GNUC__)
        const auto begin = reinterpret_cast<std::uintptr_t>(&__data_start);
        const auto end = reinterpret_cast<std::uintptr_t>(&_end);
        if (begin != 0 && begin < end) {
            if (p - begin < end - begin) return place_kind::statics;
            if (block >= begin / chunk_bytes && block <= end / chunk_bytes) return place_kind::unknown;
        }
#endif
        known = block;
        return place_kind::unknown;
    }

private:
    /// Between the frames of the collection and of the running `traverse`; or further up, where that is known.
    PYGC_NOINLINE static bool is_on_stack(std::uintptr_t p, std::uintptr_t frame) noexcept {
#if defined(__GNUC__)
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        if (p - here < frame - here && here < frame) return true;
#if defined(__ELF__)
        if (&__libc_stack_end != nullptr) {
            // Nothing else is mapped so near the beginning of the first thread's stack.
            const auto top = reinterpret_cast<std::uintptr_t>(__libc_stack_end);
            constexpr std::uintptr_t usual_stack = std::uintptr_t{8} << 20;
            if (here < top && top - here < usual_stack && p >= here && p < top) return true;
        }
#endif
#endif
        return false;
    }

    static constexpr std::size_t blocks = 64;
    std::uintptr_t unknown_[blocks] = {};
};

} // namespace pygc::inline PYGC_ABI::detail
