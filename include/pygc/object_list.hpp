// SPDX-License-Identifier: BSL-1.0
// object_list: a fixed list of references to objects of any type, what get_objects returns.
#pragma once

#include <cstddef>
#include <new> // bad_alloc

#include <pygc/detail/collector.hpp>

namespace pygc::inline PYGC_ABI {

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
        for (std::size_t i = 0; i != size_; ++i) items_[i].~py_ref();
        items_.release();
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
    friend class heap;

    /// The tracked objects of a heap whose age is in a range. Throws: std::bad_alloc.
    object_list(detail::heap_state& h, std::uint32_t youngest, std::uint32_t oldest) {
        std::size_t room = 0;
        h.pages.for_each_page([&room](const detail::page& p) noexcept {
            if (p.type->container) room += objects_on(p);
        });
        if (room != 0 && !items_.reserve(room)) detail::throw_bad_alloc();
        h.pages.for_each_page([&](detail::page& p) noexcept {
            if (!p.type->container) return;
            for (std::uint32_t i = 0; i != p.carved; ++i) {
                detail::header& object = detail::header_at(p, i);
                if (detail::is_poisoned(&object)) continue;
                const std::uint32_t age = detail::age_of(object);
                if (age < youngest || age > oldest) continue;
                ::new (static_cast<void*>(items_.data() + size_++))
                    value_type(value_type::borrow(reinterpret_cast<py_object*>(&object)));
            }
        });
    }

    detail::scratch<value_type> items_;
    std::size_t size_ = 0;
};

} // namespace pygc::inline PYGC_ABI
