// SPDX-License-Identifier: BSL-1.0
// heap: everything that belongs together, from objects to thresholds. Each thread has one by itself.
#pragma once

#include <array> // get_count, get_threshold
#include <cstddef>
#include <exception> // base of value_error

#include <pygc/detail/freeze.hpp>
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
    std::size_t objects = 0;  ///< living objects, tracked or not (a number, not bytes)
    std::size_t live = 0;     ///< in the slots of living objects
    std::size_t free = 0;     ///< in pages, but not in living objects
    std::size_t pages = 0;    ///< pages of 32 KiB that types have, for objects now or next (a number)
    std::size_t mapped = 0;   ///< address space taken from the system
    std::size_t external = 0; ///< what the objects of this heap own elsewhere, by `external_bytes`
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
    heap() : state_(detail::begin_new_heap()) {
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

    /// Frees the cyclic garbage of `generation` (0 to 2) and of all younger ones; survivors grow older. A full collection
    /// of a thread's own heap also frees that of threads and heaps that have ended, if the process has no other thread:
    /// see `adopt`.
    /// Returns: the number of unreachable objects found, 0 if a collection is running already. While an object dies on
    /// this thread because its last reference went it only takes note and returns 0: see `may_collect`.
    /// Complexity: linear in the objects examined and their references. Throws: value_error.
    std::size_t collect(int generation = 2) {
        check_generation(generation);
        const bool all = generation == 2 && state_ == detail::own.state && !state_->collecting && !detail::is_dying();
        const std::size_t found = detail::collect_or_request(*state_, generation);
        return all ? found + detail::collect_abandoned_heaps() : found;
    }

    /// Takes over what has become of the heap of a thread, or of a `heap`, that has ended.
    ///
    /// Its objects that are still referenced belong to whoever holds them, one thread at a time. Their cycles are freed
    /// by a full collection of a thread's own heap while the process has no other thread, and at the program's end; a
    /// program that has more threads says by this whose they are. Effects: all objects of the heap in which that of
    /// `r` was made, unless that heap is in use, belong to this one and its thread from now on: to its collections,
    /// counters and lists. Returns: whether the object is in this heap now; false for null, for a heap that hasn't
    /// ended, and while either collects or is walked over. Complexity: linear in the pages of the ended heap, and in
    /// the objects beside weakly referenced ones. Throws: std::bad_alloc; then nothing has changed. Preconditions: no
    /// other thread uses any of those objects.
    ///
    ///     auto document = std::async(std::launch::async, parse, text).get();
    ///     pygc::adopt(document);
    template <class T>
    bool adopt(const py_ref<T>& r) {
        const py_object* p = detail::ref_access::object(r);
        if (p == nullptr) return false;
        detail::heap_state& from = *detail::chunk_of(p).heap;
        if (&from == state_) return true;
        const bool busy = state_->collecting || state_->visits != 0 || state_->traversing;
        if (busy || !detail::may_be_adopted(from) || from.library != state_->library) return false;
        if (!detail::adopt_heap(*state_, from)) detail::throw_bad_alloc();
        return true;
    }

    /// Lets automatic collections run; they do from the start.
    void enable() noexcept { set_enabled(true); }
    /// Stops automatic collections; `collect` still runs.
    void disable() noexcept { set_enabled(false); }
    [[nodiscard]] bool is_enabled() const noexcept { return state_->enabled; }

    /// With the default thresholds, 2000, 10 and 10, the heap paces its automatic collections itself. The first is due
    /// after 2000 containers. Then young ones follow where they find something, and a full one when
    /// containers, or bytes, have grown by a share of what the last full one left alive: by half of it where
    /// that finds much, by all of it where it finds little. There are never more containers than twice those left
    /// alive and 34,816, never more bytes than twice those left alive and 8 MiB and what one object takes.
    ///
    /// Other thresholds are followed to the letter, as in CPython: a collection of generation 0 is due when container
    /// allocations minus deallocations since the last one exceed `t0` (0: never); one of generation n when more than
    /// `tn` collections of n - 1 have passed. A full one also waits until a quarter of generation 2 is new.
    void set_threshold(std::size_t t0) noexcept {
        state_->threshold[0] = t0;
        detail::choose_counting(*state_, state_->abandoned || !state_->paces_itself());
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
    /// collections of generation 0 and 1 since the last of the generation above. Complexity: linear in the pages with
    /// the default thresholds, else constant.
    [[nodiscard]] std::array<std::size_t, 3> get_count() const noexcept {
        return {detail::count_allocations(*state_), state_->younger_collections[1], state_->younger_collections[2]};
    }

    [[nodiscard]] std::array<generation_stats, 3> get_stats() const noexcept {
        return {state_->stats[0], state_->stats[1], state_->stats[2]};
    }

    /// References to all tracked objects, in no particular order. Complexity: linear in the heap.
    /// Throws: std::bad_alloc.
    [[nodiscard]] object_list get_objects() const { return list_objects(detail::age_young, detail::age_old); }

    /// References to the tracked objects of one generation. Throws: value_error, std::bad_alloc.
    [[nodiscard]] object_list get_objects(int generation) const {
        check_generation(generation);
        return list_objects(detail::youngest_age_of[generation], detail::oldest_age_of[generation]);
    }

    /// The tracked objects, frozen ones left out, that hold a reference to one of those referred to by the arguments.
    /// For debugging; refused while an object dies (see `may_collect`): a line to stderr and an empty list.
    /// Complexity: linear in the heap. Throws: std::bad_alloc.
    template <class... T>
    [[nodiscard]] object_list get_referrers(const py_ref<T>&... targets) const {
        if (detail::refuses_traversal("get_referrers")) return {};
        const py_object* const wanted[] = {detail::ref_access::object(targets)..., nullptr};
        return list_referrers(wanted, sizeof...(T));
    }

    /// What the objects refer to directly, as their `traverse` shows it: with duplicates, null left out. Refused as
    /// `get_referrers`. Throws: std::bad_alloc.
    template <class... T>
    [[nodiscard]] object_list get_referents(const py_ref<T>&... sources) const {
        if (detail::refuses_traversal("get_referents")) return {};
        object_list list;
        (append_referents(list, detail::ref_access::object(sources)), ...);
        return list;
    }

    /// Calls `f(const py_ref<py_object>&)` for each tracked object, frozen ones included, with automatic collections
    /// off meanwhile; `f` may return false to stop. Objects made meanwhile may be seen or not.
    /// Returns: false if `f` stopped it. Throws: what `f` throws.
    template <class F>
    bool visit_objects(F f) {
        const visit_scope visiting(*state_);
        return state_->pages.visit_pages([&f](detail::page& p) {
            if (!p.type->container) return true;
            for (std::uint32_t i = 0; p.type != nullptr && i < p.carved; ++i) {
                detail::header& object = detail::header_at(p, i);
                if (detail::is_poisoned(&object) || !is_visible(object)) continue;
                const auto r = py_ref<py_object>::borrow(reinterpret_cast<py_object*>(&object));
                if constexpr (std::is_void_v<decltype(f(r))>) {
                    f(r);
                } else {
                    if (!f(r)) return false;
                }
            }
            return true;
        });
    }

    /// Hides all objects that live now from collections, get_objects and get_referrers, and sets the counts of
    /// get_count to zero. Does not collect first: cyclic garbage stays until `unfreeze`. The slots of dead objects
    /// among them are not used again, so that a forked process leaves these pages to its parent's copy; only
    /// counting references still writes to them. Complexity: linear in the pages. Does nothing in a collection.
    void freeze() noexcept { detail::freeze(*state_); }
    /// Moves what is frozen to generation 2. Complexity: linear in its objects.
    void unfreeze() noexcept { detail::unfreeze(*state_); }
    /// Complexity: linear in the frozen objects.
    [[nodiscard]] std::size_t get_freeze_count() const noexcept {
        std::size_t n = 0;
        detail::for_each_frozen(*state_, [&n](const detail::page&, const detail::header&) noexcept { ++n; });
        return n;
    }

    void set_debug(debug flags) noexcept { state_->debug_flags = flags; }
    [[nodiscard]] debug get_debug() const noexcept { return state_->debug_flags; }

    /// What collections with debug::save_all found. Clear it to let the objects go.
    [[nodiscard]] object_list& garbage() noexcept { return detail::garbage_list(*state_); }

    /// Whom to tell when a collection starts and stops.
    [[nodiscard]] callback_list& callbacks() noexcept { return state_->callbacks; }

    /// Where the exceptions of finalizers, callbacks and destructors go: `f(const unraisable&)`. Without one they are
    /// written to stderr. Throws: std::bad_alloc.
    template <class F>
    void set_unraisable_hook(F f) {
        state_->unraisable_hook = detail::callable<const unraisable&>::make(static_cast<F&&>(f));
    }
    void set_unraisable_hook(std::nullptr_t) noexcept { state_->unraisable_hook = {}; }

    /// Where automatic collections may run.
    void set_mode(mode m) noexcept {
        state_->when = m;
        state_->update_trigger();
    }
    [[nodiscard]] mode get_mode() const noexcept { return state_->when; }

    /// Runs an automatic collection if one is due, or one that `collect` was asked for while an object died. Returns:
    /// what it found; 0 where no collection may start, see `may_collect`.
    std::size_t safe_point() noexcept {
        const bool asked = state_->requested >= 0 && state_->pauses == 0;
        return asked || state_->is_due() ? detail::collect_automatically(*state_) : 0;
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
        m.external = state_->external != nullptr ? state_->external->bytes : 0;
        return m;
    }

private:
    explicit heap(detail::heap_state& h) noexcept : state_(&h), owned_(false) {}

    friend class no_collect;

    /// Automatic collections are off, and pages stay where they are: also those of a heap that ends meanwhile.
    class visit_scope {
    public:
        explicit visit_scope(detail::heap_state& h) noexcept : end_{h}, pause_(h) { ++h.visits; }
        visit_scope(const visit_scope&) = delete;
        visit_scope& operator=(const visit_scope&) = delete;
        ~visit_scope() { --end_.heap.visits; }

    private:
        struct end {
            detail::heap_state& heap;
            ~end() {
                if (heap.abandoned && heap.visits == 0 && !heap.collecting) detail::settle_abandoned(heap);
            }
        };
        end end_; // first, and so destroyed last: nobody may look at the heap after it
        detail::pause_scope pause_;
    };

    /// Tracked, and not in the hands of a collection.
    static bool is_visible(const detail::header& h) noexcept {
        return detail::age_of(h) <= detail::age_old && (h.state & detail::life_condemned) == 0;
    }

    /// Calls `f(py_object*, header&)` for each visible object that isn't frozen.
    template <class F>
    void for_each_object(F f) const {
        state_->pages.for_each_page([&f](detail::page& p) noexcept {
            if (!p.type->container || p.frozen) return;
            for (std::uint32_t i = 0; i != p.carved; ++i) {
                detail::header& object = detail::header_at(p, i);
                if (detail::is_poisoned(&object) || !is_visible(object)) continue;
                f(p, reinterpret_cast<py_object*>(&object));
            }
        });
    }

    [[nodiscard]] object_list list_objects(std::uint32_t youngest, std::uint32_t oldest) const {
        object_list list;
        std::size_t room = 0;
        state_->pages.for_each_page([&room](const detail::page& p) noexcept {
            if (p.type->container && !p.frozen) room += objects_on(p);
        });
        if (!detail::list_access::reserve(list, room)) detail::throw_bad_alloc();
        for_each_object([&](const detail::page&, py_object* p) noexcept {
            const std::uint32_t age = detail::age_of(detail::header_of(p));
            if (age >= youngest && age <= oldest) detail::list_access::append(list, p);
        });
        return list;
    }

    [[nodiscard]] object_list list_referrers(const py_object* const* wanted, std::size_t count) const {
        struct search {
            const py_object* const* wanted;
            std::size_t count;
            bool found;
        } s{wanted, count, false};
        detail::call_visitor visit(
            [](void* context, py_object* target) {
                auto& here = *static_cast<search*>(context);
                for (std::size_t i = 0; i != here.count; ++i) here.found |= here.wanted[i] == target;
            },
            &s);
        object_list list;
        bool memory = true;
        for_each_object([&](const detail::page& where, py_object* p) noexcept {
            s.found = false;
            where.type->traverse(p, visit);
            if (s.found && (memory = memory && detail::list_access::reserve(list, 1))) {
                detail::list_access::append(list, p);
            }
        });
        if (!memory) detail::throw_bad_alloc();
        return list;
    }

    static void append_referents(object_list& list, py_object* source) {
        if (source == nullptr) return;
        struct target_list {
            object_list* list;
            bool memory;
        } targets{&list, true};
        detail::call_visitor visit(
            [](void* context, py_object* target) {
                auto& here = *static_cast<target_list*>(context);
                here.memory = here.memory && detail::list_access::reserve(*here.list, 1);
                if (here.memory) detail::list_access::append(*here.list, target);
            },
            &targets);
        detail::page_of(source).type->traverse(source, visit);
        if (!targets.memory) detail::throw_bad_alloc();
    }

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

/// No automatic collection of the heap runs as long as it lives, nor one for lack of memory; `collect()` does. May
/// be nested. For code during which no finalizer, callback or destructor of cyclic garbage may run.
class [[nodiscard]] no_collect {
public:
    /// For the current heap. Throws: std::bad_alloc, at a thread's first use.
    no_collect() : no_collect(heap::current()) {}
    explicit no_collect(heap& h) noexcept : use_(*h.state_), pause_(*h.state_) {}

private:
    detail::heap_use use_;
    detail::pause_scope pause_;
};

/// Lets collections start on this thread again, in any heap, although an object further up the stack is dying.
///
/// While an object dies because its last reference went (its finalizer, weak callbacks, destructor, and all they
/// cause), no collection starts on the thread: the reference may have gone in the middle of a container's clear(), and
/// a collection would read that container. One that falls due meanwhile runs at a later make_ref or safe_point; a
/// `collect()` returns 0 and is made up for by the heap's first make_ref of a container, or safe_point, afterwards
/// (in mode at_safe_point by the latter only, and not under a no_collect); `get_referrers` and `get_referents` find
/// nothing; make_ref without memory throws without a collection. A program that lives inside one such death, as one
/// whose event loop runs in a destructor, would never collect. By this scope it promises that nothing further up is
/// changing a container that belongs to an object:
///
///     ~application() {
///         pygc::may_collect here;
///         run_event_loop();
///     }
///
/// What dies while it lives puts collections off again. May be nested; scopes end in the reverse order, on their
/// thread. Complexity: constant. Exceptions: none.
class [[nodiscard]] may_collect {
public:
    may_collect() noexcept
        : nesting_left_(detail::this_thread.nesting_left), trashcan_base_(detail::this_thread.trashcan_base),
          resting_(detail::nesting_limit) {
        detail::this_thread.nesting_left = detail::nesting_limit; // here what dies needn't wait for those further up
        detail::this_thread.trashcan_base = detail::this_thread.waiting;
    }
    may_collect(const may_collect&) = delete;
    may_collect& operator=(const may_collect&) = delete;
    ~may_collect() {
        detail::this_thread.nesting_left = nesting_left_;
        detail::this_thread.trashcan_base = trashcan_base_;
    }

private:
    const std::int32_t nesting_left_;
    const std::uint32_t trashcan_base_;
    const detail::resting_scope resting_;
};

/// Makes a heap the thread's current one as long as it lives. May be nested: the scope made last among those that live
/// says which heap is current, in whatever order they end. Preconditions: it ends on its own thread.
class [[nodiscard]] heap::scope {
public:
    explicit scope(heap& h) noexcept
        : heap_(h.state_), previous_(detail::this_thread.heap),
          outer_(static_cast<scope*>(detail::this_thread.innermost_scope)), owner_(detail::owner_of(*h.state_)) {
        detail::check_library(*heap_);
        detail::check_thread(*heap_, nullptr, heap_);
        detail::set_owner(*heap_, detail::thread_number());
        ++heap_->users;
        if (previous_ != &detail::no_heap) ++previous_->users;
        detail::this_thread.heap = heap_;
        detail::this_thread.innermost_scope = this;
    }
    ~scope() {
        if (detail::this_thread.innermost_scope == this) {
            leave();
        } else {
            leave_the_middle();
        }
    }

    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

private:
    void leave() noexcept {
        detail::set_owner(*heap_, owner_);
        detail::this_thread.heap = previous_;
        detail::this_thread.innermost_scope = outer_;
        detail::leave_heap(*heap_);
        if (previous_ != &detail::no_heap) detail::leave_heap(*previous_);
    }

    /// Inner scopes go on: the next of them returns to where this one would have returned.
    PYGC_NOINLINE void leave_the_middle() noexcept {
        auto* inner = static_cast<scope*>(detail::this_thread.innermost_scope);
        scope* of_same_heap = nullptr;
        for (; inner != nullptr; inner = inner->outer_) {
            if (inner->heap_ == heap_) of_same_heap = inner;
            if (inner->outer_ == this) break;
        }
        if (inner == nullptr)
            detail::report_and_abort("a scope ended on another thread than its own; the heap", nullptr, heap_);
        if (of_same_heap != nullptr) {
            of_same_heap->owner_ = owner_;
        } else {
            detail::set_owner(*heap_, owner_);
        }
        inner->previous_ = previous_;
        inner->outer_ = outer_;
        detail::leave_heap(*heap_);
        detail::leave_heap(*heap_); // the inner one held it as well, to return to it
    }

    detail::heap_state* const heap_;
    detail::heap_state* previous_;
    scope* outer_;
    std::uint32_t owner_; // before it, in debug mode
};

} // namespace pygc::inline PYGC_ABI
