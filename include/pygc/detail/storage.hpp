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

/// Under AddressSanitizer so many pages that went back rest, poisoned, before they are used again: 64 MiB. A stale
/// pointer is then caught although the last object of its page has died.
inline constexpr std::size_t resting_pages = 2048;

/// The chunks of one heap. They stay in the order in which they were mapped, so that a walk during which pages are given
/// and taken meets each of them once. Beside that a chunk with free pages is in the list for the length of its longest
/// run of them; a request takes the shortest run that will do, and looks at one chunk.
class storage {
public:
    /// Consecutive pages, the first at a multiple of `alignment` pages, or null if the system has no
    /// memory. `dense`: they will be full, as those of a type with few objects are not. Complexity: constant.
    page* take(heap_state& owner, std::size_t count, std::size_t alignment, bool dense) noexcept {
        if (needs_own_chunk(count, alignment)) return take_own_chunk(owner, count, alignment);
        chunk* c = chunk_with_run(count + alignment - 1); // so many hold an aligned run wherever they begin
        if (c == nullptr) {
            c = map_chunk(owner, chunk_bytes, dense && bytes_mapped_ >= worth_huge_pages);
            if (c == nullptr) return nullptr;
            c->free_pages[0] = ~std::uint64_t{1}; // page 0 is the header itself
            c->free_pages[1] = ~std::uint64_t{0};
            c->free_count = pages_per_chunk - 1;
            ++empty_chunks_;
            list_by_room(*c);
        }
        return occupy(*c, find_run(*c, count, alignment), count);
    }

    /// Takes an empty page, and those behind it that its object needed, back. Its chunk stays mapped: see
    /// `unmap_empty_chunks`.
    void give(page& p) noexcept {
        const type_info& t = *p.type;
        p.type = nullptr;
        p.free = nullptr;
        p.until = p.event = p.carved = p.counted = 0;
        p.young = p.middle = p.weak = p.frozen = p.in_construction = false;
        pages_ -= t.pages;
#if PYGC_ASAN
        p.free_count = 0;
        p.last_type = &t;
        p.next_resting = nullptr;
        (last_resting_ != nullptr ? last_resting_->next_resting : first_resting_) = &p;
        last_resting_ = &p;
        resting_ += t.pages;
        while (resting_ > resting_pages && first_resting_ != last_resting_) {
            page& oldest = *first_resting_;
            first_resting_ = oldest.next_resting;
            resting_ -= oldest.last_type->pages;
            set_free(oldest, *oldest.last_type);
        }
#else
        set_free(p, t);
#endif
    }

    /// True if so many chunks stand empty that returning all but `spare_chunks()` pays.
    [[nodiscard]] bool worth_unmapping() const noexcept { return empty_chunks_ > spare_chunks(); }
    [[nodiscard]] bool has_more_empty_chunks(std::size_t spare) const noexcept { return empty_chunks_ > spare; }
    [[nodiscard]] std::size_t spare_chunks() const noexcept { return 1 + (chunks_ - empty_chunks_) / 2; }

    /// Returns empty chunks to the system, all but `spare`. Preconditions: nobody knows a page of theirs.
    void unmap_empty_chunks(std::size_t spare) noexcept {
        constexpr std::size_t own = 0, others = pages_per_chunk - 1; // those of own objects are of no use: they go first
        while (empty_chunks_ > spare) {
            --empty_chunks_;
            unmap(*with_run_[with_run_[own] != nullptr ? own : others]);
        }
    }

    /// Gives back the memory behind free pages, all but `spare` of them; their addresses stay ours.
    void discard_free_pages(std::size_t spare) noexcept {
        for (chunk* c = first_; c != nullptr && dirty_count_ > spare; c = c->next) {
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

    /// Calls `f` for each page in use; it may make and free objects, as long as no chunk is unmapped, and returns
    /// false to stop. What it makes in chunks of its own isn't visited, or a walk might never end. Returns: false if it did.
    template <class F>
    bool visit_pages(F f) {
        const chunk* const last = last_;
        for (chunk* c = first_; c != nullptr; c = c->next) {
            for (std::size_t i = 1; i != pages_per_chunk; ++i) {
                if (c->pages[i].type != nullptr && !f(c->pages[i])) return false;
            }
            if (c == last) break;
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

    /// Whether an address lies in one of the chunks, however large. Complexity: linear in their number.
    [[nodiscard]] bool covers(const void* p) const noexcept {
        const auto at = reinterpret_cast<std::uintptr_t>(p);
        for (const chunk* c = first_; c != nullptr; c = c->next) {
            if (at - reinterpret_cast<std::uintptr_t>(c) < c->bytes) return true;
        }
        return false;
    }

    void unmap_all() noexcept {
#if PYGC_ASAN
        first_resting_ = last_resting_ = nullptr;
        resting_ = 0;
#endif
        while (first_ != nullptr) unmap(*first_);
        empty_chunks_ = 0;
        pages_ = 0;
    }

    /// Takes the chunks of another heap, whose pages lead to `owner` from then on.
    void take_all(storage& other, heap_state& owner) noexcept {
        while (other.first_ != nullptr) {
            chunk& c = *other.first_;
            other.unlist_by_room(c);
            other.unlink(c);
            c.heap = &owner;
            link_last(c);
            list_by_room(c);
        }
        chunks_ += other.chunks_;
        empty_chunks_ += other.empty_chunks_;
        pages_ += other.pages_;
        dirty_count_ += other.dirty_count_;
        bytes_mapped_ += other.bytes_mapped_;
#if PYGC_ASAN
        if (other.first_resting_ != nullptr) {
            (last_resting_ != nullptr ? last_resting_->next_resting : first_resting_) = other.first_resting_;
            last_resting_ = other.last_resting_;
            resting_ += other.resting_;
        }
#endif
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
        for (std::size_t at = alignment; at + count <= pages_per_chunk; at += alignment) {
            std::size_t length = 0;
            while (length != count && contains(c.free_pages, at + length)) ++length;
            if (length == count) return at;
        }
        return 0;
    }

    /// The members that are followed by `distance` others in a row, if `s` are those followed by one fewer.
    static void keep_followed(page_set& s, std::size_t distance) noexcept {
        const std::uint64_t from_high = distance == 64 ? s[1] : s[0] >> distance | s[1] << (64 - distance);
        s[0] &= from_high;
        s[1] &= distance == 64 ? 0 : s[1] >> distance;
    }

    /// The length of the longest run of consecutive members. Complexity: logarithmic in it.
    static std::size_t longest_run(const page_set& s) noexcept {
        page_set starts = {s[0], s[1]}; // of runs of `length` or more
        if ((starts[0] | starts[1]) == 0) return 0;
        std::size_t length = 1;
        std::size_t step = 1; // found too long once, a step is halved from then on
        for (bool grows = true; step != 0;) {
            page_set longer = {starts[0], starts[1]};
            keep_followed(longer, step);
            if ((longer[0] | longer[1]) != 0) {
                starts[0] = longer[0];
                starts[1] = longer[1];
                length += step;
                step = grows && step != 64 ? 2 * step : step / 2;
            } else {
                grows = false;
                step /= 2;
            }
            if (step > length) step = length; // starts of runs can be put together only if they overlap
        }
        return length;
    }

    /// A chunk with so many free pages in a row, or more if need be, or null.
    [[nodiscard]] chunk* chunk_with_run(std::size_t count) const noexcept {
        for (std::size_t word = count / 64; word != 2; ++word) {
            const std::uint64_t from = word == count / 64 ? ~std::uint64_t{0} << (count % 64) : ~std::uint64_t{0};
            const std::uint64_t found = runs_[word] & from;
            if (found != 0) return with_run_[word * 64 + static_cast<std::size_t>(__builtin_ctzll(found))];
        }
        return nullptr;
    }

    /// Puts a chunk into the list it belongs to now; one of an own object that stands empty has no run for others, and
    /// stands in the list for 0.
    void list_by_room(chunk& c) noexcept {
        c.longest_run = static_cast<std::uint8_t>(longest_run(c.free_pages));
        if (c.longest_run == 0 && !is_empty(c)) return;
        chunk*& head = with_run_[c.longest_run];
        c.previous_with_room = nullptr;
        c.next_with_room = head;
        if (head != nullptr) head->previous_with_room = &c;
        head = &c;
        if (c.longest_run != 0) add(runs_, c.longest_run);
    }

    /// Preconditions: `free_count` and `longest_run` are as they were when it was listed.
    void unlist_by_room(chunk& c) noexcept {
        if (c.longest_run == 0 && !is_empty(c)) return;
        chunk*& head = with_run_[c.longest_run];
        (c.previous_with_room != nullptr ? c.previous_with_room->next_with_room : head) = c.next_with_room;
        if (c.next_with_room != nullptr) c.next_with_room->previous_with_room = c.previous_with_room;
        if (head == nullptr) remove(runs_, c.longest_run);
    }

    page* occupy(chunk& c, std::size_t at, std::size_t count) noexcept {
        unlist_by_room(c);
        if (is_empty(c)) --empty_chunks_;
        for (std::size_t i = at; i != at + count; ++i) {
            remove(c.free_pages, i);
            if (contains(c.dirty_pages, i)) --dirty_count_;
            remove(c.dirty_pages, i);
        }
        c.free_count = static_cast<std::uint16_t>(c.free_count - count);
        list_by_room(c);
        pages_ += count;
        return &c.pages[at];
    }

    /// The pages that an object of the type had may be taken again. They stay poisoned until then.
    void set_free(page& p, const type_info& t) noexcept {
        chunk& c = chunk_of(&p);
        const std::size_t at = index_in_chunk(p);
        const std::size_t count = t.pages;
        unlist_by_room(c);
        if (needs_own_chunk(count, t.page_alignment)) {
            c.free_count = pages_per_chunk - 1; // empty, yet of no use to others: no page is marked free
            discard_memory(reinterpret_cast<char*>(&c) + at * page_bytes, count * page_bytes);
        } else {
            for (std::size_t i = at; i != at + count; ++i) {
                add(c.free_pages, i);
                add(c.dirty_pages, i);
            }
            dirty_count_ += count;
            c.free_count = static_cast<std::uint16_t>(c.free_count + count);
        }
        list_by_room(c);
        if (is_empty(c)) ++empty_chunks_;
    }

    page* take_own_chunk(heap_state& owner, std::size_t count, std::size_t alignment) noexcept {
        if (count > SIZE_MAX / page_bytes - pages_per_chunk) return nullptr;
        chunk* c = map_chunk(owner, (alignment + count) * page_bytes, false);
        if (c == nullptr) return nullptr;
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
        link_last(*c);
        ++chunks_;
        bytes_mapped_ += bytes;
        note_chunk(c, true);
        return c;
    }

    void unmap(chunk& c) noexcept {
        unlist_by_room(c);
        unlink(c);
        for (std::size_t i = 1; i != pages_per_chunk; ++i) dirty_count_ -= contains(c.dirty_pages, i);
        --chunks_;
        bytes_mapped_ -= c.bytes;
        unpoison(&c, c.bytes);
        unwatch_for_leaks(&c, c.bytes);
        note_chunk(&c, false);
        unmap_memory(&c, c.bytes);
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
#if PYGC_ASAN
    page* first_resting_ = nullptr;
    page* last_resting_ = nullptr;
    std::size_t resting_ = 0;
#endif
    std::size_t chunks_ = 0;
    std::size_t empty_chunks_ = 0;
    std::size_t pages_ = 0;
    std::size_t dirty_count_ = 0; // free pages with memory behind them
    std::size_t bytes_mapped_ = 0;
    page_set runs_ = {};                   // the lengths of runs whose list isn't empty
    chunk* with_run_[pages_per_chunk] = {}; // first of the chunks whose longest run of free pages has this length
};

} // namespace pygc::inline PYGC_ABI::detail
