// SPDX-License-Identifier: BSL-1.0
// Finds every reference inside a value and shows it to a visitor.
#pragma once

#include <type_traits>

#include <pygc/detail/visitable.hpp>

namespace pygc::inline PYGC_ABI {

/// Base for a `traverse_traits` specialisation of a type that holds no references, or whose references
/// are to be left alone: `template <> struct pygc::traverse_traits<X> : pygc::no_references {};`
struct no_references {
    template <class X, class V>
    static void traverse(X&, V&) noexcept {}
};

} // namespace pygc::inline PYGC_ABI

namespace pygc::inline PYGC_ABI::detail {

template <class Visitor, class X>
PYGC_INLINE void visit_value(Visitor& visit, const X& value);

/// A container that finds its elements by a key: an ordered or unordered set or map, with or without equal keys.
template <class X>
concept associative = like_range<X> && requires(X& x) {
    typename X::key_type;
    x.erase(x.begin());
};

template <class X>
inline constexpr bool is_map = requires {
    typename X::mapped_type;
};

template <class X, class Element>
PYGC_INLINE const auto& key_in(const Element& element) noexcept {
    if constexpr (is_map<X>) {
        return element.first;
    } else {
        return element;
    }
}

template <class X>
consteval bool has_keys_with_references() {
    if constexpr (shape_of<X>() == shape::range && associative<X>) {
        return holds_references<std::remove_cv_t<typename X::key_type>>();
    } else {
        return false;
    }
}

/// Whether the references that an `X` shows are its own and not those of somebody it only points to: then an `X` that
/// isn't part of the object that shows it is suspicious. A class with a `traverse` may be anything.
template <class X>
consteval bool is_inside_itself() {
    constexpr shape s = shape_of<X>();
    if constexpr (s == shape::range) {
        return requires { typename X::allocator_type; }
        || like_tuple<X>;
    } else {
        return s != shape::by_traits && s != shape::by_member;
    }
}

template <class Visitor, class X, std::size_t... I>
PYGC_INLINE void visit_alternatives(Visitor& visit, X& value, std::index_sequence<I...>) {
    const auto one = [&visit](auto* alternative) {
        if (alternative != nullptr) visit_value(visit, *alternative);
    };
    (one(get_if<I>(&value)), ...);
}

template <class... X>
consteval std::size_t count_types(types<X...>) {
    return sizeof...(X);
}

template <class Visitor, class X, std::size_t... I>
PYGC_INLINE void visit_elements(Visitor& visit, X& value, std::index_sequence<I...>) {
    (visit_value(visit, get<I>(value)), ...);
}

/// Reaches the protected container of std::stack and its kin.
template <class Adaptor>
struct adaptor_access : Adaptor {
    static const typename Adaptor::container_type& container(const Adaptor& a) { return a.*&adaptor_access::c; }
};

template <class Visitor>
struct field_visit {
    Visitor& visit;
    template <class... X>
    PYGC_INLINE void operator()(const X&... fields) const {
        (visit_value(visit, fields), ...);
    }
};

/// Takes out the entries whose keys lead to garbage. Inside a key of another container nothing is changed: that
/// container's order or hash may depend on it.
template <class X>
PYGC_NOINLINE void erase_dead_keys(visitor& visit, X& x);

/// Shows the references of an associative container, those in keys as such.
template <class Visitor, class X>
PYGC_INLINE void visit_keyed(Visitor& visit, X& x) {
    if constexpr (std::is_same_v<Visitor, visitor>) {
        if (visit.erases_keys() && !visit.in_keys()) return erase_dead_keys(visit, x);
    }
    for (auto&& element : x) {
        visit.begin_keys();
        visit_value(visit, key_in<X>(element));
        visit.end_keys();
        if constexpr (is_map<X>) visit_value(visit, element.second);
    }
}

/// Shows `visit` each reference that `value` owns. Constness is only in our way: the elements of a set
/// are const, and yet a collection must be able to null the references in them.
template <class Visitor, class X>
PYGC_INLINE void visit_value([[maybe_unused]] Visitor& visit, const X& value) {
    static_assert(complete<X>, "pygc: the type visited here is incomplete; define traverse where it is complete");
    if constexpr (holds_references<X>()) {
        constexpr shape s = shape_of<X>();
        X& x = const_cast<X&>(value);
        if constexpr (s == shape::reference) {
            visit.edge(ref_access::object(x));
        } else if constexpr (s == shape::weak) {
            visit.edge(ref_access::record(x));
        } else if constexpr (s == shape::by_traits) {
            const auto outer = visit.enter(&reinterpret_cast<const char&>(value), sizeof(X));
            traverse_traits<X>::traverse(x, visit);
            visit.leave(outer);
        } else if constexpr (s == shape::by_member) {
            const auto outer = visit.enter(&reinterpret_cast<const char&>(value), sizeof(X));
            access::traverse(x, visit);
            visit.leave(outer);
        } else if constexpr (s == shape::array) {
            for (const auto& element : x) visit_value(visit, element);
        } else if constexpr (s == shape::owner) {
            if (x) visit_value(visit, *x);
        } else if constexpr (s == shape::row_owner) {
            static_assert(s != shape::row_owner,
                          "pygc: the length of a std::unique_ptr<T[]> is unknown; use std::vector<T>");
        } else if constexpr (s == shape::optional) {
            if (x.has_value()) visit_value(visit, *x);
        } else if constexpr (s == shape::variant) {
            visit_alternatives(visit, x, std::make_index_sequence<count_types(parts_of<X>())>{});
        } else if constexpr (has_keys_with_references<X>()) {
            visit_keyed(visit, x);
        } else if constexpr (s == shape::range) {
            static_assert(std::is_lvalue_reference_v<decltype(*x.begin())>,
                          "pygc: this range hands out copies of its references, which a collection can't null; "
                          "visit the container that owns them");
            for (const auto& element : x) visit_value(visit, element);
        } else if constexpr (s == shape::adaptor) {
            visit_value(visit, adaptor_access<X>::container(x));
        } else if constexpr (s == shape::tuple) {
            visit_elements(visit, x, std::make_index_sequence<std::tuple_size<X>::value>{});
        } else if constexpr (s == shape::aggregate) {
            with_fields(value, field_visit<Visitor>{visit});
        }
    }
}

/// One argument of the user's `visit(a, b, c)`.
template <class Visitor, class X>
PYGC_INLINE void visit_argument(Visitor& visit, const X& value) {
    static_assert(complete<X>, "pygc: the type visited here is incomplete; define traverse where it is complete");
    static_assert(shape_of<X>() != shape::opaque,
                  "pygc: visit() can't see the references inside this type (std::function, std::any and "
                  "std::shared_ptr hide or share theirs); give it a member void traverse(auto& visit), or "
                  "specialise pygc::traverse_traits for it");
    if constexpr (holds_references<X>() && is_inside_itself<X>()) {
        if (!visit.owns(&reinterpret_cast<const char&>(value))) return;
    }
    visit_value(visit, value);
}

} // namespace pygc::inline PYGC_ABI::detail
