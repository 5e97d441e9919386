// SPDX-License-Identifier: BSL-1.0
// Gives pages to types and takes empty ones back; maps chunks and returns them to the system.
#pragma once

#include <new>

#include <pygc/detail/chunk_map.hpp>
#include <pygc/detail/page.hpp>
#include <pygc/detail/poison.hpp>
#include <pygc/detail/system_memory.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// A heap with so much memory gets more in huge pages, if they will be full: what the last of them has too much is
/// little beside it then.
inline constexpr std::size_t worth_huge_pages = 2 * chunk_bytes;

static_assert(chunk_bytes == std::size_t{1} << chunk_shift);

/// The chunks of one heap, those with a free page first in the list.
class storage {
public:
    /// Consecutive pages, the first at a multiple of `alignment` pages, or null if the system has no
    /// memory. `dense`: they will be full, as those of a type with few objects are not. Complexity: constant for one
    /// page, else linear in the chunks with room.
    page* take(heap_state& owner, std::size_t count, std::size_t alignment, bool dense) noexcept {
        if (needs_own_chunk(count, alignment)) return take_own_chunk(owner, count, alignment);
        for (chunk* c = first_; c != nullptr && c->free_count != 0; c = c->next) {
            if (const std::size_t at = find_run(*c, count, alignment)) return occupy(*c, at, count);
        }
        chunk* c = map_chunk(owner, chunk_bytes, dense && bytes_mapped_ >= worth_huge_pages);
        if (c == nullptr) return nullptr;
        c->free_pages[0] = ~std::uint64_t{1}; // page 0 is the header itself
        c->free_pages[1] = ~std::uint64_t{0};
        c->free_count = pages_per_chunk - 1;
        ++empty_chunks_;
        link_first(*c);
        return occupy(*c, find_run(*c, count, alignment), count);
    }

    /// Takes an empty page, and those behind it that its object needed, back. Its chunk stays mapped: see
    /// `unmap_empty_chunks`.
    void give(page& p) noexcept {
        chunk& c = chunk_of(&p);
        const std::size_t at = index_in_chunk(p);
        const std::size_t count = p.type->pages;
        if (needs_own_chunk(count, p.type->page_alignment)) {
            c.free_count = pages_per_chunk - 1; // empty, yet of no use to others: no page is marked free
            discard_memory(reinterpret_cast<char*>(&c) + at * page_bytes, count * page_bytes);
        } else {
            for (std::size_t i = at; i != at + count; ++i) {
                add(c.free_pages, i);
                add(c.dirty_pages, i);
            }
            dirty_count_ += count;
            if (c.free_count == 0) {
                unlink(c);
                link_first(c);
            }
            c.free_count += static_cast<std::uint32_t>(count);
        }
        unpoison(reinterpret_cast<char*>(&c) + at * page_bytes, count * page_bytes);
        p.type = nullptr;
        p.free = nullptr;
        p.until = p.event = p.carved = p.counted = 0;
        p.young = p.middle = p.weak = p.frozen = p.in_construction = false;
#if PYGC_ASAN
        p.free_count = 0;
#endif
        pages_ -= count;
        if (is_empty(c)) ++empty_chunks_;
    }

    /// True if so many chunks stand empty that returning all but `spare_chunks()` pays.
    [[nodiscard]] bool worth_unmapping() const noexcept { return empty_chunks_ > spare_chunks(); }
    [[nodiscard]] std::size_t spare_chunks() const noexcept { return 1 + (chunks_ - empty_chunks_) / 2; }

    /// Returns empty chunks to the system, all but `spare`, calling `forget(chunk&)` before each.
    template <class Forget>
    void unmap_empty_chunks(std::size_t spare, Forget forget) noexcept {
        for (chunk* c = first_; c != nullptr && empty_chunks_ > spare;) {
            chunk& candidate = *c;
            c = c->next;
            if (!is_empty(candidate)) continue;
            forget(candidate);
            --empty_chunks_;
            unmap(candidate);
        }
    }

    /// Gives back the memory behind free pages, all but `spare` of them; their addresses stay ours.
    void discard_free_pages(std::size_t spare) noexcept {
        for (chunk* c = first_; c != nullptr && c->free_count != 0 && dirty_count_ > spare; c = c->next) {
            for (std::size_t i = 1; i < pages_per_chunk; ++i) {
                std::size_t end = i;
                while (end != pages_per_chunk && contains(c->dirty_pages, end)) remove(c->dirty_pages, end++);
                if (end == i) continue;
                dirty_count_ -= end - i;
                if (c->huge_pages) { // or the system might fill the hole again
                    prefer_huge_pages(c, chunk_bytes, false);
                    c->huge_pages = false;
                }
                discard_memory(reinterpret_cast<char*>(c) + i * page_bytes, (end - i) * page_bytes);
                i = end;
            }
        }
    }

    /// Calls `f(page&)` for each page in use, in address order inside a chunk.
    template <class F>
    void for_each_page(F f) {
        for (chunk* c = first_; c != nullptr; c = c->next) {
            for (std::size_t i = 1; i != pages_per_chunk; ++i) {
                if (c->pages[i].type != nullptr) f(c->pages[i]);
            }
        }
    }

    /// The same with an `f` that may make and free objects, as long as no chunk is unmapped, and returns false to
    /// stop. Returns: false if it did.
    template <class F>
    bool visit_pages(F f) {
        for (chunk* c = first_; c != nullptr;) {
            for (std::size_t i = 1; i != pages_per_chunk; ++i) {
                if (c->pages[i].type != nullptr && !f(c->pages[i])) return false;
            }
            c = c->next;
        }
        return true;
    }

    /// Whether an address lies in one of the chunks. Complexity: linear in their number.
    [[nodiscard]] bool owns(const void* p) const noexcept {
        for (const chunk* c = first_; c != nullptr; c = c->next) {
            if (c == &chunk_of(p)) return true;
        }
        return false;
    }

    void unmap_all() noexcept {
        while (first_ != nullptr) unmap(*first_);
        empty_chunks_ = 0;
        pages_ = 0;
    }

    /// Takes the chunks of another heap, whose pages lead to `owner` from then on.
    void take_all(storage& other, heap_state& owner) noexcept {
        while (other.first_ != nullptr) {
            chunk& c = *other.first_;
            other.unlink(c);
            c.heap = &owner;
            if (c.free_count != 0) {
                link_first(c);
            } else {
                link_last(c);
            }
        }
        chunks_ += other.chunks_;
        empty_chunks_ += other.empty_chunks_;
        pages_ += other.pages_;
        dirty_count_ += other.dirty_count_;
        bytes_mapped_ += other.bytes_mapped_;
        other = {};
    }

    [[nodiscard]] std::size_t pages() const noexcept { return pages_; }
    [[nodiscard]] std::size_t chunks() const noexcept { return chunks_; }
    [[nodiscard]] std::size_t bytes_mapped() const noexcept { return bytes_mapped_; }

private:
    using page_set = std::uint64_t[2];
    static bool contains(const page_set& s, std::size_t i) noexcept { return (s[i / 64] >> (i % 64)) & 1; }
    static void add(page_set& s, std::size_t i) noexcept { s[i / 64] |= std::uint64_t{1} << (i % 64); }
    static void remove(page_set& s, std::size_t i) noexcept { s[i / 64] &= ~(std::uint64_t{1} << (i % 64)); }

    static bool needs_own_chunk(std::size_t count, std::size_t alignment) noexcept {
        return count + alignment > pages_per_chunk;
    }

    static bool is_empty(const chunk& c) noexcept { return c.free_count == pages_per_chunk - 1; }

    /// Index of the first page of a free run, 0 for none: page 0 is never free.
    static std::size_t find_run(const chunk& c, std::size_t count, std::size_t alignment) noexcept {
        if (c.free_count < count) return 0;
        for (std::size_t at = alignment; at + count <= pages_per_chunk; at += alignment) {
            std::size_t length = 0;
            while (length != count && contains(c.free_pages, at + length)) ++length;
            if (length == count) return at;
        }
        return 0;
    }

    page* occupy(chunk& c, std::size_t at, std::size_t count) noexcept {
        if (is_empty(c)) --empty_chunks_;
        for (std::size_t i = at; i != at + count; ++i) {
            remove(c.free_pages, i);
            if (contains(c.dirty_pages, i)) --dirty_count_;
            remove(c.dirty_pages, i);
        }
        c.free_count -= static_cast<std::uint32_t>(count);
        if (c.free_count == 0) {
            unlink(c);
            link_last(c);
        }
        pages_ += count;
        return &c.pages[at];
    }

    page* take_own_chunk(heap_state& owner, std::size_t count, std::size_t alignment) noexcept {
        if (count > SIZE_MAX / page_bytes - pages_per_chunk) return nullptr;
        chunk* c = map_chunk(owner, (alignment + count) * page_bytes, false);
        if (c == nullptr) return nullptr;
        link_last(*c);
        pages_ += count;
        return &c->pages[alignment];
    }

    chunk* map_chunk(heap_state& owner, std::size_t bytes, bool huge) noexcept {
        void* memory = map_memory(bytes, chunk_bytes);
        if (memory == nullptr) return nullptr;
        watch_for_leaks(memory, bytes);
        if (huge) prefer_huge_pages(memory, bytes, true);
        chunk* c = ::new (memory) chunk{}; // fresh memory is zero, and so is the header
        c->huge_pages = huge;
        c->heap = &owner;
        c->bytes = bytes;
        ++chunks_;
        bytes_mapped_ += bytes;
        note_chunk(c, true);
        return c;
    }

    void unmap(chunk& c) noexcept {
        unlink(c);
        for (std::size_t i = 1; i != pages_per_chunk; ++i) dirty_count_ -= contains(c.dirty_pages, i);
        --chunks_;
        bytes_mapped_ -= c.bytes;
        unpoison(&c, c.bytes);
        unwatch_for_leaks(&c, c.bytes);
        note_chunk(&c, false);
        unmap_memory(&c, c.bytes);
    }

    void link_first(chunk& c) noexcept {
        c.previous = nullptr;
        c.next = first_;
        (first_ != nullptr ? first_->previous : last_) = &c;
        first_ = &c;
    }

    void link_last(chunk& c) noexcept {
        c.next = nullptr;
        c.previous = last_;
        (last_ != nullptr ? last_->next : first_) = &c;
        last_ = &c;
    }

    void unlink(chunk& c) noexcept {
        (c.previous != nullptr ? c.previous->next : first_) = c.next;
        (c.next != nullptr ? c.next->previous : last_) = c.previous;
    }

    chunk* first_ = nullptr;
    chunk* last_ = nullptr;
    std::size_t chunks_ = 0;
    std::size_t empty_chunks_ = 0;
    std::size_t pages_ = 0;
    std::size_t dirty_count_ = 0; // free pages with memory behind them
    std::size_t bytes_mapped_ = 0;
};

} // namespace pygc::inline PYGC_ABI::detail
