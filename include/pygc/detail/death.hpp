// SPDX-License-Identifier: BSL-1.0
// The end of one object: finalizer, weak references, destructor, slot.
#pragma once

#include <type_traits> // is_trivially_destructible, is_nothrow_destructible

#include <pygc/detail/check.hpp>
#include <pygc/detail/layout.hpp>
#include <pygc/detail/postponed.hpp>
#include <pygc/detail/slots.hpp>
#include <pygc/detail/type_name.hpp>
#include <pygc/detail/weak_record.hpp>

namespace pygc::inline PYGC_ABI::detail {

template <class T>
struct death : layout<T> {
    using typename layout<T>::value_type;
    using layout<T>::container;
    using layout<T>::has_finalizer;
    using layout<T>::info;
    using layout<T>::object_of;
    using layout<T>::slot_of;

    /// The count of `p` fell to zero.
    static void destroy(page& where, py_object* p) noexcept {
        header& h = header_of(p);
        // A young container and an untracked leaf are the common cases, and one comparison.
        if (has_finalizer || h.state != (container ? age_young : age_none)) [[unlikely]] {
            if (!prepare_death(where, p)) return;
        }
        if constexpr (std::is_trivially_destructible_v<T> && !container) {
            h.state = age_none | life_dying;
            free_slot(where, slot_of(p), info);
        } else if (--this_thread.nesting_left < 0) [[unlikely]] {
            postpone_instead(p, has_finalizer ? h.state & state_mask : 0);
        } else {
            dispose_nested(where, p);
        }
    }

    /// For an object that isn't simply young. Returns: false if there is nothing left to destroy.
    PYGC_NOINLINE static bool prepare_death(page& where, py_object* p) noexcept {
        header& h = header_of(p);
        heap_state& heap = *chunk_of(p).heap;
        if (!has_finalizer && h.state <= age_old) [[likely]] { // simply old
            leave_registry(heap, where, h);
            return true;
        }
        if ((h.state & life_immortal) != 0) {
            h.count = pinned_count;
            return false;
        }
        if ((h.state & life_zombie) != 0) {                     // its last reference went
            const bool collected = (h.state & life_dying) != 0; // by a collection that still runs
            h.state = age_none | life_dying;
            h.count = dying_count;
            if (!collected) free_slot(where, slot_of(p), info);
            return false;
        }
        if ((h.state & life_dying) != 0) return false;
        const bool condemned = (h.state & life_condemned) != 0;
        if (has_farewell(h)) {
            if (this_thread.nesting_left <= 0) { // whom it would tell may be deep as well
                leave_registry(heap, where, h);
                postpone(p, h.state & state_mask);
                return false;
            }
            if (!nested([&]() noexcept { return say_farewell(heap, where, p); })) return false;
        } else {
            leave_registry(heap, where, h);
        }
        if (!condemned) return true;
        if (this_thread.nesting_left <= 0) {
            postpone(p, h.state & state_mask);
        } else {
            destroy_condemned(p);
        }
        return false;
    }

    /// Whether somebody wants to know of the death first: the object itself, or weak references to it.
    PYGC_INLINE static bool has_farewell(const header& h) noexcept {
        if constexpr (has_finalizer) {
            if ((h.state & life_finalized) == 0) return true;
        }
        return (h.state & life_weak) != 0;
    }

    /// Runs `f` one level deeper, and what had to wait for it.
    template <class F>
    PYGC_INLINE static auto nested(F f) noexcept {
        --this_thread.nesting_left;
        const auto result = f();
        if (this_thread.nesting_left == 0) [[unlikely]]
            destroy_postponed();
        ++this_thread.nesting_left;
        return result;
    }

    /// Takes an object out of the count of its age.
    static void leave_registry(heap_state& heap, page& where, const header& h) noexcept {
        const std::uint32_t age = age_of(h);
        if (age > age_old || where.frozen || (h.state & life_condemned) != 0) return;
        --heap.objects_of_age[age];
        if (age != age_young) settle_death(heap, where);
    }

    /// Puts it into generation 0, as a new one.
    static void join_registry([[maybe_unused]] page& where, [[maybe_unused]] header& h) noexcept {
        if constexpr (container) {
            h.state = (h.state & ~std::uint32_t{age_mask}) | age_young;
            mark_young(where);
        }
    }

    /// The finalizer, then the weak references and their callbacks. Preconditions: no reference is left. Returns:
    /// false if one was made: the object lives on. Otherwise its state says "dying", and it has left the registry.
    static bool say_farewell(heap_state& heap, page& where, py_object* p) noexcept {
        header& h = header_of(p);
        if constexpr (has_finalizer) {
            if ((h.state & life_finalized) == 0) {
                h.count = 1;
                if (!where.frozen && (h.state & life_condemned) == 0) {
                    leave_registry(heap, where, h);
                    join_registry(where, h);
                }
                finalize(where, p);
                if (--h.count != 0) {
                    if ((h.state & life_condemned) != 0) {
                        h.state &= ~std::uint32_t{life_condemned};
                        join_registry(where, h);
                    }
                    return false;
                }
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

    /// Calls the user's `finalize`, for the first and last time. Preconditions: a reference is held.
    static void finalize([[maybe_unused]] page& where, [[maybe_unused]] py_object* p) noexcept {
        if constexpr (has_finalizer) {
            header_of(p).state |= life_finalized;
#if PYGC_EXCEPTIONS
            try {
                access::finalize(*object_of(p));
            } catch (...) {
                report_unraisable(*chunk_of(&where).heap, "the finalizer of", type_name<value_type>(), p);
            }
#else
            access::finalize(*object_of(p));
#endif
        }
    }

    /// The destructor of an object that died while a collection ran finalizers over its set: the slot stays that
    /// collection's, lest it be used again under its eyes.
    static void destroy_condemned(py_object* p) noexcept {
        nested([p]() noexcept {
            begin_death(p);
            run_destructor(p);
            return true;
        });
        if (!has_escaped(p)) header_of(p).state |= life_condemned;
    }

    /// Ends an object that had to wait: runs the destructor and frees the slot. Only `destroy_postponed` calls it.
    static void dispose(page& where, py_object* p) noexcept {
        const std::uint32_t state = header_of(p).state;
        if ((state & (life_weak | life_condemned)) != 0 || (has_finalizer && (state & life_finalized) == 0))
            [[unlikely]] {
            if (!prepare_postponed_death(where, p)) return;
        }
        begin_death(p);
        run_destructor(p);
        if (!has_escaped(p)) [[likely]]
            free_slot(where, slot_of(p), info);
    }

    /// For one that has more to do first. Returns: false if there is nothing left to destroy.
    PYGC_NOINLINE static bool prepare_postponed_death(page& where, py_object* p) noexcept {
        header& h = header_of(p);
        heap_state& heap = *chunk_of(p).heap;
        unlink_postponed(h);
        const bool condemned = (h.state & life_condemned) != 0;
        if ((h.state & life_dying) == 0 && has_farewell(h)) {
            if (!nested([&]() noexcept { return say_farewell(heap, where, p); })) return false;
        }
        if (condemned) destroy_condemned(p);
        return !condemned;
    }

    /// Preconditions: `nesting_left` is that of the destructor; afterwards it is the caller's again.
    PYGC_INLINE static void dispose_nested(page& where, py_object* p) noexcept {
        begin_death(p);
        run_destructor(p);
        if (this_thread.nesting_left == 0) [[unlikely]]
            destroy_postponed();
        keep_bytes(p); // or the compiler keeps the number, for three instructions instead of one
        ++this_thread.nesting_left;
        if (!has_escaped(p)) [[likely]]
            free_slot(where, slot_of(p), info);
    }

    PYGC_INLINE static void begin_death(py_object* p) noexcept { header_of(p) = {dying_count, age_none | life_dying}; }

    /// Preconditions: `begin_death`.
    PYGC_INLINE static void run_destructor(py_object* p) noexcept {
        T* const object = object_of(p);
        keep_bytes(p);
#if PYGC_EXCEPTIONS
        if constexpr (!std::is_nothrow_destructible_v<T>) {
            try {
                access::destroy(*object);
            } catch (...) {
                report_unraisable(*chunk_of(p).heap, "the destructor of", type_name<value_type>(), p);
            }
        } else
#endif
        {
            access::destroy(*object);
        }
        keep_bytes(p);
    }

    /// Whether the destructor, or what had to wait for it, let a reference to the object escape. Its memory is then
    /// kept until that reference goes.
    PYGC_INLINE static bool has_escaped(py_object* p) noexcept {
        if (header_of(p).count == dying_count) [[likely]]
            return false;
        keep_zombie(p);
        return true;
    }

    PYGC_NOINLINE static void keep_zombie(py_object* p) noexcept {
        header& h = header_of(p);
        ::new (static_cast<void*>(&h)) header{h.count - dying_count, age_none | life_zombie};
        report("a destructor let a reference escape to the destroyed", &info, p);
    }
};

} // namespace pygc::inline PYGC_ABI::detail
