// SPDX-License-Identifier: BSL-1.0
// Finds every reference inside a value and shows it to a visitor.
#pragma once

#include <pygc/detail/ownership.hpp>
#include <pygc/detail/scratch.hpp>

namespace pygc::inline PYGC_ABI::detail {

template <class Visitor, class X>
PYGC_INLINE void visit_value(Visitor& visit, const X& value);

/// Values inside values that wait for their visit: the trashcan of `traverse`. Where owners and containers are nested
/// deeper than `most_nesting` the next one is put here and visited by the outermost, so that a long list of unique_ptrs
/// takes no more stack than a short one.
class postponed_visits {
public:
    using function = void (*)(visitor& visit, const void* value);
    static constexpr std::uint32_t most_nesting = 64;

    postponed_visits() noexcept = default;
    postponed_visits(const postponed_visits&) = delete;
    postponed_visits& operator=(const postponed_visits&) = delete;
    ~postponed_visits() { waiting_.release(); }

    /// False: there is no memory.
    [[nodiscard]] PYGC_NOINLINE bool push(const void* value, function visit) noexcept {
        if (size_ == waiting_.capacity() && !waiting_.reserve(size_ * 2 + 64, size_)) return false;
        waiting_[size_++] = {value, visit};
        return true;
    }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    PYGC_NOINLINE void visit_last(visitor& visit) {
        const entry last = waiting_[--size_];
        last.visit(visit, last.value);
    }

    std::uint32_t nesting = 0;

private:
    struct entry {
        const void* value;
        function visit;
    };
    scratch<entry> waiting_;
    std::size_t size_ = 0;
};

template <class... X>
consteval bool any_by_user(types<X...>) {
    return ((shape_of<X>() == shape::by_member || shape_of<X>() == shape::by_traits) || ...);
}

template <class X, class... Part>
consteval bool leads_into_itself(types<Part...>) {
    const auto is_in = []<class... Y>(types<Y...>) { return (__is_same(X, Y) || ...); };
    return (is_in(owned_types<Part>{}) || ...);
}

/// Whether values of type `X` may be nested without an end: one that leads to another through unique_ptrs and
/// containers, or through a traverse, of which nobody knows where it leads.
template <class X>
consteval bool may_be_nested() {
    constexpr shape s = shape_of<X>();
    if constexpr (s == shape::owner || s == shape::range || s == shape::keyed) {
        return leads_into_itself<X>(parts_of<X>()) || any_by_user(owned_types<X>{});
    } else {
        return false;
    }
}

/// Whether the references that an `X` shows are its own and not those of somebody it only points to: then an `X` that
/// isn't part of the object that shows it is suspicious. A class with a `traverse` may be anything.
template <class X>
consteval bool shows_its_own() {
    constexpr shape s = shape_of<X>();
    return s != shape::by_traits && s != shape::by_member && s != shape::counted;
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

template <class X>
inline constexpr bool is_map = known_class<X>::kind == known::map;

template <class X, class Element>
PYGC_INLINE const auto& key_in(const Element& element) noexcept {
    if constexpr (is_map<X>) {
        return element.first;
    } else {
        return element;
    }
}

/// Takes out the entries whose keys lead to garbage. Inside a key of another container nothing is changed: that
/// container's order or hash may depend on it.
template <class X>
PYGC_NOINLINE void erase_dead_keys(visitor& visit, X& x);

/// Shows the references of an associative container, those in keys as such. A flat_map hands out pairs of references.
template <class Visitor, class X>
PYGC_INLINE void visit_keyed(Visitor& visit, X& x) {
    if constexpr (!holds_references<std::remove_cv_t<typename X::key_type>>()) {
        for (auto&& element : x) visit_value(visit, element.second);
    } else {
        if constexpr (__is_same(Visitor, visitor)) {
            if (visit.erases_keys() && !visit.in_keys()) return erase_dead_keys(visit, x);
        }
        for (auto&& element : x) {
            visit.begin_keys();
            visit_value(visit, key_in<X>(element));
            visit.end_keys();
            if constexpr (is_map<X>) visit_value(visit, element.second);
        }
    }
}

/// Shows `visit` what is directly inside a value of a standard type or a plain struct.
template <class Visitor, class X>
PYGC_INLINE void visit_parts(Visitor& visit, X& x) {
    constexpr shape s = shape_of<X>();
    if constexpr (s == shape::array || s == shape::range) {
        for (const auto& element : x) visit_value(visit, element);
    } else if constexpr (s == shape::keyed) {
        visit_keyed(visit, x);
    } else if constexpr (s == shape::owner) {
        if (x) visit_value(visit, *x);
    } else if constexpr (s == shape::row_owner) {
        static_assert(s != shape::row_owner,
                      "pygc: the length of a std::unique_ptr<T[]> is unknown; use std::vector<T>");
    } else if constexpr (s == shape::optional) {
        if (x.has_value()) visit_value(visit, *x);
    } else if constexpr (s == shape::expected) {
        if (!x.has_value()) {
            visit_value(visit, x.error());
        } else if constexpr (!std::is_void_v<typename X::value_type>) {
            visit_value(visit, *x);
        }
    } else if constexpr (s == shape::variant) {
        visit_alternatives(visit, x, std::make_index_sequence<count_types(parts_of<X>())>{});
    } else if constexpr (s == shape::adaptor) {
        visit_value(visit, adaptor_access<X>::container(x));
    } else if constexpr (s == shape::tuple) {
        visit_elements(visit, x, std::make_index_sequence<count_types(parts_of<X>())>{});
    } else {
        with_fields(x, field_visit<Visitor>{visit}); // a plain struct
    }
}

/// Visits the parts of a value that may have others like it inside.
template <class Visitor, class X>
void visit_nested_parts(Visitor& visit, X& x) {
    postponed_visits& postponed = visit.postponed();
    if (postponed.nesting == postponed_visits::most_nesting && !visit.in_keys()) [[unlikely]] {
        const auto later = [](visitor& v, const void* value) {
            visit_parts(static_cast<Visitor&>(v), *static_cast<X*>(const_cast<void*>(value)));
        };
        if (!postponed.push(__builtin_addressof(x), later)) visit.give_up();
        return;
    }
    ++postponed.nesting;
    visit_parts(visit, x);
    while (postponed.nesting == 1 && !postponed.empty()) postponed.visit_last(visit);
    --postponed.nesting;
}

/// Shows `visit` each reference that `value` owns. Constness is only in our way: the elements of a set
/// are const, and yet a collection must be able to null the references in them.
template <class Visitor, class X>
PYGC_INLINE void visit_value([[maybe_unused]] Visitor& visit, const X& value) {
    constexpr shape s = shape_of<X>();
    static_assert(s != shape::incomplete,
                  "pygc: the type visited here is incomplete; define traverse where it is complete");
    if constexpr (holds_references<X>()) {
        X& x = const_cast<X&>(value);
        if constexpr (s == shape::reference) {
            visit.edge(ref_access::object(x));
        } else if constexpr (s == shape::weak) {
            visit.edge(ref_access::record(x));
        } else if constexpr (s == shape::counted) {
            using pointee = std::remove_cv_t<std::remove_pointer_t<std::remove_reference_t<decltype(x.place)>>>;
            py_object* const object = x.place == nullptr ? nullptr : owner_of(const_cast<pointee*>(x.place));
            visit.counted_edge(reinterpret_cast<py_object*&>(x.place), object);
        } else if constexpr (s == shape::by_traits) {
            const auto outer = visit.enter(&reinterpret_cast<const char&>(value), sizeof(X));
            traverse_traits<X>::traverse(x, visit);
            visit.leave(outer);
        } else if constexpr (s == shape::by_member) {
            const auto outer = visit.enter(&reinterpret_cast<const char&>(value), sizeof(X));
            access::traverse(x, visit);
            visit.leave(outer);
        } else if constexpr (may_be_nested<X>()) {
            visit_nested_parts(visit, x);
        } else {
            visit_parts(visit, x);
        }
    }
}

/// One argument of the user's `visit(a, b, c)`. `is_owned`: the object owns it for sure.
template <class Visitor, class X>
PYGC_INLINE void visit_argument(Visitor& visit, const X& value, [[maybe_unused]] bool is_owned = false) {
    static_assert(check_visible<X>() && check_shows_something<X>());
    if constexpr (holds_references<X>() && shows_its_own<X>()) {
        if (!is_owned && !visit.owns(&reinterpret_cast<const char&>(value))) return;
    }
    visit_value(visit, value);
}

/// What was captured for a callable. Raw pointers are welcome there: they are arguments, not members.
template <class Visitor, class X>
PYGC_INLINE void visit_captured(Visitor& visit, const X& value) {
    static_assert(check_visible<X>());
    visit_value(visit, value);
}

} // namespace pygc::inline PYGC_ABI::detail
