// SPDX-License-Identifier: BSL-1.0
// weak_value_map, weak_key_map, weak_set: entries vanish with the object they refer to.
#pragma once

#include <cstddef>
#include <optional> // the cheapest way to std::hash of numbers and pointers
#include <utility>  // pair, declval

#include <pygc/detail/weak_core.hpp>

namespace pygc::inline PYGC_ABI {

namespace detail {

/// Walks over the entries of living objects: stands at one, and holds its object.
template <class Core, class View>
class weak_iterator {
public:
    using value_type = decltype(View::make(std::declval<typename Core::entry&>(), nullptr));
    using difference_type = std::ptrdiff_t;

    weak_iterator() noexcept = default;
    explicit weak_iterator(Core* core) noexcept {
        if (core != nullptr) at_ = core->first();
        if (at_) held_ = to_ref<py_object>(at_->object());
    }

    [[nodiscard]] value_type operator*() const { return View::make(*at_, held_.get()); }
    weak_iterator& operator++() {
        auto next = at_.next();
        auto object = next ? to_ref<py_object>(next->object()) : py_ref<py_object>();
        at_.swap(next);
        held_.swap(object); // what was held may die here, at the end
        return *this;
    }
    weak_iterator operator++(int) {
        weak_iterator before = *this;
        ++*this;
        return before;
    }
    [[nodiscard]] friend bool operator==(const weak_iterator& a, const weak_iterator& b) noexcept {
        return a.at_.get() == b.at_.get();
    }

private:
    typename Core::place at_; // none: the end
    py_ref<py_object> held_;
};

/// Owns a core, made when the first entry comes; copies none.
template <class Core>
class weak_container {
public:
    weak_container() noexcept = default;
    weak_container(weak_container&& other) noexcept { swap(other); }
    weak_container& operator=(weak_container&& other) noexcept {
        weak_container taken(static_cast<weak_container&&>(other));
        swap(taken);
        return *this;
    }
    ~weak_container() {
        while (core_ != nullptr) { // again only if what was in it puts something in
            Core& last = *core_;
            core_ = nullptr;
            last.end();
        }
    }

    void swap(weak_container& other) noexcept {
        Core* mine = core_;
        core_ = other.core_;
        other.core_ = mine;
    }

    /// The number of entries whose objects live.
    [[nodiscard]] std::size_t size() const noexcept { return core_ != nullptr ? core_->size() : 0; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    /// Effects: the container is empty, then what was in it is destroyed.
    void clear() noexcept {
        if (core_ != nullptr) core_->clear();
    }

protected:
    template <class Key>
    [[nodiscard]] auto find_entry(const Key& key) const {
        return core_ != nullptr ? core_->find(key) : typename Core::place();
    }
    template <class Key>
    bool erase_entry(const Key& key) {
        auto there = find_entry(key);
        if (!there) return false;
        core_of(there).erase(there);
        return true;
    }
    [[nodiscard]] static Core& core_of(const typename Core::place& p) noexcept { return p.core(); }
    /// Throws: std::bad_alloc.
    Core& made_core() {
        if (core_ == nullptr) core_ = new Core();
        return *core_;
    }
    /// Calls `f(entry)` for all, those of dead objects that wait to be told too.
    template <class F>
    void for_each_entry(F f) const {
        if (core_ != nullptr) core_->for_each(f);
    }

    Core* core_ = nullptr;
};

/// As `==`.
struct equal_keys {
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
        return static_cast<bool>(a == b);
    }
};

/// Entries that are found by a value.
template <class Key, class Hash, class Equal>
struct keyed_by_value {
    using stored = Key;
    using wanted = Key;
    template <class>
    using names = Key; // in reports
    static constexpr bool by_identity = false;

    static bool can_be_there(const Key&) noexcept { return true; }
    static const Key& hold(const Key& key) noexcept { return key; }
    static Key store(const Key& key) { return key; }
    static std::size_t hash(const Key& key) { return Hash()(key); }
    static bool is_same(const Key& key, py_object*, const Key& other) { return static_cast<bool>(Equal()(key, other)); }
};

struct nothing_stored {};

/// Entries that are found by their object, as a `py_ref` to it.
template <class K, class Hash, class Equal>
struct keyed_by_object {
    using stored = nothing_stored;
    using wanted = py_ref<K>;
    template <class V>
    using names = V;
    static constexpr bool by_identity = __is_same(Equal, equal_keys) && __is_same(Hash, std::hash<py_ref<K>>);

    static bool can_be_there(const py_ref<K>& key) noexcept { return key != nullptr; }
    static py_ref<K> hold(const py_ref<K>& key) noexcept { return key; }
    static nothing_stored store(const py_ref<K>&) noexcept { return {}; }
    static std::size_t hash(const py_ref<K>& key) { return Hash()(key); }
    static const py_object* object(const py_ref<K>& key) noexcept { return ref_access::object(key); }
    /// The object may be alive for the last time.
    static bool is_same(nothing_stored, py_object* object, const py_ref<K>& other) {
        return static_cast<bool>(Equal()(to_ref<K>(object), other));
    }
};

} // namespace detail

/// From keys to objects that somebody else keeps alive: CPython's WeakValueDictionary. An entry goes when its object
/// dies, before the object's destructor. Iterators give pairs of key and reference and hold the object they stand at.
///
/// What the container calls (hash, comparison, copies and destructors of keys, and all that dies with them) finds it
/// whole and may change it, collect, or end it. In a loop over it objects may die, entries may be put in and taken out,
/// and the container may be cleared, moved or destroyed: an entry that is taken out while an iterator stands at
/// it is kept until the iterator leaves, one that is put in is met, and an iterator that outlives its map is at its end
/// with the next step. An object whose destructor runs isn't put in.
///
/// **Exceptions**: std::bad_alloc, and what hash, comparison and copies of keys throw; then nothing has changed. What a
/// key's destructor throws goes to the unraisable hook. **Complexity**: as std::unordered_map; iteration in order of
/// coming. Movable, which doesn't throw.
template <class Key, class T, class Hash = std::hash<Key>, class Equal = detail::equal_keys>
class weak_value_map : public detail::weak_container<
                           detail::weak_core<detail::keyed_by_value<Key, Hash, Equal>, detail::nothing_strong>> {
    using core = detail::weak_core<detail::keyed_by_value<Key, Hash, Equal>, detail::nothing_strong>;
    struct view {
        static std::pair<const Key&, py_ref<T>> make(const typename core::entry& e, py_object* held) {
            return {e.key, detail::to_ref<T>(held)};
        }
    };

public:
    using iterator = detail::weak_iterator<core, view>;
    using const_iterator = iterator;
    using key_type = Key;
    using mapped_type = py_ref<T>;

    /// Replaces what was there. Preconditions: `value` isn't null.
    void set(const Key& key, const py_ref<T>& value) {
        this->made_core().put(key, detail::ref_access::object(value), {}, true);
    }

    /// Returns: the object, null if there is none.
    [[nodiscard]] py_ref<T> get(const Key& key) const { return object_of(this->find_entry(key)); }
    [[nodiscard]] bool contains(const Key& key) const { return static_cast<bool>(this->find_entry(key)); }

    /// Returns: the object that is there, or `value` once it is.
    py_ref<T> set_default(const Key& key, const py_ref<T>& value) {
        const py_ref<T> held = value;
        const auto result = this->made_core().put(key, detail::ref_access::object(held), {}, false);
        return result.is_new || !result.there ? held : detail::to_ref<T>(result.there->object());
    }
    /// Returns: the object that was there, null if none.
    py_ref<T> pop(const Key& key) {
        auto there = this->find_entry(key);
        auto object = object_of(there);
        if (there) this->core_of(there).erase(there);
        return object;
    }
    bool erase(const Key& key) { return this->erase_entry(key); }

    [[nodiscard]] iterator begin() const { return iterator(this->core_); }
    [[nodiscard]] iterator end() const { return iterator(); }

    /// Shows the keys. An entry whose key leads to garbage goes with it.
    template <class V>
    void traverse(V& visit) {
        if constexpr (detail::holds_references<Key>()) {
            if (this->core_ == nullptr) return;
            if constexpr (__is_same(V, visitor)) {
                if (visit.erases_keys() && !visit.in_keys()) {
                    this->core_->erase_entries_if([&visit](const Key& key) { return detail::is_dead_key(visit, key); });
                    return;
                }
            }
            this->for_each_entry([&visit](const auto& e) {
                visit.begin_keys();
                visit(e.key);
                visit.end_keys();
            });
        } else {
            this->for_each_entry([&visit](const auto& e) { visit(e.key); });
        }
    }

private:
    [[nodiscard]] static py_ref<T> object_of(const typename core::place& p) noexcept {
        return p ? detail::to_ref<T>(p->object()) : py_ref<T>();
    }
};

/// From objects to values: CPython's WeakKeyDictionary. An entry goes when its key dies. Objects are the same if they
/// are one object, unless `Hash` and `Equal` say otherwise: both are called with `const py_ref<K>&`.
///
/// The entries are ephemerons: a full collection frees an entry whose key is reached through its own value only, or
/// through those of other such entries, wherever the map is, and whatever heaps the other keys are in. It sees into the
/// values as into the fields of an object; where they can't hold references it does nothing for the map. Keys of types
/// that aren't tracked, and those in another heap than is collected, count as held from outside; in younger collections
/// the values do.
///
/// Otherwise as weak_value_map. `V` needs no default constructor and no assignment.
template <class K, class V, class Hash = std::hash<py_ref<K>>, class Equal = detail::equal_keys>
class weak_key_map : public detail::weak_container<detail::weak_core<detail::keyed_by_object<K, Hash, Equal>, V>> {
    using core = detail::weak_core<detail::keyed_by_object<K, Hash, Equal>, V>;
    struct view {
        static std::pair<py_ref<K>, V&> make(typename core::entry& e, py_object* held) {
            return {detail::to_ref<K>(held), e.strong};
        }
    };

public:
    using iterator = detail::weak_iterator<core, view>;
    using const_iterator = iterator;
    using key_type = py_ref<K>;
    using mapped_type = V;

    /// Replaces what was there. Preconditions: `key` isn't null.
    void set(const py_ref<K>& key, V value) {
        this->made_core().put(key, detail::ref_access::object(key), static_cast<V&&>(value), true);
    }

    /// Returns: the value, null if there is none. Valid until its entry is replaced or goes.
    [[nodiscard]] V* find(const py_ref<K>& key) const {
        const auto there = this->find_entry(key);
        return there ? &there->strong : nullptr;
    }
    /// The value, a fresh `V()` if there was none. Preconditions: `key`'s destructor isn't running.
    V& operator[](const py_ref<K>& key) {
        core& mine = this->made_core();
        const typename core::core_hold hold(mine); // what is called may end the map
        if (const auto there = mine.find(key)) return there->strong;
        const auto result = mine.put(key, detail::ref_access::object(key), V(), false);
        if (!result.there)
            detail::report_and_abort("operator[] of a weak_key_map with a key that is being destroyed", nullptr, this);
        return result.there->strong;
    }
    [[nodiscard]] bool contains(const py_ref<K>& key) const { return static_cast<bool>(this->find_entry(key)); }
    bool erase(const py_ref<K>& key) { return this->erase_entry(key); }

    [[nodiscard]] iterator begin() const { return iterator(this->core_); }
    [[nodiscard]] iterator end() const { return iterator(); }

    /// Shows the values, unless the collection looks at them by itself.
    void traverse(auto& visit) {
        if (this->core_ == nullptr) return;
        if constexpr (detail::holds_references<V>()) {
            if (visit.defer(*this->core_)) return;
        }
        this->for_each_entry([&visit](const auto& e) { visit(e.strong); });
    }
};

/// Objects that somebody else keeps alive, each once: CPython's WeakSet. By identity, unless `Hash` and `Equal` say
/// otherwise. Otherwise as weak_value_map.
template <class T, class Hash = std::hash<py_ref<T>>, class Equal = detail::equal_keys>
class weak_set : public detail::weak_container<
                     detail::weak_core<detail::keyed_by_object<T, Hash, Equal>, detail::nothing_strong>> {
    using core = detail::weak_core<detail::keyed_by_object<T, Hash, Equal>, detail::nothing_strong>;
    struct view {
        static py_ref<T> make(const typename core::entry&, py_object* held) { return detail::to_ref<T>(held); }
    };

public:
    using iterator = detail::weak_iterator<core, view>;
    using const_iterator = iterator;
    using value_type = py_ref<T>;

    /// Returns: whether it is new. Preconditions: not null.
    bool add(const py_ref<T>& r) { return this->made_core().put(r, detail::ref_access::object(r), {}, false).is_new; }
    bool discard(const py_ref<T>& r) { return this->erase_entry(r); }
    [[nodiscard]] bool contains(const py_ref<T>& r) const { return static_cast<bool>(this->find_entry(r)); }
    /// Takes any of them out. Returns: null if there is none.
    py_ref<T> pop() {
        if (this->core_ == nullptr) return nullptr;
        auto first = this->core_->first();
        if (!first) return nullptr;
        auto object = detail::to_ref<T>(first->object());
        this->core_->erase(first);
        return object;
    }
    /// Adds those of another set.
    void update(const weak_set& other) {
        core& mine = this->made_core();
        const typename core::core_hold hold(mine); // what is called may end the set
        for (auto r : other) mine.put(r, detail::ref_access::object(r), {}, false);
    }

    [[nodiscard]] iterator begin() const { return iterator(this->core_); }
    [[nodiscard]] iterator end() const { return iterator(); }

    void traverse(auto&) noexcept {} // owns nothing
};

} // namespace pygc::inline PYGC_ABI
