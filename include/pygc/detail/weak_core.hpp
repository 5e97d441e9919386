// SPDX-License-Identifier: BSL-1.0
// What the weak containers share: entries that vanish with an object.
//
//   map ---> core: unordered_set<entry>      entry: a key, its hash, what it holds, and a record that leads
//             ^                  |                  to the object and back; the core owns the record, so that
//             +--- record's callback               the record can't outlive it
//
// While an iterator is alive the entries of dead objects stay where they are, skipped; they go with the
// last iterator. So an object may die at any time, also in the body of a loop over its map. An entry is taken out by
// its record and the hash it came with: that needs no memory and no hash or comparison of the user.
#pragma once

#include <cstddef>
#include <unordered_set>
#include <utility> // swap

#include <pygc/weakref.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// A record that tells an entry's owner of the death. Untracked: it owns nothing, and its only owner is the entry.
template <class Owner>
struct entry_record final : weak_record {
    using pygc_acyclic = void;

    entry_record(py_object* object, Owner* o, std::size_t h) noexcept : weak_record(object), owner(o), hash(h) {
        call = [](weak_record& self) noexcept {
            auto& me = static_cast<entry_record&>(self);
            me.owner->remove_dead(me);
        };
    }

    Owner* owner;
    std::size_t hash; // that of the entry's key
};

/// What the three containers share. `Strong`: what an entry holds beside its record. Stays where it is when its
/// container is moved.
template <class Key, class Strong, class Hash>
class weak_core {
public:
    using record = entry_record<weak_core>;

    /// Owns a record. Whoever ends it ends the callback, also one that is about to be called: the core that it
    /// would go to may be gone by then.
    class record_owner {
    public:
        record_owner() noexcept = default;
        explicit record_owner(py_ref<record>&& r) noexcept : record_(static_cast<py_ref<record>&&>(r)) {}
        record_owner(record_owner&&) noexcept = default;
        record_owner& operator=(record_owner&& other) noexcept {
            record_.swap(other.record_); // the old one ends with `other`
            return *this;
        }
        ~record_owner() {
            if (record_ == nullptr) return;
            detach(*record_);
            record_->call = nullptr;
        }
        [[nodiscard]] record* get() const noexcept { return record_.get(); }

    private:
        py_ref<record> record_;
    };

    /// What isn't part of the key is mutable: an unordered_set's elements are const.
    struct entry {
        entry(const Key& k, std::size_t h) : key(k), hash(h) {}

        Key key;
        std::size_t hash;
        mutable record_owner weak;
        mutable Strong strong{};
        mutable bool waiting = false;                // dead, and counted in `dead`
        mutable bool listed = false;                 // in the list `waiting`
        mutable const entry* next_waiting = nullptr; // in that list

        [[nodiscard]] bool is_alive() const noexcept { return live_target(*weak.get()) != nullptr; }
    };

    /// A key that somebody looks for.
    struct wanted {
        const Key& key;
        std::size_t hash;
    };
    struct hash_of {
        using is_transparent = void;
        std::size_t operator()(const entry& e) const noexcept { return e.hash; }
        std::size_t operator()(const wanted& w) const noexcept { return w.hash; }
        std::size_t operator()(const record& r) const noexcept { return r.hash; }
    };
    struct equal {
        using is_transparent = void;
        bool operator()(const entry& a, const entry& b) const { return a.hash == b.hash && a.key == b.key; }
        bool operator()(const wanted& w, const entry& e) const { return w.hash == e.hash && w.key == e.key; }
        bool operator()(const entry& e, const wanted& w) const { return (*this)(w, e); }
        bool operator()(const record& r, const entry& e) const noexcept { return &r == e.weak.get(); }
        bool operator()(const entry& e, const record& r) const noexcept { return (*this)(r, e); }
    };
    using set_of_entries = std::unordered_set<entry, hash_of, equal>;
    using place = typename set_of_entries::iterator;

    /// Complexity: constant, on average. The entries of dead objects don't count.
    [[nodiscard]] std::size_t size() const noexcept { return entries.size() - dead; }

    /// The entry of a key, null if there is none or its object is dead.
    [[nodiscard]] const entry* find(const Key& key) const {
        const auto i = entries.find(wanted{key, Hash()(key)});
        return i != entries.end() && i->is_alive() ? &*i : nullptr;
    }

    /// Puts an entry in, or replaces the one that is there: what it held is dropped last.
    void set(const Key& key, py_object* object, Strong strong) {
        if (object == nullptr) report_and_abort("null put into a weak container", nullptr, this);
        const std::size_t hash = Hash()(key);
        record_owner made(make_record<record>(*chunk_of(object).heap, object, this, hash));
        place i = entries.find(wanted{key, hash});
        if (i == entries.end()) i = entries.emplace(key, hash).first;
        if (i->waiting) --dead;
        i->waiting = false;
        i->weak = static_cast<record_owner&&>(made);
        std::swap(i->strong, strong);
    }

    bool erase(const Key& key) {
        const place i = entries.find(wanted{key, Hash()(key)});
        if (i == entries.end() || !i->is_alive()) return false;
        if (may_take_out(*i)) {
            take_out(i);
        } else {
            Strong old{};
            hide(*i);
            std::swap(i->strong, old);
        }
        return true;
    }

    void clear() noexcept {
        if (iterators == 0) {
            set_of_entries old;
            old.swap(entries);
            dead = 0;
            waiting = nullptr;
        } else {
            for (const entry& e : entries) hide(e); // what they hold goes with the last iterator
        }
    }

    /// Called when the object behind an entry has died.
    void remove_dead(record& r) noexcept {
        const place i = entries.find(r);
        if (i == entries.end()) return; // replaced meanwhile
        if (may_take_out(*i)) {
            take_out(i);
        } else {
            wait(*i);
        }
    }

    void begin_iteration() noexcept { ++iterators; }
    void end_iteration() noexcept {
        --iterators;
        while (iterators == 0 && waiting != nullptr) { // what goes may look at the map, and iterate
            const entry& e = *waiting;
            waiting = e.next_waiting;
            e.listed = false;
            if (!e.waiting) continue; // it has an object again
            --dead;
            take_out(entries.find(*e.weak.get()));
        }
    }

    set_of_entries entries;
    const entry* waiting = nullptr; // list of those that wait for the last iterator, or did
    std::size_t dead = 0;
    std::size_t iterators = 0;

private:
    [[nodiscard]] bool may_take_out(const entry& e) const noexcept { return iterators == 0 && !e.listed; }

    /// What the entry's destructor drops may look at the map, in which the entry is no more.
    void take_out(place i) noexcept { const auto node = entries.extract(i); }

    void wait(const entry& e) noexcept {
        e.waiting = true;
        ++dead;
        if (e.listed) return;
        e.listed = true;
        e.next_waiting = waiting;
        waiting = &e;
    }

    /// Makes an entry one of a dead object.
    void hide(const entry& e) noexcept {
        if (!e.is_alive()) return;
        detach(*e.weak.get());
        wait(e);
    }
};

} // namespace pygc::inline PYGC_ABI::detail
