// SPDX-License-Identifier: BSL-1.0
// make_ref: what it constructs, from what, and what happens if the constructor throws.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;

namespace {

struct with_constructors : pygc::py_object {
    using pygc_acyclic = void;
    with_constructors() = default;
    explicit with_constructors(int x) : a(x) {}
    with_constructors(int x, std::string y) : a(x), b(std::move(y)) {}
    int a = 0;
    std::string b = "none";
};

struct plain { // an aggregate
    int a;
    std::string b;
    std::array<int, 3> c{7, 8, 9};
};
struct plain_object : pygc::py_object { // an aggregate with a base
    int a = 1;
    py_ref<plain_object> next;
    void traverse(auto& visit) { visit(next); }
};

class secretive : public pygc::py_object {
public:
    using pygc_acyclic = void;
    [[nodiscard]] int value() const { return value_; }

private:
    friend struct pygc::access;
    explicit secretive(int v) : value_(v) {}
    ~secretive() = default;
    int value_;
};
class secretive_value {
public:
    [[nodiscard]] int value() const { return value_; }
    ~secretive_value() = default;

private:
    friend struct pygc::access;
    explicit secretive_value(int v) : value_(v) {}
    int value_;
};

struct not_movable {
    explicit not_movable(int v) : value(v) {}
    not_movable(not_movable const&) = delete;
    not_movable& operator=(not_movable const&) = delete;
    int value;
};
struct not_movable_object : pygc::py_object {
    using pygc_acyclic = void;
    explicit not_movable_object(not_movable& r, std::unique_ptr<int> p) : ref(r), owned(std::move(p)) {}
    not_movable_object(not_movable_object const&) = delete;
    not_movable_object& operator=(not_movable_object const&) = delete;
    not_movable& ref;
    std::unique_ptr<int> owned;
};

struct empty {};
struct empty_object : pygc::py_object {};

template <std::size_t Alignment>
struct alignas(Alignment) aligned_value {
    char c = 'a';
};
template <std::size_t Alignment>
struct alignas(Alignment) aligned_object : pygc::py_object {
    py_ref<aligned_object> next;
    char c = 'o';
    void traverse(auto& visit) { visit(next); }
};

template <std::size_t Bytes>
struct large : pygc::py_object {
    unsigned char begin[Bytes / 2];
    py_ref<large> next;
    unsigned char end[Bytes / 2];
    explicit large(unsigned char c) {
        std::memset(begin, c, sizeof begin);
        std::memset(end, c, sizeof end);
    }
    [[nodiscard]] bool intact(unsigned char c) const {
        return begin[0] == c && begin[sizeof begin - 1] == c && end[0] == c && end[sizeof end - 1] == c;
    }
    void traverse(auto& visit) { visit(next); }
};

template <class T>
bool is_aligned(T const* p) {
    return reinterpret_cast<std::uintptr_t>(p) % alignof(T) == 0;
}

template <std::size_t Bytes>
void check_large() {
    using type = large<Bytes>;
    auto a = make_ref<type>(static_cast<unsigned char>(1)), b = make_ref<type>(static_cast<unsigned char>(2));
    a->next = b;
    b->next = a;
    CHECK(pygc::get_memory().live >= 2 * Bytes);
    CHECK(pygc::collect() == 0);
    CHECK(a->intact(1));
    CHECK(b->intact(2));
    a = nullptr;
    CHECK(pygc::collect() == 0);
    CHECK(b->next->intact(1));
    b = nullptr;
    CHECK(pygc::collect() == 2);
    CHECK(pygc::get_memory().live == 0);
    auto const again = make_ref<type>(static_cast<unsigned char>(3));
    CHECK(again->intact(3));
    CHECK(again->next == nullptr);
}

template <std::size_t Alignment>
void check_aligned() {
    std::vector<py_ref<aligned_object<Alignment>>> objects;
    std::vector<py_ref<aligned_value<Alignment>>> values;
    for (int i = 0; i != 5; ++i) {
        objects.push_back(make_ref<aligned_object<Alignment>>());
        values.push_back(make_ref<aligned_value<Alignment>>());
        CHECK(is_aligned(objects.back().get()));
        CHECK(is_aligned(values.back().get()));
        CHECK(objects.back()->c == 'o');
        CHECK(values.back()->c == 'a');
        CHECK(pygc::borrow(values.back().get()) == values.back());
        objects.back()->next = objects.front();
        objects.front()->next = objects.back();
    }
    objects.clear();
    CHECK(pygc::collect() == 2); // the others went by count
    CHECK(pygc::get_memory().objects == 5);
}

} // namespace

TEST_CASE("make_ref calls the constructor that the arguments fit", "[make]") {
    CHECK(make_ref<with_constructors>()->b == "none");
    CHECK(make_ref<with_constructors>(3)->a == 3);
    CHECK(make_ref<with_constructors>(4, "x")->b == "x");
    CHECK(make_ref<with_constructors const>(5)->a == 5);
    with_constructors const original(6, "value");
    auto const copy = make_ref<with_constructors>(original);
    CHECK(copy->b == "value");
    CHECK(copy.use_count() == 1);
    CHECK(make_ref<std::string>(3u, 'x')->size() == 3);
}

TEST_CASE("make_ref fills aggregates", "[make]") {
    auto const p = make_ref<plain>(1, "two");
    CHECK(p->a == 1);
    CHECK(p->b == "two");
    CHECK(p->c[2] == 9);
    CHECK(make_ref<plain>()->b.empty());
    CHECK(make_ref<plain>(plain{2, "copied", {}})->b == "copied");
    auto const o = make_ref<plain_object>();
    CHECK(o->a == 1);
}

TEST_CASE("parentheses go before braces, as for std::make_shared", "[make]") {
    auto const v = make_ref<std::vector<int>>(3u, 7);
    CHECK(*v == std::vector<int>{7, 7, 7});
    struct both {
        both(int, int) : by_list(false) {}
        both(std::initializer_list<int>) : by_list(true) {}
        bool by_list;
    };
    CHECK_FALSE(make_ref<both>(1, 2)->by_list);
}

TEST_CASE("make_ref takes an initializer list", "[make]") {
    auto const v = make_ref<std::vector<int>>({1, 2, 3});
    CHECK(*v == std::vector<int>{1, 2, 3});
    auto const s = make_ref<std::string>({'a', 'b'});
    CHECK(*s == "ab");
    auto const m = make_ref<std::map<int, std::string>>({std::pair<int const, std::string>{1, "one"}});
    CHECK(m->at(1) == "one");
}

TEST_CASE("make_ref forwards arguments as they are", "[make]") {
    not_movable target(1);
    auto const o = make_ref<not_movable_object>(target, std::make_unique<int>(5));
    CHECK(&o->ref == &target);
    CHECK(*o->owned == 5);
}

TEST_CASE("objects and values need be neither copyable nor movable", "[make]") {
    auto const v = make_ref<not_movable>(3);
    CHECK(v->value == 3);
}

TEST_CASE("a private constructor and destructor are reached by friend struct pygc::access", "[make]") {
    auto s = make_ref<secretive>(5);
    CHECK(s->value() == 5);
    s = nullptr;
    CHECK(make_ref<secretive_value>(6)->value() == 6);
}

TEST_CASE("empty classes have identity", "[make]") {
    auto const a = make_ref<empty>(), b = make_ref<empty>();
    CHECK(a != b);
    CHECK(a.get() != b.get());
    auto const c = make_ref<empty_object>(), d = make_ref<empty_object>();
    CHECK(c != d);
}

TEST_CASE("over-aligned types are aligned", "[make]") {
    SECTION("64") { check_aligned<64>(); }
    SECTION("4096") { check_aligned<4096>(); }
    SECTION("65536") { check_aligned<65536>(); }
}

TEST_CASE("objects larger than a page or a chunk are as others", "[make]") {
    SECTION("9 KB") { check_large<std::size_t{9} << 10>(); }
    SECTION("40 KB") { check_large<std::size_t{40} << 10>(); }
    SECTION("9 MB") { check_large<std::size_t{9} << 20>(); }
    auto const box = make_ref<std::array<char, 100'000>>();
    (*box)[99'999] = 'x';
    CHECK(pygc::borrow(box.get()) == box);
}

TEST_CASE("many objects of many sizes do not overlap", "[make]") {
    std::vector<py_ref<std::array<unsigned char, 24>>> small;
    std::vector<py_ref<std::array<unsigned char, 5000>>> big;
    for (int i = 0; i != 3000; ++i) {
        small.push_back(make_ref<std::array<unsigned char, 24>>());
        small.back()->fill(static_cast<unsigned char>(i));
        if (i % 50 == 0) {
            big.push_back(make_ref<std::array<unsigned char, 5000>>());
            big.back()->fill(static_cast<unsigned char>(i));
        }
        if (i % 3 == 0) small[static_cast<std::size_t>(i) / 2] = nullptr;
    }
    bool intact = true;
    for (std::size_t i = 0; i != small.size(); ++i) {
        if (small[i] == nullptr) continue;
        for (unsigned char const c : *small[i]) intact = intact && c == static_cast<unsigned char>(i);
    }
    for (std::size_t i = 0; i != big.size(); ++i) {
        for (unsigned char const c : *big[i]) intact = intact && c == static_cast<unsigned char>(50 * i);
    }
    CHECK(intact);
}

#if PYGC_EXCEPTIONS
namespace {
struct throws : pygc::py_object {
    support::probe life;
    py_ref<throws> next;
    throws(support::lifetimes& l, bool now) : life(l) {
        if (now) throw 42;
    }
    void traverse(auto& visit) { visit(next); }
};
struct throws_as_value {
    using pygc_acyclic = void;
    support::probe life;
    throws_as_value(support::lifetimes& l, bool now) : life(l) {
        if (now) throw 42;
    }
};
} // namespace

TEST_CASE("a constructor that throws leaves nothing behind", "[make]") {
    support::lifetimes l;
    auto const before = pygc::get_memory().objects;
    auto const count = pygc::get_count();
    for (int i = 0; i != 1000; ++i) {
        CHECK_THROWS_AS(make_ref<throws>(l, true), int);
        CHECK_THROWS_AS(make_ref<throws_as_value>(l, true), int);
    }
    CHECK(l.alive() == 0);
    CHECK(pygc::get_memory().objects == before);
    CHECK(pygc::get_count() == count);
    CHECK(pygc::get_objects().empty());
    auto const a = make_ref<throws>(l, false);
    CHECK_THROWS_AS(make_ref<throws>(l, true), int);
    auto const b = make_ref<throws>(l, false);
    a->next = b;
    CHECK(l.alive() == 2);
    CHECK(pygc::collect() == 0);
}
#endif
