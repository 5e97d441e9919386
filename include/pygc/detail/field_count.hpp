// SPDX-License-Identifier: BSL-1.0
// How many fields a plain struct has, found by trying what its braces accept.
//
// C arrays are the difficulty: braces around their elements may be left out, so the number of
// initialisers a struct accepts counts elements, not fields. For struct { char name[3]; int x; }:
//
//     {_, _, _, _}       accepted: 4 initialisers at the most
//     {{_}, _}           accepted, {{_}, _, _} is not: field 0 takes 4 - 1 = 3 of them
#pragma once

#include <cstddef>
#include <cstdint>     // SIZE_MAX
#include <type_traits> // is_aggregate
#include <utility>     // index_sequence

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

[[noreturn]] inline void only_used_unevaluated() noexcept {
    for (;;) {}
}

/// Converts to whatever a field wants. Defined, since a constructor tried on the way may name it.
struct any_value {
    template <class T>
    operator T() const noexcept {
        only_used_unevaluated();
    }
};

/// Converts only to base classes of `Owner`, which braces accept as if they were first fields.
template <class Owner>
struct any_base_of {
    template <class T>
        requires(__is_base_of(T, Owner) && !__is_same(T, Owner))
    operator T() const noexcept {
        only_used_unevaluated();
    }
};

struct no_value {};

template <std::size_t>
using any_value_at = any_value;

template <class T, std::size_t... Before>
constexpr bool accepts_flat(std::index_sequence<Before...>) noexcept {
    return requires { T{any_value_at<Before>{}...}; };
}

template <class T, std::size_t... Before, std::size_t... After>
constexpr bool accepts_braced(std::index_sequence<Before...>, std::index_sequence<After...>) noexcept {
    return requires { T{any_value_at<Before>{}..., {any_value{}}, any_value_at<After>{}...}; };
}

/// The largest n in [low, high) that `accepts` takes, given that it takes low and is monotonic.
template <std::size_t Low, std::size_t High, class Accepts>
constexpr std::size_t largest_accepted(Accepts accepts) noexcept {
    if constexpr (High - Low <= 1) {
        return Low;
    } else {
        constexpr std::size_t middle = Low + (High - Low) / 2;
        if constexpr (decltype(accepts(std::integral_constant<std::size_t, middle>{}))::value) {
            return largest_accepted<middle, High>(accepts);
        } else {
            return largest_accepted<Low, middle>(accepts);
        }
    }
}

/// The smallest number of initialisers accepted at all: more than none if a field, a reference say,
/// must not be left out.
template <class T, std::size_t N = 0>
constexpr std::size_t fewest_initialisers() noexcept {
    if constexpr (N > sizeof(T) || accepts_flat<T>(std::make_index_sequence<N>{})) {
        return N;
    } else {
        return fewest_initialisers<T, N + 1>();
    }
}

template <class T>
constexpr std::size_t most_initialisers() noexcept {
    // Bit-fields are the smallest fields: eight in a byte.
    return largest_accepted<fewest_initialisers<T>(), sizeof(T) * 8 + 1>([](auto n) {
        return std::bool_constant<accepts_flat<T>(std::make_index_sequence<decltype(n)::value>{})>{};
    });
}

/// How many initialisers at least must follow braces at `Begin`: more than none if a field further on
/// has no default. `Rest` + 1 if there can be no braces.
template <class T, std::size_t Begin, std::size_t Rest, std::size_t N = 0>
constexpr std::size_t fewest_after_braces() noexcept {
    if constexpr (accepts_braced<T>(std::make_index_sequence<Begin>{}, std::make_index_sequence<N>{})) {
        return N;
    } else if constexpr (N == Rest || fewest_initialisers<T>() == 0) {
        return Rest + 1;
    } else {
        return fewest_after_braces<T, Begin, Rest, N + 1>();
    }
}

/// How many of the `Total` initialisers the field that starts at `Begin` takes.
template <class T, std::size_t Begin, std::size_t Total>
constexpr std::size_t initialisers_of_field() noexcept {
    constexpr std::size_t rest = Total - Begin - 1;
    using before = std::make_index_sequence<Begin>;
    constexpr std::size_t low = fewest_after_braces<T, Begin, rest>();
    if constexpr (low > rest || accepts_braced<T>(before{}, std::make_index_sequence<rest>{})) {
        return 1; // no array, or one element
    } else {
        return Total - Begin - largest_accepted<low, rest + 1>([](auto n) {
            return std::bool_constant<accepts_braced<T>(before{}, std::make_index_sequence<decltype(n)::value>{})>{};
        });
    }
}

template <class T, std::size_t Begin, std::size_t Total>
constexpr std::size_t count_fields() noexcept {
    if constexpr (Begin >= Total) {
        return 0;
    } else {
        return 1 + count_fields<T, Begin + initialisers_of_field<T, Begin, Total>(), Total>();
    }
}

template <class T>
constexpr std::size_t count_fields() noexcept {
    if constexpr (fewest_initialisers<T>() > sizeof(T)) {
        return SIZE_MAX; // has a field, a reference say, that none of these ways can initialise
    } else {
        return count_fields<T, 0, most_initialisers<T>()>();
    }
}

/// Number of fields of the aggregate `T`, an array counting as one; SIZE_MAX if it can't be found.
template <class T>
inline constexpr std::size_t field_count = count_fields<T>();

template <class T>
inline constexpr bool has_base_class =
    requires { T{any_base_of<T>{}}; } && !requires { T{no_value{}}; };

} // namespace pygc::inline PYGC_ABI::detail
