// SPDX-License-Identifier: BSL-1.0
// make_ref: the only way to make an object, and the place where automatic collections start.
#pragma once

#include <initializer_list>

#include <pygc/detail/operations.hpp>
#include <pygc/gc.hpp>

namespace pygc::inline PYGC_ABI {

namespace detail {

/// A slot whose object is being constructed; goes back if the constructor throws.
class slot_guard {
public:
    PYGC_INLINE slot_guard(page& p, void* slot) noexcept : page_(&p), slot_(slot) {}
    slot_guard(const slot_guard&) = delete;
    slot_guard& operator=(const slot_guard&) = delete;
    PYGC_INLINE ~slot_guard() {
        if (slot_ != nullptr) [[unlikely]]
            give_back();
    }
    PYGC_INLINE void release() noexcept { slot_ = nullptr; }

private:
    PYGC_NOINLINE void give_back() noexcept {
        const type_info& t = *page_->type;
        header& h = header_of_slot(slot_, t);
        keep_bytes(&h);
        if ((h.state & life_weak) != 0 && (h.state & life_dying) == 0) {
            h.state |= life_dying;
            nested([&]() noexcept { // what made the object may be in the middle of a container's operation
                sever_and_call(*chunk_of(page_).heap, reinterpret_cast<py_object*>(&h));
                return true;
            });
        }
        // One reference is ours; none was counted if the constructor didn't get as far as py_object's.
        if (h.count > 1 && h.count != dying_count) {
            ::new (static_cast<void*>(&h)) header{h.count - 1, age_none | life_zombie};
            report("a constructor that threw let a reference escape to the", &t, &h);
            return;
        }
        ::new (static_cast<void*>(&h)) header{dying_count, age_none | life_dying};
        free_slot(*page_, slot_, t);
    }

    page* page_;
    void* slot_;
};

/// The slow path: makes the thread's heap, collects if that is due, makes a bin, a page; collects before it gives up.
PYGC_NOINLINE inline page& find_page(const type_info& t) {
    heap_state* h = this_thread.heap;
    if (h->counts_each) {
        if (page* p = page_for_counted_slot(*h, t)) return *p;
    }
    h = ensure_heap();
    if (h != nullptr) {
        if (t.container && h->counts_each) ++h->allocations;
        const std::size_t more = h->counts_each ? 0 : 1;
        if ((t.container || (h->trigger == 0 && (h->requested < 0 || h->too_many_bytes()))) && h->is_over_trigger(more)) {
            collect_automatically(*h, more);
            h = ensure_heap(); // its last object may have gone, if it was abandoned
        }
    }
    for (bool collected = false;; collected = true) {
        if (h != nullptr) {
            if (h->traversing) report_and_abort("make_ref inside a traverse, of", &t, nullptr);
            if (page* p = page_for_slot(*h, t)) return *p;
        }
        const bool forbidden = h != nullptr && (h->pauses != 0 || h->when != mode::at_allocation || is_dying());
        if (h == nullptr || collected || forbidden) {
            if (h != nullptr && t.container && h->counts_each) h->note_freed_containers(1);
            throw_bad_alloc();
        }
        release_spare_heaps();
        collect(*h, 2);
        h = ensure_heap();
    }
}

template <class T, class... Args>
PYGC_INLINE py_ref<T> make(Args&&... args) {
    using object_type = typename owned_type<std::remove_cv_t<T>>::type;
    using ops = operations<object_type>;

    const std::uint32_t offset = load_relaxed(bin_offset<object_type>);
    const heap_state& h = *this_thread.heap;
    page* where;
    if (offset >= h.visible_bytes || !has_slot(*(where = h.bin_at(offset).current))) [[unlikely]]
        where = &find_page(ops::info);
    void* slot = pop_slot(*where, ops::info);

    slot_guard guard(*where, slot);
    object_type* object;
    if constexpr (__is_same(object_type, std::remove_cv_t<T>)) {
        object = access::make_at<object_type>(slot, static_cast<Args&&>(args)...);
    } else {
        object = ::new (slot) object_type(typename object_type::in_place{}, static_cast<Args&&>(args)...);
    }
    guard.release();

    auto r = ref_access::adopt<T>(object);
    if constexpr (ops::container) {
        header& new_header = header_of(object);
        new_header.state &= ~std::uint32_t{age_mask}; // young; its constructor may have made weak references
    }
    return r;
}

} // namespace detail

namespace detail {

/// Whether the author of `T` has said what its objects own, or the library knows it.
template <class T>
concept seen_into = !lacks_traverse<std::remove_cv_t<T>>();

template <class T, class... Args>
PYGC_INLINE py_ref<T> check_and_make(Args&&... args) {
    static_assert(!std::is_array_v<T>, "pygc: no arrays; use make_ref<std::vector<U>>(n)");
    static_assert(!std::is_abstract_v<T>, "pygc: an abstract class has no objects; make one of a derived class");
    static_assert(access::constructible_with_parentheses<std::remove_cv_t<T>, Args...>() ||
                      access::constructible_with_braces<std::remove_cv_t<T>, Args...>(),
                  "pygc: make_ref<T>(args...): T has no constructor for these arguments; if it is private, "
                  "write `friend struct pygc::access;`");
    return make<T>(static_cast<Args&&>(args)...);
}

} // namespace detail

#define PYGC_LACKS_TRAVERSE                                                                                            \
    "pygc: this class has a destructor and neither a traverse nor a promise: references that it owns would be hidden " \
    "from the collector; write void traverse(auto& visit) { visit(a, b, c); }, or `using pygc_acyclic = void;` if it " \
    "owns none"

/// Makes a `T` and returns the first reference to it: as `std::make_shared`, and aggregates work too.
///
/// Effects: may run an automatic collection first; constructs `T(args...)`, or `T{args...}` if that doesn't
/// compile; tracks the object if its type can be part of a cycle. Complexity: constant, besides the
/// constructor and the collection. Throws: what the constructor throws, and std::bad_alloc; then there
/// is no object.
///
/// Warns, as of a deprecated function, if `T` has a destructor that does something and neither a `traverse` nor
/// `pygc_acyclic`, nor is a plain struct or a standard container: forgetting `traverse` is the commonest mistake. With
/// PYGC_REQUIRE_TRAVERSE defined to 1 that is an error.
template <class T, class... Args>
    requires detail::seen_into<T>
[[nodiscard]] PYGC_INLINE py_ref<T> make_ref(Args&&... args) {
    return detail::check_and_make<T>(static_cast<Args&&>(args)...);
}
template <class T, class... Args>
[[nodiscard, deprecated(PYGC_LACKS_TRAVERSE)]] PYGC_INLINE py_ref<T> make_ref(Args&&... args) {
    static_assert(!PYGC_REQUIRE_TRAVERSE || detail::seen_into<T>, PYGC_LACKS_TRAVERSE);
    return detail::check_and_make<T>(static_cast<Args&&>(args)...);
}

/// For `make_ref<std::vector<int>>({1, 2, 3})`.
template <class T, class U, class... Args>
    requires detail::seen_into<T>
[[nodiscard]] py_ref<T> make_ref(std::initializer_list<U> list, Args&&... args) {
    return detail::make<T>(list, static_cast<Args&&>(args)...);
}
template <class T, class U, class... Args>
[[nodiscard, deprecated(PYGC_LACKS_TRAVERSE)]] py_ref<T> make_ref(std::initializer_list<U> list, Args&&... args) {
    static_assert(!PYGC_REQUIRE_TRAVERSE || detail::seen_into<T>, PYGC_LACKS_TRAVERSE);
    return detail::make<T>(list, static_cast<Args&&>(args)...);
}

#undef PYGC_LACKS_TRAVERSE

} // namespace pygc::inline PYGC_ABI
