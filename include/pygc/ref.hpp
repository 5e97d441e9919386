// SPDX-License-Identifier: BSL-1.0
// py_ref<T>: the owning pointer.
#pragma once

#include <compare>     // strong_ordering
#include <cstddef>     // nullptr_t
#include <type_traits> // is_convertible, remove_cv
#include <typeindex>   // std::hash's primary template, at a tenth of <functional>

#include <pygc/detail/check.hpp>
#include <pygc/object.hpp>

namespace pygc::inline PYGC_ABI {

namespace detail {

struct ref_access;

/// Appears in the error message of a deleted function.
struct use_make_ref_for_new_objects_or_borrow_for_existing_ones {};

/// Whether a `U` may be held through a `T`: shared_ptr's rule.
template <class U, class T>
concept convertible_object = std::is_convertible_v<U*, T*>;

template <class U, class T>
consteval void check_conversion() {
    if constexpr (!std::is_same_v<std::remove_cv_t<U>, std::remove_cv_t<T>>) {
        static_assert(__is_base_of(py_object, T),
                      "pygc: a py_ref to a derived class converts to a py_ref to its base only if the base "
                      "derives from pygc::py_object; write `struct base : pygc::py_object`");
    }
}

} // namespace detail

/// Owning pointer to a counted object: CPython's strong reference with the interface of
/// `std::shared_ptr`, in one machine word and with a plain, thread-confined count.
///
///     auto a = pygc::make_ref<person>("Ada");
///     auto b = a;                 // use_count() == 2
///     a = nullptr;                // use_count() == 1
///
/// `T` is a class derived from py_object, or any other object type, which then lives in a box.
/// **Incomplete types**: everything but `get`, `*`, `->`, `steal`, `borrow`, hashing and the
/// conversions works while `T` is incomplete. **Exceptions**: none. **Complexity**: constant,
/// besides the destructors of what dies. **Thread safety**: see py_object.
template <class T>
class py_ref {
public:
    static_assert(!std::is_reference_v<T> && !std::is_void_v<T>, "pygc: a py_ref refers to objects");
    static_assert(!std::is_array_v<T>, "pygc: no arrays; use py_ref<std::vector<U>> or py_ref<std::array<U, N>>");

    using element_type = T;
    using pointer = T*;

    constexpr py_ref() noexcept = default;
    constexpr py_ref(std::nullptr_t) noexcept {}

    PYGC_INLINE py_ref(const py_ref& other) noexcept : object_(other.object_) { add(); }
    PYGC_INLINE py_ref(py_ref&& other) noexcept : object_(other.take()) {}

    template <detail::convertible_object<T> U>
    PYGC_INLINE py_ref(const py_ref<U>& other) noexcept : object_(other.object_) {
        detail::check_conversion<U, T>();
        add();
    }
    template <detail::convertible_object<T> U>
    PYGC_INLINE py_ref(py_ref<U>&& other) noexcept : object_(other.take()) {
        detail::check_conversion<U, T>();
    }

    template <class U>
    explicit py_ref(U*, detail::use_make_ref_for_new_objects_or_borrow_for_existing_ones = {}) = delete;

    constexpr PYGC_INLINE ~py_ref() {
        if (object_ != nullptr) detail::drop(object_);
    }

    // The new reference is stored before the old one is dropped: its death may destroy `other`, or
    // look at this reference.
    PYGC_INLINE py_ref& operator=(const py_ref& other) noexcept {
        py_ref(other).swap(*this);
        return *this;
    }
    PYGC_INLINE py_ref& operator=(py_ref&& other) noexcept {
        py_ref(static_cast<py_ref&&>(other)).swap(*this);
        return *this;
    }
    template <detail::convertible_object<T> U>
    PYGC_INLINE py_ref& operator=(const py_ref<U>& other) noexcept {
        py_ref(other).swap(*this);
        return *this;
    }
    template <detail::convertible_object<T> U>
    PYGC_INLINE py_ref& operator=(py_ref<U>&& other) noexcept {
        py_ref(static_cast<py_ref<U>&&>(other)).swap(*this);
        return *this;
    }
    PYGC_INLINE py_ref& operator=(std::nullptr_t) noexcept {
        reset();
        return *this;
    }

    /// Effects: drops the reference; then null.
    PYGC_INLINE void reset() noexcept { py_ref().swap(*this); }
    PYGC_INLINE void reset(std::nullptr_t) noexcept { reset(); }
    template <class U>
    void reset(U*, detail::use_make_ref_for_new_objects_or_borrow_for_existing_ones = {}) = delete;

    PYGC_INLINE void swap(py_ref& other) noexcept {
        py_object* mine = object_;
        object_ = other.object_;
        other.object_ = mine;
    }
    friend PYGC_INLINE void swap(py_ref& a, py_ref& b) noexcept { a.swap(b); }

    /// Returns: the object; the reference becomes null without counting. CPython's "stolen" reference:
    /// whoever takes it gives it back with `steal`, or it is leaked.
    [[nodiscard]] T* release() noexcept {
        T* p = get();
        object_ = nullptr;
        return p;
    }

    /// Takes over a reference that somebody else counted: what `release` gave.
    [[nodiscard]] static py_ref steal(T* p) noexcept {
        py_ref r;
        if (p != nullptr) r.object_ = detail::owner_of(const_cast<std::remove_cv_t<T>*>(p));
        return r;
    }

    /// A new reference to an object that somebody else owns, for example `borrow(this)`.
    /// Preconditions: `make_ref` made the object; in debug mode anything else is reported.
    [[nodiscard]] static py_ref borrow(T* p) noexcept {
        py_ref r = steal(p);
        if (p != nullptr) detail::check_borrow(r.object_);
        r.add();
        return r;
    }

    [[nodiscard]] PYGC_INLINE T* get() const noexcept {
        static_assert(sizeof(T) > 0, "pygc: T is incomplete here; include its definition");
        if (object_ == nullptr) return nullptr;
        return detail::value_of<std::remove_cv_t<T>>(object_);
    }
    [[nodiscard]] PYGC_INLINE T& operator*() const noexcept {
        static_assert(sizeof(T) > 0, "pygc: T is incomplete here; include its definition");
        return *detail::value_of<std::remove_cv_t<T>>(object_);
    }
    [[nodiscard]] PYGC_INLINE T* operator->() const noexcept {
        static_assert(sizeof(T) > 0, "pygc: T is incomplete here; include its definition");
        return detail::value_of<std::remove_cv_t<T>>(object_);
    }
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return object_ != nullptr; }

    /// Returns: the number of references, 0 for null; some negative number for an immortal object, whose references
    /// aren't counted any more.
    [[nodiscard]] long use_count() const noexcept {
        return object_ == nullptr ? 0 : static_cast<long>(detail::header_of(object_).count);
    }

private:
    template <class U>
    friend class py_ref;
    friend struct detail::ref_access;

    PYGC_INLINE void add() const noexcept {
        if (object_ != nullptr) detail::add_reference(detail::header_of(object_));
    }
    PYGC_INLINE py_object* take() noexcept {
        py_object* p = object_;
        object_ = nullptr;
        return p;
    }

    py_object* object_ = nullptr;
};

namespace detail {

template <class F>
void for_each_weak_record(const py_object* p, F f);

struct ref_access {
    template <class T>
    PYGC_INLINE static py_object*& object(py_ref<T>& r) noexcept {
        return r.object_;
    }
    template <class T>
    PYGC_INLINE static py_object* object(const py_ref<T>& r) noexcept {
        return r.object_;
    }
    /// The record that a weak reference owns.
    template <class T>
    PYGC_INLINE static py_object*& record(py_weakref<T>& r) noexcept {
        return r.record_.object_;
    }
    template <class T>
    PYGC_INLINE static py_object* record(const py_weakref<T>& r) noexcept {
        return r.record_.object_;
    }
    /// A weak reference that shares a record.
    template <class T, class Record>
    static py_weakref<T> weak(Record& record) noexcept {
        py_weakref<T> w;
        w.record_ = decltype(w.record_)::borrow(&record);
        return w;
    }
    template <class T>
    static py_object* weak_target(const py_weakref<T>& r) noexcept {
        return r.target();
    }
    /// Calls `f(weak_record&)` for each record of an object.
    template <class F>
    static void for_each_record(const py_object* p, F f) {
        if (p == nullptr || (header_of(p).state & life_weak) == 0) return;
        for_each_weak_record(p, f);
    }
    /// Moves the reference out of `r`, as one to a `T`.
    template <class T, class U>
    PYGC_INLINE static py_ref<T> retarget(py_ref<U>& r) noexcept {
        return adopt<T>(r.take());
    }
    /// Takes over one counted reference.
    template <class T>
    PYGC_INLINE static py_ref<T> adopt(py_object* p) noexcept {
        py_ref<T> r;
        r.object_ = p;
        return r;
    }
};

/// A new reference to an object that somebody else keeps alive; null for null.
template <class T>
py_ref<T> to_ref(py_object* p) noexcept {
    if (p != nullptr) add_reference(header_of(p));
    return ref_access::adopt<T>(p);
}

PYGC_INLINE std::strong_ordering order(const volatile void* a, const volatile void* b) noexcept {
    return reinterpret_cast<std::uintptr_t>(a) <=> reinterpret_cast<std::uintptr_t>(b);
}

} // namespace detail

/// A new reference to an object that somebody else owns: `pygc::borrow(this)`.
template <class T>
[[nodiscard]] py_ref<T> borrow(T* p) noexcept {
    return py_ref<T>::borrow(p);
}

/// `borrow` under the name that users of `enable_shared_from_this` look for.
template <class T>
[[nodiscard]] py_ref<T> ref_from_this(T* self) noexcept {
    return py_ref<T>::borrow(self);
}

// Comparison is by identity. Raw pointers are deduced, so that `p == NULL` means nullptr_t.

template <class T, class U>
[[nodiscard]] bool operator==(const py_ref<T>& a, const py_ref<U>& b) noexcept {
    return detail::ref_access::object(a) == detail::ref_access::object(b);
}
template <class T>
[[nodiscard]] constexpr bool operator==(const py_ref<T>& a, std::nullptr_t) noexcept {
    return !a;
}
template <class T, class U>
    requires std::is_convertible_v<const volatile U*, const volatile T*> ||
        std::is_convertible_v<const volatile T*, const volatile U*>
[[nodiscard]] bool operator==(const py_ref<T>& a, U* b) noexcept { return a.get() == b; }

template <class T, class U>
[[nodiscard]] std::strong_ordering operator<=>(const py_ref<T>& a, const py_ref<U>& b) noexcept {
    return detail::order(detail::ref_access::object(a), detail::ref_access::object(b));
}
template <class T>
[[nodiscard]] std::strong_ordering operator<=>(const py_ref<T>& a, std::nullptr_t) noexcept {
    return detail::order(detail::ref_access::object(a), nullptr);
}
template <class T, class U>
    requires std::is_convertible_v<const volatile U*, const volatile T*> ||
        std::is_convertible_v<const volatile T*, const volatile U*>
[[nodiscard]] std::strong_ordering operator<=>(const py_ref<T>& a, U* b) noexcept { return detail::order(a.get(), b); }

// Casts, found by argument-dependent lookup as for shared_ptr. The object stays the same, so casting
// a temporary moves the reference and counts nothing.

template <class T, class U>
[[nodiscard]] py_ref<T> static_pointer_cast(const py_ref<U>& r) noexcept {
    return static_pointer_cast<T>(py_ref<U>(r));
}
template <class T, class U>
[[nodiscard]] py_ref<T> static_pointer_cast(py_ref<U>&& r) noexcept {
    static_cast<void>(static_cast<T*>(static_cast<U*>(nullptr)));
    if constexpr (!std::is_same_v<std::remove_cv_t<U>, std::remove_cv_t<T>>) {
        static_assert(__is_base_of(py_object, T) && __is_base_of(py_object, U),
                      "pygc: casts between classes need both to derive from pygc::py_object");
    }
    return detail::ref_access::retarget<T>(r);
}

template <class T, class U>
[[nodiscard]] py_ref<T> const_pointer_cast(const py_ref<U>& r) noexcept {
    return const_pointer_cast<T>(py_ref<U>(r));
}
template <class T, class U>
[[nodiscard]] py_ref<T> const_pointer_cast(py_ref<U>&& r) noexcept {
    static_cast<void>(const_cast<T*>(static_cast<U*>(nullptr)));
    return detail::ref_access::retarget<T>(r);
}

#if PYGC_RTTI
/// Returns: the reference as `py_ref<T>`, or null if the object is no `T`. A temporary that isn't one
/// keeps its reference.
template <class T, class U>
[[nodiscard]] py_ref<T> dynamic_pointer_cast(const py_ref<U>& r) noexcept {
    return dynamic_pointer_cast<T>(py_ref<U>(r));
}
template <class T, class U>
[[nodiscard]] py_ref<T> dynamic_pointer_cast(py_ref<U>&& r) noexcept {
    if (dynamic_cast<T*>(r.get()) == nullptr) return nullptr;
    return detail::ref_access::retarget<T>(r);
}
#endif

} // namespace pygc::inline PYGC_ABI

/// As the hash of `T*`, so that unordered containers can look a raw pointer up without counting.
template <class T>
struct std::hash<pygc::py_ref<T>> {
    using is_transparent = void;

    [[nodiscard]] std::size_t operator()(const pygc::py_ref<T>& r) const noexcept { return (*this)(r.get()); }
    [[nodiscard]] std::size_t operator()(const T* p) const noexcept { return std::hash<const T*>()(p); }
};
