// SPDX-License-Identifier: BSL-1.0
// Reports of misuse: one clear line with type and address.
#pragma once

#include <cstdio>  // fprintf, stderr
#include <cstdlib> // abort

#include <pygc/detail/bad_alloc.hpp>
#include <pygc/detail/slots.hpp>
#include <pygc/detail/type_name.hpp>
#include <pygc/object.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Writes `pygc: <what> <type> at <address>` to stderr.
PYGC_NOINLINE inline void report(const char* what, const type_info* type, const void* address) noexcept {
    const int length = type != nullptr ? static_cast<int>(type->name_length) : 0;
    std::fprintf(stderr, "pygc: %s%s%.*s at %p\n", what, length != 0 ? " " : "", length, length != 0 ? type->name : "",
                 address);
}

[[noreturn]] PYGC_NOINLINE inline void report_and_abort(const char* what, const type_info* type,
                                                        const void* address) noexcept {
    report(what, type, address);
    std::abort();
}

/// Whether an object is dying, so that a container may be in the middle of its clear(), where no `traverse` may look
/// at it. A line to stderr says so: an exception in a destructor would end the program.
PYGC_NOINLINE inline bool refuses_traversal(const char* who) noexcept {
    if (!is_dying()) return false;
    std::fprintf(stderr, "pygc: %s while an object dies finds nothing: a container may be in the middle of its clear()\n",
                 who);
    return true;
}

#if PYGC_EXCEPTIONS
/// Hands the exception being handled to the heap's hook; without one, writes a line to stderr.
PYGC_NOINLINE inline void report_unraisable(heap_state& h, const char* what, name_range type,
                                            const void* object) noexcept {
    const unraisable u{std::current_exception(), what, type.begin, type.length, object};
    const auto hook = h.unraisable_hook; // it may replace itself
    try {
        if (hook) return hook(u);
        throw;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "pygc: exception ignored in %s %.*s at %p: %s\n", what, static_cast<int>(type.length),
                     type.begin, object, e.what());
    } catch (...) {
        std::fprintf(stderr, "pygc: exception ignored in %s %.*s at %p\n", what, static_cast<int>(type.length),
                     type.begin, object);
    }
}
#endif

/// In debug mode: whether a heap is another thread's, which runs and uses it, so that this one must not. A thread that has
/// ended leaves its objects to whoever holds them, and `exit` ends what other threads made.
PYGC_INLINE bool is_another_threads([[maybe_unused]] const heap_state& h) noexcept {
#if PYGC_DEBUG
    const std::uint32_t owner = owner_of(h);
    return owner != 0 && owner != thread_number() && !own.ending;
#else
    return false;
#endif
}

/// In debug mode aborts with a report if `h` is another thread's.
PYGC_INLINE void check_thread([[maybe_unused]] const heap_state& h, [[maybe_unused]] const type_info* type,
                              [[maybe_unused]] const void* p) noexcept {
    if (!is_another_threads(h)) return;
    report_and_abort(type != nullptr ? "used by another thread than its heap's; objects belong to one thread at a time:"
                                     : "used by another thread than its own; it belongs to one at a time: the heap",
                     type, p);
}

/// In debug mode: whether the last reference to an object went in another thread than its heap's. It is reported, and
/// kept for good: destroying it here would race with that thread.
PYGC_INLINE bool is_kept_for_another_thread([[maybe_unused]] const type_info& type,
                                            [[maybe_unused]] py_object* p) noexcept {
#if PYGC_DEBUG
    if (is_another_threads(*chunk_of(p).heap)) {
        static constinit thread_local int reports = 0;
        if (++reports <= 8) {
            report("dropped by another thread than its heap's, and kept for good; objects belong to one thread at a time:",
                   &type, p);
        }
        header_of(p).count = 1;
        return true;
    }
#endif
    return false;
}

/// Ends the program if another copy of the library made the heap: types have other numbers there.
inline void check_library(const heap_state& h) noexcept {
    if (h.library == this_library()) return;
    report_and_abort(
        "one copy of the library can't make objects in the heap of another; link the program with -rdynamic "
        "or its libraries without RTLD_LOCAL, so that there is one copy: the heap",
        nullptr, &h);
}

#if PYGC_DEBUG
/// Whether the object at `p` died and its slot is free. The header doesn't tell: it looks like that of
/// an object whose destructor runs, and such an object may be borrowed.
inline bool is_free_slot([[maybe_unused]] const page& where, const py_object* p) noexcept {
    if (is_poisoned(p)) return true;
#if !PYGC_ASAN
    for (void* slot = where.free; slot != nullptr; slot = link_of(slot, *where.type)) {
        if (&header_of_slot(slot, *where.type) == &header_of(p)) return true;
    }
#endif
    return false;
}
#endif

/// In debug mode aborts with a report unless `make_ref` made the object at `p` and it lives, or is being
/// constructed: an object on the stack or in a member has no slot of its own.
inline void check_borrow([[maybe_unused]] const py_object* p) noexcept {
#if PYGC_DEBUG
    if (!is_chunk(&chunk_of(p))) report_and_abort("borrow of an object that make_ref did not make", nullptr, p);
    page& where = page_of(p);
    check_thread(*chunk_of(p).heap, where.type, p);
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(p) % page_bytes;
    const std::size_t stride = where.type == nullptr || where.type->slot_count == 1 ? page_bytes : where.type->slot_bytes;
    if (where.type == nullptr || offset % stride != where.type->header_offset) {
        report_and_abort("borrow of an object inside another", where.type, p);
    }
    if (is_free_slot(where, p)) report_and_abort("borrow of a dead", where.type, p);
    if ((header_of(p).state & life_zombie) != 0) report_and_abort("borrow of the destroyed", where.type, p);
#endif
}

} // namespace pygc::inline PYGC_ABI::detail
