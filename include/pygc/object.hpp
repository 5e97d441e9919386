// SPDX-License-Identifier: BSL-1.0
// py_object: the base class that gives a type its reference count.
#pragma once

#include <new> // placement

#include <pygc/detail/page.hpp>

namespace pygc::inline PYGC_ABI {

/// Base class of types whose objects know their own reference count, as `PyObject` in CPython.
///
///     struct person : pygc::py_object {
///         pygc::py_ref<person> best_friend;
///         void traverse(auto& visit) { visit(best_friend); }
///     };
///
/// Eight bytes, not polymorphic: neither virtual functions nor a virtual destructor are needed. The
/// count belongs to the object's identity and is never copied or moved with its value. An object may
/// also live on the stack or inside another; it is then an ordinary value, counted by nobody.
///
/// **Thread safety**: as for the heap it was made in: one thread at a time, except that any number
/// of threads may read through `const T&` and raw pointers.
class py_object {
protected:
    constexpr py_object() noexcept = default;
    constexpr py_object(const py_object&) noexcept {}
    constexpr py_object& operator=(const py_object&) noexcept { return *this; }
    ~py_object() = default;

private:
    friend struct access;
    // One reference from the start: `borrow(this)` works in a constructor.
    mutable detail::header pygc_header_{1, detail::age_none};
};

static_assert(sizeof(py_object) == 8);

/// What `friend struct pygc::access;` opens to the library.
struct access {
private:
    struct has_the_names {
        int traverse, finalize;
    };
    // Ambiguous if T has one of the names too; they are looked up before access and signatures matter.
    template <class T>
    struct both_names : T, has_the_names {
        ~both_names(); // or it would be deleted where that of T is private, which a virtual one must not
    };

    template <bool>
    struct constant {};

public:
    PYGC_INLINE static detail::header& header_of(const py_object* p) noexcept { return p->pygc_header_; }

    template <class T, class Visitor>
    PYGC_INLINE static void traverse(T& object, Visitor& visit) {
        object.traverse(visit);
    }

    /// Whether `T` has a `traverse` that takes a visitor, private or not.
    template <class T, class Visitor>
    static constexpr bool has_traverse() noexcept {
        return requires(T & object, Visitor & visit) { object.traverse(visit); };
    }

    /// Whether something is called `traverse` at all, private or a template of any signature: one that can't be
    /// called must not pass for none.
    template <class T>
    static constexpr bool names_traverse() noexcept {
        if constexpr (__is_class(T) && !__is_final(T)) {
            return !requires { &both_names<T>::traverse; };
        } else {
            return requires { &T::traverse; };
        }
    }

    /// Whether `T` has a finalizer: `void finalize()`, private or not.
    template <class T>
    static constexpr bool has_finalize() noexcept {
        if constexpr (__is_base_of(py_object, T)) {
            constexpr bool called = requires(T & object) { object.finalize(); };
            static_assert(called || !names_finalize<T>(),
                          "pygc: this type's finalize can't be called; write void finalize(), and if it is private, "
                          "friend struct pygc::access;");
            return called;
        } else {
            return false;
        }
    }

    /// Whether the class names a `finalize`, callable or not.
    template <class T>
    static constexpr bool names_finalize() noexcept {
        if constexpr (__is_class(T) && !__is_final(T)) {
            return !requires { &both_names<T>::finalize; };
        } else {
            return requires { &T::finalize; };
        }
    }

    /// Whether the class says that no object of it is part of a cycle: `using pygc_acyclic = void;`, a type with a
    /// constant `value`, or a static constant. One that is false says nothing.
    template <class T>
    static consteval bool promises_acyclic() noexcept {
        if constexpr (requires { typename T::pygc_acyclic; }) {
            using promise = typename T::pygc_acyclic;
            if constexpr (requires { promise::value; }) {
                return static_cast<bool>(promise::value);
            } else {
                return true;
            }
        } else if constexpr (requires { static_cast<bool>(T::pygc_acyclic); }) {
            static_assert(requires { typename constant<static_cast<bool>(T::pygc_acyclic)>; },
                          "pygc: pygc_acyclic is a type or a constant: static constexpr bool pygc_acyclic = true;");
            return static_cast<bool>(T::pygc_acyclic);
        } else {
            return false;
        }
    }

    template <class T>
    PYGC_INLINE static void finalize(T& object) {
        object.finalize();
    }

    template <class T, class... Args>
    static constexpr bool constructible_with_parentheses() noexcept {
        return requires(void* place, Args&&... args) { ::new (place) T(static_cast<Args&&>(args)...); };
    }

    template <class T, class... Args>
    static constexpr bool constructible_with_braces() noexcept {
        return requires(void* place, Args&&... args) { ::new (place) T{static_cast<Args&&>(args)...}; };
    }

#if defined(__GNUC__)
#pragma GCC diagnostic push
// Leaving fields out, or passing an int where a size is wanted, is the caller's choice.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wmissing-braces" // an array's elements may come one by one
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
    /// Parentheses where they fit, as `std::make_shared`; else braces, for aggregates. The result is
    /// constructed where the caller initialises it, so that `T` need not be movable.
    template <class T, class... Args>
    PYGC_INLINE static T make(Args&&... args) {
        if constexpr (constructible_with_parentheses<T, Args...>()) {
            return T(static_cast<Args&&>(args)...);
        } else {
            return T{static_cast<Args&&>(args)...};
        }
    }

    template <class T, class... Args>
    PYGC_INLINE static T* make_at(void* place, Args&&... args) {
        if constexpr (constructible_with_parentheses<T, Args...>()) {
            return ::new (place) T(static_cast<Args&&>(args)...);
        } else {
            return ::new (place) T{static_cast<Args&&>(args)...};
        }
    }
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

#if defined(__clang__)
#pragma clang diagnostic push
// A page holds objects of exactly one type: no virtual destructor is needed.
#pragma clang diagnostic ignored "-Wdelete-non-abstract-non-virtual-dtor"
#endif
    template <class T>
    PYGC_INLINE static void destroy(T& object) {
        object.~T();
    }
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof" // no virtual base: checked by the caller
#endif
    template <class T>
    static constexpr std::size_t header_offset() noexcept {
        return __builtin_offsetof(T, pygc_header_);
    }
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
};

namespace detail {

PYGC_INLINE header& header_of(const py_object* p) noexcept { return access::header_of(p); }

/// The count of `p` fell to zero. Complexity: constant, besides the destructors of what dies.
PYGC_NOINLINE inline void drop_last(py_object* p) noexcept {
    page& where = page_of(p);
    where.destroy(where, p);
}

PYGC_INLINE void drop(py_object* p) noexcept {
    if (remove_reference(header_of(p))) [[unlikely]]
        drop_last(p);
}

/// Where a value of a type that doesn't derive from py_object lives.
template <class T>
struct box final : py_object {
    struct in_place {};

    template <class... Args>
    explicit box(in_place, Args&&... args) : value(access::make<T>(static_cast<Args&&>(args)...)) {}

    T value;
};

/// What a `py_ref<T>` really owns: the object itself or the box around it.
template <class T, bool = __is_base_of(py_object, T)>
struct owned_type {
    using type = T;
};
template <class T>
struct owned_type<T, false> {
    using type = box<T>;
};

template <class T>
PYGC_INLINE T* value_of(py_object* p) noexcept {
    if constexpr (__is_base_of(py_object, T)) {
        return static_cast<T*>(p);
    } else {
        return __builtin_addressof(static_cast<box<T>*>(p)->value);
    }
}

/// Where in an object the value stands that the user knows.
template <class T>
consteval std::size_t box_value_offset() noexcept {
    if constexpr (__is_base_of(py_object, T)) {
        return 0;
    } else {
        return (sizeof(py_object) + alignof(T) - 1) / alignof(T) * alignof(T);
    }
}

/// The object behind a value that a reference owns: the inverse of `value_of`.
template <class T>
PYGC_INLINE py_object* owner_of(T* value) noexcept {
    if constexpr (__is_base_of(py_object, T)) {
        return value;
    } else {
        constexpr std::size_t offset = (sizeof(py_object) + alignof(T) - 1) / alignof(T) * alignof(T);
        return reinterpret_cast<box<T>*>(reinterpret_cast<char*>(value) - offset);
    }
}

} // namespace detail

} // namespace pygc::inline PYGC_ABI
