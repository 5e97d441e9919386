// SPDX-License-Identifier: BSL-1.0
// object_list: a list of references to objects of any type, what get_objects returns.
#pragma once

#include <cstddef>
#include <new> // bad_alloc

#include <pygc/ref.hpp>

namespace pygc::inline PYGC_ABI {

namespace detail {
struct list_access;
} // namespace detail

/// A list of references, like the list that Python's `gc.get_objects()` returns: what is in it lives at
/// least as long as the list. Movable, not copyable.
class object_list {
public:
    using value_type = py_ref<py_object>;
    using const_iterator = const value_type*;
    using iterator = const_iterator;
    using size_type = std::size_t;

    object_list() noexcept = default;
    object_list(object_list&& other) noexcept { swap(other); }
    object_list& operator=(object_list&& other) noexcept {
        object_list(static_cast<object_list&&>(other)).swap(*this);
        return *this;
    }
    ~object_list() {
        do {
            clear();
        } while (size_ != 0); // what dies may add to it
    }

    /// Effects: drops the references, the last first.
    void clear() noexcept {
        auto dropped = items_; // what dies may look at this list
        std::size_t size = size_;
        items_ = {};
        size_ = 0;
        while (size != 0) dropped[--size].~py_ref();
        dropped.release();
    }

    [[nodiscard]] const_iterator begin() const noexcept { return items_.data(); }
    [[nodiscard]] const_iterator end() const noexcept { return items_.data() + size_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] const value_type& operator[](std::size_t i) const noexcept { return items_[i]; }

    /// Whether the object that `r` refers to is in the list. Complexity: linear.
    template <class T>
    [[nodiscard]] bool contains(const py_ref<T>& r) const noexcept {
        for (const value_type& item : *this) {
            if (item == r) return true;
        }
        return false;
    }

    void swap(object_list& other) noexcept {
        const detail::scratch<value_type> items = items_;
        const std::size_t size = size_;
        items_ = other.items_;
        size_ = other.size_;
        other.items_ = items;
        other.size_ = size;
    }

private:
    friend struct detail::list_access;

    detail::scratch<value_type> items_;
    std::size_t size_ = 0;
};

namespace detail {

/// How the library fills a list.
struct list_access {
    /// Room for `count` more. False: no memory.
    [[nodiscard]] static bool reserve(object_list& list, std::size_t count) noexcept {
        const std::size_t wanted = list.size_ + count;
        if (wanted <= list.items_.capacity()) return true;
        const std::size_t doubled = 2 * list.items_.capacity();
        return list.items_.reserve(wanted < doubled ? doubled : wanted, list.size_);
    }
    /// Preconditions: there is room.
    static void append(object_list& list, py_object* p) noexcept {
        add_reference(header_of(p));
        ::new (static_cast<void*>(list.items_.data() + list.size_++))
            py_ref<py_object>(ref_access::adopt<py_object>(p));
    }
};

/// A heap's list of what was found and not freed; made when it is first asked for.
inline object_list& garbage_list(heap_state& h) noexcept {
    if (h.garbage == nullptr) {
        static_assert(sizeof(object_list) <= sizeof(h.garbage_place));
        h.garbage = ::new (static_cast<void*>(h.garbage_place)) object_list();
    }
    return *h.garbage;
}

/// Nobody can ask an ended heap for its list: what is there goes, and collections free what they find.
inline void keep_no_garbage(heap_state& h) noexcept {
    h.debug_flags = h.debug_flags & ~debug::save_all;
    if (h.garbage != nullptr) h.garbage->clear();
}

} // namespace detail

} // namespace pygc::inline PYGC_ABI
