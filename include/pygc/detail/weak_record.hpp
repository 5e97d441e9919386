// SPDX-License-Identifier: BSL-1.0
// What a py_weakref refers to: a small object of its own, as a weak reference is in CPython.
//
//   py_weakref ---> weak_record ---> object (address, not counted)     object: one bit of its state says
//   py_weakref --/      ^                                              that the table knows of records
//                       +-- heap's weak_table: address -> first record
#pragma once

#include <pygc/detail/check.hpp>

namespace pygc::inline PYGC_ABI::detail {

struct weak_record : py_object {
    /// Set in `target` when the object has died. The address stays: hashes are made of it.
    static constexpr std::uintptr_t dead = 1;

    explicit weak_record(py_object* object) noexcept : target(reinterpret_cast<std::uintptr_t>(object) | dead) {}
    weak_record(const weak_record&) = delete;
    weak_record& operator=(const weak_record&) = delete;
    inline ~weak_record();

    [[nodiscard]] bool is_dead() const noexcept { return (target & dead) != 0; }
    [[nodiscard]] py_object* object() const noexcept { return reinterpret_cast<py_object*>(target & ~dead); }

    std::uintptr_t target;
    weak_record* next = nullptr;
    weak_record* previous = nullptr;
    void (*call)(weak_record&) noexcept = nullptr; // runs the callback, once; null: there is none
};

/// One that waits for its end and has been found by a plain pointer lives as long as somebody holds that reference.
PYGC_NOINLINE inline py_object* target_if_held(py_object* p) noexcept { return header_of(p).count != 0 ? p : nullptr; }

/// The object behind a record while it lives and is not waiting for its end; else null.
PYGC_INLINE py_object* live_target(const weak_record& r) noexcept {
    if (r.is_dead()) return nullptr;
    py_object* p = r.object();
    if ((header_of(p).state & life_postponed) != 0) [[unlikely]]
        return target_if_held(p);
    return p;
}

/// Whether a record has lost its last owner. It may still be in its object's list, waiting for its destructor.
inline bool is_ending(const weak_record& r) noexcept {
    return (header_of(&r).state & (life_dying | life_postponed)) != 0;
}

/// Lets a record refer to its object. Preconditions: `reserve_one` of the heap's table said true.
inline void attach(heap_state& h, weak_record& r) noexcept {
    py_object* p = r.object();
    r.target &= ~weak_record::dead;
    header& object = header_of(p);
    weak_record* first = (object.state & life_weak) != 0 ? h.weak.find(p) : nullptr;
    weak_record* before = r.call != nullptr && first != nullptr && first->call == nullptr ? first : nullptr;
    r.previous = before;
    r.next = before != nullptr ? before->next : first;
    if (r.next != nullptr) r.next->previous = &r;
    if (before != nullptr) {
        before->next = &r;
    } else {
        h.weak.set(p, &r);
    }
    object.state |= life_weak;
    page_of(p).weak = true;
}

/// Takes a record from its object, and nobody is told.
inline void detach(weak_record& r) noexcept {
    if (r.is_dead()) return;
    py_object* p = r.object();
    r.target |= weak_record::dead;
    heap_state& h = *chunk_of(p).heap;
    if (r.next != nullptr) r.next->previous = r.previous;
    if (r.previous != nullptr) {
        r.previous->next = r.next;
    } else if (r.next != nullptr) {
        h.weak.set(p, r.next);
    } else {
        h.weak.take(p);
        header_of(p).state &= ~std::uint32_t{life_weak};
    }
    r.next = r.previous = nullptr;
}

inline weak_record::~weak_record() { detach(*this); }

/// Calls `f(weak_record&)` for each record of an object that somebody owns. Preconditions: it has some.
template <class F>
void for_each_weak_record(const py_object* p, F f) {
    for (weak_record* r = chunk_of(p).heap->weak.find(p); r != nullptr; r = r->next) {
        if (!is_ending(*r)) f(*r);
    }
}

/// Callbacks that wait to be called, linked by `next`; each record is held by a reference.
struct pending_callbacks {
    weak_record* first = nullptr;
    weak_record** end = &first;

    void add(weak_record& r) noexcept {
        add_reference(header_of(&r));
        r.next = r.previous = nullptr;
        *end = &r;
        end = &r.next;
    }
};

/// All records of an object that dies are dead at once; those with a callback, if they are not
/// themselves dying or condemned, join `pending`, newest first.
inline void sever(heap_state& h, py_object* p, pending_callbacks& pending) noexcept {
    header_of(p).state &= ~std::uint32_t{life_weak};
    for (weak_record* r = h.weak.take(p); r != nullptr;) {
        weak_record& current = *r;
        r = r->next;
        current.target |= weak_record::dead;
        current.next = current.previous = nullptr;
        const bool condemned = (header_of(&current).state & life_condemned) != 0;
        if (current.call != nullptr && !condemned && !is_ending(current)) pending.add(current);
    }
}

/// Calls them in order. Returns: how many records went with their callback.
inline std::size_t run(pending_callbacks& pending) noexcept {
    std::size_t gone = 0;
    while (pending.first != nullptr) {
        weak_record& r = *pending.first;
        pending.first = r.next;
        r.next = nullptr;
        if (r.call != nullptr) r.call(r);
        if (header_of(&r).count == 1) ++gone;
        drop(&r);
    }
    pending.end = &pending.first;
    return gone;
}

/// Both, for one object that dies by its count.
PYGC_NOINLINE inline void sever_and_call(heap_state& h, py_object* p) noexcept {
    pending_callbacks pending;
    sever(h, p, pending);
    run(pending);
}

} // namespace pygc::inline PYGC_ABI::detail
