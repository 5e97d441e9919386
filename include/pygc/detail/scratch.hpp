// SPDX-License-Identifier: BSL-1.0
// A growing array of plain values in memory of its own, for what a collection works in and for the library's lists.
#pragma once

#include <cstddef>
#include <cstring>

#include <pygc/detail/poison.hpp>
#include <pygc/detail/system_memory.hpp>

namespace pygc::inline PYGC_ABI::detail {

PYGC_NOINLINE inline void unmap_scratch(void* memory, std::size_t bytes) noexcept {
    unwatch_for_leaks(memory, bytes);
    unmap_memory(memory, bytes);
}

/// A handle: its owner calls `release`, since heaps outlive the destruction of statics. Never throws:
/// every growth can fail, and says so. Elements are left as they come from the system.
template <class T>
class scratch {
public:
    [[nodiscard]] T* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return bytes_ / sizeof(T); }
    T& operator[](std::size_t i) const noexcept { return data_[i]; }

    /// Makes room for `count` elements; what was there is kept for the first `kept` of them, and where the system can
    /// move memory without copying it there are never two copies. False if the system has no memory; then nothing
    /// changed.
    [[nodiscard]] bool reserve(std::size_t count, std::size_t kept = 0) noexcept {
        if (count <= capacity()) return true;
        if (count > (SIZE_MAX / 2 - huge_page_bytes) / sizeof(T)) return false;
        const bool huge = count * sizeof(T) > huge_page_bytes;
        const std::size_t granule = huge ? huge_page_bytes : std::size_t{64} << 10;
        const std::size_t bytes = (count * sizeof(T) + granule - 1) / granule * granule;
        void* fresh = nullptr;
        if (kept != 0) {
            unwatch_for_leaks(data_, bytes_);
            fresh = grow_mapping(data_, bytes_, bytes, granule);
            if (fresh == nullptr) watch_for_leaks(data_, bytes_);
        }
        if (fresh == nullptr) {
            fresh = map_memory(bytes, granule);
            if (fresh == nullptr) return false;
            if (kept != 0) std::memcpy(fresh, data_, kept * sizeof(T));
            release();
        }
        if (huge) prefer_huge_pages(fresh, bytes, true);
        watch_for_leaks(fresh, bytes);
        data_ = static_cast<T*>(fresh);
        bytes_ = bytes;
        return true;
    }

    /// Gives everything back if it is more than `bytes`.
    void shrink_to(std::size_t bytes) noexcept {
        if (bytes_ > bytes) release();
    }

    void release() noexcept {
        if (data_ != nullptr) unmap_scratch(data_, bytes_);
        data_ = nullptr;
        bytes_ = 0;
    }

private:
    T* data_ = nullptr;
    std::size_t bytes_ = 0;
};

} // namespace pygc::inline PYGC_ABI::detail
