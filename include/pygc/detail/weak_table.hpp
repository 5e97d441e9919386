// SPDX-License-Identifier: BSL-1.0
// From an object to its weak references: a hash table beside the objects, which then need no field for it.
//
//   object's address -> first record <-> record <-> record       the one without a callback first, then
//                                                                those with one, newest first
#pragma once

#include <cstddef>
#include <cstdint>

#include <pygc/detail/scratch.hpp>
#include <pygc/fwd.hpp>

namespace pygc::inline PYGC_ABI::detail {

struct weak_record;

/// Open addressing with linear probing, at most three quarters full. Complexity: constant, on average.
class weak_table {
public:
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// The first record of an object, null if it has none.
    [[nodiscard]] weak_record* find(const py_object* object) const noexcept {
        if (size_ == 0) return nullptr;
        return entries_[place_of(object)].first;
    }

    /// Makes sure that the next `set` of a new object has room. False: no memory.
    [[nodiscard]] bool reserve_one() noexcept {
        if (4 * (size_ + 1) <= 3 * capacity_) return true;
        weak_table larger;
        const std::size_t wanted = capacity_ == 0 ? 1024 : 2 * capacity_;
        if (!larger.entries_.reserve(wanted)) return false;
        larger.capacity_ = wanted; // fresh memory is zero
        for (std::size_t i = 0; i != capacity_; ++i) {
            if (entries_[i].object != nullptr) larger.set(entries_[i].object, entries_[i].first);
        }
        release();
        *this = larger;
        return true;
    }

    /// Preconditions: the object is in the table, or `reserve_one` said true.
    void set(const py_object* object, weak_record* first) noexcept {
        entry& e = entries_[place_of(object)];
        if (e.object == nullptr) ++size_;
        e = {object, first};
    }

    /// Preconditions: the object is in the table. Returns: its first record.
    weak_record* take(const py_object* object) noexcept {
        std::size_t hole = place_of(object);
        weak_record* first = entries_[hole].first;
        // What was pushed past the hole moves back, so that no search ends too early.
        for (std::size_t i = next(hole); entries_[i].object != nullptr; i = next(i)) {
            const std::size_t wanted = home_of(entries_[i].object);
            if (((i - wanted) & (capacity_ - 1)) < ((i - hole) & (capacity_ - 1))) continue;
            entries_[hole] = entries_[i];
            hole = i;
        }
        entries_[hole] = {};
        --size_;
        return first;
    }

    void release() noexcept {
        entries_.release();
        size_ = capacity_ = 0;
    }

private:
    struct entry {
        const py_object* object;
        weak_record* first;
    };

    [[nodiscard]] std::size_t home_of(const py_object* object) const noexcept {
        const auto bits = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(object));
        return static_cast<std::size_t>((bits * 0x9e3779b97f4a7c15u) >> 32) & (capacity_ - 1);
    }
    [[nodiscard]] std::size_t next(std::size_t i) const noexcept { return (i + 1) & (capacity_ - 1); }
    [[nodiscard]] std::size_t place_of(const py_object* object) const noexcept {
        std::size_t i = home_of(object);
        while (entries_[i].object != nullptr && entries_[i].object != object) i = next(i);
        return i;
    }

    scratch<entry> entries_;
    std::size_t capacity_ = 0; // a power of two
    std::size_t size_ = 0;
};

} // namespace pygc::inline PYGC_ABI::detail
