// SPDX-License-Identifier: BSL-1.0
// In what types references hide. A type is seen into because the library knows that it owns what it shows: those of the
// standard library by their names, plain structs by their fields, all else by its own traverse or traverse_traits.
#pragma once

#include <cstddef>
#include <type_traits> // is_aggregate, is_trivially_destructible, remove_cvref
#include <utility>     // index_sequence, declval

#include <pygc/detail/fields.hpp>
#include <pygc/detail/known_types.hpp>
#include <pygc/ref.hpp>

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
        case known::sequence: return shape::range;
        case known::set:
        case known::map: return shape::keyed;
        case known::adaptor: return shape::adaptor;
        case known::optional: return shape::optional;
        case known::variant: return shape::variant;
        case known::expected: return shape::expected;
        case known::tuple: return shape::tuple;
        case known::hidden: return shape::opaque;
        case known::owner:
            if constexpr (kind == known::owner) return shape_of_owner(typename known_class<X>::arguments{});
            break;
        default: break;
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

/// The same without what is inside the values that promise to be acyclic.
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

// What is refused.

template <class X>
consteval bool is_refused();

template <class... X>
consteval bool any_is_refused(types<X...>) {
    return (is_refused<X>() || ...);
}

/// Whether it is known that an `X` owns no reference and is no object of ours.
template <class X>
consteval bool owns_nothing() {
    if constexpr (std::is_class_v<X> || std::is_union_v<X>) {
        if constexpr (!complete<X>) {
            return false;
        } else {
            return !__is_base_of(py_object, X) && !holds_references_v<X> && !any_is_refused(unpromised_types<X>{});
        }
    } else {
        return true;
    }
}

template <class Pointee, class Deleter>
consteval bool is_harmless_lender(types<Pointee, Deleter>) {
    return owns_nothing<std::remove_cv_t<std::remove_extent_t<Pointee>>>() && owns_nothing<Deleter>();
}

/// Whether an `X` may own references that nobody can see. What is inside of it is not asked.
template <class X>
consteval bool is_refused() {
    constexpr shape s = shape_of<X>();
    if constexpr (s == shape::lender) {
        return !is_harmless_lender(typename known_class<X>::arguments{});
    } else if constexpr (std::is_reference_v<X>) {
        return !owns_nothing<std::remove_cvref_t<X>>();
    } else {
        return s == shape::opaque;
    }
}

template <class X>
inline constexpr bool never = false;

/// Its name in the error message tells the type.
template <class X>
struct pygc_cannot_see_into {
    static constexpr shape form = shape_of<X>();
    static_assert(
        form == shape::lender || form == shape::pointer,
        "pygc: visit() can't see the references inside this type (std::function, std::any and std::shared_ptr hide or "
        "share theirs); give it a member void traverse(auto& visit), or specialise pygc::traverse_traits for it; if "
        "it owns no references, write `using pygc_acyclic = void;` in the class, or derive the traits from "
        "pygc::no_references");
    static_assert(form != shape::lender,
                  "pygc: a std::unique_ptr with a deleter of its own may not own what it points to; visit what it "
                  "points to if it does, or specialise pygc::traverse_traits for it");
    static_assert(form != shape::pointer, "pygc: a reference inside a pair or tuple owns nothing; visit what owns it");
};

template <class... X>
consteval void refuse(types<X...>) {
    const auto one = []<class Y>(type_is<Y>) {
        if constexpr (is_refused<Y>()) static_cast<void>(pygc_cannot_see_into<Y>{});
    };
    (one(type_is<X>{}), ...);
}

/// An error if an `X`, or anything in it, may own references that nobody can see.
template <class X>
consteval bool check_visible() {
    if constexpr (any_is_refused(unpromised_types<X>{})) refuse(unpromised_types<X>{});
    return true;
}

// What shows nothing although its author may think so.

template <class T>
consteval bool is_object_or_owner() {
    if constexpr (std::is_pointer_v<T>) {
        return is_object_or_owner<std::remove_cv_t<std::remove_pointer_t<T>>>();
    } else if constexpr (is_ref<T> || is_weakref<T>) {
        return true;
    } else if constexpr (std::is_class_v<T>) {
        if constexpr (complete<T>) {
            return __is_base_of(py_object, T) || holds_references_v<T>;
        } else {
            return false;
        }
    } else {
        return false;
    }
}

template <class X>
concept like_range = requires(X& x) {
    x.begin();
    x.end();
};
template <class X>
concept like_pointer = requires(X& x) {
    *x;
};
template <class X>
concept like_wrapper = requires(X& x) {
    typename X::type;
    x.get();
};

enum class vain { no, pointer, view, copies };

template <class X>
consteval vain vanity_of();

template <class... X>
consteval vain first_vanity(types<X...>) {
    vain found = vain::no;
    ((found = found != vain::no ? found : vanity_of<X>()), ...);
    return found;
}

/// Whether an `X`, which owns nothing, refers to objects or to references of others.
template <class X>
consteval vain vanity_of() {
    if constexpr (std::is_pointer_v<X>) {
        return is_object_or_owner<X>() ? vain::pointer : vain::no;
    } else if constexpr (!std::is_class_v<X> || known_class<X>::kind != known::no) {
        return vain::no;
    } else if constexpr (!complete<X>) {
        return vain::no;
    } else if constexpr (like_range<X>) {
        using element = decltype(*std::declval<X&>().begin());
        if (!is_object_or_owner<std::remove_cvref_t<element>>()) return vain::no;
        return std::is_lvalue_reference_v<element> ? vain::view : vain::copies;
    } else if constexpr (like_pointer<X>) {
        return is_object_or_owner<std::remove_cvref_t<decltype(*std::declval<X&>())>>() ? vain::view : vain::no;
    } else if constexpr (like_wrapper<X>) {
        return is_object_or_owner<std::remove_cvref_t<decltype(std::declval<X&>().get())>>() ? vain::view : vain::no;
    } else if constexpr (std::is_trivially_destructible_v<X> && std::is_aggregate_v<X> && !std::is_empty_v<X>) {
        if constexpr (can_be_taken_apart<X>) {
            return first_vanity(decltype(with_fields(std::declval<const X&>(), field_types_of{})){});
        } else {
            return vain::no;
        }
    } else {
        return vain::no;
    }
}

/// Its name in the error message tells the type.
template <class X, vain Why>
struct pygc_sees_nothing_in {
    static_assert(Why != vain::pointer,
                  "pygc: a raw pointer owns nothing, so visit() has nothing to see here; make it a pygc::py_ref, or "
                  "leave it out if somebody else owns the object; if it owns a count, visit(pygc::counted(p))");
    static_assert(Why != vain::view,
                  "pygc: a view or an iterator owns nothing, so visit() has nothing to see here; visit the container "
                  "that owns the references, or each of them in a loop");
    static_assert(Why != vain::copies,
                  "pygc: this range hands out copies of its references, which a collection can't null; "
                  "visit the container that owns them");
};

/// An error if an argument of `visit` shows nothing but leads to objects that somebody else owns.
template <class X>
consteval bool check_shows_something() {
    if constexpr ((std::is_class_v<X> || std::is_pointer_v<X> || std::is_array_v<X>)&&!holds_references_v<X>) {
        constexpr vain why = first_vanity(owned_types<X>{});
        static_cast<void>(pygc_sees_nothing_in<X, why>{});
    }
    return true;
}

// Who is tracked.

template <class X>
consteval bool may_be_container();

template <class... X>
consteval bool any_may_be_container(types<X...>) {
    return (may_be_container<X>() || ...);
}

/// Whether an object of type `X`, or a value in one, may be part of a cycle. The answer must be the same in all
/// translation units, and `X` may be complete in some of them only: so it comes from the type's name. A class of the
/// user may, even one that owns nothing here: another may be derived from it.
template <class X>
consteval bool may_be_container() {
    if constexpr (is_ref<X>) {
        return may_be_container<std::remove_cv_t<typename X::element_type>>();
    } else if constexpr (std::is_array_v<X>) {
        return may_be_container<std::remove_cv_t<std::remove_all_extents_t<X>>>();
    } else if constexpr (!std::is_class_v<X> && !std::is_union_v<X>) {
        return false;
    } else {
        constexpr known kind = known_class<X>::kind;
        if constexpr (kind == known::nothing) {
            return false;
        } else if constexpr (kind == known::no || kind == known::hidden) {
            return true;
        } else {
            return any_may_be_container(known_parts<X>{});
        }
    }
}

template <class X>
consteval bool leads_to_container() {
    constexpr shape s = shape_of<X>();
    if constexpr (s == shape::reference) {
        return may_be_container<X>();
    } else {
        return shows_references<X>(); // a weak reference's callback may own anything
    }
}

template <class... X>
consteval bool any_leads_to_container(types<X...>) {
    // What promises to be acyclic leads to none, though a visit may see into it.
    return ((leads_to_container<X>() && !promises_acyclic<X>) || ...);
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
        return any_leads_to_container(unpromised_types<T>{});
    }
}

/// Whether a visit of a `T` compiles: nothing in it is incomplete, entangled or a row of unknown length.
template <class... X>
consteval bool can_be_visited(types<X...>) {
    return ((shape_of<X>() != shape::incomplete && shape_of<X>() != shape::entangled &&
             (shape_of<X>() != shape::row_owner || !holds_references_v<X>)) &&
            ...);
}

/// Whether an object of type `T` may own references of which its author told nobody: it has a destructor that does
/// something, and neither a `traverse` nor a promise.
template <class T>
consteval bool lacks_traverse() {
    if constexpr (!std::is_class_v<T> && !std::is_union_v<T>) {
        return false;
    } else if constexpr (!complete<T>) {
        return false;
    } else if constexpr (promises_acyclic<T> || std::is_trivially_destructible_v<T>) {
        return false;
    } else if constexpr (__is_base_of(py_object, T)) {
        constexpr std::size_t without_fields = sizeof(py_object) + (std::is_polymorphic_v<T> ? sizeof(void*) : 0);
        return sizeof(T) > without_fields && !access::has_traverse<T, visitor>() && !access::names_traverse<T>();
    } else {
        return any_is_refused(unpromised_types<T>{});
    }
}

} // namespace pygc::inline PYGC_ABI::detail
