// SPDX-License-Identifier: BSL-1.0
// How many fields a plain struct has, found by trying what its braces accept.
//
// `{}` initialises one field, a C array of any length too. So the largest number of them that a struct accepts is that
// of its fields, if each of them has a default. For those that have none a value stands that converts to anything; and
// then C arrays are the difficulty: braces around their elements may be left out, so the number of values that a
// struct accepts counts elements, not fields. For struct { char name[3]; no_default x; int y; }:
//
//     {_, _, _, _}           the fewest values that leave fields with defaults only
//     {_, _, _, _, {}}       and all the rest
//     {{_}, _, {}}           accepted: field 0 takes 3 of the values
#pragma once

#include <cstddef>
#include <cstdint>     // SIZE_MAX
#include <type_traits> // is_aggregate
#include <utility>     // index_sequence

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

[[noreturn]] inline void only_used_unevaluated() noexcept {
    for (;;) {
    }
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
    operator T() const noexcept { only_used_unevaluated(); }
};

struct no_value {};

template <std::size_t>
using any_value_at = any_value;

template <std::size_t N>
using count_of = std::make_index_sequence<N>;

inline constexpr std::size_t most_fields = 64;

/// What `T` accepts in braces that have `N` defaults in them. No pack expands to `{}`, so each number has its line.
template <std::size_t N>
struct defaults;

#define PYGC_D1 {},
#define PYGC_D2 PYGC_D1 PYGC_D1
#define PYGC_D4 PYGC_D2 PYGC_D2
#define PYGC_D8 PYGC_D4 PYGC_D4
#define PYGC_D16 PYGC_D8 PYGC_D8
#define PYGC_D32 PYGC_D16 PYGC_D16
#define PYGC_D64 PYGC_D32 PYGC_D32
#define PYGC_DEFAULTS(n, ...)                                                                                          \
    template <>                                                                                                        \
    struct defaults<n> {                                                                                               \
        template <class T, std::size_t... Before, std::size_t... Braced, std::size_t... After, std::size_t... Last>    \
        static constexpr bool accepted(std::index_sequence<Before...>, std::index_sequence<Braced...>,                 \
                                       std::index_sequence<After...>, std::index_sequence<Last...>) noexcept {         \
            return requires {                                                                                          \
                T{any_value_at<Before>{}...,                                                                           \
                  {any_value_at<Braced>{}}...,                                                                         \
                  any_value_at<After>{}...,                                                                            \
                  __VA_ARGS__ any_value_at<Last>{}...};                                                                \
            };                                                                                                         \
        }                                                                                                              \
    };
#define PYGC_FOUR_DEFAULTS(n, ...)                                                                                     \
    PYGC_DEFAULTS(n, __VA_ARGS__)                                                                                      \
    PYGC_DEFAULTS(n + 1, PYGC_D1 __VA_ARGS__)                                                                          \
    PYGC_DEFAULTS(n + 2, PYGC_D2 __VA_ARGS__)                                                                          \
    PYGC_DEFAULTS(n + 3, PYGC_D2 PYGC_D1 __VA_ARGS__)
#define PYGC_SIXTEEN_DEFAULTS(n, ...)                                                                                  \
    PYGC_FOUR_DEFAULTS(n, __VA_ARGS__)                                                                                 \
    PYGC_FOUR_DEFAULTS(n + 4, PYGC_D4 __VA_ARGS__)                                                                     \
    PYGC_FOUR_DEFAULTS(n + 8, PYGC_D8 __VA_ARGS__)                                                                     \
    PYGC_FOUR_DEFAULTS(n + 12, PYGC_D8 PYGC_D4 __VA_ARGS__)
PYGC_SIXTEEN_DEFAULTS(0, )
PYGC_SIXTEEN_DEFAULTS(16, PYGC_D16)
PYGC_SIXTEEN_DEFAULTS(32, PYGC_D32)
PYGC_SIXTEEN_DEFAULTS(48, PYGC_D32 PYGC_D16)
PYGC_DEFAULTS(64, PYGC_D64)
PYGC_DEFAULTS(65, PYGC_D64 PYGC_D1)
#undef PYGC_SIXTEEN_DEFAULTS
#undef PYGC_FOUR_DEFAULTS
#undef PYGC_DEFAULTS
#undef PYGC_D64
#undef PYGC_D32
#undef PYGC_D16
#undef PYGC_D8
#undef PYGC_D4
#undef PYGC_D2
#undef PYGC_D1

/// Whether `T` accepts so many values, then so many defaults, and then `Last` more values.
template <class T, std::size_t Values, std::size_t Defaults, std::size_t Last = 0>
inline constexpr bool accepts = defaults<Defaults>::template accepted<T>(count_of<Values>{}, count_of<0>{},
                                                                         count_of<0>{}, count_of<Last>{});

/// Whether `T` accepts values with braces around the one at `Begin`, and `Values` more behind it.
template <class T, std::size_t Begin, std::size_t Values, std::size_t Defaults>
inline constexpr bool accepts_braced = defaults<Defaults>::template accepted<T>(count_of<Begin>{}, count_of<1>{},
                                                                                count_of<Values>{}, count_of<0>{});

/// The most defaults in [Low, High) that `T` accepts behind `Values` values, given that it accepts Low of them.
template <class T, std::size_t Values, std::size_t Low = 0, std::size_t High = most_fields + 2>
constexpr std::size_t most_defaults() noexcept {
    if constexpr (High - Low <= 1) {
        return Low;
    } else {
        constexpr std::size_t middle = Low + (High - Low) / 2;
        if constexpr (accepts<T, Values, middle>) {
            return most_defaults<T, Values, middle, High>();
        } else {
            return most_defaults<T, Values, Low, middle>();
        }
    }
}

/// How many of `Values` values the field that starts at `Begin` takes: more than one if it is an array. Tried from
/// above: with a value too few behind the braces a field without a default has none, with one too many an array may
/// take it.
template <class T, std::size_t Begin, std::size_t Values, std::size_t Defaults, std::size_t N = Values - Begin>
constexpr std::size_t values_of_field() noexcept {
    if constexpr (N <= 1) {
        return 1;
    } else if constexpr (accepts_braced<T, Begin, Values - Begin - N, Defaults>) {
        return N;
    } else {
        return values_of_field<T, Begin, Values, Defaults, N - 1>();
    }
}

template <class T, std::size_t Begin, std::size_t Values, std::size_t Defaults>
constexpr std::size_t fields_with_values() noexcept {
    if constexpr (Begin >= Values) {
        return 0;
    } else {
        return 1 + fields_with_values<T, Begin + values_of_field<T, Begin, Values, Defaults>(), Values, Defaults>();
    }
}

/// A struct that needs more values than this, for the elements of an array before a field without a default, is one
/// whose fields can't be found: to try costs the compiler the square of it.
inline constexpr std::size_t most_values = 256;

/// The smallest number of values with which, and as many defaults as it takes, all fields are initialised.
template <class T, std::size_t Values = 0>
constexpr std::size_t count_fields() noexcept {
    if constexpr (Values > most_values || Values > sizeof(T) * 8) {
        return SIZE_MAX; // has a field, a reference say, that none of these ways can initialise
    } else if constexpr (!accepts<T, Values, 0>) {
        return count_fields<T, Values + 1>();
    } else {
        constexpr std::size_t rest = most_defaults<T, Values>();
        if constexpr (Values == most_fields && rest > most_fields) {
            return SIZE_MAX; // a large array before a field with a default of its own
        } else if constexpr (accepts<T, Values, rest, 1> || (Values != 0 && rest > most_fields)) {
            // The next field has a default of its own, and accepts no other; or these are elements of an array.
            return count_fields<T, Values + 1>();
        } else {
            return fields_with_values<T, 0, Values, rest>() + rest;
        }
    }
}

/// Number of fields of the aggregate `T`, an array counting as one; SIZE_MAX if it can't be found.
template <class T>
inline constexpr std::size_t field_count = count_fields<T>();

template <class T>
inline constexpr bool has_base_class = requires {
    T{any_base_of<T>{}};
}
&&!requires { T{no_value{}}; };

} // namespace pygc::inline PYGC_ABI::detail
