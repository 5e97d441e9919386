// SPDX-License-Identifier: BSL-1.0
// The end of one object, in so far as it is the same for all types: finalizer, weak references, destructors that
// wait, slot. What depends on the type is in destruction.hpp.
#pragma once

#include <pygc/detail/check.hpp>
#include <pygc/detail/postponed.hpp>
#include <pygc/detail/slots.hpp>
#include <pygc/detail/weak_record.hpp>

namespace pygc::inline PYGC_ABI::detail {

void destroy_postponed() noexcept;
void destroy_postponed(std::uint32_t base) noexcept;

PYGC_INLINE void begin_death(py_object* p) noexcept { header_of(p) = {dying_count, age_none | life_dying}; }

PYGC_NOINLINE inline void keep_zombie(py_object* p) noexcept {
    header& h = header_of(p);
    ::new (static_cast<void*>(&h)) header{h.count - dying_count, age_none | life_zombie};
    report("a destructor let a reference escape to the destroyed", page_of(p).type, p);
}

/// Whether the destructor, or what had to wait for it, let a reference to the object escape. Its memory is then
/// kept until that reference goes.
PYGC_INLINE bool has_escaped(py_object* p) noexcept {
    if (header_of(p).count == dying_count) [[likely]]
        return false;
    keep_zombie(p);
    return true;
}

/// Runs `f` one level deeper, and what had to wait for it.
template <class F>
PYGC_INLINE auto nested(F f) noexcept {
    --this_thread.nesting_left;
    const auto result = f();
    if (this_thread.nesting_left == 0) [[unlikely]]
        destroy_postponed();
    ++this_thread.nesting_left;
    return result;
}

PYGC_INLINE void free_slot_of(page& where, py_object* p) noexcept {
    const type_info& t = *where.type;
    free_slot(where, reinterpret_cast<char*>(p) - t.header_offset, t);
}

/// Whether somebody wants to know of the death first: the object itself, or weak references to it.
PYGC_INLINE bool has_farewell(const page& where, const header& h) noexcept {
    return (h.state & life_weak) != 0 || (where.type->finalize != nullptr && (h.state & life_finalized) == 0);
}

/// Takes an object out of the count of its age.
inline void leave_registry(heap_state& heap, page& where, const header& h) noexcept {
    const std::uint32_t age = age_of(h);
    if (age > age_old || where.frozen || (h.state & life_condemned) != 0) return;
    --heap.objects_of_age[age];
    if (age != age_young) settle_death(heap, where);
}

/// Puts it into generation 0, as a new one; on a frozen page into what `unfreeze` finds.
inline void join_registry(page& where, header& h) noexcept {
    if (!where.type->container || (h.state & life_immortal) != 0) return;
    h.state = (h.state & ~std::uint32_t{age_mask}) | age_young;
    if (!where.frozen) mark_young(where);
}

/// The finalizer, then the weak references and their callbacks. Preconditions: no reference is left. Returns:
/// false if one was made: the object lives on. Otherwise its state says "dying", and it has left the registry.
inline bool bid_farewell(heap_state& heap, page& where, py_object* p) noexcept {
    header& h = header_of(p);
    if (where.type->finalize != nullptr && (h.state & life_finalized) == 0) {
        h.count = 1;
        if ((h.state & life_condemned) == 0) {
            leave_registry(heap, where, h);
            join_registry(where, h);
        }
        where.type->finalize(where, p);
        if (--h.count != 0) {
            if ((h.state & life_condemned) != 0) {
                h.state &= ~std::uint32_t{life_condemned};
                join_registry(where, h);
            }
            return false;
        }
    }
    leave_registry(heap, where, h);
    const bool weak = (h.state & life_weak) != 0;
    h.count = dying_count;
    h.state = (h.state & (life_finalized | life_condemned)) | age_none | life_dying;
    if (!weak) return true;
    sever_and_call(heap, p);
    if (h.count == dying_count) [[likely]]
        return true;
    // A callback made a reference of a plain pointer, while the object is still whole.
    h.count -= dying_count;
    h.state = (h.state & life_finalized) | age_none;
    join_registry(where, h);
    return false;
}

/// The destructor of an object that died while a collection ran finalizers over its set: the slot stays that
/// collection's, lest it be used again under its eyes.
inline void destroy_condemned(page& where, py_object* p) noexcept {
    nested([&]() noexcept {
        begin_death(p);
        where.type->destruct(p);
        return true;
    });
    if (!has_escaped(p)) header_of(p).state |= life_condemned;
}

/// The count of `p` fell to zero, and it has a finalizer or isn't simply tracked. Returns: false if there is nothing
/// left to destroy.
PYGC_NOINLINE inline bool prepare_death(page& where, py_object* p) noexcept {
    header& h = header_of(p);
    heap_state& heap = *chunk_of(p).heap;
    if ((h.state & life_immortal) != 0) {
        h.count = pinned_count;
        return false;
    }
    if ((h.state & life_zombie) != 0) {                     // its last reference went
        const bool collected = (h.state & life_dying) != 0; // by a collection that still runs
        begin_death(p);
        if (!collected) free_slot_of(where, p);
        return false;
    }
    if ((h.state & (life_dying | life_postponed)) != 0) return false;
    const bool condemned = (h.state & life_condemned) != 0;
    if (has_farewell(where, h)) {
        if (this_thread.nesting_left <= 0 && has_room_in_trashcan()) { // whom it would tell may be deep as well
            leave_registry(heap, where, h);
            postpone(p, h.state & state_mask);
            return false;
        }
        if (!nested([&]() noexcept { return bid_farewell(heap, where, p); })) return false;
    } else {
        leave_registry(heap, where, h);
    }
    if (!condemned) return true;
    if (this_thread.nesting_left <= 0 && has_room_in_trashcan()) {
        postpone(p, h.state & state_mask);
    } else {
        destroy_condemned(where, p);
    }
    return false;
}

/// What the header of an object says that may be destroyed without further ado.
constexpr std::uint32_t state_of_simple_death(const type_info& t) noexcept {
    return t.container ? std::uint32_t{age_young} : std::uint32_t{age_none};
}

/// The count of `p` fell to zero, and it isn't simply young. Preconditions: its type has no finalizer.
PYGC_NOINLINE inline void prepare_and_destroy(page& where, py_object* p) noexcept {
    header& h = header_of(p);
    if (h.state <= age_old) [[likely]] { // simply old
        leave_registry(*chunk_of(p).heap, where, h);
        h.state = age_young;
    } else {
        if (!prepare_death(where, p)) return;
        h.state = state_of_simple_death(*where.type);
    }
    where.destroy(where, p);
}

/// What `destruction<T>::destroy` does, for any type. Preconditions: `nesting_left` is that of the destructor;
/// afterwards it is the caller's again.
PYGC_NOINLINE inline void destroy_nested(page& where, py_object* p) noexcept {
    begin_death(p);
    where.type->destruct(p);
    if (this_thread.nesting_left == 0) destroy_postponed();
    ++this_thread.nesting_left;
    if (!has_escaped(p)) free_slot_of(where, p);
}

/// Postpones an object after asking for room; without memory its destructor nests deeper.
PYGC_NOINLINE inline void postpone_in_more_room(page& where, py_object* p, std::uint32_t kept) noexcept {
    if (!grow_trashcan()) return destroy_nested(where, p);
    ++this_thread.nesting_left;
    postpone(p, kept);
}

/// The destructor of `p` was about to run, one level too deep.
PYGC_NOINLINE inline void postpone_or_destroy(page& where, py_object* p, std::uint32_t kept) noexcept {
    if (is_trashcan_full()) [[unlikely]]
        return postpone_in_more_room(where, p, kept);
    ++this_thread.nesting_left;
    postpone(p, kept);
}

/// The turn of an object that had to wait, whose end isn't simple. Returns: false if there is nothing left to destroy.
PYGC_NOINLINE inline bool prepare_postponed_death(page& where, py_object* p) noexcept {
    header& h = header_of(p);
    heap_state& heap = *chunk_of(p).heap;
    h.state &= ~std::uint32_t{life_postponed};
    const bool condemned = (h.state & life_condemned) != 0;
    if (h.count != 0) { // somebody made a reference of a plain pointer, and holds it: the object lives on
        if (!condemned) join_registry(where, h);
        return false;
    }
    if (has_farewell(where, h)) {
        if (!nested([&]() noexcept { return bid_farewell(heap, where, p); })) return false;
    }
    if (condemned) destroy_condemned(where, p);
    return !condemned;
}

/// Whether an object that waits is neither held nor condemned nor weakly referred to.
PYGC_INLINE bool waits_simply(const header& h) noexcept {
    std::uint64_t all; // at once
    __builtin_memcpy(&all, &h, sizeof all);
    constexpr header relevant = {-1, life_condemned | life_weak};
    return (all & __builtin_bit_cast(std::uint64_t, relevant)) == 0;
}

/// Runs the destructors that wait, down to `base`, at a level below all that nest.
PYGC_NOINLINE inline void destroy_postponed(std::uint32_t base) noexcept {
    thread_state& t = this_thread;
    --t.nesting_left;
    turn_round_trashcan(base);
    while (t.waiting != base) {
        py_object* const p = t.trashcan[--t.waiting];
        const std::uint32_t before = t.waiting;
        const header& h = header_of(p);
        page& where = page_of(p);
        if (!waits_simply(h) || (where.type->finalize != nullptr && (h.state & life_finalized) == 0)) [[unlikely]] {
            if (!prepare_postponed_death(where, p)) {
                turn_round_trashcan(before);
                continue;
            }
        }
        begin_death(p);
        where.type->destruct(p);
        turn_round_trashcan(before);
        if (!has_escaped(p)) [[likely]]
            free_slot_of(where, p);
    }
    ++t.nesting_left;
    shrink_trashcan();
}

/// Destroys all that wait here. Preconditions: nesting_left is 0, as in the innermost destructor that may run
/// others; elsewhere none wait for it.
PYGC_NOINLINE inline void destroy_postponed() noexcept {
    if (this_thread.waiting != this_thread.trashcan_base) destroy_postponed(this_thread.trashcan_base);
}

} // namespace pygc::inline PYGC_ABI::detail
