// SPDX-License-Identifier: BSL-1.0
// In what types references hide. A type is seen into because the library knows that it owns what it shows: those of the
// standard library by their names, plain structs by their fields, all else by its own traverse or traverse_traits.
#pragma once

#include <cstddef>
#include <type_traits> // is_aggregate, is_trivially_destructible, remove_cvref
#include <utility>     // index_sequence, declval

#include <pygc/detail/fields.hpp>
#include <pygc/detail/known_types.hpp>
#include <pygc/object.hpp>

namespace pygc::inline PYGC_ABI {

/// Base for a `traverse_traits` specialisation of a type that holds no references, or whose references
/// are to be left alone: `template <> struct pygc::traverse_traits<X> : pygc::no_references {};`
struct no_references {
    template <class X, class V>
    static void traverse(X&, V&) noexcept {}
};

namespace detail {

/// What `counted` returns.
template <class T>
struct counted_place {
    T*& place;
};

} // namespace detail

/// For `traverse`: shows a raw pointer that owns a count, one that `release` gave and `steal` will take back.
///
///     void traverse(auto& visit) { if (is_reference) visit(pygc::counted(p)); }
///
/// `p` is the pointer in the object, not a copy of it: a collection nulls it where it leads to garbage, as a py_ref.
template <class T>
[[nodiscard]] PYGC_INLINE detail::counted_place<T> counted(T* const& p) noexcept {
    static_assert(std::is_object_v<T> && sizeof(T) > 0, "pygc: T is incomplete here; include its definition");
    return {const_cast<T*&>(p)};
}
template <class T>
void counted(T* const&&) = delete; // a copy of the pointer

} // namespace pygc::inline PYGC_ABI

namespace pygc::inline PYGC_ABI::detail {

enum class shape {
    nothing,   // owns no reference: a number, a string, any trivially destructible type
    pointer,   // a raw pointer or a reference: owns nothing
    by_traits, // traverse_traits<X>
    reference, // py_ref
    weak,      // py_weakref: owns its record, whose callback may own references
    counted,   // a raw pointer that owns a count
    by_member, // has a `traverse`
    array,     // C array
    owner,     // unique_ptr to one object
    row_owner, // unique_ptr to an array of unknown length
    lender,    // unique_ptr with a deleter of its own: nobody knows whether it owns
    optional,
    expected,
    variant,
    range,      // vector, list and their kin
    keyed,      // associative: its keys must keep their places
    adaptor,    // stack, queue, priority_queue
    tuple,      // pair and tuple
    aggregate,  // plain struct
    opaque,     // can't be seen into: std::function, std::any, std::shared_ptr, a class without traverse
    incomplete, // not defined here
    entangled,  // a plain struct whose fields can't be told apart
};

template <class X>
inline constexpr bool is_ref = false;
template <class T>
inline constexpr bool is_ref<py_ref<T>> = true;

template <class X>
inline constexpr bool is_weakref = false;
template <class T>
inline constexpr bool is_weakref<py_weakref<T>> = true;

template <class X>
inline constexpr bool is_counted = false;
template <class T>
inline constexpr bool is_counted<counted_place<T>> = true;

template <class X>
concept complete = requires {
    sizeof(X);
};

template <class X>
concept has_traits = complete<traverse_traits<X>>;

template <class T>
concept promises_acyclic = access::promises_acyclic<T>();

/// Stands for the fields of `X`, if they can't be told apart.
template <class X>
struct fields_of {};
template <class X>
inline constexpr bool is_fields_of = false;
template <class X>
inline constexpr bool is_fields_of<fields_of<X>> = true;

template <class Pointee, class Deleter>
consteval shape shape_of_owner(types<Pointee, Deleter>) {
    if constexpr (known_class<Deleter>::kind != known::deleter) {
        return shape::lender;
    } else {
        return std::is_array_v<Pointee> ? shape::row_owner : shape::owner;
    }
}

/// Whether a reference has no room in an `X`, besides the pointer to its virtual functions.
template <class X>
consteval bool has_no_room() {
    return sizeof(X) < sizeof(void*) || (std::is_polymorphic_v<X> && sizeof(X) == sizeof(void*));
}

/// `X` is not const-qualified.
template <class X>
consteval shape shape_of() {
    if constexpr (is_ref<X>) {
        return shape::reference;
    } else if constexpr (is_weakref<X>) {
        return shape::weak;
    } else if constexpr (is_counted<X>) {
        return shape::counted;
    } else if constexpr (is_fields_of<X>) {
        return shape::entangled;
    } else if constexpr (std::is_array_v<X>) {
        return shape::array;
    } else if constexpr (std::is_pointer_v<X> || std::is_reference_v<X>) {
        return shape::pointer;
    } else if constexpr (!std::is_class_v<X> && !std::is_union_v<X>) {
        return shape::nothing;
    } else if constexpr (has_traits<X>) {
        return __is_base_of(no_references, traverse_traits<X>) ? shape::nothing : shape::by_traits;
    } else if constexpr (constexpr known kind = known_class<X>::kind; kind != known::no) {
        switch (kind) {
        case known::sequence:
            return shape::range;
        case known::set:
        case known::map:
            return shape::keyed;
        case known::adaptor:
            return shape::adaptor;
        case known::optional:
            return shape::optional;
        case known::variant:
            return shape::variant;
        case known::expected:
            return shape::expected;
        case known::tuple:
            return shape::tuple;
        case known::hidden:
            return shape::opaque;
        case known::owner:
            if constexpr (kind == known::owner) return shape_of_owner(typename known_class<X>::arguments{});
            break;
        default:
            break;
        }
        return shape::nothing;
    } else if constexpr (!complete<X>) {
        return shape::incomplete;
    } else if constexpr (access::has_traverse<X, visitor>()) {
        return shape::by_member;
    } else if constexpr (std::is_trivially_destructible_v<X>) {
        return shape::nothing;
    } else if constexpr (access::names_traverse<X>()) {
        static_assert(!access::names_traverse<X>(),
                      "pygc: this type's traverse can't be called with a visitor; write "
                      "void traverse(auto& visit) { visit(a, b, c); } or void traverse(pygc::visitor& visit)");
    } else if constexpr (has_no_room<X>()) {
        return shape::nothing;
    } else if constexpr (std::is_aggregate_v<X> && !std::is_union_v<X>) {
        return shape::aggregate;
    } else {
        return promises_acyclic<X> ? shape::nothing : shape::opaque;
    }
}

struct field_types_of {
    template <class... X>
    constexpr types<X...> operator()(const X&...) const noexcept {
        return {};
    }
};

template <known Kind, class First>
types<std::remove_cv_t<First>> owned_arguments(types<First>);
template <known Kind, class First, class Second, class... More>
auto owned_arguments(types<First, Second, More...>) {
    if constexpr (Kind == known::variant || Kind == known::tuple || Kind == known::expected) {
        return types<std::remove_cv_t<First>, std::remove_cv_t<Second>, std::remove_cv_t<More>...>{};
    } else if constexpr (Kind == known::map) {
        return types<std::remove_cv_t<First>, std::remove_cv_t<Second>>{};
    } else if constexpr (Kind == known::adaptor) {
        return types<std::remove_cv_t<Second>>{};
    } else {
        return types<std::remove_cv_t<std::remove_extent_t<First>>>{};
    }
}
template <known Kind>
types<> owned_arguments(types<>);

template <class X>
using known_parts = decltype(owned_arguments<known_class<X>::kind>(typename known_class<X>::arguments{}));

/// The types directly inside an `X`, without const.
template <class X>
consteval auto parts_of() {
    constexpr shape s = shape_of<X>();
    if constexpr (s == shape::array) {
        return types<std::remove_cv_t<std::remove_all_extents_t<X>>>{};
    } else if constexpr (s == shape::aggregate) {
        if constexpr (can_be_taken_apart<X>) {
            return decltype(with_fields(std::declval<const X&>(), field_types_of{})){};
        } else {
            return types<fields_of<X>>{};
        }
    } else if constexpr (s == shape::owner || s == shape::row_owner || s == shape::optional || s == shape::expected ||
                         s == shape::variant || s == shape::range || s == shape::keyed || s == shape::adaptor ||
                         s == shape::tuple) {
        return known_parts<X>{};
    } else {
        return types<>{};
    }
}

template <class X>
struct type_is {};

/// The types that have been met, and those of them that have not been looked into: a breadth-first search, in
/// which each type has its turn once, however many ways lead to it.
template <class Met, class Waiting>
struct search {};

template <class... Met, class... Waiting, class X>
consteval auto operator+(search<types<Met...>, types<Waiting...>> s, type_is<X>) {
    if constexpr ((__is_same(Met, X) || ...)) {
        return s;
    } else {
        return search<types<Met..., X>, types<Waiting..., X>>{};
    }
}

template <class Search, class... X>
consteval auto meet(Search s, types<X...>) {
    return (s + ... + type_is<X>{});
}

template <bool BelievePromises, class Met>
consteval Met close(search<Met, types<>>) {
    return {};
}
template <bool BelievePromises, class Met, class X, class... Waiting>
consteval auto close(search<Met, types<X, Waiting...>>) {
    constexpr search<Met, types<Waiting...>> rest;
    if constexpr (BelievePromises && std::is_class_v<X> && complete<X>) {
        if constexpr (promises_acyclic<X>) {
            return close<BelievePromises>(rest);
        } else {
            return close<BelievePromises>(meet(rest, parts_of<X>()));
        }
    } else {
        return close<BelievePromises>(meet(rest, parts_of<X>()));
    }
}

/// `X` and the types of all values that are inside one, at any depth.
template <class X>
using owned_types = decltype(close<false>(search<types<X>, types<X>>{}));

/// `owned_types` without what is inside the values that promise to be acyclic.
template <class X>
using unpromised_types = decltype(close<true>(search<types<X>, types<X>>{}));

template <class X>
consteval bool shows_references() {
    constexpr shape s = shape_of<X>();
    // What is incomplete or entangled is refused where it is visited.
    return s == shape::reference || s == shape::weak || s == shape::counted || s == shape::by_traits ||
           s == shape::by_member || s == shape::incomplete || s == shape::entangled;
}

template <class... X>
consteval bool any_shows_references(types<X...>) {
    return (shows_references<X>() || ...);
}

/// Whether a visit of an `X` can find a reference.
template <class X>
inline constexpr bool holds_references_v = any_shows_references(owned_types<X>{});

template <class X>
consteval bool holds_references() {
    return holds_references_v<X>;
}

} // namespace pygc::inline PYGC_ABI::detail
