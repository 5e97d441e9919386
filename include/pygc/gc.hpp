// SPDX-License-Identifier: BSL-1.0
// The gc module: the same functions as Python's, for the current heap of the calling thread.
#pragma once

#include <pygc/heap.hpp>

namespace pygc::inline PYGC_ABI {

/// As heap::current().collect(generation).
inline std::size_t collect(int generation = 2) { return heap::current().collect(generation); }

/// As heap::current().adopt(r): takes over the objects of the ended thread or heap that made `r`.
template <class T>
bool adopt(const py_ref<T>& r) {
    return heap::current().adopt(r);
}

inline void enable() { heap::current().enable(); }
inline void disable() { heap::current().disable(); }
[[nodiscard]] inline bool is_enabled() { return heap::current().is_enabled(); }

inline void set_threshold(std::size_t t0) { heap::current().set_threshold(t0); }
inline void set_threshold(std::size_t t0, std::size_t t1) { heap::current().set_threshold(t0, t1); }
inline void set_threshold(std::size_t t0, std::size_t t1, std::size_t t2) { heap::current().set_threshold(t0, t1, t2); }
[[nodiscard]] inline std::array<std::size_t, 3> get_threshold() { return heap::current().get_threshold(); }
[[nodiscard]] inline std::array<std::size_t, 3> get_count() { return heap::current().get_count(); }
[[nodiscard]] inline std::array<generation_stats, 3> get_stats() { return heap::current().get_stats(); }
[[nodiscard]] inline object_list get_objects() { return heap::current().get_objects(); }
[[nodiscard]] inline object_list get_objects(int generation) { return heap::current().get_objects(generation); }
template <class... T>
[[nodiscard]] object_list get_referrers(const py_ref<T>&... targets) {
    return heap::current().get_referrers(targets...);
}
template <class... T>
[[nodiscard]] object_list get_referents(const py_ref<T>&... sources) {
    return heap::current().get_referents(sources...);
}
template <class F>
bool visit_objects(F f) {
    return heap::current().visit_objects(static_cast<F&&>(f));
}
inline void freeze() { heap::current().freeze(); }
inline void unfreeze() { heap::current().unfreeze(); }
[[nodiscard]] inline std::size_t get_freeze_count() { return heap::current().get_freeze_count(); }
inline void set_debug(debug flags) { heap::current().set_debug(flags); }
[[nodiscard]] inline debug get_debug() { return heap::current().get_debug(); }
[[nodiscard]] inline object_list& garbage() { return heap::current().garbage(); }
[[nodiscard]] inline callback_list& callbacks() { return heap::current().callbacks(); }
template <class F>
void set_unraisable_hook(F f) {
    heap::current().set_unraisable_hook(static_cast<F&&>(f));
}
inline void set_mode(mode m) { heap::current().set_mode(m); }
[[nodiscard]] inline mode get_mode() { return heap::current().get_mode(); }
inline std::size_t safe_point() { return heap::current().safe_point(); }
[[nodiscard]] inline memory_stats get_memory() { return heap::current().get_memory(); }

/// Whether the collector knows the object: its type can be part of a cycle, and its constructor has
/// returned. False for null.
template <class T>
[[nodiscard]] bool is_tracked(const py_ref<T>& r) noexcept {
    const py_object* p = detail::ref_access::object(r);
    return p != nullptr && detail::age_of(detail::header_of(p)) <= detail::age_old;
}

/// Whether the finalizer of the object has been called. False for null.
template <class T>
[[nodiscard]] bool is_finalized(const py_ref<T>& r) noexcept {
    const py_object* p = detail::ref_access::object(r);
    return p != nullptr && (detail::header_of(p).state & detail::life_finalized) != 0;
}

/// Lets the object live for good: its count no longer matters, and collections don't look at it. What it refers to
/// lives as long as it does. There is no way back.
template <class T>
void immortalize(const py_ref<T>& r) noexcept {
    py_object* p = detail::ref_access::object(r);
    if (p == nullptr) return;
    detail::header& h = detail::header_of(p);
    const std::uint32_t age = detail::age_of(h);
    detail::heap_state& heap = *detail::chunk_of(p).heap;
    if (age <= detail::age_old && !detail::page_of(p).frozen && (h.state & detail::life_condemned) == 0) {
        --heap.objects_of_age[age];
    }
    h.state = (h.state & ~std::uint32_t{detail::life_condemned}) | detail::age_none;
    detail::make_immortal(h);
}

} // namespace pygc::inline PYGC_ABI
