// SPDX-License-Identifier: BSL-1.0
// weak_value_map, weak_key_map, weak_set: entries vanish with the object they refer to.
//
//   map ---> core: unordered_map<key, entry>      entry: a record that leads to the object and back to its key;
//             ^                        |                 the core owns it, so it can't outlive the core
//             +---- record's callback -+
//
// While an iterator is alive the entries of dead objects stay where they are, skipped; they go with the
// last iterator. So an object may die at any time, also in the body of a loop over its map.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility> // pair, swap

#include <pygc/weakref.hpp>

namespace pygc::inline PYGC_ABI {

namespace detail {

/// A record that tells an entry's owner of the death. Untracked: it owns nothing, and its only owner is the entry.
template <class Key, class Owner>
struct entry_record final : weak_record {
    using pygc_acyclic = void;

    entry_record(py_object* object, Owner* o) noexcept : weak_record(object), owner(o) {
        call = [](weak_record& self) noexcept {
            auto& me = static_cast<entry_record&>(self);
            me.owner->remove_dead(*me.key, me);
        };
    }

    Owner* owner;
    const Key* key = nullptr; // the entry's own, once it is there
};

/// What the three containers share. `Strong`: what an entry holds beside its record. Stays where it is when its
/// container is moved.
template <class Key, class Strong, class Hash>
class weak_core {
public:
    using record = entry_record<Key, weak_core>;

    /// Owns a record. Whoever ends it ends the callback, also one that is about to be called: the key and
    /// the core that it would go to may be gone by then.
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

    struct entry {
        record_owner weak;
        Strong strong;
        bool waiting = false; // dead, and counted in `dead`

        [[nodiscard]] bool is_alive() const noexcept { return live_target(*weak.get()) != nullptr; }
    };
    using map = std::unordered_map<Key, entry, Hash, std::equal_to<>>;

    /// Complexity: constant, on average. The entries of dead objects don't count.
    [[nodiscard]] std::size_t size() const noexcept { return entries.size() - dead; }

    /// The entry of a key, null if there is none or its object is dead.
    [[nodiscard]] entry* find(const Key& key) {
        const auto i = entries.find(key);
        return i != entries.end() && i->second.is_alive() ? &i->second : nullptr;
    }

    /// Puts an entry in, or replaces the one that is there: what it held is dropped last.
    void set(const Key& key, py_object* object, Strong strong) {
        if (object == nullptr) report_and_abort("null put into a weak container", nullptr, this);
        record_owner made(make_record<record>(*chunk_of(object).heap, object, this));
        const auto i = entries.try_emplace(key).first;
        entry& e = i->second;
        made.get()->key = &i->first;
        if (e.waiting) --dead;
        e.waiting = false;
        e.weak = static_cast<record_owner&&>(made);
        std::swap(e.strong, strong);
    }

    bool erase(const Key& key) {
        const auto i = entries.find(key);
        if (i == entries.end() || !i->second.is_alive()) return false;
        if (iterators == 0) {
            const auto node = entries.extract(i); // what its destructor drops may look at the map
        } else {
            hide(i->second);
            Strong old{};
            std::swap(i->second.strong, old);
        }
        return true;
    }

    void clear() {
        map old;
        if (iterators == 0) {
            old.swap(entries);
            dead = 0;
        } else {
            for (auto& [key, e] : entries) hide(e); // what they hold goes with the last iterator
        }
    }

    /// Called when the object behind an entry has died.
    void remove_dead(const Key& key, record& r) noexcept {
        const auto i = entries.find(key);
        if (i == entries.end() || i->second.weak.get() != &r) return; // replaced meanwhile
        if (iterators == 0) {
            const auto node = entries.extract(i);
        } else {
            i->second.waiting = true;
            ++dead;
        }
    }

    void begin_iteration() noexcept { ++iterators; }
    void end_iteration() noexcept {
        if (--iterators != 0 || dead == 0) return;
        map gone; // destroyed when the map is in order again
        for (auto i = entries.begin(); i != entries.end();) {
            const auto at = i++;
            if (at->second.is_alive()) continue;
#if PYGC_EXCEPTIONS
            try {
                gone.insert(entries.extract(at));
            } catch (...) { // no memory to put it aside: it has gone at once
            }
#else
            gone.insert(entries.extract(at));
#endif
        }
        dead = 0;
    }

    map entries;
    std::size_t dead = 0; // entries that wait for the last iterator
    std::size_t iterators = 0;

private:
    /// Makes an entry one of a dead object.
    void hide(entry& e) noexcept {
        if (!e.is_alive()) return;
        detach(*e.weak.get());
        e.waiting = true;
        ++dead;
    }
};

/// Walks over the entries of living objects. Each copy keeps dead entries in their places.
template <class Core, class View>
class weak_iterator {
public:
    using value_type = decltype(View::make(*std::declval<typename Core::map::iterator>(), nullptr));
    using difference_type = std::ptrdiff_t;

    weak_iterator() noexcept = default;
    weak_iterator(Core* core, typename Core::map::iterator at) noexcept : core_(core), at_(at) {
        core_->begin_iteration();
        skip_dead();
    }
    weak_iterator(const weak_iterator& other) noexcept : core_(other.core_), at_(other.at_), held_(other.held_) {
        if (core_ != nullptr) core_->begin_iteration();
    }
    weak_iterator& operator=(const weak_iterator& other) noexcept {
        weak_iterator copy(other);
        std::swap(core_, copy.core_);
        std::swap(at_, copy.at_);
        std::swap(held_, copy.held_);
        return *this;
    }
    ~weak_iterator() {
        held_.reset();
        if (core_ != nullptr) core_->end_iteration();
    }

    [[nodiscard]] value_type operator*() const { return View::make(*at_, held_.get()); }
    weak_iterator& operator++() {
        ++at_;
        skip_dead();
        return *this;
    }
    weak_iterator operator++(int) {
        weak_iterator before = *this;
        ++*this;
        return before;
    }
    [[nodiscard]] friend bool operator==(const weak_iterator& a, const weak_iterator& b) noexcept {
        return a.at_ == b.at_;
    }

private:
    /// Holds the object of the entry it stops at.
    void skip_dead() {
        py_ref<py_object> next;
        for (; at_ != core_->entries.end(); ++at_) {
            py_object* p = live_target(*at_->second.weak.get());
            if (p == nullptr) continue;
            add_reference(header_of(p));
            next = ref_access::adopt<py_object>(p);
            break;
        }
        held_.swap(next);
    }

    Core* core_ = nullptr;
    typename Core::map::iterator at_{};
    py_ref<py_object> held_;
};

/// Owns a core; copies none.
template <class Core>
class weak_container {
public:
    /// Throws: std::bad_alloc.
    weak_container() : core_(new Core()) {}
    weak_container(weak_container&& other) : weak_container() { swap(other); }
    weak_container& operator=(weak_container&& other) {
        weak_container taken(static_cast<weak_container&&>(other));
        swap(taken);
        return *this;
    }
    ~weak_container() { delete core_; }

    void swap(weak_container& other) noexcept {
        Core* mine = core_;
        core_ = other.core_;
        other.core_ = mine;
    }

    /// The number of entries whose objects live.
    [[nodiscard]] std::size_t size() const noexcept { return core_->size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    void clear() { core_->clear(); }

protected:
    Core* core_;
};

struct nothing_strong {};

} // namespace detail

/// From keys to objects that somebody else keeps alive: CPython's WeakValueDictionary. An entry goes when its object
/// dies, before the object's destructor; while an iterator lives, it is hidden at once and goes with the last
/// iterator. Iterators give pairs of key and reference and hold the object they stand at.
///
/// **Exceptions**: std::bad_alloc, and what hash, comparison and copies of keys throw. **Complexity**: as
/// std::unordered_map. Movable. No iterator may outlive the map or see it moved;
/// `set` of a new key ends iterators as in std::unordered_map.
template <class Key, class T, class Hash = std::hash<Key>>
class weak_value_map : public detail::weak_container<detail::weak_core<Key, detail::nothing_strong, Hash>> {
    using core = detail::weak_core<Key, detail::nothing_strong, Hash>;
    struct view {
        static std::pair<const Key&, py_ref<T>> make(const typename core::map::value_type& e, py_object* held) {
            return {e.first, detail::to_ref<T>(held)};
        }
    };

public:
    using iterator = detail::weak_iterator<core, view>;
    using const_iterator = iterator;
    using key_type = Key;
    using mapped_type = py_ref<T>;

    /// Replaces what was there. Preconditions: `value` isn't null.
    void set(const Key& key, const py_ref<T>& value) { this->core_->set(key, detail::ref_access::object(value), {}); }

    /// Returns: the object, null if there is none.
    [[nodiscard]] py_ref<T> get(const Key& key) const {
        auto* e = this->core_->find(key);
        return e == nullptr ? py_ref<T>() : detail::to_ref<T>(detail::live_target(*e->weak.get()));
    }
    [[nodiscard]] bool contains(const Key& key) const { return this->core_->find(key) != nullptr; }

    /// Returns: the object that is there, or `value` once it is.
    py_ref<T> set_default(const Key& key, const py_ref<T>& value) {
        if (auto there = get(key)) return there;
        set(key, value);
        return value;
    }
    /// Returns: the object that was there, null if none.
    py_ref<T> pop(const Key& key) {
        auto there = get(key);
        this->core_->erase(key);
        return there;
    }
    bool erase(const Key& key) { return this->core_->erase(key); }

    [[nodiscard]] iterator begin() const { return {this->core_, this->core_->entries.begin()}; }
    [[nodiscard]] iterator end() const { return {this->core_, this->core_->entries.end()}; }

    void traverse(auto& visit) {
        for (auto& [key, e] : this->core_->entries) visit(key);
    }
};

/// From objects, by their identity, to values: CPython's WeakKeyDictionary. An entry goes when its key dies. A value
/// that owns its key keeps it alive, and with it the entry.
template <class K, class V>
class weak_key_map
    : public detail::weak_container<detail::weak_core<const py_object*, V, std::hash<const py_object*>>> {
    using core = detail::weak_core<const py_object*, V, std::hash<const py_object*>>;
    struct view {
        static std::pair<py_ref<K>, V&> make(typename core::map::value_type& e, py_object* held) {
            return {detail::to_ref<K>(held), e.second.strong};
        }
    };

public:
    using iterator = detail::weak_iterator<core, view>;
    using const_iterator = iterator;
    using key_type = py_ref<K>;
    using mapped_type = V;

    /// Replaces what was there. Preconditions: `key` isn't null.
    void set(const py_ref<K>& key, V value) {
        py_object* p = detail::ref_access::object(key);
        this->core_->set(p, p, static_cast<V&&>(value));
    }

    /// Returns: the value, null if there is none. Valid until the map changes.
    [[nodiscard]] V* find(const py_ref<K>& key) const {
        auto* e = this->core_->find(detail::ref_access::object(key));
        return e == nullptr ? nullptr : &e->strong;
    }
    /// The value, a fresh `V()` if there was none.
    V& operator[](const py_ref<K>& key) {
        if (V* there = find(key)) return *there;
        set(key, V());
        return *find(key);
    }
    [[nodiscard]] bool contains(const py_ref<K>& key) const { return find(key) != nullptr; }
    bool erase(const py_ref<K>& key) { return this->core_->erase(detail::ref_access::object(key)); }

    [[nodiscard]] iterator begin() const { return {this->core_, this->core_->entries.begin()}; }
    [[nodiscard]] iterator end() const { return {this->core_, this->core_->entries.end()}; }

    void traverse(auto& visit) {
        for (auto& [key, e] : this->core_->entries) visit(e.strong);
    }
};

/// Objects that somebody else keeps alive, each once, by identity: CPython's WeakSet.
template <class T>
class weak_set : public detail::weak_container<
                     detail::weak_core<const py_object*, detail::nothing_strong, std::hash<const py_object*>>> {
    using core = detail::weak_core<const py_object*, detail::nothing_strong, std::hash<const py_object*>>;
    struct view {
        static py_ref<T> make(const typename core::map::value_type&, py_object* held) {
            return detail::to_ref<T>(held);
        }
    };

public:
    using iterator = detail::weak_iterator<core, view>;
    using const_iterator = iterator;
    using value_type = py_ref<T>;

    /// Returns: whether it is new. Preconditions: not null.
    bool add(const py_ref<T>& r) {
        if (contains(r)) return false;
        py_object* p = detail::ref_access::object(r);
        this->core_->set(p, p, {});
        return true;
    }
    bool discard(const py_ref<T>& r) { return this->core_->erase(detail::ref_access::object(r)); }
    [[nodiscard]] bool contains(const py_ref<T>& r) const {
        return this->core_->find(detail::ref_access::object(r)) != nullptr;
    }
    /// Takes any of them out. Returns: null if there is none.
    py_ref<T> pop() {
        py_ref<T> any;
        for (auto r : *this) {
            any = r;
            break;
        }
        if (any) discard(any);
        return any;
    }
    /// Adds those of another set.
    void update(const weak_set& other) {
        for (auto r : other) add(r);
    }

    [[nodiscard]] iterator begin() const { return {this->core_, this->core_->entries.begin()}; }
    [[nodiscard]] iterator end() const { return {this->core_, this->core_->entries.end()}; }

    void traverse(auto&) noexcept {} // owns nothing
};

} // namespace pygc::inline PYGC_ABI
