// SPDX-License-Identifier: BSL-1.0
// In debug mode and under AddressSanitizer, which addresses are those of chunks: any thread may ask about any address.
#pragma once

#include <cstddef>
#include <cstdint>

#include <pygc/config.hpp>
#include <pygc/detail/shared.hpp>

namespace pygc::inline PYGC_ABI::detail {

inline constexpr unsigned chunk_shift = 22;

#if PYGC_DEBUG || PYGC_ASAN

/// A bit for each place where a chunk may be, in 48 bits of address.
inline constexpr unsigned chunk_map_bits = sizeof(void*) == 8 ? 48 - chunk_shift : 32 - chunk_shift;
PYGC_SHARED inline constinit std::uint32_t chunk_map[std::size_t{1} << (chunk_map_bits - 5)] = {};

struct chunk_bit {
    std::uint32_t* word;
    std::uint32_t bit;
};
inline chunk_bit chunk_bit_of(const void* p) noexcept {
    const std::uintptr_t at =
        (reinterpret_cast<std::uintptr_t>(p) >> chunk_shift) % (std::uintptr_t{1} << chunk_map_bits);
    return {&chunk_map[at / 32], std::uint32_t{1} << (at % 32)};
}

inline void note_chunk(const void* chunk, bool mapped) noexcept {
    const shared_lock lock;
    const chunk_bit c = chunk_bit_of(chunk);
    store_relaxed(*c.word, mapped ? *c.word | c.bit : *c.word & ~c.bit);
}

/// Whether a chunk begins at `p`, which is aligned as one. Complexity: constant; takes no lock.
inline bool is_chunk(const void* p) noexcept {
    const chunk_bit c = chunk_bit_of(p);
    return (load_relaxed(*c.word) & c.bit) != 0;
}

#else

inline void note_chunk(const void*, bool) noexcept {}

#endif

} // namespace pygc::inline PYGC_ABI::detail
