// SPDX-License-Identifier: BSL-1.0
// heap: everything that belongs together, from objects to thresholds. Each thread has one by itself.
#pragma once

#include <array> // get_count, get_threshold
#include <cstddef>
#include <exception> // base of value_error

#include <pygc/detail/lifetime.hpp>
#include <pygc/object_list.hpp>

namespace pygc::inline PYGC_ABI {

/// Thrown for a generation that doesn't exist: Python's ValueError.
class value_error : public std::exception {
public:
    explicit value_error(const char* what) noexcept : what_(what) {}
    [[nodiscard]] const char* what() const noexcept override { return what_; }

private:
    const char* what_;
};

/// Where a heap's memory is, in bytes unless said otherwise.
struct memory_stats {
    std::size_t objects = 0; ///< living objects, tracked or not (a number, not bytes)
    std::size_t live = 0;    ///< in the slots of living objects
    std::size_t free = 0;    ///< in pages, but not in living objects
    std::size_t pages = 0;   ///< pages of 32 KiB that types have, for objects now or next (a number)
    std::size_t mapped = 0;  ///< address space taken from the system
};

/// An isolated world of objects with its own generations, counters and thresholds. A thread has a
/// current heap, which make_ref and the free functions use; another one can be put in its place for
/// a while:
///
///     pygc::heap requests;
///     {
///         pygc::heap::scope use(requests);
///         auto r = pygc::make_ref<request>();
///     }
///     requests.collect();
///
/// References between heaps count as references from outside: a cycle through two heaps is not found.
///
/// **Thread safety**: a heap and its objects belong to one thread at a time. Different heaps are
/// independent. **Lifetime**: objects that are still referenced when their heap or thread ends stay
/// usable; the memory goes with the last of them.
class heap {
public:
    class scope;

    /// Effects: a new heap without objects. Throws: std::bad_alloc.
    heap() : state_(detail::create_heap()) {
        if (state_ == nullptr) detail::throw_bad_alloc();
        state_->handle = this;
    }

    /// Effects: as `collect()`; see Lifetime. Preconditions: no scope uses the heap.
    ~heap() {
        if (!owned_) return;
        state_->handle = nullptr;
        detail::abandon_heap(*state_);
    }

    heap(const heap&) = delete;
    heap& operator=(const heap&) = delete;

    /// The heap that this thread uses now. Throws: std::bad_alloc, at a thread's first use.
    [[nodiscard]] static heap& current() {
        detail::heap_state* h = detail::ensure_heap();
        if (h == nullptr) detail::throw_bad_alloc();
        if (h->handle == nullptr) h->handle = ::new (static_cast<void*>(h->handle_place)) heap(*h);
        return *static_cast<heap*>(h->handle);
    }

    /// Frees the cyclic garbage of `generation` (0 to 2) and of all younger ones; survivors grow older.
    /// Returns: the number of unreachable objects found, 0 if a collection is running already.
    /// Complexity: linear in the objects examined and their references. Throws: value_error.
    std::size_t collect(int generation = 2) {
        check_generation(generation);
        return detail::collect(*state_, generation);
    }

    /// Lets automatic collections run; they do from the start.
    void enable() noexcept { set_enabled(true); }
    /// Stops automatic collections; `collect` still runs.
    void disable() noexcept { set_enabled(false); }
    [[nodiscard]] bool is_enabled() const noexcept { return state_->enabled; }

    /// A collection of generation 0 is due when container allocations minus deallocations since the
    /// last one exceed `t0` (0: never); one of generation n when more than `tn` collections of n - 1
    /// have passed. A full one also waits until a quarter of generation 2 is new.
    void set_threshold(std::size_t t0) noexcept {
        state_->threshold[0] = t0;
        state_->update_trigger();
    }
    void set_threshold(std::size_t t0, std::size_t t1) noexcept {
        state_->threshold[1] = t1;
        set_threshold(t0);
    }
    void set_threshold(std::size_t t0, std::size_t t1, std::size_t t2) noexcept {
        state_->threshold[2] = t2;
        set_threshold(t0, t1);
    }
    [[nodiscard]] std::array<std::size_t, 3> get_threshold() const noexcept {
        return {state_->threshold[0], state_->threshold[1], state_->threshold[2]};
    }

    /// Container allocations minus deallocations since the last collection (never below 0); then
    /// collections of generation 0 and 1 since the last of the generation above.
    [[nodiscard]] std::array<std::size_t, 3> get_count() const noexcept {
        return {state_->allocations, state_->younger_collections[1], state_->younger_collections[2]};
    }

    [[nodiscard]] std::array<generation_stats, 3> get_stats() const noexcept {
        return {state_->stats[0], state_->stats[1], state_->stats[2]};
    }

    /// References to all tracked objects, in no particular order. Complexity: linear in the heap.
    /// Throws: std::bad_alloc.
    [[nodiscard]] object_list get_objects() const { return object_list(*state_, detail::age_young, detail::age_old); }

    /// The same for one generation. Throws: value_error, std::bad_alloc.
    [[nodiscard]] object_list get_objects(int generation) const {
        check_generation(generation);
        return object_list(*state_, detail::youngest_age_of[generation], detail::oldest_age_of[generation]);
    }

    /// Complexity: linear in the pages.
    [[nodiscard]] memory_stats get_memory() const noexcept {
        memory_stats m;
        state_->pages.for_each_page([&m](const detail::page& p) noexcept {
            m.objects += objects_on(p);
            m.live += objects_on(p) * p.type->slot_bytes;
            m.pages += p.type->pages;
        });
        m.free = m.pages * detail::page_bytes - m.live;
        m.mapped = state_->pages.bytes_mapped();
        return m;
    }

private:
    explicit heap(detail::heap_state& h) noexcept : state_(&h), owned_(false) {}

    void set_enabled(bool on) noexcept {
        state_->enabled = on;
        state_->update_trigger();
    }

    static void check_generation(int generation) {
        if (generation >= 0 && generation <= 2) return;
#if PYGC_EXCEPTIONS
        throw value_error("pygc: a generation is 0, 1 or 2");
#else
        detail::report_and_abort("a generation is 0, 1 or 2", nullptr, nullptr);
#endif
    }

    detail::heap_state* state_;
    bool owned_ = true;
};

/// Makes a heap the thread's current one as long as it lives.
class [[nodiscard]] heap::scope {
public:
    explicit scope(heap& h) noexcept : previous_(detail::current_heap) { detail::current_heap = h.state_; }
    ~scope() { detail::current_heap = previous_; }

    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

private:
    detail::heap_state* previous_;
};

} // namespace pygc::inline PYGC_ABI
