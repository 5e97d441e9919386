// SPDX-License-Identifier: BSL-1.0
// What the user's `traverse` is called with.
#pragma once

#include <cstddef>
#include <cstdint>

#include <pygc/detail/edge_check.hpp>
#include <pygc/detail/ephemeron_map.hpp>
#include <pygc/detail/erased_entries.hpp>
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
/// can make garbage stay; a reference shown twice, a copy, or one that belongs to somebody else, is an error:
/// it is reported, and what was found is kept. `traverse` must not throw, allocate objects or copy
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

    /// For the library: between these two calls come references inside the key of an associative container.
    PYGC_INLINE void begin_keys() noexcept {
        ++keys_;
        keyed_ = true;
    }
    PYGC_INLINE void end_keys() noexcept { --keys_; }
    [[nodiscard]] PYGC_INLINE bool in_keys() const noexcept { return keys_ != 0; }

    /// For the library: whether entries whose keys lead to garbage are to be taken out.
    [[nodiscard]] bool erases_keys() const noexcept { return task_ == task::erase_keys; }

    /// For the library: whether the object may have a reference at this address.
    bool owns(const void* place);

    /// For the library: until `leave`, what a `traverse` shows belongs to these bytes.
    struct extent {
        const void* begin;
        std::size_t bytes;
    };
    PYGC_INLINE extent enter(const void* begin, std::size_t bytes) noexcept {
        const extent outer = extent_;
        extent_ = {begin, bytes};
        return outer;
    }
    PYGC_INLINE void leave(extent outer) noexcept { extent_ = outer; }

    /// For the library: whether a map with weak keys has its values looked at by the collection itself, as ephemerons.
    /// False: it has to show them.
    bool defer(detail::ephemeron_map& map);

    /// For the library: a raw pointer that owns a count, as if it were a reference, and the object that it leads to.
    void counted_edge(py_object*& place, py_object* object);

    /// For the library: the values whose visit waits, and what happens when there is no memory for them.
    [[nodiscard]] PYGC_INLINE detail::postponed_visits& postponed() noexcept { return postponed_; }
    void give_up() noexcept;

protected:
    enum class task : unsigned char { count, unlink, erase_keys, place, call };
    explicit visitor(task t) noexcept : task_(t) {}

    [[nodiscard]] PYGC_INLINE bool was_keyed() const noexcept { return keyed_; }
    [[nodiscard]] PYGC_INLINE bool is_inside(const void* place) const noexcept {
        return reinterpret_cast<std::uintptr_t>(place) - reinterpret_cast<std::uintptr_t>(extent_.begin) <
               extent_.bytes;
    }

private:
    bool unlink_owns(const void* place);

    const task task_;
    bool keyed_ = false;
    std::uint32_t keys_ = 0; // how deep inside keys
    extent extent_ = {nullptr, 0};
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
#if PYGC_DEBUG
        check_edge(shower_, target);
        if (edge_count_ == edge_capacity_) {
            check_repeated_edge(shower_, target, edges_ + first_edge_, edge_count_ - first_edge_);
        }
#endif
        add(number_of(target)); // 0 outside: an edge like any other, that leads nowhere
    }

#if PYGC_DEBUG
    /// What comes next are the references of this object.
    void begin(const type_info& type, const void* object) noexcept {
        shower_ = {&type, object};
        first_edge_ = edge_count_;
    }
#endif
    PYGC_INLINE void counted_edge(py_object*&, py_object* object) noexcept { edge(object); }

    /// An edge that leads nowhere tells the owner of the map. Shown twice, a map counts as held from outside.
    bool defer(ephemeron_map& map) noexcept {
        ephemeron_part* const part = snapshot_->defers_ephemerons ? map.part_of(snapshot_->heap) : nullptr;
        if (part == nullptr) return false;
        part->place = edge_count();
        add(0);
        if (!part->deferred) {
            part->next_deferred = snapshot_->deferred;
            snapshot_->deferred = part;
        }
        part->shown_twice |= part->deferred;
        part->deferred = true;
        return true;
    }

    PYGC_INLINE static bool owns(const void*) noexcept { return true; }

    /// The picture is worthless: some of what the objects own wasn't looked at.
    void give_up() noexcept {
        snapshot_->failed = true;
        report("no memory to visit what is nested so deep; a collection was given up in the heap", nullptr,
               &snapshot_->heap);
    }

    /// Whether there were keys that hold references.
    [[nodiscard]] PYGC_INLINE bool keyed() const noexcept { return was_keyed(); }

    /// Where the edges of the next object will begin.
    [[nodiscard]] PYGC_INLINE std::uint32_t edge_count() const noexcept {
        return static_cast<std::uint32_t>(edge_count_);
    }

private:
    PYGC_INLINE void add(std::size_t n) noexcept {
        if (edge_count_ == edge_capacity_) [[unlikely]] {
            const edge_room room = snapshot_->grow_edges(edge_count_);
            edges_ = room.edges;
            edge_count_ = room.count;
            edge_capacity_ = room.capacity;
        }
        edges_[edge_count_++] = static_cast<std::uint32_t>(n);
    }

    std::uint32_t* edges_;
    std::size_t edge_count_; // below 2^32; in the size of a register
    std::size_t edge_capacity_;
    snapshot* snapshot_;
#if PYGC_DEBUG
    edge_shower shower_;
    std::size_t first_edge_ = 0; // of its edges
#endif
};

/// Nulls the references that garbage holds on garbage, counts them down and logs them. What a place leads to is asked
/// anew: a `traverse` may show others now than when the references were counted. A key of an associative container is
/// nulled only where it is put back before anybody looks it up: the container would not find it any more.
class unlink_visitor : public visitor {
public:
    explicit unlink_visitor(snapshot& s) noexcept
        : visitor(task::unlink), next_(s.cleared + s.cleared_count), end_(s.cleared + s.cleared_capacity),
          counts_(s.counts), snapshot_(&s) {}

    template <class... X>
    PYGC_INLINE void operator()(const X&... values) {
        // All at once, where the compiler knows the addresses by their distances from that of the object.
        [[maybe_unused]] const bool are_inside = (1u & ... & static_cast<unsigned>(is_own(values))) != 0;
        (visit_argument(*this, values, are_inside), ...);
    }

    /// What comes next are the references of this object.
    PYGC_INLINE void begin(const void* object, std::size_t bytes) noexcept {
        object_ = object;
        enter(object, bytes);
    }

    /// Whether the object may have a reference at this address. If not it is left alone.
    PYGC_INLINE bool owns(const void* place) noexcept {
        return is_inside(place) || may_own(*snapshot_, object_, place);
    }

    PYGC_INLINE void edge(py_object*& place) noexcept { counted_edge(place, place); }
    PYGC_INLINE void counted_edge(py_object*& place, py_object* object) noexcept {
        if (object == nullptr) return;
        if (counts_ != nullptr) [[unlikely]] {
            next_ = unlink_in_large_set(*snapshot_, next_, end_, place, object, in_keys());
            return;
        }
        header& h = header_of(object);
        if ((h.state & life_unlinked) == 0) return; // not garbage
        if (in_keys() && snapshot_->for_good) return;
        if (next_ == end_) [[unlikely]] {
            if (lacks_room(*snapshot_)) return;
        } else {
            log(*next_++, place, object);
        }
        place = nullptr;
        --h.count;
    }

    /// The number of references logged.
    [[nodiscard]] PYGC_INLINE std::size_t logged() const noexcept {
        return static_cast<std::size_t>(next_ - snapshot_->cleared);
    }

private:
    template <class X>
    [[nodiscard]] PYGC_INLINE bool is_own(const X& value) const noexcept {
        if constexpr (holds_references<X>() && shows_its_own<X>()) {
            return is_inside(&reinterpret_cast<const char&>(value));
        } else {
            return true;
        }
    }

    PYGC_INLINE static void log(cleared_reference& entry, py_object*& place, const py_object* object) noexcept {
        py_object* const target = place; // what is to be restored
        entry.place = target == object ? &place : cleared_reference::mark_raw(place);
        const_cast<py_object* volatile&>(entry.target) = target; // g++ would make a vector of the two first
    }

    /// The log is full. True: the reference must stay.
    static bool lacks_room(snapshot& s) noexcept {
        if (!s.incomplete_log) s.lied = true; // there are more now
        return !s.incomplete_log;
    }

    /// Unlinks where counts fall beside the headers. Returns: where the log goes on.
    PYGC_NOINLINE static cleared_reference* unlink_in_large_set(snapshot& s, cleared_reference* next,
                                                                const cleared_reference* end, py_object*& place,
                                                                const py_object* object, bool in_keys) noexcept {
        const std::size_t n = number_of(object);
        if (((s.unreached[n / 64] >> (n % 64)) & 1) == 0 || (in_keys && s.for_good)) return next;
        if (next != end) {
            log(*next++, place, object);
        } else if (lacks_room(s)) {
            return next;
        }
        place = nullptr;
        s.count_down(n);
        return next;
    }

    /// For what isn't inside the object, or inside the part of it whose own `traverse` runs. Static, so that the
    /// visitor itself stays in registers.
    PYGC_NOINLINE static bool may_own(snapshot& s, const void* object, const void* place) noexcept {
        if (object == nullptr) return true; // of a dead entry of a weak map: whose it is, is known
        const page& where = page_of(object);
        const auto offset = reinterpret_cast<std::uintptr_t>(place) - reinterpret_cast<std::uintptr_t>(object);
        if (offset < where.type->slot_bytes) return true;
        const place_kind kind = s.places.kind_of(s.heap, place, s.frame);
        if (kind == place_kind::unknown) return true;
        s.note_lie(kind, *where.type, object, place);
        return false;
    }

    cleared_reference* next_;
    cleared_reference* const end_;
    const std::uint32_t* const counts_;
    snapshot* const snapshot_;
    const void* object_ = nullptr;
};

/// Takes the entries out of associative containers whose keys lead to garbage.
class erase_visitor : public visitor {
public:
    explicit erase_visitor(heap_state& h) noexcept : visitor(task::erase_keys), heap_(h) {}

    /// What comes next are the references of this object.
    void begin(const type_info& type, const py_object* object) noexcept {
        type_ = &type;
        object_ = object;
    }

    /// All garbage says so in its header; the targets of keys are still whole.
    void edge(const py_object* target) noexcept {
        if (in_keys() && target != nullptr) is_dead_ |= is_condemned_and_dying(header_of(target));
    }

    /// Whether the key that was shown last leads to garbage.
    bool is_dead() noexcept {
        const bool dead = is_dead_;
        is_dead_ = false;
        return dead;
    }

    /// What is taken out is destroyed later: its destructors are code of the user.
    erased_entries entries;

    /// An entry can't be taken out: its container's hash or comparison threw.
    PYGC_NOINLINE void report_exception() noexcept {
        failed_ = true;
#if PYGC_EXCEPTIONS
        report_unraisable(heap_, "a container with a dead key in", {type_->name, type_->name_length}, object_);
#endif
    }

    /// Whether that happened.
    [[nodiscard]] bool failed() const noexcept { return failed_; }

private:
    heap_state& heap_;
    const type_info* type_ = nullptr;
    const py_object* object_ = nullptr;
    bool is_dead_ = false;
    bool failed_ = false;
};

/// Calls a function for each place where a reference stands, also null.
class place_visitor : public visitor {
public:
    using function = void (*)(void* context, py_object*& place, bool in_keys) noexcept;

    place_visitor(function f, void* context) noexcept : visitor(task::place), function_(f), context_(context) {}

    void edge(py_object*& place) noexcept { function_(context_, place, in_keys()); }
    /// Only whole references may be nulled by others than the collection.
    void counted_edge(py_object*& place) noexcept { function_(context_, place, true); }

private:
    function function_;
    void* context_;
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
    case task::count:
        return static_cast<detail::count_visitor*>(this)->edge(place);
    case task::unlink:
        return static_cast<detail::unlink_visitor*>(this)->edge(place);
    case task::erase_keys:
        return static_cast<detail::erase_visitor*>(this)->edge(place);
    case task::place:
        return static_cast<detail::place_visitor*>(this)->edge(place);
    case task::call:
        return static_cast<detail::call_visitor*>(this)->edge(place);
    }
}

PYGC_NOINLINE inline void visitor::counted_edge(py_object*& place, py_object* object) {
    switch (task_) {
    case task::unlink:
        return static_cast<detail::unlink_visitor*>(this)->counted_edge(place, object);
    case task::place:
        return static_cast<detail::place_visitor*>(this)->counted_edge(place);
    default:
        return edge(object);
    }
}

namespace detail {

template <class X>
PYGC_NOINLINE void erase_dead_keys(visitor& visit, X& x) {
    auto& eraser = static_cast<erase_visitor&>(visit);
    for (auto next = x.begin(); next != x.end();) {
        const auto at = next;
        visit.begin_keys();
        visit_value(visit, key_in<X>(*at));
        visit.end_keys();
        if (!eraser.is_dead()) {
            if constexpr (is_map<X>) visit_value(visit, (*at).second);
            ++next;
            continue;
        }
#if PYGC_EXCEPTIONS
        try {
#endif
            if constexpr (requires { x.extract(at); }) {
                ++next;
                if (eraser.entries.take(x, at)) continue;
            }
            next = x.erase(at);
#if PYGC_EXCEPTIONS
        } catch (...) {
            eraser.report_exception();
            return;
        }
#endif
    }
}

/// For a container whose `erase_dead_keys` is its own: whether a key leads to garbage.
template <class Key>
bool is_dead_key(visitor& visit, const Key& key) {
    visit.begin_keys();
    visit_value(visit, key);
    visit.end_keys();
    return static_cast<erase_visitor&>(visit).is_dead();
}

} // namespace detail

inline bool visitor::owns(const void* place) { return task_ != task::unlink || unlink_owns(place); }

// Not inlined, as `edge`.
PYGC_NOINLINE inline bool visitor::unlink_owns(const void* place) {
    return static_cast<detail::unlink_visitor*>(this)->owns(place);
}

PYGC_NOINLINE inline bool visitor::defer(detail::ephemeron_map& map) {
    return task_ == task::count && static_cast<detail::count_visitor*>(this)->defer(map);
}

PYGC_NOINLINE inline void visitor::give_up() noexcept {
    if (task_ == task::count) static_cast<detail::count_visitor*>(this)->give_up();
    // In the other tasks what isn't shown stays as it is; what was to be nulled and wasn't is kept for good.
}

} // namespace pygc::inline PYGC_ABI
