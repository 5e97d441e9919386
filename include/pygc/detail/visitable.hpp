// SPDX-License-Identifier: BSL-1.0
// What kinds of types references hide in, recognised by shape: no container's header is included here.
#pragma once

#include <cstddef>
#include <type_traits> // is_aggregate, is_trivially_destructible, remove_cvref
#include <utility>     // tuple_size, tuple_element, index_sequence, declval

#include <pygc/detail/fields.hpp>
#include <pygc/ref.hpp>

namespace pygc::inline PYGC_ABI::detail {

enum class shape {
    nothing,   // owns nothing: a number, a raw pointer, a span, any trivially destructible type
    by_traits, // traverse_traits<X>
    reference, // py_ref
    weak,      // py_weakref: owns its record, whose callback may own references
    by_member, // has a `traverse`
    array,     // C array
    owner,     // unique_ptr to one object
    row_owner, // unique_ptr to an array of unknown length
    optional,
    variant,
    range,     // whatever has begin() and end(): every standard container
    adaptor,   // stack, queue, priority_queue
    tuple,     // pair and tuple
    aggregate, // plain struct
    opaque,    // can't be seen into: std::function, std::any, std::shared_ptr, a class without traverse
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
concept complete = requires {
    sizeof(X);
};

template <class X>
concept has_traits = complete<traverse_traits<X>>;

template <class X>
concept like_owner = requires(X& x) {
    typename X::element_type;
    typename X::deleter_type;
    x.get();
};

template <class X>
concept like_optional = requires(X& x) {
    typename X::value_type;
    x.has_value();
    *x;
};

template <class X>
concept like_variant = requires(X& x) {
    x.index();
    x.valueless_by_exception();
};

template <class X>
concept like_range = requires(X& x) {
    x.begin();
    x.end();
};

template <class X>
concept like_adaptor = requires {
    typename X::container_type;
};

template <class X>
concept like_tuple = requires {
    std::tuple_size<X>::value;
};

/// `X` is not const-qualified.
template <class X>
consteval shape shape_of() {
    if constexpr (is_ref<X>) {
        return shape::reference;
    } else if constexpr (is_weakref<X>) {
        return shape::weak;
    } else if constexpr (std::is_array_v<X>) {
        return shape::array;
    } else if constexpr (!std::is_class_v<X> && !std::is_union_v<X>) {
        return shape::nothing;
    } else if constexpr (has_traits<X>) {
        return shape::by_traits;
    } else if constexpr (std::is_trivially_destructible_v<X>) {
        return shape::nothing;
    } else if constexpr (access::has_traverse<X, visitor>()) {
        return shape::by_member;
    } else if constexpr (access::names_traverse<X>()) {
        static_assert(!access::names_traverse<X>(),
                      "pygc: this type's traverse can't be called with a visitor; write "
                      "void traverse(auto& visit) { visit(a, b, c); } or void traverse(pygc::visitor& visit)");
    } else if constexpr (like_owner<X>) {
        return std::is_convertible_v<decltype(*std::declval<X&>().get()), typename X::element_type&> &&
               requires(X & x) {
            *x;
        }
        ? shape::owner : shape::row_owner;
    } else if constexpr (like_optional<X>) {
        return shape::optional;
    } else if constexpr (like_variant<X>) {
        return shape::variant;
    } else if constexpr (like_range<X>) {
        return shape::range;
    } else if constexpr (like_adaptor<X>) {
        return shape::adaptor;
    } else if constexpr (like_tuple<X>) {
        return shape::tuple;
    } else if constexpr (std::is_aggregate_v<X>) {
        return shape::aggregate;
    } else {
        return shape::opaque;
    }
}

template <class... X>
struct types {};

template <class X>
struct alternatives_of;
template <template <class...> class Variant, class... X>
struct alternatives_of<Variant<X...>> {
    using type = types<X...>;
};

struct field_types_of {
    template <class... X>
    constexpr types<X...> operator()(const X&...) const noexcept {
        return {};
    }
};

template <class X, std::size_t... I>
types<std::remove_cv_t<std::tuple_element_t<I, X>>...> elements_of(std::index_sequence<I...>);

/// The types directly inside an `X`, without const.
template <class X>
consteval auto parts_of() {
    constexpr shape s = shape_of<X>();
    if constexpr (s == shape::array) {
        return types<std::remove_cv_t<std::remove_all_extents_t<X>>>{};
    } else if constexpr (s == shape::owner || s == shape::row_owner) {
        return types<std::remove_cv_t<typename X::element_type>>{};
    } else if constexpr (s == shape::optional) {
        return types<std::remove_cv_t<typename X::value_type>>{};
    } else if constexpr (s == shape::variant) {
        return typename alternatives_of<X>::type{};
    } else if constexpr (s == shape::range) {
        return types<std::remove_cvref_t<decltype(*std::declval<X&>().begin())>>{};
    } else if constexpr (s == shape::adaptor) {
        return types<typename X::container_type>{};
    } else if constexpr (s == shape::tuple) {
        return decltype(elements_of<X>(std::make_index_sequence<std::tuple_size<X>::value>{})){};
    } else if constexpr (s == shape::aggregate) {
        return decltype(with_fields(std::declval<const X&>(), field_types_of{})){};
    } else {
        return types<>{};
    }
}

template <class X, class... Seen>
consteval bool holds_references();

template <class... X, class... Seen>
consteval bool any_holds_references(types<X...>, types<Seen...>) {
    return (holds_references<X, Seen...>() || ...);
}

/// Whether a visit of an `X` can find a reference. `Seen` ends the recursion of types inside themselves.
template <class X, class... Seen>
consteval bool holds_references() {
    if constexpr ((std::is_same_v<X, Seen> || ...)) {
        return false;
    } else if constexpr (!complete<X>) {
        return true; // let the attempt to visit it say so
    } else {
        constexpr shape s = shape_of<X>();
        if constexpr (s == shape::reference || s == shape::weak || s == shape::by_traits || s == shape::by_member) {
            return true;
        } else {
            return any_holds_references(parts_of<X>(), types<X, Seen...>{});
        }
    }
}

template <class T>
concept promises_acyclic = requires {
    typename T::pygc_acyclic;
};

template <class X, class Target, class... Seen>
consteval bool leads_to();

template <class... X, class Target, class... Seen>
consteval bool any_leads_to(types<X...>, types<Target>, types<Seen...>) {
    return (leads_to<X, Target, Seen...>() || ...);
}

/// Whether references inside an `X` may lead to a `Target`, directly or through others. Where the
/// answer is open, since a class may be derived from or hides its references, it is yes.
template <class X, class Target, class... Seen>
consteval bool leads_to() {
    if constexpr ((std::is_same_v<X, Seen> || ...)) {
        return false;
    } else if constexpr (!complete<X>) {
        return true;
    } else if constexpr (promises_acyclic<X>) {
        return false;
    } else if constexpr (is_ref<X>) {
        using referent = std::remove_cv_t<typename X::element_type>;
        if constexpr (std::is_same_v<referent, Target>) {
            return true;
        } else if constexpr (!complete<referent>) {
            return true;
        } else if constexpr (promises_acyclic<referent>) {
            return false;
        } else if constexpr (__is_base_of(py_object, referent)) {
            return !__is_final(referent) || access::has_traverse<referent, visitor>();
        } else {
            return leads_to<referent, Target, X, Seen...>();
        }
    } else {
        constexpr shape s = shape_of<X>();
        if constexpr (s == shape::weak || s == shape::by_traits || s == shape::by_member) {
            return true; // a weak reference's callback may own anything
        } else {
            return any_leads_to(parts_of<X>(), types<Target>{}, types<X, Seen...>{});
        }
    }
}

/// Whether objects of type `T` can be part of a cycle, and so are tracked.
template <class T>
consteval bool can_be_cyclic() {
    if constexpr (promises_acyclic<T>) {
        return false;
    } else if constexpr (__is_base_of(py_object, T)) {
        constexpr bool visited = access::has_traverse<T, visitor>();
        static_assert(visited || !access::names_traverse<T>(),
                      "pygc: this type's traverse can't be called with a visitor; write "
                      "void traverse(auto& visit) { visit(a, b, c); } or void traverse(pygc::visitor& visit)");
        return visited;
    } else {
        return leads_to<T, T>();
    }
}

} // namespace pygc::inline PYGC_ABI::detail
