// SPDX-License-Identifier: BSL-1.0
// Holds the traverse functions of the user to their promises.
#pragma once

#include <pygc/detail/death.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Where what dies has to wait, and no collection of another heap starts either.
constexpr std::int32_t level_below_all(std::int32_t nesting_left) noexcept {
    return nesting_left > 0 ? 0 : nesting_left - 1;
}

/// As long as it lives every `traverse` is held to its promises: make_ref finds no page and says so, and what dies is
/// put off, so that the picture being taken stays true to the objects or is thrown away.
class traversal_guard {
public:
    explicit traversal_guard(heap_state& h) noexcept
        : heap_(h), nesting_left_(this_thread.nesting_left), waiting_(this_thread.waiting) {
        h.traversing = true;
        h.show_bins();
        this_thread.nesting_left = level_below_all(nesting_left_);
        this_thread.trashcan_failed = false;
    }
    traversal_guard(const traversal_guard&) = delete;
    traversal_guard& operator=(const traversal_guard&) = delete;
    ~traversal_guard() {
        const bool died = !nothing_died();
        heap_.traversing = false;
        heap_.show_bins();
        if (died) {
            report("objects died inside a traverse; a collection was given up in the heap", nullptr, &heap_);
            destroy_postponed(waiting_); // still at the level where nothing nests
        }
        this_thread.nesting_left = nesting_left_;
    }

    [[nodiscard]] bool nothing_died() const noexcept {
        return this_thread.waiting == waiting_ && !this_thread.trashcan_failed;
    }

private:
    heap_state& heap_;
    const std::int32_t nesting_left_;
    const std::uint32_t waiting_;
};

} // namespace pygc::inline PYGC_ABI::detail
