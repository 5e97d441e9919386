// SPDX-License-Identifier: BSL-1.0
// What follows from who owns what: which types are refused, since nobody can see what they own, and which are tracked.
#pragma once

#include <cstddef>
#include <type_traits> // is_trivially_destructible, remove_cvref
#include <utility>     // declval

#include <pygc/detail/visitable.hpp>
#include <pygc/ref.hpp>

namespace pygc::inline PYGC_ABI::detail {

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

/// A template, so that the error message shows the type.
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

/// A template, so that the error message shows the type.
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
