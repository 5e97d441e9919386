// SPDX-License-Identifier: BSL-1.0
// Keeps glibc from giving away the buffers' memory that a sweep frees.
//
// A sweep frees many buffers at once. What is free at the top of its heap glibc returns to the system, again and again
// while the sweep goes on, and before the next collection all of it is mapped, faulted in and cleared anew: where
// cycles own buffers of 10 KB, that took three times as long as everything else. A small block near the top keeps the
// memory below it in the process.
#pragma once

#include <cstddef>
#include <cstdlib>

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// A handle: its owner calls `release`, since heaps outlive the destruction of statics.
class malloc_plug {
public:
    /// To be called before a sweep after which the heap will grow again. `bytes`: what objects have then, here and
    /// outside. Effects: a small block is allocated if that is an eighth more than it ever was.
    void renew([[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__GLIBC__) && !PYGC_ASAN
        if (bytes / 9 * 8 <= most_) return;
        auto* const fresh = static_cast<block*>(std::malloc(sizeof(block)));
        if (fresh == nullptr) return;
        fresh->next = newest_;
        newest_ = fresh;
        most_ = bytes;
#endif
    }

    /// To be called after a full collection. Effects: if little is left of what there was, the top may go.
    void settle(std::size_t bytes) noexcept {
        if (bytes < most_ / 4) release();
    }

    void release() noexcept {
        while (newest_ != nullptr) {
            block* const next = newest_->next;
            std::free(newest_);
            newest_ = next;
        }
        most_ = 0;
    }

private:
    struct block {
        block* next;
        char unused[88]; // up to 1,000 bytes do as well; with 4,000 it fills a hole somewhere else
    };

    block* newest_ = nullptr;
    std::size_t most_ = 0;
};

} // namespace pygc::inline PYGC_ABI::detail
