// SPDX-License-Identifier: BSL-1.0
// Entries that were taken out of associative containers, and wait for their destructors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include <pygc/detail/system_memory.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// A list in memory of its own.
class erased_entries {
public:
    erased_entries() noexcept = default;
    erased_entries(const erased_entries&) = delete;
    erased_entries& operator=(const erased_entries&) = delete;
    ~erased_entries() { destroy(); }

    /// Takes an entry out of a container with node handles. False if there is no memory: it stays. What the container
    /// throws comes through; then it stays as well.
    template <class Container, class Iterator>
    bool take(Container& from, Iterator at) {
        using entry = holder<decltype(from.extract(at))>;
        static_assert(alignof(entry) <= alignment);
        void* const place = room(sizeof(entry));
        if (place == nullptr) return false;
        last_ = ::new (place) entry(last_, from, at);
        return true;
    }

    /// Runs the destructors, which may do as they like.
    void destroy() noexcept {
        while (last_ != nullptr) {
            item& i = *last_;
            last_ = i.previous;
            i.end(i);
        }
        while (block_ != nullptr) {
            block* const gone = block_;
            block_ = gone->previous;
            unmap_memory(gone, block_bytes);
        }
        used_ = block_bytes;
    }

private:
    struct item {
        item* previous;
        void (*end)(item&) noexcept;
    };

    template <class Node>
    struct holder final : item {
        template <class Container, class Iterator>
        holder(item* last, Container& from, Iterator at)
            : item{last, [](item& i) noexcept { static_cast<holder&>(i).~holder(); }}, node(from.extract(at)) {}
        Node node;
    };

    static constexpr std::size_t block_bytes = std::size_t{64} << 10;
    static constexpr std::size_t alignment = 16;
    struct alignas(alignment) block {
        block* previous;
    };

    void* room(std::size_t bytes) noexcept {
        bytes = (bytes + alignment - 1) / alignment * alignment;
        if (bytes > block_bytes - used_) {
            if (bytes > block_bytes - sizeof(block)) return nullptr;
            void* const memory = map_memory(block_bytes, block_bytes);
            if (memory == nullptr) return nullptr;
            block_ = ::new (memory) block{block_};
            used_ = sizeof(block);
        }
        void* const place = reinterpret_cast<char*>(block_) + used_;
        used_ += bytes;
        return place;
    }

    item* last_ = nullptr;
    block* block_ = nullptr;
    std::size_t used_ = block_bytes; // of the block
};

} // namespace pygc::inline PYGC_ABI::detail
