// SPDX-License-Identifier: BSL-1.0
// external_bytes: memory that objects own outside the heap.
#pragma once

#include <cstddef>

#include <pygc/detail/lifetime.hpp>

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
/// the heap that is current when the field is given its first bytes, and they are given back there, whichever heap or
/// thread is current then. **Complexity**: constant. **Exceptions**: none; never collects by itself. Without memory for
/// a heap's account, some twenty bytes once, the bytes aren't counted. **Thread safety**: as the objects of that heap.
class external_bytes {
public:
    constexpr external_bytes() noexcept = default;
    explicit external_bytes(std::size_t count) noexcept { set(count); }

    external_bytes(const external_bytes& other) noexcept : external_bytes(other.count_) {}
    external_bytes(external_bytes&& other) noexcept : count_(other.count_), account_(other.account_) {
        other.count_ = 0;
        other.account_ = nullptr;
    }
    external_bytes& operator=(const external_bytes& other) noexcept { return *this = other.count_; }
    external_bytes& operator=(external_bytes&& other) noexcept {
        if (this == &other) return *this;
        external_bytes taken(static_cast<external_bytes&&>(other));
        swap(taken);
        return *this;
    }
    ~external_bytes() {
        if (account_ == nullptr) return;
        set(0);
        detail::leave_account(account_);
    }

    /// So much it is now.
    external_bytes& operator=(std::size_t count) noexcept {
        set(count);
        return *this;
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

    /// It holds no references.
    using pygc_acyclic = void;
    void traverse(auto&) const noexcept {}

private:
    void swap(external_bytes& other) noexcept {
        const std::size_t count = count_;
        detail::external_account* const account = account_;
        count_ = other.count_;
        account_ = other.account_;
        other.count_ = count;
        other.account_ = account;
    }

    void set(std::size_t count) noexcept {
        const std::size_t counted = account_ != nullptr ? count_ : 0;
        count_ = count;
        if (account_ == nullptr && count != 0) account_ = detail::join_account();
        if (account_ == nullptr) return;
        detail::external_account& sum = detail::final_account(*account_);
        sum.bytes += count - counted; // modulo the size of the type
        if (count > counted && sum.heap != nullptr) sum.heap->note_growth();
    }

    std::size_t count_ = 0;
    detail::external_account* account_ = nullptr;
};

} // namespace pygc::inline PYGC_ABI
