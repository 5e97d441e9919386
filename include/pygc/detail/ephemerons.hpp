// SPDX-License-Identifier: BSL-1.0
// Ephemerons: the entries of weak_key_maps in a full collection. An entry's value is reached from its key, but only
// while the map is reached as well:
//
//   key unreached                     the entry is garbage with its key, whatever its value leads to
//   key reached, map unreached        the value is garbage with the map
//   both reached                      the value is reached
//
// What isn't in the set counts as reached: a key of another heap, and a map that is owned there. The table knows all
// maps with a key in the heap; a map that has none shows its values as its owner's own.
//
// A map is reached from outside unless a `traverse` of an object of the set, or of the value of another entry, shows
// it. What an entry waits for is known by number, so that marking is linear in entries and edges.
#pragma once

#include <pygc/detail/ephemeron_map.hpp>
#include <pygc/visitor.hpp>

namespace pygc::inline PYGC_ABI::detail {

class ephemeron_table {
public:
    explicit ephemeron_table(snapshot& s) noexcept : snapshot_(s) {}
    ephemeron_table(const ephemeron_table&) = delete;
    ephemeron_table& operator=(const ephemeron_table&) = delete;
    ~ephemeron_table() {
        maps_.release();
        entries_.release();
        waiting_.release();
    }

    /// Lists the maps with keys in the heap, before anything is counted. False: no memory.
    [[nodiscard]] bool begin() noexcept {
        map_count_ = entry_count_ = 0;
        snapshot_.deferred = nullptr;
        snapshot_.defers_ephemerons = false;
        if (snapshot_.heap.ephemerons == nullptr) return true;
        std::size_t count = 0;
        for (const ephemeron_part* p = snapshot_.heap.ephemerons; p != nullptr; p = p->next) ++count;
        if (count > UINT32_MAX / 2 || !maps_.reserve(count)) return false;
        for (ephemeron_part* p = snapshot_.heap.ephemerons; p != nullptr; p = p->next) {
            p->deferred = p->shown_twice = false;
            p->index = static_cast<std::uint32_t>(map_count_);
            ::new (&maps_[map_count_++]) map_state{p, 0, 0};
        }
        snapshot_.defers_ephemerons = true;
        return true;
    }

    /// The maps shown since the last call are owned by objects of a page with these numbers.
    void find_owners(std::uint32_t first, std::uint32_t slot_count) noexcept {
        while (ephemeron_part* m = take_deferred()) {
            std::uint32_t low = first, high = first + slot_count; // the owner's edges begin at or before the place
            while (high - low > 1) {
                const std::uint32_t middle = low + (high - low) / 2;
                (snapshot_.first_edge[middle] <= m->place ? low : high) = middle;
            }
            maps_[m->index].owner = low;
        }
    }

    /// Shows all values, after the objects. Their edges stand behind those of the objects.
    [[nodiscard]] bool count() noexcept {
        if (map_count_ == 0) return true;
        count_visitor visit(snapshot_);
        visit_ = &visit;
        failed_ = false;
        for (std::size_t i = 0; i != map_count_; ++i) {
            map_ = static_cast<std::uint32_t>(i);
            ephemeron_map& map = *maps_[i].part->map;
            map.count_values(map, *this);
            if (failed_ || snapshot_.failed) break;
        }
        visit_ = nullptr;
        snapshot_.defers_ephemerons = false;
        if (failed_ || snapshot_.failed) return false;
        snapshot_.edge_count = visit.edge_count();
        for (std::size_t i = 0; i != map_count_; ++i) {
            if (maps_[i].part->shown_twice) maps_[i].owner = maps_[i].owning_entry = 0;
        }
        for (std::size_t i = 0; i != entry_count_; ++i) {
            const entry& e = entries_[i];
            if (e.key != 0 || maps_[e.map].owner != 0 || maps_[e.map].owning_entry != 0) continue;
            for (std::uint32_t k = e.first_edge; k != e.end; ++k) snapshot_.edges[k] = 0; // held from outside
        }
        return true;
    }

    /// For the map: `show(count_visitor&)` shows the value of one entry.
    template <class F>
    void count_value(void* node, py_object* key, F show) {
        if (failed_ || snapshot_.failed) return;
        if (entry_count_ == entries_.capacity() &&
            !entries_.reserve(entry_count_ == 0 ? 1 : 2 * entry_count_, entry_count_)) {
            failed_ = true;
            return;
        }
        std::size_t number = number_of(key);
        if (((snapshot_.in_set[number / 64] >> (number % 64)) & 1) == 0) number = 0;
        const std::uint32_t begin = visit_->edge_count();
        show(*visit_);
        ::new (&entries_[entry_count_++])
            entry{node, map_, static_cast<std::uint32_t>(number), begin, visit_->edge_count(), 0, 0, false};
        while (ephemeron_part* inner = take_deferred()) {
            maps_[inner->index].owning_entry = static_cast<std::uint32_t>(entry_count_);
        }
    }

    /// Preconditions: what objects lead to has been marked. Marks what live entries lead to. `stack` has room for all
    /// objects. Returns: how many objects were newly reached.
    std::size_t mark(std::uint32_t* const stack) noexcept {
        if (entry_count_ == 0) return 0;
        know_waiting_ = waiting_.reserve(snapshot_.size + number_granule);
        if (know_waiting_) std::memset(waiting_.data(), 0, (snapshot_.size + number_granule) * sizeof(std::uint32_t));
        ready_ = 0;
        top_ = stack;
        for (std::size_t i = 0; i != entry_count_; ++i) settle(static_cast<std::uint32_t>(i + 1));
        std::size_t marked = 0;
        while (ready_ != 0 || top_ != stack) {
            if (ready_ != 0) {
                const std::uint32_t e = ready_;
                ready_ = entry_at(e).next;
                settle(e);
                continue;
            }
            const std::uint32_t number = *--top_;
            ++marked;
            reach(snapshot_.first_edge[number], snapshot_.first_edge[number + 1]);
            if (know_waiting_) wake(waiting_[number]);
        }
        return marked;
    }

    /// Whether some map is garbage with its owner.
    [[nodiscard]] bool any_map_unreached() const noexcept {
        for (std::size_t i = 0; i != map_count_; ++i) {
            if (is_unreached(maps_[i].owner)) return true;
        }
        return false;
    }

    /// Shows the values of all entries whose key is garbage.
    void visit_dead(visitor& visit) noexcept {
        for (std::size_t i = 0; i != entry_count_; ++i) {
            const entry& e = entries_[i];
            if (is_unreached(e.key)) maps_[e.map].part->map->visit_value_of(e.node, visit);
        }
    }

private:
    struct map_state {
        ephemeron_part* part;
        std::uint32_t owner;        // number of the object whose traverse shows it; 0: none
        std::uint32_t owning_entry; // whose value shows it, from 1; 0: none
    };
    struct entry {
        void* node;
        std::uint32_t map;
        std::uint32_t key; // its number, 0 outside the set
        std::uint32_t first_edge;
        std::uint32_t end;
        std::uint32_t next;       // in the list of those that wait for the same, from 1
        std::uint32_t dependants; // entries of maps in its value that wait for it, from 1
        bool live;
    };

    [[nodiscard]] entry& entry_at(std::uint32_t from_one) const noexcept { return entries_[from_one - 1]; }

    /// Nothing outside the set is unreached, nor what is numbered but doesn't take part.
    [[nodiscard]] bool is_unreached(std::uint32_t number) const noexcept {
        return ((snapshot_.unreached[number / 64] >> (number % 64)) & 1) != 0;
    }

    ephemeron_part* take_deferred() noexcept {
        ephemeron_part* const m = snapshot_.deferred;
        if (m != nullptr) snapshot_.deferred = m->next_deferred;
        return m;
    }

    /// The entry is live, or waits for the next thing that it depends on.
    void settle(std::uint32_t from_one) noexcept {
        entry& e = entry_at(from_one);
        const map_state& m = maps_[e.map];
        if (know_waiting_) { // else all count as live: no memory, and no garbage until another time
            if (is_unreached(m.owner)) return wait_in(waiting_[m.owner], from_one);
            if (m.owning_entry != 0 && !entry_at(m.owning_entry).live) {
                return wait_in(entry_at(m.owning_entry).dependants, from_one);
            }
            if (is_unreached(e.key)) return wait_in(waiting_[e.key], from_one);
        }
        e.live = true;
        reach(e.first_edge, e.end);
        wake(e.dependants);
    }

    void wait_in(std::uint32_t& list, std::uint32_t from_one) noexcept {
        entry_at(from_one).next = list;
        list = from_one;
    }

    void wake(std::uint32_t& list) noexcept {
        while (list != 0) {
            const std::uint32_t e = list;
            list = entry_at(e).next;
            wait_in(ready_, e);
        }
    }

    void reach(std::uint32_t edge, std::uint32_t end) noexcept {
        for (; edge != end; ++edge) {
            const std::uint32_t target = snapshot_.edges[edge];
            if (!is_unreached(target)) continue;
            snapshot_.unreached[target / 64] &= ~(std::uint64_t{1} << (target % 64));
            *top_++ = target;
        }
    }

    snapshot& snapshot_;
    scratch<map_state> maps_;
    scratch<entry> entries_;
    scratch<std::uint32_t> waiting_; // by number: the first entry that waits for the object, from 1
    std::size_t map_count_ = 0;
    std::size_t entry_count_ = 0;
    count_visitor* visit_ = nullptr;
    std::uint32_t map_ = 0;
    std::uint32_t ready_ = 0;
    std::uint32_t* top_ = nullptr;
    bool know_waiting_ = false;
    bool failed_ = false;
};

} // namespace pygc::inline PYGC_ABI::detail
