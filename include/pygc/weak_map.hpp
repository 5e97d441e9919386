// SPDX-License-Identifier: BSL-1.0
// weak_value_map, weak_key_map, weak_set: entries vanish with the object they refer to.
#pragma once

#include <cstddef>
#include <utility> // pair, swap, declval

#include <pygc/detail/weak_core.hpp>

namespace pygc::inline PYGC_ABI {

namespace detail {

/// Walks over the entries of living objects. Each copy keeps dead entries in their places.
template <class Core, class View>
class weak_iterator {
public:
    using value_type = decltype(View::make(std::declval<const typename Core::entry&>(), nullptr));
    using difference_type = std::ptrdiff_t;

    weak_iterator() noexcept = default;
    /// Null stands for an empty core.
    static weak_iterator first(Core* core) noexcept {
        return core != nullptr ? weak_iterator(core, core->entries.begin()) : weak_iterator();
    }
    static weak_iterator last(Core* core) noexcept {
        return core != nullptr ? weak_iterator(core, core->entries.end()) : weak_iterator();
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
    weak_iterator(Core* core, typename Core::place at) noexcept : core_(core), at_(at) {
        core_->begin_iteration();
        skip_dead();
    }

    /// Holds the object of the entry it stops at.
    void skip_dead() noexcept {
        py_ref<py_object> next;
        for (; at_ != core_->entries.end(); ++at_) {
            py_object* p = live_target(*at_->weak.get());
            if (p == nullptr) continue;
            add_reference(header_of(p));
            next = ref_access::adopt<py_object>(p);
            break;
        }
        held_.swap(next);
    }

    Core* core_ = nullptr;
    typename Core::place at_{};
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
    ~weak_container() { delete core_; }

    void swap(weak_container& other) noexcept {
        Core* mine = core_;
        core_ = other.core_;
        other.core_ = mine;
    }

    /// The number of entries whose objects live.
    [[nodiscard]] std::size_t size() const noexcept { return core_ != nullptr ? core_->size() : 0; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    void clear() noexcept {
        if (core_ != nullptr) core_->clear();
    }

protected:
    template <class Key>
    [[nodiscard]] auto find_entry(const Key& key) const {
        return core_ != nullptr ? core_->find(key) : nullptr;
    }
    template <class Key>
    bool erase_entry(const Key& key) {
        return core_ != nullptr && core_->erase(key);
    }
    /// Throws: std::bad_alloc.
    Core& made_core() {
        if (core_ == nullptr) core_ = new Core();
        return *core_;
    }
    /// Calls `f(entry)` for all, those of dead objects too.
    template <class F>
    void for_each_entry(F f) const {
        if (core_ == nullptr) return;
        for (const auto& e : core_->entries) f(e);
    }

    Core* core_ = nullptr;
};

struct nothing_strong {};

} // namespace detail

/// From keys to objects that somebody else keeps alive: CPython's WeakValueDictionary. An entry goes when its object
/// dies, before the object's destructor; while an iterator lives, it is hidden at once and goes with the last
/// iterator. Iterators give pairs of key and reference and hold the object they stand at.
///
/// **Exceptions**: std::bad_alloc, and what hash, comparison and copies of keys throw. **Complexity**: as
/// std::unordered_map. Movable, which doesn't throw. No iterator may outlive the map or see it moved;
/// `set` of a new key ends iterators as in std::unordered_map.
template <class Key, class T, class Hash = std::hash<Key>>
class weak_value_map : public detail::weak_container<detail::weak_core<Key, detail::nothing_strong, Hash>> {
    using core = detail::weak_core<Key, detail::nothing_strong, Hash>;
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
        this->made_core().set(key, detail::ref_access::object(value), {});
    }

    /// Returns: the object, null if there is none.
    [[nodiscard]] py_ref<T> get(const Key& key) const {
        const auto* e = this->find_entry(key);
        return e == nullptr ? py_ref<T>() : detail::to_ref<T>(detail::live_target(*e->weak.get()));
    }
    [[nodiscard]] bool contains(const Key& key) const { return this->find_entry(key) != nullptr; }

    /// Returns: the object that is there, or `value` once it is.
    py_ref<T> set_default(const Key& key, const py_ref<T>& value) {
        if (auto there = get(key)) return there;
        set(key, value);
        return value;
    }
    /// Returns: the object that was there, null if none.
    py_ref<T> pop(const Key& key) {
        auto there = get(key);
        this->erase_entry(key);
        return there;
    }
    bool erase(const Key& key) { return this->erase_entry(key); }

    [[nodiscard]] iterator begin() const { return iterator::first(this->core_); }
    [[nodiscard]] iterator end() const { return iterator::last(this->core_); }

    void traverse(auto& visit) {
        this->for_each_entry([&visit](const auto& e) { visit(e.key); });
    }
};

/// From objects, by their identity, to values: CPython's WeakKeyDictionary. An entry goes when its key dies. A value
/// that owns its key keeps it alive, and with it the entry.
template <class K, class V>
class weak_key_map
    : public detail::weak_container<detail::weak_core<const py_object*, V, std::hash<const py_object*>>> {
    using core = detail::weak_core<const py_object*, V, std::hash<const py_object*>>;
    struct view {
        static std::pair<py_ref<K>, V&> make(const typename core::entry& e, py_object* held) {
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
        py_object* p = detail::ref_access::object(key);
        this->made_core().set(p, p, static_cast<V&&>(value));
    }

    /// Returns: the value, null if there is none. Valid until the map changes.
    [[nodiscard]] V* find(const py_ref<K>& key) const {
        const auto* e = this->find_entry(detail::ref_access::object(key));
        return e == nullptr ? nullptr : &e->strong;
    }
    /// The value, a fresh `V()` if there was none.
    V& operator[](const py_ref<K>& key) {
        if (V* there = find(key)) return *there;
        set(key, V());
        return *find(key);
    }
    [[nodiscard]] bool contains(const py_ref<K>& key) const { return find(key) != nullptr; }
    bool erase(const py_ref<K>& key) { return this->erase_entry(detail::ref_access::object(key)); }

    [[nodiscard]] iterator begin() const { return iterator::first(this->core_); }
    [[nodiscard]] iterator end() const { return iterator::last(this->core_); }

    void traverse(auto& visit) {
        this->for_each_entry([&visit](const auto& e) { visit(e.strong); });
    }
};

/// Objects that somebody else keeps alive, each once, by identity: CPython's WeakSet.
template <class T>
class weak_set : public detail::weak_container<
                     detail::weak_core<const py_object*, detail::nothing_strong, std::hash<const py_object*>>> {
    using core = detail::weak_core<const py_object*, detail::nothing_strong, std::hash<const py_object*>>;
    struct view {
        static py_ref<T> make(const typename core::entry&, py_object* held) { return detail::to_ref<T>(held); }
    };

public:
    using iterator = detail::weak_iterator<core, view>;
    using const_iterator = iterator;
    using value_type = py_ref<T>;

    /// Returns: whether it is new. Preconditions: not null.
    bool add(const py_ref<T>& r) {
        if (contains(r)) return false;
        py_object* p = detail::ref_access::object(r);
        this->made_core().set(p, p, {});
        return true;
    }
    bool discard(const py_ref<T>& r) { return this->erase_entry(detail::ref_access::object(r)); }
    [[nodiscard]] bool contains(const py_ref<T>& r) const {
        return this->find_entry(detail::ref_access::object(r)) != nullptr;
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

    [[nodiscard]] iterator begin() const { return iterator::first(this->core_); }
    [[nodiscard]] iterator end() const { return iterator::last(this->core_); }

    void traverse(auto&) noexcept {} // owns nothing
};

} // namespace pygc::inline PYGC_ABI
