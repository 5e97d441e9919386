// SPDX-License-Identifier: BSL-1.0
// py_weakref<T>: refers to an object without keeping it alive; CPython's weakref.ref.
#pragma once

#include <cstddef>
#include <exception>   // base of reference_error
#include <tuple>       // captured values
#include <type_traits> // is_invocable

#include <pygc/make.hpp>

namespace pygc::inline PYGC_ABI {

namespace detail {

/// A record without a callback: all plain weak references to an object share one.
struct plain_record final : weak_record {
    using pygc_acyclic = void;
    using weak_record::weak_record;
};

/// What a weak reference is to do when its object has died. Behind virtual functions: there is one type of record for
/// all callbacks, and so one kind of page, however many lambdas a program has.
struct weak_callback {
    weak_callback() noexcept = default;
    weak_callback(const weak_callback&) = delete;
    weak_callback& operator=(const weak_callback&) = delete;
    virtual ~weak_callback() = default;
    virtual void call(weak_record& dead) noexcept = 0;
    virtual void traverse(visitor& visit) = 0;
};

/// The user's function and the values it is to be called with, visible to the collector.
template <class T, class F, class... Captured>
struct bound_callback final : weak_callback {
    static_assert(noexcept(std::declval<F&>().~F()) && (noexcept(std::declval<Captured&>().~Captured()) && ...),
                  "pygc: a callback's destructor must not throw: nobody could catch it");
    static constexpr bool takes_reference = std::is_invocable_v<F&, const py_weakref<T>&, Captured&...>;
    static_assert(takes_reference || std::is_invocable_v<F&, Captured&...>,
                  "pygc: a weak reference's callback is called as f(const py_weakref<T>&, captured...) or "
                  "f(captured...)");

    bound_callback(F&& f, Captured&&... c) : function(static_cast<F&&>(f)), captured(static_cast<Captured&&>(c)...) {}

    void call(weak_record& dead) noexcept override {
#if PYGC_EXCEPTIONS
        try {
            call_function(ref_access::weak<T>(dead));
        } catch (...) {
            report_unraisable(*chunk_of(&dead).heap, "a callback of a weak reference to", type_name<T>(),
                              dead.object());
        }
#else
        call_function(ref_access::weak<T>(dead));
#endif
    }

    void traverse(visitor& visit) override {
        visit_value(visit, function); // an aggregate or a class with a traverse may be seen into; a lambda can't
        visit_captured(visit, captured);
    }

    void call_function(const py_weakref<T>& dead) {
        std::apply(
            [&](Captured&... c) {
                if constexpr (takes_reference) {
                    static_cast<void>(function(dead, c...));
                } else {
                    static_cast<void>(function(c...));
                }
            },
            captured);
    }

    F function;
    std::tuple<Captured...> captured;
};

/// A record with a callback. Tracked, as in CPython: a collection must find out whether it is garbage itself.
struct callback_record final : weak_record {
    /// Takes over the callback, which is whole by then: its copies and moves are code of the user.
    callback_record(py_object* object, weak_callback*& c) noexcept : weak_record(object), callback(c) {
        c = nullptr;
        call = [](weak_record& self) noexcept { static_cast<callback_record&>(self).run(); };
    }
    ~callback_record() { delete callback; }

    void traverse(visitor& visit) {
        if (callback != nullptr) callback->traverse(visit);
    }

    /// Calls the function, and lets go of it and of what it owns.
    void run() noexcept {
        weak_callback* const mine = callback;
        callback = nullptr;
        call = nullptr;
        mine->call(*this);
        delete mine;
    }

    weak_callback* callback;
};

/// Owns a callback until its record does.
struct callback_owner {
    explicit callback_owner(weak_callback* c) noexcept : callback(c) {}
    callback_owner(const callback_owner&) = delete;
    callback_owner& operator=(const callback_owner&) = delete;
    ~callback_owner() { delete callback; }

    weak_callback* callback;
};

/// Makes `h` the current heap, and starts no automatic collection there.
class record_scope {
public:
    explicit record_scope(heap_state& h) noexcept : pause_(h), previous_(this_thread.heap) { this_thread.heap = &h; }
    record_scope(const record_scope&) = delete;
    record_scope& operator=(const record_scope&) = delete;
    ~record_scope() { this_thread.heap = previous_; }

private:
    pause_scope pause_;
    heap_state* previous_;
};

/// A record for a living object, in the object's heap; but in this thread's if another copy of the library made that
/// one, whose types have other numbers. Throws: std::bad_alloc, and what the arguments throw.
template <class Record, class... Args>
py_ref<Record> make_record(heap_state& h, py_object* object, Args&&... args) {
    if (!h.weak.reserve_one()) throw_bad_alloc();
    heap_state* const place = h.library == this_library() ? &h : ensure_heap();
    if (place == nullptr) throw_bad_alloc();
    check_thread(h, nullptr, &h);
    const record_scope scope(*place);
    auto record = make_ref<Record>(object, static_cast<Args&&>(args)...);
    attach(h, *record);
    return record;
}

/// Whether weak references to it are dead from the start: its destructor runs, or has run.
inline bool is_ending(const py_object* object) noexcept {
    return (header_of(object).state & (life_dying | life_zombie)) != 0;
}

} // namespace detail

/// Refers to an object without keeping it alive: `std::weak_ptr` with the rules of CPython's `weakref.ref`.
///
///     pygc::py_weakref<person> w = ada;
///     if (auto p = w.lock()) p->greet();
///     pygc::py_weakref<person> told(ada, [](const auto&) { std::puts("Ada is gone"); });
///
/// All weak references to one object that have no callback share one small record; each made with a callback has
/// its own; copies share their original's. The object itself has no field for them. They end together, after the
/// object's finalizer has run and left it dead, before its destructor; then the callbacks are called, newest first. A
/// callback is called at most once, and never if the last copy of its weak reference goes before the object does or
/// is garbage with it. What it throws goes to the unraisable hook.
///
/// Show it to `traverse` as any reference: `visit(parent)`. References captured by a lambda are hidden from the
/// collector and count as held from outside; those passed behind the callback, `py_weakref<T> w(r, f, a, b)`, are
/// visible, and `f` is called with them.
///
/// **Size**: a pointer; the shared record of an object takes 40 bytes, and some 30 in a table; one with a
/// callback 48, and an allocation for the callback. **Thread safety**: as
/// py_ref.
template <class T>
class py_weakref {
public:
    using element_type = T;

    constexpr py_weakref() noexcept = default;
    constexpr py_weakref(std::nullptr_t) noexcept {}

    /// Dead from the start if `r` is null or its object's destructor runs. Throws: std::bad_alloc.
    template <detail::convertible_object<T> U>
    py_weakref(const py_ref<U>& r) {
        py_object* p = detail::ref_access::object(r);
        if (p == nullptr || detail::is_ending(p)) return;
        detail::heap_state& h = *detail::chunk_of(p).heap;
        if ((detail::header_of(p).state & detail::life_weak) != 0) {
            detail::weak_record* first = h.weak.find(p);
            if (first->call == nullptr && !detail::is_ending(*first)) {
                record_ = py_ref<detail::weak_record>::borrow(first);
                return;
            }
        }
        record_ = detail::make_record<detail::plain_record>(h, p);
    }

    /// With a callback: called as `f(const py_weakref<T>&, captured...)`, or `f(captured...)`, once the object has
    /// died. May run an automatic collection, as make_ref. Throws: std::bad_alloc, and what copying throws.
    template <detail::convertible_object<T> U, class F, class... Captured>
        requires(!std::is_null_pointer_v<F>)
    py_weakref(const py_ref<U>& r, F f, Captured... captured) {
        py_object* p = detail::ref_access::object(r);
        if (p == nullptr || detail::is_ending(p)) return;
        const py_ref<U> hold = r; // which moves and copies of the function may let go
        detail::callback_owner made(
            new detail::bound_callback<T, F, Captured...>(static_cast<F&&>(f), static_cast<Captured&&>(captured)...));
        detail::heap_state& h = *detail::chunk_of(p).heap; // the function's moves may have adopted it
        record_ = detail::make_record<detail::callback_record>(h, p, made.callback);
        if (h.is_over_trigger() && &h == detail::this_thread.heap) detail::collect_automatically(h);
    }

    template <detail::convertible_object<T> U>
    py_weakref(const py_weakref<U>& other) noexcept : record_(other.record_) {
        detail::check_conversion<U, T>();
    }
    template <detail::convertible_object<T> U>
    py_weakref(py_weakref<U>&& other) noexcept : record_(static_cast<py_ref<detail::weak_record>&&>(other.record_)) {
        detail::check_conversion<U, T>();
    }

    /// Returns: a new reference to the object, null once it is dead.
    [[nodiscard]] PYGC_INLINE py_ref<T> lock() const noexcept {
        py_object* p = target();
        if (p == nullptr) return nullptr;
        detail::add_reference(detail::header_of(p));
        return detail::ref_access::adopt<T>(p);
    }

    [[nodiscard]] bool expired() const noexcept { return target() == nullptr; }

    /// Returns: the number of references that keep the object alive, 0 once it is dead.
    [[nodiscard]] long use_count() const noexcept {
        const py_object* p = target();
        return p == nullptr ? 0 : static_cast<long>(detail::header_of(p).count);
    }

    /// Whether a callback is still to come.
    [[nodiscard]] bool has_callback() const noexcept {
        return record_ != nullptr && !record_->is_dead() && record_->call != nullptr;
    }

    void reset() noexcept { record_.reset(); }
    void swap(py_weakref& other) noexcept { record_.swap(other.record_); }
    friend void swap(py_weakref& a, py_weakref& b) noexcept { a.swap(b); }

    /// While both objects live: whether they are the same. Else: whether it is the same weak reference.
    template <class U>
    [[nodiscard]] friend bool operator==(const py_weakref& a, const py_weakref<U>& b) noexcept {
        const py_object* p = a.target();
        const py_object* q = detail::ref_access::weak_target(b);
        if (p != nullptr && q != nullptr) return p == q;
        return detail::ref_access::record(a) == detail::ref_access::record(b);
    }
    /// Whether it has never referred to an object, or was reset.
    [[nodiscard]] friend bool operator==(const py_weakref& a, std::nullptr_t) noexcept { return a.record_ == nullptr; }

    /// The object's hash, also after its death: two that are equal at any time have the same.
    [[nodiscard]] std::size_t hash() const noexcept {
        return record_ == nullptr ? 0 : static_cast<std::size_t>(record_->target & ~detail::weak_record::dead);
    }

private:
    template <class U>
    friend class py_weakref;
    friend struct detail::ref_access;

    [[nodiscard]] PYGC_INLINE py_object* target() const noexcept {
        return record_ == nullptr ? nullptr : detail::live_target(*record_);
    }

    py_ref<detail::weak_record> record_;
};

template <class T>
py_weakref(const py_ref<T>&) -> py_weakref<T>;
template <class T, class F, class... Captured>
py_weakref(const py_ref<T>&, F, Captured...) -> py_weakref<T>;

/// Returns: the number of weak references to the object, those without a callback counting as one.
template <class T>
[[nodiscard]] std::size_t get_weakref_count(const py_ref<T>& r) noexcept {
    std::size_t n = 0;
    detail::ref_access::for_each_record(detail::ref_access::object(r), [&n](detail::weak_record&) noexcept { ++n; });
    return n;
}

/// Calls `f(py_weakref<T>)` for each of them: the shared one first, then those with a callback, newest first. They are
/// listed before the first call: `f` may make weak references, which aren't met, and end some, which are met as long
/// as the list holds them. Throws: std::bad_alloc, before the first call, and what `f` throws.
template <class T, class F>
void for_each_weakref(const py_ref<T>& r, F f) {
    py_object* const p = detail::ref_access::object(r);
    object_list records;
    if (!detail::list_access::reserve(records, get_weakref_count(r))) detail::throw_bad_alloc();
    detail::ref_access::for_each_record(
        p, [&records](detail::weak_record& w) noexcept { detail::list_access::append(records, &w); });
    for (const auto& record : records) {
        f(detail::ref_access::weak<T>(static_cast<detail::weak_record&>(*record)));
    }
}

/// Thrown by a weak_proxy whose object is dead: Python's ReferenceError.
class reference_error : public std::exception {
public:
    [[nodiscard]] const char* what() const noexcept override { return "pygc: the object of a weak reference is dead"; }
};

/// Used as if it were the object, without keeping it alive: CPython's weakref.proxy. Each use holds a reference until
/// the full expression ends.
template <class T>
class weak_proxy {
public:
    /// Throws: std::bad_alloc.
    template <detail::convertible_object<T> U>
    explicit weak_proxy(const py_ref<U>& r) : weak_(r) {}
    template <detail::convertible_object<T> U, class F>
    weak_proxy(const py_ref<U>& r, F f) : weak_(r, static_cast<F&&>(f)) {}

    /// Throws: reference_error.
    [[nodiscard]] py_ref<T> operator->() const {
        auto r = weak_.lock();
        if (r == nullptr) refuse();
        return r;
    }
    /// Whether the object lives.
    [[nodiscard]] explicit operator bool() const noexcept { return !weak_.expired(); }

    void traverse(auto& visit) { visit(weak_); }

private:
    [[noreturn]] static void refuse() {
#if PYGC_EXCEPTIONS
        throw reference_error();
#else
        detail::report_and_abort("use of a weak_proxy of a dead object", nullptr, nullptr);
#endif
    }

    py_weakref<T> weak_;
};

template <class T>
weak_proxy(const py_ref<T>&) -> weak_proxy<T>;

/// An object and one of its member functions, bound while somebody else keeps the object alive: CPython's
/// weakref.WeakMethod. Has no cycle with the object it may be stored in.
template <class T, class Function>
class weak_method {
public:
    /// A strong reference and the function: callable, and false if the object is dead.
    class bound_method {
    public:
        bound_method(py_ref<T> self, Function f) noexcept : self_(static_cast<py_ref<T>&&>(self)), function_(f) {}
        [[nodiscard]] explicit operator bool() const noexcept { return self_ != nullptr; }
        template <class... Args>
        decltype(auto) operator()(Args&&... args) const {
            return ((*self_).*function_)(static_cast<Args&&>(args)...);
        }
        [[nodiscard]] const py_ref<T>& self() const noexcept { return self_; }

    private:
        py_ref<T> self_;
        Function function_;
    };

    /// Throws: std::bad_alloc.
    weak_method(const py_ref<T>& self, Function f) : weak_(self), function_(f) {}
    template <class Callback>
    weak_method(const py_ref<T>& self, Function f, Callback callback)
        : weak_(self, static_cast<Callback&&>(callback)), function_(f) {}

    [[nodiscard]] bound_method lock() const noexcept { return {weak_.lock(), function_}; }
    [[nodiscard]] bool expired() const noexcept { return weak_.expired(); }

    [[nodiscard]] friend bool operator==(const weak_method& a, const weak_method& b) noexcept {
        return a.weak_ == b.weak_ && a.function_ == b.function_;
    }
    [[nodiscard]] std::size_t hash() const noexcept { return weak_.hash(); }

    void traverse(auto& visit) { visit(weak_); }

private:
    py_weakref<T> weak_;
    Function function_;
};

template <class T, class Function>
weak_method(const py_ref<T>&, Function) -> weak_method<T, Function>;
template <class T, class Function, class Callback>
weak_method(const py_ref<T>&, Function, Callback) -> weak_method<T, Function>;

} // namespace pygc::inline PYGC_ABI

template <class T>
struct std::hash<pygc::py_weakref<T>> {
    [[nodiscard]] std::size_t operator()(const pygc::py_weakref<T>& w) const noexcept { return w.hash(); }
};
template <class T, class Function>
struct std::hash<pygc::weak_method<T, Function>> {
    [[nodiscard]] std::size_t operator()(const pygc::weak_method<T, Function>& m) const noexcept { return m.hash(); }
};
