// SPDX-License-Identifier: BSL-1.0
// What a program does with the containers of an object.
#pragma once

#include "kinds.hpp"

namespace reentry {

/// The variables of a program.
struct variables {
    std::array<ref, 6> roots;
    std::array<box_ref, 2> boxes;
    std::array<weak_handle, 4> weak;
    std::array<function_handle, 2> functions;
    pygc::weak_key_map<thing, ref> map;
};
inline variables* vars = nullptr;

inline ref make_object(int kind_byte);

/// A root that isn't null, or a new object: never null.
inline ref some_ref() {
    const int b = current->next();
    ref r = vars->roots[static_cast<std::size_t>(b) % vars->roots.size()];
    if (r == nullptr || b >= 0xe0) {
        ref made = make_object(b);
        if (made != nullptr) return made;
    }
    if (r != nullptr) return r;
    for (const ref& other : vars->roots) {
        if (other != nullptr) return other;
    }
    return nullptr; // too many objects, and none at hand
}
inline ref& some_root() { return vars->roots[static_cast<std::size_t>(current->next()) % vars->roots.size()]; }

// ---- elements -------------------------------------------------------------------------------------------

struct no_element {};

template <class V>
struct element {
    static V make() = delete;
};
template <>
struct element<ref> {
    static ref make() { return some_ref(); }
};
template <>
struct element<int> {
    static int make() { return current->below(4); }
};
template <>
struct element<plain_key> {
    static plain_key make() { return {current->below(4)}; }
};
template <>
struct element<noisy> {
    static noisy make() { return noisy(some_ref()); }
};
template <>
struct element<pair_key> {
    static pair_key make() { return {some_ref(), current->below(2)}; }
};
template <>
struct element<box_ref> {
    static box_ref make() { return vars->boxes[static_cast<std::size_t>(current->below(2))]; }
};
template <>
struct element<weak_handle> {
    static weak_handle make() {
        if (!current->has(feature::weakrefs)) return {};
        const ref r = some_ref();
        if (r == nullptr) return {};
        if (!current->has(feature::callbacks) || current->below(2) == 0) return watch(r);
        return watch(r, some_root());
    }
};
template <>
struct element<function_handle> {
    static function_handle make() {
        if (!current->has(feature::functions)) return {};
        return bind(some_root());
    }
};
template <>
struct element<inner> {
    static inner make() {
        inner i;
        i.first = some_root();
        if (ref r = some_ref()) i.more.push_back(std::move(r));
        return i;
    }
};
template <class A, class B>
struct element<std::pair<A, B>> {
    static std::pair<A, B> make() {
        A a = element<std::remove_const_t<A>>::make();
        return {std::move(a), element<B>::make()};
    }
};
template <>
struct element<std::vector<ref>> {
    static std::vector<ref> make() {
        std::vector<ref> v;
        for (int n = current->below(3); n != 0; --n) {
            if (ref r = some_ref()) v.push_back(std::move(r));
        }
        return v;
    }
};
template <class X>
struct element<std::unique_ptr<X>> {
    static std::unique_ptr<X> make() { return std::make_unique<X>(element<X>::make()); }
};
template <class X>
struct element<std::optional<X>> {
    static std::optional<X> make() {
        if (ref r = some_ref()) return r;
        return {};
    }
};

/// Whether it may stand in a container: where null is no legal element.
template <class X>
bool usable(const X& x) {
    if constexpr (std::is_same_v<X, ref> || std::is_same_v<X, box_ref>) {
        return x != nullptr;
    } else if constexpr (std::is_same_v<X, noisy>) {
        return x.held != nullptr;
    } else if constexpr (std::is_same_v<X, pair_key>) {
        return x.r != nullptr;
    } else if constexpr (requires { x.first; x.second; }) {
        return usable(x.first) && usable(x.second);
    } else {
        return true;
    }
}

/// Whether code of plain elements runs in the container's operations: they are done under no_collect, for all heaps.
template <class C>
struct calls_plain_code : std::false_type {};
template <class C>
    requires requires { typename C::value_type; }
struct calls_plain_code<C>
    : std::bool_constant<
          std::is_same_v<typename C::value_type, noisy> || requires { typename C::value_compare; typename C::is_plain; }> {
};
template <class T>
struct calls_plain_code<std::vector<T, hooked_allocator<T>>> : std::true_type {};
template <class K, class T>
struct calls_plain_code<hooked_map<K, T>> : std::true_type {};
template <class T>
struct calls_plain_code<std::multiset<T, by_content>> : std::true_type {};
template <class K, class T>
struct calls_plain_code<std::map<K, T, by_content>> : std::true_type {};
template <class T>
struct calls_plain_code<std::map<int, T>> : std::is_same<T, noisy> {};
template <class K>
struct calls_plain_code<std::unordered_multiset<K, content_hash, content_equal>> : std::true_type {};
template <class K, class T>
struct calls_plain_code<std::unordered_map<K, T, content_hash, content_equal>> : std::true_type {};
template <class T>
struct calls_plain_code<std::priority_queue<T, std::vector<T>, by_content>> : std::true_type {};

/// A no_collect for each heap there is. Ends before the heaps: none of them ends meanwhile.
class no_collect_anywhere {
public:
    no_collect_anywhere() {
        ++current->plain;
        own_.emplace(); // the thread's, when it isn't among them
        for (std::size_t i = 0; i != current->heaps.size(); ++i) {
            ++current->heaps[i].users;
            used_.push_back(i);
            guards_.emplace_back(*current->heaps[i].heap);
        }
    }
    no_collect_anywhere(const no_collect_anywhere&) = delete;
    no_collect_anywhere& operator=(const no_collect_anywhere&) = delete;
    ~no_collect_anywhere() {
        guards_.clear();
        for (std::size_t i : used_) --current->heaps[i].users;
        --current->plain;
    }

private:
    std::optional<pygc::no_collect> own_;
    std::list<pygc::no_collect> guards_;
    std::vector<std::size_t> used_;
};

template <class C>
concept weak_container = requires(C& c, const ref& r) { c.set(r, {}); } || requires(C& c, const ref& r) { c.add(r); } ||
                         requires(C& c, const ref& r) { c.set(std::declval<typename C::key_type>(), r); };

/// Null is no legal element, not even for a moment between operations.
template <class C>
inline constexpr bool no_nulls = requires(C& c) { c.begin(); };
template <class T, std::size_t N>
inline constexpr bool no_nulls<std::array<T, N>> = false;
template <class T>
inline constexpr bool no_nulls<std::vector<std::optional<T>>> = false;
template <class T>
inline constexpr bool no_nulls<std::vector<std::unique_ptr<T>>> = false;

// ---- operations -----------------------------------------------------------------------------------------

template <class C>
auto nth(C& c, int n) {
    auto at = c.begin();
    const auto size = std::distance(c.begin(), c.end());
    if (size != 0) std::advance(at, n % size);
    return at;
}

template <class C>
void add(C& c) {
    if constexpr (weak_container<C>) {
        if constexpr (requires { typename C::mapped_type; }) {
            if constexpr (std::is_same_v<typename C::mapped_type, ref> && !std::is_same_v<typename C::key_type, ref>) {
                const auto key = element<typename C::key_type>::make();
                if (const ref r = some_ref()) c.set(key, r);
            } else if constexpr (requires(const ref& r) { c.set_default(r, r); }) { // a weak_value_map keyed by references
                const ref key = some_ref(), r = some_ref();
                if (key && r) c.set(key, r);
            } else {
                const ref key = some_ref();
                auto value = element<typename C::mapped_type>::make();
                if (key == nullptr) return;
                if (!current->has(feature::self_keys)) value = {};
                c.set(key, std::move(value));
            }
        } else {
            if (const ref r = some_ref()) c.add(r);
        }
    } else if constexpr (adaptor<C>) {
        auto e = element<typename C::value_type>::make();
        if (usable(e)) c.push(std::move(e));
    } else if constexpr (mapped<C>) {
        auto key = element<typename C::key_type>::make();
        auto value = element<typename C::mapped_type>::make();
        if (!usable(key) || !usable(value)) return;
        switch (current->below(3)) {
        case 0: c.emplace(std::move(key), std::move(value)); break;
        case 1:
            if constexpr (requires { c.insert_or_assign(key, value); }) {
                c.insert_or_assign(key, value);
                break;
            }
            [[fallthrough]];
        default:
            if constexpr (std::is_default_constructible_v<typename C::mapped_type> && requires { c[key] = value; }) {
                c[std::move(key)] = std::move(value);
            } else {
                c.insert({key, value});
            }
        }
    } else if constexpr (keyed<C>) {
        auto key = element<typename C::key_type>::make();
        if (!usable(key)) return;
        if (current->below(2) == 0) {
            c.insert(key);
        } else {
            c.emplace(std::move(key));
        }
    } else if constexpr (requires { c.insert_after(c.before_begin(), *c.begin()); }) {
        auto e = element<typename C::value_type>::make();
        if (!usable(e)) return;
        if (c.empty() || current->below(2) == 0) {
            c.push_front(std::move(e));
        } else {
            c.insert_after(nth(c, current->next()), std::move(e));
        }
    } else if constexpr (requires { c.push_back(*c.begin()); }) {
        auto e = element<typename C::value_type>::make();
        if (!usable(e)) return;
        switch (current->below(4)) {
        case 0: c.insert(nth(c, current->next()), std::move(e)); break;
        case 1:
            if constexpr (requires { c.push_front(std::move(e)); }) {
                c.push_front(std::move(e));
                break;
            }
            [[fallthrough]];
        case 2: c.emplace_back(std::move(e)); break;
        default:
            if constexpr (std::is_copy_constructible_v<typename C::value_type>) {
                c.push_back(e);
            } else {
                c.push_back(std::move(e));
            }
        }
    } else if constexpr (requires { std::tuple_size<C>::value; c.fill(*c.begin()); }) {
        c[static_cast<std::size_t>(current->next()) % c.size()] = some_root();
    } else if constexpr (requires { std::get<2>(c); c.index(); }) {
        switch (current->below(4)) {
        case 0: c = std::monostate(); break;
        case 1: c = some_root(); break;
        case 2: c = element<std::vector<ref>>::make(); break;
        default: c = std::pair<ref, int>(some_root(), 1);
        }
    } else if constexpr (requires { std::get<2>(c); }) {
        (current->below(2) == 0 ? std::get<0>(c) : std::get<2>(c)) = some_root();
    } else if constexpr (requires { c.more; }) {
        if (current->below(2) == 0) {
            c.first = some_root();
        } else if (ref r = some_ref()) {
            c.more.push_back(std::move(r));
        }
    } else if constexpr (requires { typename C::deleter_type; }) {
        c = element<C>::make();
    } else {
        auto e = element<typename C::value_type>::make();
        if (!usable(e)) return;
        if (current->below(2) == 0) {
            c = std::move(e);
        } else {
            c.emplace(std::move(e));
        }
    }
}

inline void pause_inside() { current->hook(feature::elements); }

/// Operations of pygc's containers: they may be changed meanwhile by whatever their operations run.
template <weak_container C>
void change(C& c, int code) {
    switch (code) {
    case 4:
    case 5:
        if (current->below(3) == 0) c.clear();
        break;
    case 6: c = C(); break;
    case 8: {
        C taken = std::move(c);
        pause_inside();
        break;
    }
    case 9: {
        C other;
        add(other);
        c.swap(other);
        pause_inside();
        break;
    }
    case 10:
    case 11:
        for (const auto& e : c) {
            if constexpr (requires { e.first; }) static_cast<void>(e.first);
            pause_inside();
            if (current->done()) break;
        }
        break;
    case 12:
        if constexpr (requires { typename C::mapped_type; }) {
            if constexpr (requires(const typename C::key_type& k) { c.pop(k); }) {
                const auto key = element<typename C::key_type>::make();
                if (!usable(key)) break;
                if (current->below(2) == 0) {
                    some_root() = c.get(key);
                } else {
                    some_root() = c.pop(key);
                }
            } else {
                const ref key = some_ref();
                if (key != nullptr) static_cast<void>(c.contains(key));
            }
        } else {
            some_root() = c.pop();
        }
        break;
    case 13:
    case 14:
        if constexpr (requires { typename C::mapped_type; }) {
            const auto key = element<typename C::key_type>::make();
            if (usable(key)) c.erase(key);
        } else {
            if (const ref r = some_ref()) c.discard(r);
        }
        break;
    default: add(c);
    }
}

template <class C>
    requires(!weak_container<C>)
void change(C& c, int code) {
    constexpr bool range = requires { c.begin(); c.erase(c.begin()); };
    constexpr bool forward = requires { c.before_begin(); };
    switch (code) {
    case 4:
        if constexpr (range) {
            if (!c.empty()) c.erase(nth(c, current->next()));
        } else if constexpr (forward) {
            if (!c.empty()) c.erase_after(c.before_begin());
        } else if constexpr (adaptor<C>) {
            if (!c.empty()) c.pop();
        }
        break;
    case 5:
        if constexpr (requires { c.clear(); }) {
            c.clear();
        } else if constexpr (requires { c.reset(); }) {
            c.reset();
        } else {
            c = C();
        }
        break;
    case 6: c = C(); break;
    case 7:
        if constexpr (std::is_copy_constructible_v<C> && !requires { typename C::deleter_type; }) {
            if constexpr (requires { typename C::value_type; }) {
                if constexpr (!std::is_copy_constructible_v<typename C::value_type>) break;
                else {
                    C copy(c);
                    pause_inside();
                    c = copy;
                }
            } else {
                C copy(c);
                pause_inside();
                c = copy;
            }
        }
        break;
    case 8: {
        C taken = std::move(c);
        c = C();
        pause_inside();
        break;
    }
    case 9: {
        C other{};
        add(other);
        using std::swap;
        swap(c, other);
        pause_inside();
        break;
    }
    case 10:
        if constexpr (range) {
            if (!c.empty()) c.erase(c.begin(), nth(c, current->next()));
        } else if constexpr (forward) {
            if (!c.empty()) c.erase_after(c.before_begin(), nth(c, current->next()));
        }
        break;
    case 11:
        if constexpr (keyed<C>) {
            const auto key = element<typename C::key_type>::make();
            if (!usable(key)) break;
            if (current->below(2) == 0) {
                static_cast<void>(c.find(key));
            } else {
                c.erase(key);
            }
        } else if constexpr (requires { c.resize(1); c.size(); }) {
            if constexpr (std::is_default_constructible_v<typename C::value_type>) {
                if (c.size() > 1) c.resize(1);
            }
        }
        break;
    case 12:
        if constexpr (requires { c.begin(); some_root() = *c.begin(); }) {
            if (c.begin() != c.end()) some_root() = *nth(c, current->next());
        } else if constexpr (mapped<C>) {
            if constexpr (requires { some_root() = c.begin()->second; }) {
                if (!c.empty()) some_root() = nth(c, current->next())->second;
            }
        } else if constexpr (requires { c.top(); }) {
            if (!c.empty()) some_root() = c.top();
        } else if constexpr (requires { c.front(); c.back(); }) {
            if constexpr (requires { some_root() = c.front(); }) {
                if (!c.empty()) some_root() = c.front();
            }
        }
        break;
    case 13:
        if constexpr (keyed<C> && requires { c.extract(c.begin()); }) {
            if (c.empty()) break;
            auto taken = c.extract(nth(c, current->next()));
            pause_inside();
            if (current->below(2) == 0) c.insert(std::move(taken));
        } else if constexpr (range && requires { some_root() = std::move(*c.begin()); }) {
            if (c.empty()) break;
            const auto at = nth(c, current->next());
            ref taken = std::move(*at);
            c.erase(at);
            some_root() = std::move(taken);
        } else if constexpr (requires { c.pop_front(); }) {
            if (!c.empty()) c.pop_front();
        }
        break;
    case 14:
        if constexpr (requires { c.sort(); }) {
            if constexpr (std::is_same_v<typename C::value_type, noisy>) {
                c.sort();
            } else if constexpr (std::is_same_v<typename C::value_type, ref>) {
                const no_collect_anywhere guard;
                c.sort(by_content());
            }
        } else if constexpr (requires { c.rehash(7); }) {
            c.rehash(static_cast<std::size_t>(current->below(20)));
        } else if constexpr (requires { c.begin() + 1; c.begin()->held; }) {
            std::sort(c.begin(), c.end());
        } else if constexpr (range && requires { c.begin() + 1; by_content()(*c.begin(), *c.begin()); }) {
            const no_collect_anywhere guard;
            std::sort(c.begin(), c.end(), by_content());
        } else if constexpr (requires { c.lower_bound(*c.begin()); }) {
            if (!c.empty()) static_cast<void>(c.lower_bound(*c.begin()));
        }
        break;
    case 15:
        if constexpr (requires { c.front().push_back(ref()); }) {
            if (!c.empty()) {
                auto e = element<ref>::make();
                if (e) c.back().push_back(std::move(e));
            }
        } else if constexpr (requires { c.merge(c); }) {
            C other;
            add(other);
            const bool was_quiet = std::exchange(current->quiet, true); // libstdc++'s may not throw
            c.merge(other);
            current->quiet = was_quiet;
        } else if constexpr (requires { c.assign(c.begin(), c.end()); }) {
            if constexpr (std::is_copy_constructible_v<typename C::value_type>) {
                const C copy(c);
                c.assign(copy.begin(), copy.end());
                if constexpr (requires { c.shrink_to_fit(); }) c.shrink_to_fit();
            }
        } else if constexpr (keyed<C>) {
            const C copy(c);
            c.insert(copy.begin(), copy.end());
        }
        break;
    default: add(c);
    }
}

/// After an exception elements may be moved from.
template <class C>
void mend(C& c) {
    if constexpr (adaptor<C>) {
        c = C();
    } else if constexpr (requires { c.remove_if([](const auto&) { return true; }); }) {
        c.remove_if([](const auto& x) { return !usable(x); });
    } else if constexpr (mapped<C>) {
        for (auto i = c.begin(); i != c.end();) i = usable(i->second) ? std::next(i) : c.erase(i);
    } else if constexpr (!keyed<C> && requires { c.begin(); c.erase(c.begin()); }) {
        for (auto i = c.begin(); i != c.end();) i = usable(*i) ? std::next(i) : c.erase(i);
    }
}

template <class C>
class field final : public field_base {
public:
    field() { resnapshot(); }
    ~field() = default;

    void operate() override {
        const int code = current->below(16);
        current->trace("operation %d of a container%s", code, busy ? ", which is busy" : "");
        if constexpr (weak_container<C>) {
            if (!current->has(feature::weak_maps)) return;
            static_cast<void>(guarded([&] { change(value, code); }));
        } else {
            run([&] { change(value, code); });
        }
    }
    void add_some() override {
        current->trace("an element more%s", busy ? ", but the container is busy" : "");
        if constexpr (weak_container<C>) {
            if (!current->has(feature::weak_maps)) return;
            static_cast<void>(guarded([&] { add(value); }));
        } else {
            run([&] { add(value); });
        }
    }
    void set(C x) {
        run([&] { value = std::move(x); });
    }
    /// So that nothing is left at the end of a program.
    void empty() override {
        if constexpr (requires { value.clear(); }) {
            value.clear();
        } else {
            value = C();
        }
        resnapshot();
    }
    void look_into(edges& e) override { look(e, value); }
    [[nodiscard]] bool has_shadow() const override { return !weak_container<C>; }

    C value{};

private:
    template <class F>
    void run(F f) {
        if (busy) return;
        if constexpr (keyed<C>) {
            if (!current->has(feature::keys) && !std::is_arithmetic_v<typename C::key_type>) return;
        }
        if (calls_plain_code<C>::value && !current->has(feature::noisy)) return;
        if (value_size() > 8) return empty_busy();
        check(none);
        busy = true;
        ++current->busy;
        {
            std::optional<no_collect_anywhere> guard;
            if constexpr (calls_plain_code<C>::value) guard.emplace();
            if (has_nulls) mend(value);
            has_nulls = false;
            if (!guarded(f)) mend(value);
        }
        --current->busy;
        busy = false;
        resnapshot();
    }
    void empty_busy() {
        busy = true;
        ++current->busy;
        {
            std::optional<no_collect_anywhere> guard;
            if constexpr (calls_plain_code<C>::value) guard.emplace();
            C old{};
            using std::swap;
            swap(old, value);
        }
        --current->busy;
        busy = false;
        resnapshot();
    }
    [[nodiscard]] std::size_t value_size() const {
        if constexpr (requires { value.size(); typename C::value_type; } && !requires { std::tuple_size<C>::value; }) {
            return value.size();
        } else if constexpr (requires { value.before_begin(); }) {
            return static_cast<std::size_t>(std::distance(value.begin(), value.end()));
        } else {
            return 0;
        }
    }
    void resnapshot() {
        if (!has_shadow()) return;
        shadow = targets();
        if constexpr (no_nulls<C>) {
            current->require(shadow.empty() || shadow.front() != none, "a container of a living object has a null");
        }
    }
};

} // namespace reentry
