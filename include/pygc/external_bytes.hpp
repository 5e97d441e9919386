// SPDX-License-Identifier: BSL-1.0
// external_bytes: memory that objects own outside the heap.
#pragma once

#include <cstddef>

#include <pygc/detail/heap_state.hpp>

namespace pygc::inline PYGC_ABI {

/// Tells the pacing of collections how much memory an object owns that the collector can't see: buffers, images,
/// handles of another library. A field beside the buffer is all it takes:
///
///     struct image : pygc::py_object {
///         std::vector<std::byte> pixels;
///         pygc::external_bytes size{pixels.capacity()};
///         ...
///         void load(file& f) { pixels = f.read(); size = pixels.capacity(); }
///     };
///
/// An automatic collection is then also due when the bytes have grown too much: see `heap::set_threshold`. A copied
/// field counts again, since a copied buffer takes memory again; a moved-from one counts nothing. The sum belongs to
/// the thread. **Complexity**: constant. **Exceptions**: none; never collects by itself.
class external_bytes {
public:
    constexpr external_bytes() noexcept = default;
    explicit external_bytes(std::size_t count) noexcept : count_(count) { detail::add_external(count); }

    external_bytes(const external_bytes& other) noexcept : external_bytes(other.count_) {}
    external_bytes(external_bytes&& other) noexcept : count_(other.count_) { other.count_ = 0; }
    external_bytes& operator=(const external_bytes& other) noexcept { return *this = other.count_; }
    external_bytes& operator=(external_bytes&& other) noexcept {
        const std::size_t theirs = other.count_;
        if (this == &other) return *this;
        other.count_ = 0;
        detail::remove_external(count_);
        count_ = theirs;
        return *this;
    }
    ~external_bytes() { detail::remove_external(count_); }

    /// So much it is now.
    external_bytes& operator=(std::size_t count) noexcept {
        detail::remove_external(count_);
        detail::add_external(count);
        count_ = count;
        return *this;
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    /// It holds no references.
    using pygc_acyclic = void;
    void traverse(auto&) const noexcept {}

private:
    std::size_t count_ = 0;
};

} // namespace pygc::inline PYGC_ABI
