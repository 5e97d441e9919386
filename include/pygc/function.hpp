// SPDX-License-Identifier: BSL-1.0
// py_function<R(Args...)>: a callable whose references the collector can see.
//
//   py_function ---> function_record ---> callable and captured values
//   py_function --/
#pragma once

#include <cstddef>
#include <exception>   // base of type_error
#include <tuple>       // captured values; apply calls member pointers too
#include <type_traits> // is_invocable_r

#include <pygc/make.hpp>

namespace pygc::inline PYGC_ABI {

/// Thrown by the call of an empty py_function: Python's TypeError, "'NoneType' object is not callable".
class type_error : public std::exception {
public:
    [[nodiscard]] const char* what() const noexcept override { return "pygc: call of an empty py_function"; }
};

namespace detail {

/// Behind virtual functions, as the callbacks of weak references: there are two types of records for all callables,
/// and so two kinds of pages, however many lambdas a program has.
struct function_body {
    function_body() noexcept = default;
    function_body(const function_body&) = delete;
    function_body& operator=(const function_body&) = delete;
    virtual ~function_body() = default;
    virtual void traverse(visitor& visit) = 0;
};

template <class R, class... Args>
struct function_with_signature : function_body {
    virtual R call(Args&&... args) = 0;
};

/// The user's callable and the values it is to be called with.
template <class F, class Captures, class R, class... Args>
struct bound_function;
template <class F, class... Captured, class R, class... Args>
struct bound_function<F, types<Captured...>, R, Args...> final : function_with_signature<R, Args...> {
    bound_function(F&& f, Captured&&... c) : function(static_cast<F&&>(f)), captured(static_cast<Captured&&>(c)...) {}

    R call(Args&&... args) override {
        return std::apply(
            [&](Captured&... c) -> R {
                std::tuple<Args&&..., Captured&...> all(static_cast<Args&&>(args)..., c...);
                if constexpr (std::is_void_v<R>) {
                    static_cast<void>(std::apply(function, static_cast<decltype(all)&&>(all)));
                } else {
                    return std::apply(function, static_cast<decltype(all)&&>(all));
                }
            },
            captured);
    }

    void traverse(visitor& visit) override {
        visit_captured(visit, function);
        visit_captured(visit, captured);
    }

    F function;
    std::tuple<Captured...> captured;
};

/// Owns the body.
struct function_record : py_object {
    explicit function_record(function_body& b) noexcept : body(&b) {}
    function_record(const function_record&) = delete;
    function_record& operator=(const function_record&) = delete;
    ~function_record() { delete body; }

    function_body* body;
};
struct plain_function final : function_record {
    using pygc_acyclic = void;
    using function_record::function_record;
};
struct tracked_function final : function_record {
    using function_record::function_record;
    void traverse(visitor& visit) { body->traverse(visit); }
};

/// Makes a record for a body, which dies if there is no memory for that.
template <class Record>
py_ref<function_record> make_function(function_body* body) {
    struct owner {
        function_body* body;
        ~owner() { delete body; }
    } guard{body};
    auto record = make_ref<Record>(*body);
    guard.body = nullptr;
    return record;
}

template <class F>
inline constexpr bool is_py_function = false;
template <class Signature>
inline constexpr bool is_py_function<py_function<Signature>> = true;

/// The signature of a function object that has one, for deduction.
template <class Member>
struct signature_of;
template <class R, class C, class... Args>
struct signature_of<R (C::*)(Args...)> {
    using type = R(Args...);
};
template <class R, class C, class... Args>
struct signature_of<R (C::*)(Args...) const> : signature_of<R (C::*)(Args...)> {};
template <class R, class C, class... Args>
struct signature_of<R (C::*)(Args...) noexcept> : signature_of<R (C::*)(Args...)> {};
template <class R, class C, class... Args>
struct signature_of<R (C::*)(Args...) const noexcept> : signature_of<R (C::*)(Args...)> {};

} // namespace detail

/// A callable like `std::function<R(Args...)>`, with one difference: the collector sees the references that it owns, so
/// that an object may own a function that refers to the object.
///
///     struct button : pygc::py_object {
///         pygc::py_function<void(event&)> on_click;
///         void traverse(auto& visit) { visit(on_click); }
///     };
///     b->on_click = {[](event& e, pygc::py_ref<button>& self) { self->handle(e); }, b};
///
/// What stands behind the callable is captured, and passed to it, as an lvalue, after the arguments of the call. A
/// lambda is a closed box: one with captures that own something does not compile. The callable may also be a function,
/// a pointer to a member, a struct with an `operator()` whose fields are visible to the library, or a class with an
/// `operator()` and a `traverse`.
///
/// Copies share the callable and what it captured, as names of one function in Python; `std::function` copies them. It
/// need not be copyable. A function may be reset or assigned to while it runs. In the destructor of an object
/// that a collection frees it may be empty, as any reference to garbage is null.
///
/// **Size**: a pointer; the record it refers to takes 16 bytes, and an allocation for the callable. **Exceptions**:
/// only the constructor from a callable throws std::bad_alloc; it may run an automatic collection, as make_ref.
/// **Thread safety**: as py_ref.
template <class R, class... Args>
class py_function<R(Args...)> {
public:
    using result_type = R;

    constexpr py_function() noexcept = default;
    constexpr py_function(std::nullptr_t) noexcept {}

    /// Empty if `f` is a null pointer or an empty py_function. Throws: std::bad_alloc, and what copying throws.
    template <class F, class... Captured>
        requires(!std::is_same_v<F, py_function> && std::is_invocable_r_v<R, F&, Args..., Captured&...>)
    py_function(F f, Captured... captured) {
        static_assert(detail::shape_of<F>() != detail::shape::opaque,
                      "pygc: a py_function can't see what this callable owns; pass it behind the callable, "
                      "py_function<R(Args...)> f([](Args... args, auto& a, auto& b) { }, a, b), or make the callable "
                      "a struct with public fields or with a member void traverse(auto& visit)");
        static_assert(((detail::shape_of<Captured>() != detail::shape::opaque) && ...),
                      "pygc: a py_function can't see what a captured value owns; give its class a member "
                      "void traverse(auto& visit), or specialise pygc::traverse_traits for it");
        if constexpr (std::is_pointer_v<F> || std::is_member_pointer_v<F> || detail::is_py_function<F>) {
            if (f == nullptr) return;
        }
        using body = detail::bound_function<F, detail::types<Captured...>, R, Args...>;
        constexpr bool visible = (detail::holds_references<F>() || ... || detail::holds_references<Captured>());
        using record = std::conditional_t<visible, detail::tracked_function, detail::plain_function>;
        record_ = detail::make_function<record>(new body(static_cast<F&&>(f), static_cast<Captured&&>(captured)...));
    }

    /// Throws: type_error if there is nothing to call, and what the callable throws.
    R operator()(Args... args) const {
        const auto hold = record_; // the callable may let go of itself
        if (hold == nullptr) refuse();
        return static_cast<detail::function_with_signature<R, Args...>*>(hold->body)
            ->call(static_cast<Args&&>(args)...);
    }

    [[nodiscard]] explicit operator bool() const noexcept { return record_ != nullptr; }
    [[nodiscard]] friend bool operator==(const py_function& f, std::nullptr_t) noexcept { return f.record_ == nullptr; }

    void reset() noexcept { record_.reset(); }
    void swap(py_function& other) noexcept { record_.swap(other.record_); }
    friend void swap(py_function& a, py_function& b) noexcept { a.swap(b); }

    void traverse(auto& visit) { visit(record_); }

private:
    [[noreturn]] static void refuse() {
#if PYGC_EXCEPTIONS
        throw type_error();
#else
        detail::report_and_abort("call of an empty py_function", nullptr, nullptr);
#endif
    }

    py_ref<detail::function_record> record_;
};

template <class R, class... Args>
py_function(R (*)(Args...)) -> py_function<R(Args...)>;
template <class F>
py_function(F) -> py_function<typename detail::signature_of<decltype(&F::operator())>::type>;

} // namespace pygc::inline PYGC_ABI
