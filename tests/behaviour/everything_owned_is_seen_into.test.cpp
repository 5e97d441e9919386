// SPDX-License-Identifier: BSL-1.0
// What owns references is seen into because it is known to own them, whatever else it looks like.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <string>
#include <utility>
#include <vector>
#if __has_include(<expected>)
#include <expected>
#endif
#if __has_include(<flat_map>)
#include <flat_map>
#endif
#if __has_include(<boost/version.hpp>)
#include <boost/container/deque.hpp>
#include <boost/container/flat_map.hpp>
#include <boost/container/flat_set.hpp>
#include <boost/container/list.hpp>
#include <boost/container/map.hpp>
#include <boost/container/set.hpp>
#include <boost/container/slist.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/container/stable_vector.hpp>
#include <boost/container/static_vector.hpp>
#include <boost/container/vector.hpp>
#include <boost/optional.hpp>
#include <boost/unordered_map.hpp>
#include <boost/unordered_set.hpp>
#endif

using pygc::make_ref;
using pygc::py_ref;

namespace {

template <class Held>
struct holder;
struct base : pygc::py_object {
    virtual ~base() = default;
};
using ref = py_ref<base>;

template <class Held>
struct holder : base {
    Held held{};
    void traverse(auto& visit) { visit(held); }
};

/// Collects a cycle through a `Held`, once it isn't held from outside.
template <class Held, class Fill>
void check_cycle(Fill fill) {
    auto self = make_ref<holder<Held>>();
    fill(self->held, ref(self));
    CHECK(self.use_count() > 1);
    CHECK(pygc::collect() == 0);
    self = nullptr;
    CHECK(pygc::collect() == 1);
}

struct shape_with_loop { // can be looped over, and has other fields too
    ref parent;
    std::vector<ref> children;
    [[nodiscard]] auto begin() const { return children.begin(); }
    [[nodiscard]] auto end() const { return children.end(); }
};
struct looks_like_unique_ptr {
    using element_type = int;
    using deleter_type = int;
    ref owned;
    [[nodiscard]] int* get() const { return nullptr; }
};
struct looks_like_optional {
    using value_type = int;
    ref owned;
    [[nodiscard]] bool has_value() const { return false; }
    int operator*() const { return 0; }
};
struct looks_like_variant {
    ref owned;
    [[nodiscard]] std::size_t index() const { return 0; }
    [[nodiscard]] bool valueless_by_exception() const { return true; }
};
struct looks_like_adaptor {
    using container_type = std::vector<int>;
    ref owned;
};

} // namespace

namespace mine::std_like {
template <class T>
struct vector { // a name is not enough: it isn't the standard one
    T first, last;
    [[nodiscard]] T* begin() { return &first; }
    [[nodiscard]] T* end() { return &first; }
};
} // namespace mine::std_like

TEST_CASE("a plain struct is seen into by its fields, whatever its members are called", "[visit]") {
    check_cycle<shape_with_loop>([](auto& h, ref r) { h.parent = std::move(r); });
    check_cycle<shape_with_loop>([](auto& h, ref r) { h.children = {r, r}; });
    check_cycle<looks_like_unique_ptr>([](auto& h, ref r) { h.owned = std::move(r); });
    check_cycle<looks_like_optional>([](auto& h, ref r) { h.owned = std::move(r); });
    check_cycle<looks_like_variant>([](auto& h, ref r) { h.owned = std::move(r); });
    check_cycle<looks_like_adaptor>([](auto& h, ref r) { h.owned = std::move(r); });
    check_cycle<mine::std_like::vector<ref>>([](auto& h, ref r) { h.last = std::move(r); });
}

TEST_CASE("containers with allocators of their own are seen into", "[visit]") {
    check_cycle<std::pmr::vector<ref>>([](auto& h, ref r) { h.push_back(std::move(r)); });
}

TEST_CASE("a box that can be looped over is collected through its other fields", "[visit]") {
    struct widget {
        py_ref<widget> parent;
        std::vector<py_ref<widget>> children;
        [[nodiscard]] auto begin() const { return children.begin(); }
        [[nodiscard]] auto end() const { return children.end(); }
    };
    auto parent = make_ref<widget>(), child = make_ref<widget>();
    parent->children.push_back(child);
    child->parent = parent;
    parent = child = nullptr;
    CHECK(pygc::collect() == 2);
}

TEST_CASE("references are found on both sides of std::expected", "[visit]") {
#if defined(__cpp_lib_expected)
    check_cycle<std::expected<ref, std::string>>([](auto& h, ref r) { h = std::move(r); });
    check_cycle<std::expected<int, ref>>([](auto& h, ref r) { h = std::unexpected(std::move(r)); });
    check_cycle<std::expected<void, std::vector<ref>>>([](auto& h, ref r) {
        h = std::unexpected(std::vector<ref>{r, r});
    });
#else
    SUCCEED("skipped: this standard library has no std::expected");
#endif
}

TEST_CASE("references are found in the flat containers of the standard library", "[visit]") {
#if defined(__cpp_lib_flat_map)
    check_cycle<std::flat_map<int, ref>>([](auto& h, ref r) { h[1] = std::move(r); });
#else
    SUCCEED("skipped: this standard library has no std::flat_map");
#endif
}

TEST_CASE("references are found in the containers of Boost", "[visit]") {
#if __has_include(<boost/version.hpp>)
    namespace bc = boost::container;
    const auto push_back = [](auto& h, ref r) { h.push_back(std::move(r)); };
    const auto insert = [](auto& h, ref r) { h.insert(std::move(r)); };
    const auto value = [](auto& h, ref r) { h.emplace(1, std::move(r)); };
    check_cycle<bc::vector<ref>>(push_back);
    check_cycle<bc::stable_vector<ref>>(push_back);
    check_cycle<bc::small_vector<ref, 3>>(push_back);
    check_cycle<bc::static_vector<ref, 3>>(push_back);
    check_cycle<bc::deque<ref>>(push_back);
    check_cycle<bc::list<ref>>(push_back);
    check_cycle<bc::slist<ref>>([](auto& h, ref r) { h.push_front(std::move(r)); });
    check_cycle<bc::set<ref>>(insert);
    check_cycle<bc::flat_set<ref>>(insert);
    check_cycle<bc::map<int, ref>>(value);
    check_cycle<bc::multimap<int, ref>>(value);
    check_cycle<bc::flat_map<int, ref>>(value);
    check_cycle<boost::unordered_map<int, ref>>(value);
    check_cycle<boost::unordered_multimap<int, ref>>(value);
    check_cycle<boost::unordered_set<ref, std::hash<ref>>>(insert);
    check_cycle<boost::optional<ref>>([](auto& h, ref r) { h = std::move(r); });
    check_cycle<boost::unordered_map<int, bc::vector<std::pair<int, ref>>>>(
        [](auto& h, ref r) { h[2].emplace_back(1, std::move(r)); });
#else
    SUCCEED("skipped: Boost is not installed");
#endif
}

namespace {

/// A tagged value that owns a count by a raw pointer.
class tagged {
public:
    tagged() = default;
    tagged(tagged const&) = delete;
    tagged& operator=(tagged const&) = delete;
    ~tagged() { set(nullptr); }
    void set(ref r) { static_cast<void>(ref::steal(std::exchange(p_, r.release()))); }
    [[nodiscard]] bool is_null() const { return p_ == nullptr; }
    void traverse(pygc::visitor& visit) { visit(pygc::counted(p_)); }

private:
    base* p_ = nullptr;
};
struct beside {
    int before = 0;
};
struct tagged_node : beside, base { // py_object isn't at the beginning
    explicit tagged_node(bool* saw_null) : saw_null_(saw_null) {}
    ~tagged_node() override {
        if (saw_null_ != nullptr) *saw_null_ = other.is_null();
    }
    tagged other;
    void traverse(auto& visit) { visit(other); }

private:
    bool* saw_null_;
};

} // namespace

TEST_CASE("a raw pointer that owns a count is shown by counted, and nulled in garbage", "[visit]") {
    bool saw_null = false;
    auto a = make_ref<tagged_node>(&saw_null);
    a->other.set(a);
    CHECK(a.use_count() == 2);
    CHECK(pygc::collect() == 0);
    CHECK(pygc::get_referents(a).size() == 1);
    a = nullptr;
    CHECK(pygc::collect() == 1);
    CHECK(saw_null);

    auto b = make_ref<tagged_node>(nullptr);
    auto const outside = make_ref<tagged_node>(nullptr);
    b->other.set(outside);
    b = nullptr;
    CHECK(outside.use_count() == 1);
}

TEST_CASE("a box that a raw pointer counts is shown by counted too", "[visit]") {
    struct node {
        py_ref<pygc::py_object> owner;
    };
    struct list : pygc::py_object {
        node* first = nullptr;
        list() = default;
        list(list const&) = delete;
        list& operator=(list const&) = delete;
        ~list() { static_cast<void>(py_ref<node>::steal(first)); }
        void traverse(pygc::visitor& visit) { visit(pygc::counted(first)); }
    };
    auto l = make_ref<list>();
    l->first = make_ref<node>(l).release();
    CHECK(pygc::collect() == 0);
    l = nullptr;
    CHECK(pygc::collect() == 2);
}

TEST_CASE("a raw pointer shown by counted is as before in what a finalizer saves", "[visit]") {
    struct node {
        py_ref<pygc::py_object> owner;
    };
    struct list : pygc::py_object {
        explicit list(py_ref<list>& s) : saved(&s) {}
        list(list const&) = delete;
        list& operator=(list const&) = delete;
        ~list() { static_cast<void>(py_ref<node>::steal(first)); }
        void finalize() { *saved = pygc::borrow(this); }
        void traverse(pygc::visitor& visit) { visit(pygc::counted(first)); }
        node* first = nullptr;
        py_ref<list>* saved;
    };
    if (GENERATE(false, true)) pygc::collect(); // in debug mode counts fall in headers or copies, by turns
    py_ref<list> saved;
    auto l = make_ref<list>(saved);
    l->first = make_ref<node>(l).release();
    node* const first = l->first;
    l = nullptr;
    CHECK(pygc::collect() == 0);
    REQUIRE(saved != nullptr);
    CHECK(saved->first == first);
    CHECK(saved.use_count() == 2);
    CHECK(pygc::borrow(first).use_count() == 2);
    saved = nullptr;
    CHECK(pygc::collect() == 2);
}
