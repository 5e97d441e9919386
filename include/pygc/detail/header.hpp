// SPDX-License-Identifier: BSL-1.0
// The eight bytes in front of every object: its reference count and its state.
//
//      31                              0 31            12 11   3 2    0
//     +---------------------------------+----------------+------+------+
//     | count (signed)                  | (unused)       | life | age  |
//     +---------------------------------+----------------+------+------+
//
//   count  > 0  that many references          age   0 1 2 3  tracked, see below
//          < 0  immortal: never freed               7        not tracked
//                                             life  0 while an ordinary object lives that never had a
//                                                   weak reference and whose finalizer hasn't run
#pragma once

#include <cstdint>

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

struct alignas(8) header {
    std::int32_t count;
    std::uint32_t state;
};
static_assert(sizeof(header) == 8);

// Ages are ordered so that "in generation g or younger" is one unsigned comparison. Generation 2 has
// two of them: the pacing needs to know how many of its objects no full collection has seen yet, and
// that number must fall when one of them dies.
enum : std::uint32_t {
    age_young = 0,
    age_middle = 1,
    age_old_new = 2,
    age_old = 3,
    age_none = 7,
    age_mask = 7,

    life_dying = 1u << 3,     // its destructor is running
    life_postponed = 1u << 4, // its count fell to zero, and its destructor waits in the thread's trashcan
    life_zombie = 1u << 5,    // destroyed, but its destructor let a reference to it escape
    life_immortal = 1u << 6,  // the count overflowed, or `immortalize`
    life_finalized = 1u << 7, // its finalizer has been called, and never will be again
    life_weak = 1u << 8,      // weak references lead here: the heap's weak table knows them
    life_condemned = 1u << 9, // found unreachable by a collection that now runs code of the user
    life_unlinked = 1u << 10, // a collection is nulling the references to it, and counts them: see clear_references.hpp
    state_mask = (1u << 12) - 1,
};

/// Where an immortal count is pinned: among the negative numbers, where the next copy finds it.
inline constexpr std::int32_t pinned_count = INT32_MIN / 2;

/// The count of an object whose destructor runs, and of a free slot. References taken and dropped by the destructor
/// itself then never bring it back to zero, so no object is destroyed twice.
inline constexpr std::int32_t dying_count = 1 << 28;

/// The ages of each generation; a collection looks at the oldest and everything younger.
inline constexpr std::uint32_t youngest_age_of[3] = {age_young, age_middle, age_old_new};
/// Number 3 is for full collections that leave the ages alone.
inline constexpr std::uint32_t oldest_age_of[4] = {age_young, age_middle, age_old, age_old};
/// The age of what survives a collection of each generation.
inline constexpr std::uint32_t survivor_age_of[3] = {age_middle, age_old_new, age_old};

PYGC_INLINE std::uint32_t age_of(const header& h) noexcept { return h.state & age_mask; }

/// Whether an object's constructor hasn't returned yet, or it isn't a container; it may have made weak references.
PYGC_INLINE bool is_in_construction(const header& h) noexcept {
    return (h.state & state_mask & ~std::uint32_t{life_weak | life_finalized}) == age_none;
}

/// Whether it is garbage that no weak reference leads to any more, and whose destructor hasn't run.
PYGC_INLINE bool is_condemned_and_dying(const header& h) noexcept {
    constexpr std::uint32_t both = life_condemned | life_dying;
    return (h.state & both) == both;
}

inline void make_immortal(header& h) noexcept {
    h.count = pinned_count;
    h.state |= life_immortal;
}

PYGC_INLINE void add_reference(header& h) noexcept {
    // Unsigned: overflow saturates to immortal instead of being undefined.
    h.count = static_cast<std::int32_t>(static_cast<std::uint32_t>(h.count) + 1u);
    if (h.count < 0) [[unlikely]]
        make_immortal(h);
}

/// True if the count fell to zero. An immortal one may fall from its pin and get there as well, after
/// billions of drops: whoever destroys looks for `life_immortal`.
PYGC_INLINE bool remove_reference(header& h) noexcept {
    h.count = static_cast<std::int32_t>(static_cast<std::uint32_t>(h.count) - 1u);
    return h.count == 0; // one subtraction and its flags
}

} // namespace pygc::inline PYGC_ABI::detail
