// SPDX-License-Identifier: BSL-1.0
// In what a visit finds references: standard containers, plain structs, classes, and their nestings.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <array>
#include <cstdio>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <span>
#include <stack>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;

namespace {

struct base_node : pygc::py_object {
    virtual ~base_node() = default;
    virtual void touch() {}
};
using ref = py_ref<base_node>;

/// Holds references inside a `Held`.
template <class Held>
struct holder : base_node {
    explicit holder(support::lifetimes& l) : life(l) {}
    Held held{};
    support::probe life;
    void traverse(auto& visit) { visit(held); }
};

/// Fills a holder with references to itself, and one to a target that stays alive: all of the former must
/// be found, or the holder isn't garbage; the latter must be dropped, once.
template <class Held, class Fill>
void check_found(Fill fill, std::size_t references = 1) {
    support::lifetimes l;
    auto self = make_ref<holder<Held>>(l);
    fill(self->held, ref(self));
    CHECK(self.use_count() == static_cast<long>(1 + references));
    CHECK(pygc::collect() == 0); // the local holds it
    CHECK(self.use_count() == static_cast<long>(1 + references));
    self = nullptr;
    CHECK(l.alive() == 1);
    CHECK(pygc::collect() == 1);
    CHECK(l.alive() == 0);

    auto const outside = make_ref<holder<int>>(l);
    auto other = make_ref<holder<Held>>(l);
    fill(other->held, ref(outside));
    CHECK(outside.use_count() == static_cast<long>(1 + references));
    CHECK(pygc::collect() == 0);
    other = nullptr; // no cycle
    CHECK(outside.use_count() == 1);
}

const auto push_back = [](auto& c, ref r) {
    c.push_back(r);
    c.push_back(nullptr);
    c.push_back(r);
};
const auto insert = [](auto& c, ref r) { c.insert(r); };
const auto push = [](auto& c, ref r) { c.push(r); };
const auto assign = [](auto& c, ref r) { c = r; };

} // namespace

TEST_CASE("references are found as members", "[visit]") {
    check_found<ref>(assign);
    check_found<py_ref<base_node const>>(assign);
    check_found<py_ref<pygc::py_object>>(assign);
}

TEST_CASE("references are found in sequences", "[visit]") {
    check_found<std::vector<ref>>(push_back, 2);
    check_found<std::deque<ref>>(push_back, 2);
    check_found<std::list<ref>>(push_back, 2);
    check_found<std::forward_list<ref>>([](auto& c, ref r) { c.push_front(r); });
    check_found<std::array<ref, 3>>([](auto& c, ref r) { c[2] = c[0] = r; }, 2);
    check_found<ref[4]>([](auto& c, ref r) { c[3] = c[1] = r; }, 2);
    check_found<ref[2][3]>([](auto& c, ref r) { c[1][2] = c[0][0] = r; }, 2);
    check_found<std::vector<std::vector<ref>>>([](auto& c, ref r) { c = {{r, r}, {}, {r}}; }, 3);
}

TEST_CASE("references are found in sets, whose elements are const", "[visit]") {
    check_found<std::set<ref>>(insert);
    check_found<std::multiset<ref>>([](auto& c, ref r) { c = {r, r}; }, 2);
    check_found<std::unordered_set<ref>>(insert);
    check_found<std::unordered_multiset<ref>>([](auto& c, ref r) { c = {r, r}; }, 2);
    check_found<std::vector<std::pair<ref const, int const>>>([](auto& c, ref r) { c.emplace_back(r, 1); });
}

TEST_CASE("references are found in maps, in keys and in values", "[visit]") {
    check_found<std::map<int, ref>>([](auto& c, ref r) { c[1] = c[2] = r; }, 2);
    check_found<std::map<ref, int>>([](auto& c, ref r) { c[r] = 1; });
    check_found<std::map<ref, ref>>([](auto& c, ref r) { c[r] = r; }, 2);
    check_found<std::multimap<int, ref>>([](auto& c, ref r) { c = {{1, r}, {1, r}}; }, 2);
    check_found<std::unordered_map<std::string, ref>>([](auto& c, ref r) { c["x"] = r; });
    check_found<std::unordered_map<ref, std::vector<ref>>>([](auto& c, ref r) { c[r] = {r, r}; }, 3);
    check_found<std::unordered_multimap<int, ref>>([](auto& c, ref r) { c = {{1, r}, {1, r}}; }, 2);
}

TEST_CASE("references are found in container adaptors", "[visit]") {
    check_found<std::stack<ref>>(push);
    check_found<std::stack<ref, std::vector<ref>>>(push);
    check_found<std::queue<ref>>(push);
    check_found<std::priority_queue<ref>>(push);
}

TEST_CASE("references are found in optional, variant, pair and tuple", "[visit]") {
    check_found<std::optional<ref>>(assign);
    check_found<std::optional<std::vector<ref>>>([](auto& c, ref r) { c = std::vector<ref>{r, r}; }, 2);
    check_found<std::variant<int, ref, std::string>>(assign);
    check_found<std::variant<std::monostate, std::vector<ref>, ref>>(
        [](auto& c, ref r) { c = std::vector<ref>{r}; });
    check_found<std::pair<int, ref>>([](auto& c, ref r) { c.second = r; });
    check_found<std::tuple<ref, int, std::string, ref>>(
        [](auto& c, ref r) { std::get<0>(c) = std::get<3>(c) = r; }, 2);
}

namespace {
struct tree {
    ref here;
    std::unique_ptr<tree> left, right;
};
} // namespace

TEST_CASE("references are found behind unique_ptr", "[visit]") {
    check_found<std::unique_ptr<ref>>([](auto& c, ref r) { c = std::make_unique<ref>(r); });
    check_found<std::unique_ptr<std::vector<ref>>>(
        [](auto& c, ref r) { c = std::make_unique<std::vector<ref>>(3, r); }, 3);
    check_found<tree>(
        [](tree& t, ref r) {
            t.here = r;
            t.left = std::make_unique<tree>();
            t.left->right = std::make_unique<tree>();
            t.left->right->here = r;
        },
        2);
}

namespace {
struct inner {
    int before = 1;
    ref r;
    std::string after = "after";
};
struct outer {
    std::string name;
    inner one;
    std::vector<inner> many;
    std::optional<inner> maybe;
    double number = 0;
};
struct with_bits {
    unsigned a : 1, b : 7, c : 24;
    ref r;
    unsigned d : 3;
};
struct with_arrays {
    char name[16];
    ref rows[2][2];
    int numbers[5];
    inner inners[2];
};
struct with_everything {
    std::unique_ptr<int> u;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{nullptr, nullptr}; // a file owns no references
    int* raw;
    std::string_view view;
    std::span<int> span;
    std::map<std::string, int> m;
    ref r;
    enum { one, two } e;
    bool flag;
    std::optional<std::string> o;
    std::variant<int, std::string> v;
    std::vector<bool> bits;
};
struct with_reference {
    int& target;
    void traverse(auto&) {}
};
struct with_const {
    int const number = 3;
    ref const r{};
};
struct only {
    ref r;
};
struct sixty_four {
    int a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9;
    ref c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9;
    double e0, e1, e2, e3, e4, e5, e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9;
    char g0, g1, g2;
    ref g3;
};
struct forty {
    ref a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9;
    int c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8;
    ref d9;
};
} // namespace

TEST_CASE("references are found in plain structs", "[visit]") {
    check_found<only>([](auto& c, ref r) { c.r = r; });
    check_found<inner>([](auto& c, ref r) { c.r = r; });
    check_found<outer>(
        [](outer& o, ref r) {
            o.one.r = r;
            o.many.resize(3);
            o.many[1].r = r;
            o.maybe = inner{2, r, "x"};
        },
        3);
    check_found<with_bits>([](auto& c, ref r) { c.r = r; });
    check_found<with_arrays>(
        [](auto& c, ref r) { c.rows[0][1] = c.rows[1][1] = c.inners[1].r = r; }, 3);
    check_found<with_everything>([](auto& c, ref r) { c.r = r; });
    check_found<forty>([](auto& c, ref r) { c.a0 = c.b9 = c.d9 = r; }, 3);
    check_found<sixty_four>([](auto& c, ref r) { c.c0 = c.d9 = c.g3 = r; }, 3);
    int target = 0;
    check_found<std::pair<ref, std::optional<with_reference>>>([&](auto& c, ref r) {
        c.first = r;
        c.second.emplace(with_reference{target});
    });
}

TEST_CASE("a reference in a const member is found and nulled", "[visit]") {
    check_found<std::vector<with_const>>([](auto& c, ref r) { c.push_back(with_const{4, r}); });
}

namespace {
class with_traverse {
public:
    void set(ref r) { mine_ = std::move(r); }
    void traverse(auto& visit) { visit(mine_); }

private:
    ref mine_;
};
class with_private_traverse {
public:
    void set(ref r) { mine_ = std::move(r); }

private:
    friend struct pygc::access;
    void traverse(auto& visit) { visit(mine_); }
    ref mine_;
};
class with_const_traverse {
public:
    void set(ref r) { mine_ = std::move(r); }
    void traverse(auto& visit) const { visit(mine_); }

private:
    ref mine_;
};
class with_out_of_line_traverse {
public:
    void set(ref r) { mine_ = std::move(r); }
    void traverse(pygc::visitor& visit);

private:
    ref mine_;
};

/// Somebody else's class: no traverse can be added to it.
class foreign {
public:
    void put(ref r) { secret_.push_back(std::move(r)); }
    std::vector<ref>& content() { return secret_; }

private:
    std::vector<ref> secret_;
};
class foreign_without_references {
public:
    foreign_without_references() : p_(new int(1)) {}
    foreign_without_references(foreign_without_references const&) = delete;
    foreign_without_references& operator=(foreign_without_references const&) = delete;
    ~foreign_without_references() { delete p_; }
    [[nodiscard]] int value() const { return *p_; }

private:
    int* p_;
};
template <class T>
class foreign_template {
public:
    T value{};
    ~foreign_template() {}
};
} // namespace

template <>
struct pygc::traverse_traits<foreign> {
    template <class V>
    static void traverse(foreign& f, V& visit) {
        visit(f.content());
    }
};
template <>
struct pygc::traverse_traits<foreign_without_references> : pygc::no_references {};
template <class T>
struct pygc::traverse_traits<foreign_template<T>> {
    template <class V>
    static void traverse(foreign_template<T>& f, V& visit) {
        visit(f.value);
    }
};

TEST_CASE("references are found in classes with a traverse of their own", "[visit]") {
    auto const set = [](auto& c, ref r) { c.set(r); };
    check_found<with_traverse>(set);
    check_found<with_private_traverse>(set);
    check_found<with_const_traverse>(set);
    check_found<with_out_of_line_traverse>(set);
    check_found<std::map<int, with_private_traverse>>([](auto& c, ref r) { c[1].set(r); });
}

TEST_CASE("references are found by traverse_traits in classes of others", "[visit]") {
    check_found<foreign>([](auto& c, ref r) { c.put(r); });
    check_found<std::vector<foreign>>([](auto& c, ref r) { c.resize(2), c[1].put(r); });
    check_found<foreign_template<ref>>([](auto& c, ref r) { c.value = r; });
    check_found<std::unique_ptr<foreign_template<std::vector<ref>>>>([](auto& c, ref r) {
        c = std::make_unique<foreign_template<std::vector<ref>>>();
        c->value = {r, r};
    }, 2);
    check_found<std::pair<ref, foreign_without_references>>([](auto& c, ref r) {
        c.first = r;
        CHECK(c.second.value() == 1);
    });
}

namespace {
struct with_visitor : pygc::py_object {
    explicit with_visitor(support::lifetimes& l) : life(l) {}
    support::probe life;
    py_ref<with_visitor> a;
    std::vector<py_ref<with_visitor>> b;
    void traverse(pygc::visitor& visit);
};
struct with_auto : with_visitor {
    using with_visitor::with_visitor;
    py_ref<with_auto> c;
    void traverse(auto& visit) {
        with_visitor::traverse(visit);
        visit(c);
    }
};
struct with_visitor_again : with_auto {
    using with_auto::with_auto;
    std::map<int, ref> d;
    py_ref<with_visitor_again> e;
    void traverse(pygc::visitor& visit);
};
class with_private_traverse_object : public pygc::py_object {
public:
    void set(py_ref<with_private_traverse_object> r) { next_ = std::move(r); }

private:
    friend struct pygc::access;
    void traverse(auto& visit) { visit(next_); }
    py_ref<with_private_traverse_object> next_;
};
struct several_calls : pygc::py_object {
    py_ref<several_calls> a, b;
    std::vector<py_ref<several_calls>> c;
    void traverse(auto& visit) {
        visit(a);
        for (auto& each : c) visit(each);
        visit();
        visit(b, 1, std::string_view("numbers and texts are allowed and skipped"));
    }
};
} // namespace

TEST_CASE("a traverse may be defined out of line", "[visit]") {
    support::lifetimes l;
    auto x = make_ref<with_visitor>(l), y = make_ref<with_visitor>(l);
    x->a = y;
    x->b = {y, y};
    y->a = x;
    x = nullptr;
    CHECK(pygc::collect() == 0);
    y = nullptr;
    CHECK(pygc::collect() == 2);
    CHECK(l.alive() == 0);
}

TEST_CASE("traverses out of line and in line call each other through a hierarchy", "[visit]") {
    support::lifetimes l;
    auto x = make_ref<with_auto>(l);
    auto y = make_ref<with_visitor_again>(l);
    x->a = y;
    x->b.push_back(x);
    x->c = y;
    y->a = x;
    y->b.push_back(y);
    y->c = x;
    y->e = y;
    y = nullptr;
    CHECK(pygc::collect() == 0);
    x = nullptr;
    CHECK(pygc::collect() == 2);
    CHECK(l.alive() == 0);
}

TEST_CASE("a private traverse is reached by friend struct pygc::access", "[visit]") {
    auto a = make_ref<with_private_traverse_object>();
    CHECK(pygc::is_tracked(a));
    a->set(a);
    a = nullptr;
    CHECK(pygc::collect() == 1);
}

TEST_CASE("a traverse may visit in several calls and loop by itself", "[visit]") {
    auto a = make_ref<several_calls>();
    a->a = a->b = a;
    a->c = {a, a, nullptr};
    a = nullptr;
    CHECK(pygc::collect() == 1);
}

namespace {
struct boxed_pair {
    std::string name;
    std::vector<py_ref<boxed_pair>> others;
};
} // namespace

TEST_CASE("boxed plain structs and containers need no traverse at all", "[visit]") {
    auto a = make_ref<boxed_pair>("a"), b = make_ref<boxed_pair>("b");
    a->others = {b, a};
    b->others = {a, a, b};
    b = nullptr;
    CHECK(pygc::collect() == 0);
    CHECK(a->others[0]->name == "b");
    a = nullptr;
    CHECK(pygc::collect() == 2);
}

namespace {
void with_out_of_line_traverse::traverse(pygc::visitor& visit) { visit(mine_); }
void with_visitor::traverse(pygc::visitor& visit) { visit(a, b); }
void with_visitor_again::traverse(pygc::visitor& visit) {
    with_auto::traverse(visit);
    visit(d, e);
}
} // namespace
