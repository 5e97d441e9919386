// SPDX-License-Identifier: BSL-1.0
// What the user's `traverse` is called with.
#pragma once

#include <pygc/detail/check.hpp>
#include <pygc/detail/snapshot.hpp>
#include <pygc/detail/visit.hpp>

namespace pygc::inline PYGC_ABI {

/// Passed to `traverse`, which shows it every reference the object owns, each once:
///
///     void traverse(auto& visit) { visit(left, right, children); }   // inlined into the collector
///     void traverse(pygc::visitor& visit);                           // or defined in a .cpp
///
/// Arguments may be references, standard containers, optionals, variants, tuples, arrays, unique_ptrs,
/// classes with a `traverse` of their own and plain structs, nested as you like. A reference left out
/// can make garbage stay; a reference shown twice, or one that belongs to somebody else, is an error:
/// the collector would free what is still in use. `traverse` must not throw, allocate objects or copy
/// references.
class visitor {
public:
    visitor(const visitor&) = delete; // take it by reference: `auto& visit`
    visitor& operator=(const visitor&) = delete;

    template <class... X>
    void operator()(const X&... values) {
        (detail::visit_argument(*this, values), ...);
    }

    /// For the library: one reference, by its place.
    void edge(py_object*& place);

    /// For the library: the values whose visit waits, and what happens when there is no memory for them.
    [[nodiscard]] PYGC_INLINE detail::postponed_visits& postponed() noexcept { return postponed_; }
    void give_up() noexcept;

protected:
    enum class task : unsigned char { count, unlink, unlink_changed, call };
    explicit visitor(task t) noexcept : task_(t) {}

private:
    task task_;
    detail::postponed_visits postponed_;
};

namespace detail {

/// Notes the references that objects hold as edges. A copy
/// of the snapshot's pointers: they stay in registers as long as no `traverse` defined elsewhere is called.
class count_visitor : public visitor {
public:
    explicit count_visitor(snapshot& s) noexcept
        : visitor(task::count), edges_(s.edges), edge_count_(s.edge_count), edge_capacity_(s.edge_capacity),
          snapshot_(&s) {}

    template <class... X>
    PYGC_INLINE void operator()(const X&... values) {
        (visit_argument(*this, values), ...);
    }

    PYGC_INLINE void edge(py_object* target) noexcept {
        if (target == nullptr) return;
        const std::size_t n = number_of(target); // 0 outside: an edge like any other, that leads nowhere
        if (edge_count_ == edge_capacity_) [[unlikely]] {
            const edge_room room = snapshot_->grow_edges(edge_count_);
            edges_ = room.edges;
            edge_count_ = room.count;
            edge_capacity_ = room.capacity;
        }
        edges_[edge_count_++] = static_cast<std::uint32_t>(n);
    }

    /// The picture is worthless: some of what the objects own wasn't looked at.
    void give_up() noexcept {
        snapshot_->failed = true;
        report("no memory to visit what is nested so deep; a collection was given up in the heap", nullptr,
               &snapshot_->heap);
    }

    /// Where the edges of the next object will begin.
    [[nodiscard]] PYGC_INLINE std::uint32_t edge_count() const noexcept {
        return static_cast<std::uint32_t>(edge_count_);
    }

private:
    std::uint32_t* edges_;
    std::size_t edge_count_; // below 2^32; in the size of a register
    std::size_t edge_capacity_;
    snapshot* snapshot_;
};

/// Nulls references to garbage without counting them down.
class nulling_visitor : public visitor {
public:
    /// So many references were nulled.
    [[nodiscard]] std::size_t nulled() const noexcept { return nulled_; }

protected:
    nulling_visitor(task t, const snapshot& s) noexcept : visitor(t), unreached_(s.unreached) {}

    PYGC_INLINE void null_if_garbage(py_object*& place, std::size_t number) noexcept {
        if (((unreached_[number / 64] >> (number % 64)) & 1) == 0) return;
        place = nullptr;
        ++nulled_;
    }

private:
    const std::uint64_t* const unreached_;
    std::size_t nulled_ = 0;
};

/// Nulls the references that garbage holds on garbage. Their numbers are read from the
/// edges as long as nobody could change the references since: a `traverse` that shows others now is one that
/// lies, and at worst keeps something for good.
class unlink_visitor : public nulling_visitor {
public:
    explicit unlink_visitor(const snapshot& s) noexcept
        : nulling_visitor(task::unlink, s), edges_(s.edges), end_(s.edges + s.edge_count), first_edge_(s.first_edge) {}

    template <class... X>
    PYGC_INLINE void operator()(const X&... values) {
        (visit_argument(*this, values), ...);
    }

    /// What comes next are the references of this object.
    PYGC_INLINE void begin(std::size_t number) noexcept { next_edge_ = edges_ + first_edge_[number]; }

    PYGC_INLINE void edge(py_object*& place) noexcept {
        if (place != nullptr && next_edge_ != end_) null_if_garbage(place, *next_edge_++);
    }

private:
    const std::uint32_t* const edges_;
    const std::uint32_t* const end_;
    const std::uint32_t* const first_edge_;
    const std::uint32_t* next_edge_ = nullptr;
};

/// The same after code of the user has run, without the edges.
class unlink_changed_visitor : public nulling_visitor {
public:
    explicit unlink_changed_visitor(const snapshot& s) noexcept : nulling_visitor(task::unlink_changed, s) {}

    void edge(py_object*& place) noexcept {
        if (place != nullptr) null_if_garbage(place, number_of(place));
    }
};

/// Calls a function for each reference that isn't null.
class call_visitor : public visitor {
public:
    using function = void (*)(void* context, py_object* target);

    call_visitor(function f, void* context) noexcept : visitor(task::call), function_(f), context_(context) {}

    void edge(py_object* target) {
        if (target != nullptr) function_(context_, target);
    }

private:
    function function_;
    void* context_;
};

} // namespace detail

// Not inlined: the compiler would follow one task with the object of another, and warn.
PYGC_NOINLINE inline void visitor::edge(py_object*& place) {
    switch (task_) {
    case task::count: return static_cast<detail::count_visitor*>(this)->edge(place);
    case task::unlink: return static_cast<detail::unlink_visitor*>(this)->edge(place);
    case task::unlink_changed: return static_cast<detail::unlink_changed_visitor*>(this)->edge(place);
    case task::call: return static_cast<detail::call_visitor*>(this)->edge(place);
    }
}

PYGC_NOINLINE inline void visitor::give_up() noexcept {
    if (task_ == task::count) static_cast<detail::count_visitor*>(this)->give_up();
    // In the other tasks what isn't shown stays as it is; what was to be nulled and wasn't is kept for good.
}

} // namespace pygc::inline PYGC_ABI
