// SPDX-License-Identifier: BSL-1.0
// The objects of re-entrant programs: each kind owns a few containers of the standard library or of pygc.
#pragma once

#include <array>
#include <compare>
#include <deque>
#include <forward_list>
#include <functional>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <queue>
#include <set>
#include <stack>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "machine.hpp"

namespace reentry {

class field_base;

/// Base of all objects.
struct thing : pygc::py_object {
    static constexpr unsigned whole = 0x600d600du, destroyed = 0xdeaddeadu;

    explicit thing(int c) : content(c), id(current->new_node(node_kind::object, current->serial_of_current())) {
        current->at(id).object = this;
    }
    thing(const thing&) = delete;
    thing& operator=(const thing&) = delete;

    [[nodiscard]] virtual int fields() const { return 0; }
    virtual field_base* field_at(int) { return nullptr; }

    const int content; // keys are compared by it
    const int id;
    volatile unsigned canary = whole;

protected:
    // Not virtual: pygc knows what it made.
    ~thing() {
        if (current->at(id).alive) current->end_node(id); // a constructor threw
        current->require(canary == whole, "a destructor runs on what is no object", id);
        canary = destroyed;
    }
};

/// A reference leads to an object whose destructor hasn't begun.
inline int id_of(const ref& r) {
    if (r == nullptr) return none;
    current->require(r->canary == thing::whole, "a reference leads to a destroyed object");
    if (current->failed()) return none;
    current->require(current->at(r->id).alive, "a reference leads to a dead object", r->id);
    return r->id;
}

// ---- what functions and callbacks capture ---------------------------------------------------------------

struct captured {
    captured(ref r, int heap) : id(current->new_node(node_kind::capture, heap)), held(std::move(r)) {
        current->at(id).capture = this;
    }
    captured(captured&& other) noexcept : id(std::exchange(other.id, none)), held(std::move(other.held)) {
        if (id != none) current->at(id).capture = this;
    }
    captured& operator=(captured&&) = delete;
    ~captured() {
        if (id != none) current->end_node(id);
    }
    void traverse(auto& visit) { visit(held); }

    int id;
    ref held;
};

/// A weak reference and what is known of it. A plain struct.
struct weak_handle {
    pygc::py_weakref<thing> weak;
    int target = none;
    int capture = none;
};

struct function_handle {
    pygc::py_function<void()> function;
    int capture = none;
};

inline void run_called(captured& c);

inline weak_handle watch(const ref& r) { return {pygc::py_weakref<thing>(r), r->id, none}; }
inline weak_handle watch(const ref& r, ref held) {
    captured c(std::move(held), current->at(r->id).heap);
    const int id = c.id;
    current->at(id).watched = r->id;
    return {pygc::py_weakref<thing>(r, [](captured& mine) { run_called(mine); }, std::move(c)), r->id, id};
}
inline function_handle bind(ref held) {
    captured c(std::move(held), current->serial_of_current());
    const int id = c.id;
    return {pygc::py_function<void()>([](captured& mine) { run_called(mine); }, std::move(c)), id};
}

// ---- plain structs --------------------------------------------------------------------------------------

/// In a `unique_ptr`.
struct inner {
    ref first;
    std::vector<ref> more;
};

/// A plain element with code of its own in every function that a container calls.
struct noisy {
    explicit noisy(ref r) : held(std::move(r)), content(held != nullptr ? held->content : 0) {
        if (current->hook(feature::elements)) throw_test_error();
    }
    noisy(const noisy& other) : held(other.held), content(other.content) {
        if (current->hook(feature::elements)) throw_test_error();
    }
    noisy(noisy&& other) noexcept : held(std::move(other.held)), content(other.content) {
        current->hook(feature::elements);
    }
    noisy& operator=(const noisy& other) {
        if (current->hook(feature::elements)) throw_test_error();
        held = other.held;
        content = other.content;
        return *this;
    }
    noisy& operator=(noisy&& other) noexcept {
        current->hook(feature::elements);
        held = std::move(other.held);
        content = other.content;
        return *this;
    }
    ~noisy() { current->hook(feature::elements); }
    void traverse(auto& visit) { visit(held); }

    friend bool operator==(const noisy& a, const noisy& b) {
        if (current->hook(feature::comparators)) throw_test_error();
        return a.content == b.content;
    }
    friend bool operator<(const noisy& a, const noisy& b) {
        if (current->hook(feature::comparators)) throw_test_error();
        return a.content < b.content;
    }

    ref held;
    int content;
};
struct noisy_hash {
    std::size_t operator()(const noisy& n) const {
        if (current->hook(feature::comparators)) throw_test_error();
        return static_cast<std::size_t>(n.content) % 3;
    }
};
struct noisy_equal {
    bool operator()(const noisy& a, const noisy& b) const { return a == b; }
};

/// A key without a reference.
struct plain_key {
    int content;
    friend bool operator==(const plain_key& a, const plain_key& b) {
        if (current->hook(feature::comparators)) throw_test_error();
        return a.content == b.content;
    }
};
struct plain_key_hash {
    std::size_t operator()(const plain_key& k) const {
        if (current->hook(feature::comparators)) throw_test_error();
        return static_cast<std::size_t>(k.content) % 2;
    }
};

/// A plain struct as a key.
struct pair_key {
    ref r;
    int n = 0;
    friend bool operator==(const pair_key& a, const pair_key& b) { return a.r == b.r && a.n == b.n; }
};
struct pair_key_hash {
    std::size_t operator()(const pair_key& k) const { return std::hash<ref>()(k.r) + static_cast<std::size_t>(k.n); }
};

inline bool no_null_keys(const ref& a, const ref& b) {
    const bool whole = a != nullptr && b != nullptr;
    current->require(whole, "a container's key is null when it is compared");
    return whole;
}
struct by_content {
    bool operator()(const ref& a, const ref& b) const {
        if (!no_null_keys(a, b)) return false;
        if (current->hook(feature::comparators)) throw_test_error();
        return a->content < b->content;
    }
};
struct content_hash {
    std::size_t operator()(const ref& r) const {
        if (!no_null_keys(r, r)) return 0;
        if (current->hook(feature::comparators)) throw_test_error();
        return static_cast<std::size_t>(r->content) % 3;
    }
};
struct content_equal {
    bool operator()(const ref& a, const ref& b) const {
        if (!no_null_keys(a, b)) return false;
        if (current->hook(feature::comparators)) throw_test_error();
        return a->content == b->content;
    }
};

template <class T>
struct hooked_allocator {
    using value_type = T;
    hooked_allocator() = default;
    template <class U>
    hooked_allocator(const hooked_allocator<U>&) noexcept {}
    T* allocate(std::size_t n) {
        if (current->hook(feature::allocators)) throw_no_memory();
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) noexcept {
        current->hook(feature::allocators);
        std::allocator<T>().deallocate(p, n);
    }
    template <class U>
    friend bool operator==(const hooked_allocator&, const hooked_allocator<U>&) noexcept {
        return true;
    }
};

/// The last member of a plain struct in a box: speaks for the whole.
struct tag {
    tag(int i) : id(i) {}
    tag(const tag&) = delete;
    tag& operator=(const tag&) = delete;
    inline ~tag();
    using pygc_acyclic = void;
    void traverse(auto&) const noexcept {}

    int id;
    std::vector<int> shadow;
};

/// Not one line for the collector.
struct box {
    ref first;
    std::vector<ref> more;
    box_ref next;
    tag sign;
};

// ---- looking without the library ------------------------------------------------------------------------

template <class C>
concept adaptor = requires { typename C::container_type; } && !requires(C& c) { c.begin(); };
template <class C>
concept keyed = requires { typename C::key_type; };
template <class C>
concept mapped = keyed<C> && requires { typename C::mapped_type; };

template <class A>
struct adaptor_access : A {
    static auto& container(A& a) { return a.*&adaptor_access::c; }
};

inline void look(edges& e, const ref& r) { e.targets.push_back(id_of(r)); }
inline void look(edges& e, const box_ref& r) {
    if (r == nullptr) return e.targets.push_back(none);
    current->require(current->at(r->sign.id).alive, "a reference leads to a dead box", r->sign.id);
    e.targets.push_back(r->sign.id);
}
inline void look(edges&, int) {}
inline void look(edges&, const std::monostate&) {}
inline void look(edges&, const plain_key&) {}
inline void look(edges& e, const noisy& n) { look(e, n.held); }
inline void look(edges& e, const pair_key& k) { look(e, k.r); }
inline void look(edges& e, const inner& i) {
    look(e, i.first);
    for (const ref& r : i.more) look(e, r);
}
inline void look(edges& e, const weak_handle& w) {
    if (w.capture != none && w.weak.has_callback() && current->at(w.capture).alive) e.captures.push_back(w.capture);
}
inline void look(edges& e, const function_handle& f) {
    if (f.function && f.capture != none) e.captures.push_back(f.capture);
}
template <class A, class B>
void look(edges& e, const std::pair<A, B>& p);
template <class... X>
void look(edges& e, const std::tuple<X...>& t);
template <class X>
void look(edges& e, const std::optional<X>& o);
template <class X>
void look(edges& e, const std::unique_ptr<X>& p);
template <class... X>
void look(edges& e, const std::variant<X...>& v);
template <class C>
    requires requires(const C& c) { c.begin(); }
void look(edges& e, const C& c);

template <class A, class B>
void look(edges& e, const std::pair<A, B>& p) {
    look(e, p.first);
    look(e, p.second);
}
template <class... X>
void look(edges& e, const std::tuple<X...>& t) {
    std::apply([&e](const X&... x) { (look(e, x), ...); }, t);
}
template <class X>
void look(edges& e, const std::optional<X>& o) {
    if (o) look(e, *o);
}
template <class X>
void look(edges& e, const std::unique_ptr<X>& p) {
    if (p) look(e, *p);
}
template <class... X>
void look(edges& e, const std::variant<X...>& v) {
    if (!v.valueless_by_exception()) std::visit([&e](const auto& x) { look(e, x); }, v);
}
template <class C>
    requires requires(const C& c) { c.begin(); }
void look(edges& e, const C& c) {
    for (const auto& x : c) {
        const std::size_t before = e.targets.size();
        if constexpr (mapped<C>) {
            look(e, x.first);
        } else {
            look(e, x);
        }
        if constexpr (keyed<C>) {
            for (std::size_t i = before; i != e.targets.size(); ++i) e.null_key |= e.targets[i] == none;
        }
        if constexpr (mapped<C>) look(e, x.second);
    }
}
template <adaptor C>
void look(edges& e, const C& c) {
    look(e, adaptor_access<C>::container(const_cast<C&>(c)));
}

// The weak containers are looked at through their iterators.
template <class K, class T, class H>
void look(edges& e, const pygc::weak_value_map<K, T, H>& m) {
    for (const auto& x : m) {
        look(e, x.first);
        static_cast<void>(id_of(x.second));
    }
}
template <class K, class V>
void look(edges& e, const pygc::weak_key_map<K, V>& m) {
    for (const auto& x : m) {
        edges value;
        look(value, x.second);
        const int key = id_of(x.first);
        for (int target : value.targets) {
            if (target != none) e.entries.push_back({key, target});
        }
    }
}
template <class T>
void look(edges&, const pygc::weak_set<T>& s) {
    for (const auto& r : s) static_cast<void>(id_of(r));
}

// ---- fields ---------------------------------------------------------------------------------------------

/// One container of an object, and what it should refer to.
class field_base {
public:
    virtual void operate() = 0;
    virtual void add_some() = 0;
    virtual void empty() = 0;
    virtual void look_into(edges& e) = 0;
    [[nodiscard]] virtual bool has_shadow() const { return true; }

    bool busy = false;
    bool has_nulls = false;
    std::vector<int> shadow;

    [[nodiscard]] std::vector<int> targets() {
        edges e;
        look_into(e);
        std::sort(e.targets.begin(), e.targets.end());
        return e.targets;
    }
    /// Nobody but the program changed it.
    void check(int owner) {
        if (busy || !has_shadow()) return;
        current->require(targets() == shadow, "a reference of a living object has changed by itself", owner);
    }

    /// Its owner is dying: it refers to that from now on, and to null where a peer died with the owner.
    void expect(const edges& e) {
        has_nulls = true;
        shadow = e.targets;
        std::sort(shadow.begin(), shadow.end());
    }

protected:
    ~field_base() = default;
};

template <class C>
class field;

template <class C>
struct always_false : std::false_type {};

/// An object with the given containers, in their order.
template <class... C>
struct kind : thing {
    explicit kind(int c) : thing(c) {
        if (current->hook(feature::constructors)) throw_test_error();
    }
    ~kind() { dying(); }
    void traverse(auto& visit) {
        std::apply([&visit](field<C>&... f) { visit(f.value...); }, all);
    }

    [[nodiscard]] int fields() const override { return static_cast<int>(sizeof...(C)); }
    field_base* field_at(int i) override {
        return std::apply(
            [i](field<C>&... f) {
                field_base* const places[] = {&f...};
                return places[i];
            },
            all);
    }

    std::tuple<field<C>...> all;

protected:
    void dying() {
        if (!current->at(id).alive) return;
        current->end_node(id);
        current->trace("object %d is destroyed", id);
        // What it refers to is null, for garbage of the same collection, or lives.
        for (int i = 0; i != fields() && !current->failed(); ++i) {
            edges e;
            field_at(i)->look_into(e);
            field_at(i)->expect(e);
            current->require(!e.null_key, "a destructor sees a null key in a container", id);
        }
        ++current->dying;
        current->hook(feature::destructors, this);
        --current->dying;
    }
};

/// The same with a finalizer.
template <class... C>
struct final_kind : kind<C...> {
    using kind<C...>::kind;
    ~final_kind() { this->dying(); }
    void finalize() {
        node& n = current->at(this->id);
        current->require(n.alive, "a finalizer runs after the destructor", this->id);
        current->require(!n.finalized, "a finalizer runs twice", this->id);
        n.finalized = true;
        for (int i = 0; i != this->fields() && !current->failed(); ++i) this->field_at(i)->check(this->id);
        if (current->hook(feature::finalizers, this)) throw_test_error();
    }
};

/// Its destructor may throw.
template <class... C>
struct throwing_kind : kind<C...> {
    using kind<C...>::kind;
    ~throwing_kind() noexcept(false) {
        this->dying();
        if (current->hook(feature::destructors)) throw_test_error();
    }
};

/// Refers to nothing, owns memory elsewhere.
struct leaf : thing {
    using pygc_acyclic = void;
    explicit leaf(int c) : thing(c), bytes(static_cast<std::size_t>(c) << 12) {
        if (current->hook(feature::constructors)) throw_test_error();
    }
    ~leaf() {
        current->end_node(id);
        ++current->dying;
        current->hook(feature::destructors, this);
        --current->dying;
    }
    pygc::external_bytes bytes;
};

template <class T>
using hooked_vector = std::vector<T, hooked_allocator<T>>;
template <class K, class T>
using hooked_map = std::map<K, T, std::less<K>, hooked_allocator<std::pair<const K, T>>>;

using sequences = kind<std::vector<ref>, std::deque<ref>, std::list<ref>, std::forward_list<ref>,
                       std::vector<std::vector<ref>>, hooked_vector<ref>>;
using ordered = kind<std::set<ref>, std::multiset<ref, by_content>, std::map<int, ref>, std::multimap<int, ref>,
                     std::map<ref, ref, by_content>, std::set<std::pair<ref, int>>, std::map<ref, ref>,
                     hooked_map<int, ref>>;
using unordered = kind<std::unordered_set<ref>, std::unordered_multiset<ref, content_hash, content_equal>,
                       std::unordered_map<int, ref>, std::unordered_map<ref, ref, content_hash, content_equal>,
                       std::unordered_multimap<ref, int>, std::unordered_set<pair_key, pair_key_hash>>;
using sums = kind<std::optional<ref>, std::variant<std::monostate, ref, std::vector<ref>, std::pair<ref, int>>,
                  std::array<ref, 3>, std::tuple<ref, int, ref>, std::unique_ptr<inner>, inner, std::stack<ref>,
                  std::queue<ref>, std::priority_queue<ref, std::vector<ref>, by_content>,
                  std::vector<std::unique_ptr<inner>>, std::vector<std::optional<ref>>>;
using watching = kind<std::vector<weak_handle>, std::optional<weak_handle>, std::vector<function_handle>,
                      std::map<int, function_handle>, std::list<box_ref>, std::optional<ref>>;
using weak_maps = kind<pygc::weak_value_map<int, thing>, pygc::weak_value_map<ref, thing>,
                       pygc::weak_value_map<plain_key, thing, plain_key_hash>, pygc::weak_key_map<thing, ref>,
                       pygc::weak_key_map<thing, std::vector<ref>>, pygc::weak_set<thing>, std::optional<ref>>;
using noisy_kind = kind<std::vector<noisy>, std::deque<noisy>, std::list<noisy>, std::forward_list<noisy>,
                        std::map<int, noisy>, std::set<noisy>, std::unordered_set<noisy, noisy_hash, noisy_equal>,
                        std::optional<noisy>>;
using large = kind<std::vector<ref>, std::array<ref, 3000>>;
using last_will = final_kind<std::vector<ref>, std::optional<ref>, std::map<int, ref>>;
using last_weak = final_kind<std::unordered_set<ref>, std::vector<weak_handle>, std::optional<ref>>;
using chain_link = kind<std::optional<ref>, std::vector<ref>>;
using last_link = final_kind<std::optional<ref>, std::vector<ref>>;
using rude = throwing_kind<std::vector<ref>, std::map<int, ref>>;

inline tag::~tag() {
    if (id == none) return;
    current->end_node(id);
    ++current->dying;
    current->hook(feature::destructors);
    --current->dying;
}

inline void run_called(captured& c) {
    const int id = c.id;
    node& n = current->at(id);
    current->require(n.alive, "a callback runs after what it captured has died", id);
    if (n.watched != none) {
        current->require(!n.called, "a callback runs twice", id);
        n.called = true;
    }
    if (current->hook(feature::callbacks)) throw_test_error();
}

} // namespace reentry
