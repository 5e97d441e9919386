// SPDX-License-Identifier: BSL-1.0
// What a heap knows of each `finalizer` that has neither run nor been detached.
#pragma once

#include <pygc/detail/callable.hpp>
#include <pygc/detail/weak_record.hpp>
#include <pygc/ref.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// A weak reference with a callback, in the list that keeps it. Owners: the list, and each `finalizer`.
struct finalizer_entry final : weak_record {
    using pygc_acyclic = void; // what the function owns counts as referred to from outside, as in Python

    finalizer_entry(py_object* object, callable<>&& f) noexcept
        : weak_record(object), function(static_cast<callable<>&&>(f)) {
        call = [](weak_record& self) noexcept { static_cast<finalizer_entry&>(self).run(); };
    }

    void join(heap_state& h) noexcept {
        heap = &h;
        older = h.newest_finalizer;
        if (older != nullptr) older->newer = this;
        h.newest_finalizer = this;
        add_reference(header_of(this));
    }

    /// Out of the list, its function returned. Preconditions: in the list.
    [[nodiscard]] callable<> leave() noexcept {
        (newer != nullptr ? newer->older : heap->newest_finalizer) = older;
        if (older != nullptr) older->newer = newer;
        newer = older = nullptr;
        listed = false;
        detach(*this);
        callable<> f;
        f.swap(function);
        return f;
    }

    /// Calls the function, unless that has happened or it was detached. Returns: whether it did.
    bool run() noexcept {
        if (!listed) return false;
        heap_state& h = *heap;
        py_object* const object = this->object();
        {
            const callable<> f = leave();
#if PYGC_EXCEPTIONS
            try {
                f();
            } catch (...) {
                report_unraisable(h, "a finalizer for", type_name<py_object>(), object);
            }
#else
            static_cast<void>(h);
            static_cast<void>(object);
            f();
#endif
        }
        drop(this); // the list's reference
        return true;
    }

    callable<> function;
    heap_state* heap = nullptr;
    finalizer_entry* newer = nullptr;
    finalizer_entry* older = nullptr;
    bool at_exit = true;
    bool listed = true;
};

/// At the end of a heap: the newest first, and those made meanwhile next; what isn't to run is let go.
inline void run_exit_finalizers(heap_state& h) noexcept {
    for (finalizer_entry* e = h.newest_finalizer; e != nullptr; e = h.newest_finalizer) {
        while (e != nullptr && !e->at_exit) e = e->older;
        if (e == nullptr) break;
        e->run();
    }
    while (h.newest_finalizer != nullptr) {
        finalizer_entry* e = h.newest_finalizer;
        static_cast<void>(e->leave());
        drop(e);
    }
}

} // namespace pygc::inline PYGC_ABI::detail
