// SPDX-License-Identifier: BSL-1.0
// finalizer: a function to be called when an object has died; CPython's weakref.finalize.
#pragma once

#include <pygc/detail/finalizer_entry.hpp>
#include <pygc/weakref.hpp>

namespace pygc::inline PYGC_ABI {

/// Calls `f(args...)` once: when the object dies, when called by hand, or when the heap ends. The heap keeps it, so
/// that nobody need keep this handle; copies are the same finalizer. `f` and its arguments must not own the object,
/// which could then never die.
///
///     pygc::finalizer cleanup(file, [path] { std::remove(path.c_str()); });
///
/// Several of one object are called newest first, after its own `finalize()` and before its destructor. At the end of a
/// heap (of its thread, or `~heap`) those left are called newest first, unless `set_at_exit(false)`; one made
/// meanwhile is next. What they throw goes to the unraisable hook.
class finalizer {
public:
    finalizer() noexcept = default;

    /// Does nothing for null, and calls nothing for an object whose destructor runs. Throws: std::bad_alloc, and what
    /// copying throws.
    template <class T, class F, class... Args>
    explicit finalizer(const py_ref<T>& r, F f, Args... args) {
        static_assert(std::is_invocable_v<F&, Args&...>, "pygc: a finalizer calls f(args...)");
        py_object* p = detail::ref_access::object(r);
        if (p == nullptr || detail::is_ending(p)) return;
        const py_ref<T> hold = r; // which moves and copies of the function may let go
        auto function =
            detail::callable<>::make([f = static_cast<F&&>(f), ... args = static_cast<Args&&>(args)]() mutable {
                static_cast<void>(f(args...));
            });
        detail::heap_state& h = *detail::chunk_of(p).heap;
        entry_ = detail::make_record<detail::finalizer_entry>(h, p, static_cast<detail::callable<>&&>(function));
        entry_->join(h);
    }

    /// Whether it is still to be called.
    [[nodiscard]] bool alive() const noexcept { return entry_ != nullptr && entry_->listed; }

    /// Returns: the object, null if the finalizer isn't alive.
    [[nodiscard]] py_ref<py_object> peek() const noexcept {
        if (!alive()) return nullptr;
        py_object* p = detail::live_target(*entry_);
        if (p == nullptr) return nullptr;
        detail::add_reference(detail::header_of(p));
        return detail::ref_access::adopt<py_object>(p);
    }

    /// Effects: never calls the function any more. Returns: the object, null if it wasn't alive.
    py_ref<py_object> detach() noexcept {
        auto object = peek();
        if (alive()) {
            detail::finalizer_entry* const entry = entry_.get();
            const auto listed = detail::ref_access::adopt<detail::finalizer_entry>(entry); // the list's reference
            const auto function = entry->leave(); // destroyed first: that may be the end of this handle
        }
        return object;
    }

    /// Calls the function now, if it is alive. Returns: whether it was.
    bool operator()() noexcept {
        const auto hold = entry_;
        return hold != nullptr && hold->run();
    }

    [[nodiscard]] bool at_exit() const noexcept { return alive() && entry_->at_exit; }
    /// Whether it is called at the end of the heap: yes unless told otherwise.
    void set_at_exit(bool on) noexcept {
        if (alive()) entry_->at_exit = on;
    }

private:
    py_ref<detail::finalizer_entry> entry_;
};

} // namespace pygc::inline PYGC_ABI
