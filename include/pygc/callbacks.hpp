// SPDX-License-Identifier: BSL-1.0
// callback_list: who is told when a collection starts and stops, Python's gc.callbacks.
#pragma once

#include <cstddef>
#include <new> // placement

#include <pygc/detail/bad_alloc.hpp>
#include <pygc/detail/callable.hpp>
#include <pygc/detail/scratch.hpp>

namespace pygc::inline PYGC_ABI {

enum class collection_phase { start, stop };

/// What a callback is told. At the start all but the generation is zero.
struct collection_info {
    int generation = 0;
    std::size_t collected = 0;     ///< objects found unreachable, as `collect` returns them
    std::size_t uncollectable = 0; ///< objects whose traverse reported more than they own
    std::size_t candidates = 0;    ///< objects examined
    double duration = 0;           ///< seconds of elapsed time
};

/// The functions to be called at the start and the stop of every collection of a heap, in the order of
/// their appending. Each is called as `f(collection_phase, const collection_info&)`; while they run, `collect()`
/// returns 0. What they throw goes to the unraisable hook. A list that is changed while it is being called
/// takes effect the next time. Not called for the collection at a heap's end.
class callback_list {
public:
    using id = std::size_t;

    callback_list() noexcept = default;
    callback_list(const callback_list&) = delete;
    callback_list& operator=(const callback_list&) = delete;
    ~callback_list() {
        while (size_ != 0) clear(); // again only if destructors append
        entries_.release();
        called_.release();
    }

    /// Returns: a number to remove it by. Throws: std::bad_alloc, and what copying `f` throws.
    template <class F>
    id append(F f) {
        auto function = function_type::make(static_cast<F&&>(f));
        if (!entries_.reserve(size_ + 1, size_) || !called_.reserve(size_ + 1, called_size_)) detail::throw_bad_alloc();
        ::new (static_cast<void*>(entries_.data() + size_)) entry{++last_id_, function};
        ++size_;
        return last_id_;
    }

    /// Returns: whether it was in the list. Complexity: linear.
    bool remove(id which) noexcept {
        for (std::size_t i = 0; i != size_; ++i) {
            if (entries_[i].number != which) continue;
            const entry removed = entries_[i]; // destroyed last: its destructor may look at the list
            for (std::size_t k = i + 1; k != size_; ++k) entries_[k - 1] = entries_[k];
            entries_[--size_].~entry();
            return true;
        }
        return false;
    }

    /// Effects: the list is empty, then what was in it is destroyed, the last first.
    PYGC_NOINLINE void clear() noexcept {
        auto cleared = entries_; // their destructors may look at the list, and append
        std::size_t size = size_;
        entries_ = {};
        size_ = 0;
        while (size != 0) cleared[--size].~entry();
        cleared.release();
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// For the library: calls `f(const function&)` for each of those that are there now. Preconditions: isn't running; a
    /// heap's next collection starts when the callbacks of the last one have returned.
    template <class F>
    void for_each(F f) {
        for (; called_size_ != size_; ++called_size_) {
            ::new (static_cast<void*>(called_.data() + called_size_)) function_type(entries_[called_size_].function);
        }
        for (std::size_t i = 0; i != called_size_; ++i) {
            const function_type function = called_[i]; // which may append to the list, and so move it
            f(function);
        }
        while (called_size_ != 0) called_[--called_size_].~function_type();
    }

private:
    using function_type = detail::callable<collection_phase, const collection_info&>;
    struct entry {
        id number;
        function_type function;
    };

    detail::scratch<entry> entries_;
    detail::scratch<function_type> called_; // what is being called: as much room, so that a call needs no memory
    std::size_t size_ = 0;
    std::size_t called_size_ = 0;
    id last_id_ = 0;
};

} // namespace pygc::inline PYGC_ABI
