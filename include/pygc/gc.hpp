// SPDX-License-Identifier: BSL-1.0
// The gc module: the same functions as Python's, for the current heap of the calling thread.
#pragma once

#include <pygc/heap.hpp>

namespace pygc::inline PYGC_ABI {

/// As heap::current().collect(generation).
inline std::size_t collect(int generation = 2) { return heap::current().collect(generation); }

inline void enable() { heap::current().enable(); }
inline void disable() { heap::current().disable(); }
[[nodiscard]] inline bool is_enabled() { return heap::current().is_enabled(); }

inline void set_threshold(std::size_t t0) { heap::current().set_threshold(t0); }
inline void set_threshold(std::size_t t0, std::size_t t1) { heap::current().set_threshold(t0, t1); }
inline void set_threshold(std::size_t t0, std::size_t t1, std::size_t t2) {
    heap::current().set_threshold(t0, t1, t2);
}
[[nodiscard]] inline std::array<std::size_t, 3> get_threshold() { return heap::current().get_threshold(); }
[[nodiscard]] inline std::array<std::size_t, 3> get_count() { return heap::current().get_count(); }
[[nodiscard]] inline std::array<generation_stats, 3> get_stats() { return heap::current().get_stats(); }
[[nodiscard]] inline object_list get_objects() { return heap::current().get_objects(); }
[[nodiscard]] inline object_list get_objects(int generation) { return heap::current().get_objects(generation); }
[[nodiscard]] inline memory_stats get_memory() { return heap::current().get_memory(); }

/// Whether the collector knows the object: its type can be part of a cycle, and its constructor has
/// returned. False for null.
template <class T>
[[nodiscard]] bool is_tracked(const py_ref<T>& r) noexcept {
    const py_object* p = detail::ref_access::object(r);
    return p != nullptr && detail::age_of(detail::header_of(p)) <= detail::age_old;
}

} // namespace pygc::inline PYGC_ABI
