// SPDX-License-Identifier: BSL-1.0
// Every operation of py_ref.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;

namespace {

struct animal : pygc::py_object {
    explicit animal(int n = 4) : legs(n) {}
    int legs;
};
struct dog : animal {
    using pygc_acyclic = void;
    std::string name = "Rex";
};
struct has_name {
    std::string name = "R2";
    virtual ~has_name() = default;
};
struct robot : has_name, animal { // py_object isn't at the beginning
    using pygc_acyclic = void;
    robot() : animal(2) {}
    std::string extra = std::string(40, 'x');
};

struct shape : pygc::py_object {
    virtual ~shape() = default;
    [[nodiscard]] virtual int sides() const = 0;
};
struct square : shape {
    [[nodiscard]] int sides() const override { return 4; }
};
struct triangle : shape {
    [[nodiscard]] int sides() const override { return 3; }
};

struct counted : pygc::py_object {
    using pygc_acyclic = void;
    explicit counted(support::lifetimes& l) : life(l) {}
    support::probe life;
};
struct counted_child : counted {
    using pygc_acyclic = void;
    explicit counted_child(support::lifetimes& l) : counted(l), more(l) {}
    support::probe more;
};

struct later; // stays incomplete until the end of this file
py_ref<later> make_later(support::lifetimes& l);

constexpr py_ref<animal> constant_null;
static_assert(!constant_null);
static_assert(constant_null == nullptr);
static_assert(!py_ref<later>(nullptr));
constinit py_ref<animal> global_null;
constinit py_ref<later> global_null_of_incomplete = nullptr;

} // namespace

TEST_CASE("a py_ref begins null in every spelling", "[ref]") {
    py_ref<animal> const by_default;
    py_ref<animal> const by_nullptr = nullptr;
    py_ref<animal> const by_null_macro = NULL;
    py_ref<animal> const by_braces{};
    CHECK_FALSE(by_default);
    CHECK_FALSE(by_nullptr);
    CHECK_FALSE(by_null_macro);
    CHECK_FALSE(by_braces);
    CHECK(by_default.get() == nullptr);
    CHECK(by_default.use_count() == 0);
    CHECK(global_null == nullptr);
    CHECK(global_null_of_incomplete == nullptr);
}

TEST_CASE("copies of a py_ref share the object and count", "[ref]") {
    auto a = make_ref<animal>(3);
    CHECK(a.use_count() == 1);
    CHECK(a->legs == 3);
    CHECK((*a).legs == 3);
    {
        py_ref<animal> b = a;
        CHECK(a.use_count() == 2);
        CHECK(b.get() == a.get());
        py_ref<animal> c;
        c = b;
        CHECK(a.use_count() == 3);
        c = a;
        CHECK(a.use_count() == 3);
    }
    CHECK(a.use_count() == 1);
}

TEST_CASE("moving a py_ref takes it without counting", "[ref]") {
    auto a = make_ref<animal>();
    animal* const raw = a.get();
    py_ref<animal> b = std::move(a);
    CHECK(a == nullptr);
    CHECK(b.get() == raw);
    CHECK(b.use_count() == 1);
    a = std::move(b);
    CHECK(b == nullptr);
    CHECK(a.get() == raw);
    CHECK(a.use_count() == 1);
}

TEST_CASE("assigning a py_ref to itself keeps it", "[ref]") {
    support::lifetimes l;
    auto a = make_ref<counted>(l);
    auto& same = a; // the compiler would warn of `a = a`
    a = same;
    CHECK(a.use_count() == 1);
    a = std::move(same);
    REQUIRE(a != nullptr);
    CHECK(a.use_count() == 1);
    a.swap(same);
    CHECK(a.use_count() == 1);
    CHECK(l.alive() == 1);
    a = nullptr;
    CHECK(l.alive() == 0);
}

TEST_CASE("every way to make a py_ref null drops the reference", "[ref]") {
    support::lifetimes l;
    auto a = make_ref<counted>(l);
    SECTION("nullptr") { a = nullptr; }
    SECTION("NULL") { a = NULL; }
    SECTION("reset") { a.reset(); }
    SECTION("reset with nullptr") { a.reset(nullptr); }
    SECTION("empty braces") { a = {}; }
    SECTION("a null reference") { a = py_ref<counted>(); }
    SECTION("moving away") { py_ref<counted>(std::move(a)); }
    CHECK(a == nullptr);
    CHECK(l.constructed == 1);
    CHECK(l.destroyed == 1);
}

TEST_CASE("a py_ref is compared with nullptr and NULL from both sides", "[ref]") {
    auto const a = make_ref<animal>();
    py_ref<animal> const none;
    CHECK(none == nullptr);
    CHECK(nullptr == none);
    CHECK((none == NULL));
    CHECK((NULL == none));
    CHECK(a != nullptr);
    CHECK(nullptr != a);
    CHECK((a != NULL));
    CHECK((NULL != a));
    CHECK(a > nullptr);
    CHECK(nullptr < a);
    CHECK(none <= nullptr);
    if (a) SUCCEED("true in an if");
    CHECK(!none);
}

TEST_CASE("the conditional operator takes a py_ref and nullptr", "[ref]") {
    auto const a = make_ref<animal>();
    for (bool const take : {true, false}) {
        py_ref<animal> const b = take ? a : nullptr;
        CHECK((b != nullptr) == take);
        CHECK((b == a) == take);
    }
    CHECK(a.use_count() == 1);
}

TEST_CASE("a py_ref converts to references to bases and to const", "[ref]") {
    auto const d = make_ref<dog>();
    SECTION("copying") {
        py_ref<animal> const a = d;
        py_ref<dog const> const cd = d;
        py_ref<animal const> ca = d;
        ca = cd;
        ca = a;
        py_ref<pygc::py_object> const o = a;
        CHECK(d.use_count() == 5);
        CHECK(a == d);
        CHECK(ca == d);
        CHECK(o == d);
        CHECK(a.get() == d.get());
        CHECK(ca->legs == 4);
    }
    SECTION("moving") {
        py_ref<dog> from = d;
        py_ref<animal> a = std::move(from);
        CHECK(from == nullptr);
        py_ref<animal const> ca;
        ca = std::move(a);
        CHECK(a == nullptr);
        CHECK(d.use_count() == 2);
        CHECK(ca == d);
    }
    CHECK(d.use_count() == 1);
}

TEST_CASE("a base reference destroys the derived object without a virtual destructor", "[ref]") {
    support::lifetimes l;
    py_ref<counted> base = make_ref<counted_child>(l);
    py_ref<pygc::py_object> root = std::move(base);
    CHECK(l.constructed == 2);
    root = nullptr;
    CHECK(l.destroyed == 2);
}

TEST_CASE("py_object need not be the first base", "[ref]") {
    auto const r = make_ref<robot>();
    py_ref<animal> const a = r;
    CHECK(static_cast<void*>(a.get()) != static_cast<void*>(r.get()));
    CHECK(a->legs == 2);
    CHECK(r->name == "R2");
    CHECK(a == r);
    CHECK(a == r.get());
    CHECK(r == a.get());
    CHECK(a.use_count() == 2);
    auto const back = static_pointer_cast<robot>(a);
    CHECK(back.get() == r.get());
    CHECK(back->extra.size() == 40);
    CHECK(pygc::borrow(a.get()) == r);
    CHECK(pygc::borrow(r.get()) == a);
}

TEST_CASE("static_pointer_cast copies from a name and moves from a temporary", "[ref]") {
    auto const d = make_ref<dog>();
    py_ref<animal> a = d;
    auto const copied = static_pointer_cast<dog>(a);
    CHECK(copied == d);
    CHECK(d.use_count() == 3);
    auto const moved = static_pointer_cast<dog>(std::move(a));
    CHECK(a == nullptr);
    CHECK(moved->name == "Rex");
    CHECK(d.use_count() == 3);
    CHECK(static_pointer_cast<dog>(py_ref<animal>()) == nullptr);
    CHECK(std::is_same_v<decltype(static_pointer_cast<dog const>(a)), py_ref<dog const>>);
}

TEST_CASE("const_pointer_cast takes const away", "[ref]") {
    py_ref<dog const> c = make_ref<dog>();
    auto const copied = const_pointer_cast<dog>(c);
    copied->name = "Ace";
    CHECK(c->name == "Ace");
    CHECK(c.use_count() == 2);
    auto const moved = const_pointer_cast<dog>(std::move(c));
    CHECK(c == nullptr);
    CHECK(moved.use_count() == 2);
    auto const text = const_pointer_cast<std::string>(py_ref<std::string const>(make_ref<std::string>("x")));
    *text += "y";
    CHECK(*text == "xy");
}

#if PYGC_RTTI
TEST_CASE("dynamic_pointer_cast asks the object", "[ref]") {
    py_ref<shape> s = make_ref<square>();
    CHECK(dynamic_pointer_cast<square>(s) == s);
    CHECK(dynamic_pointer_cast<triangle>(s) == nullptr);
    CHECK(s.use_count() == 1);
    CHECK(dynamic_pointer_cast<triangle>(std::move(s)) == nullptr);
    REQUIRE(s != nullptr); // what isn't one is not taken
    auto const sq = dynamic_pointer_cast<square const>(std::move(s));
    CHECK(s == nullptr);
    CHECK(sq->sides() == 4);
    CHECK(sq.use_count() == 1);
    CHECK(dynamic_pointer_cast<square>(py_ref<shape>()) == nullptr);
}
#endif

TEST_CASE("py_refs compare by identity, with raw pointers too", "[ref]") {
    auto const a = make_ref<dog>(), b = make_ref<dog>();
    py_ref<animal> const base = a;
    CHECK(a == a);
    CHECK(a != b);
    CHECK(a == base);
    CHECK(base != b);
    CHECK(a == a.get());
    CHECK(a.get() == a);
    CHECK(a != b.get());
    CHECK(base == a.get());
    CHECK(a == static_cast<animal const*>(a.get()));
    CHECK(((a <=> b) == (a.get() <=> b.get())));
    CHECK((a < b) != (b < a));
    CHECK(a <= base);
    CHECK(((a <=> b.get()) == (a.get() <=> b.get())));
    CHECK((a.get() < b) == (a < b));
    auto const x = make_ref<int>(1), y = make_ref<int>(1);
    CHECK(x != y); // identity, not value
    CHECK(x == x.get());
}

TEST_CASE("a py_ref is a key of ordered containers", "[ref]") {
    std::map<py_ref<animal>, int> legs;
    auto const a = make_ref<animal>(4), b = make_ref<animal>(2);
    legs[a] = a->legs;
    legs[b] = b->legs;
    legs[a] += 1;
    CHECK(legs.size() == 2);
    CHECK(legs.at(a) == 5);
    std::map<py_ref<animal>, int, std::less<>> transparent;
    transparent.emplace(a, 1);
    CHECK(transparent.find(a.get()) != transparent.end());
    CHECK(transparent.find(b.get()) == transparent.end());
    CHECK(a.use_count() == 3);
}

TEST_CASE("a py_ref hashes as its pointer, so unordered sets find raw pointers", "[ref]") {
    auto const a = make_ref<animal>(), b = make_ref<animal>();
    std::unordered_set<py_ref<animal>, std::hash<py_ref<animal>>, std::equal_to<>> s;
    s.insert(a);
    s.insert(a);
    CHECK(s.size() == 1);
    CHECK(s.contains(a));
    CHECK(s.contains(a.get())); // no temporary reference
    CHECK_FALSE(s.contains(b.get()));
    CHECK(a.use_count() == 2);
    CHECK(std::hash<py_ref<animal>>()(a) == std::hash<animal const*>()(a.get()));
    CHECK(std::hash<py_ref<animal>>()(nullptr) == std::hash<animal const*>()(nullptr));

    std::unordered_set<py_ref<std::string>> plain;
    plain.insert(make_ref<std::string>("x"));
    plain.insert(nullptr);
    CHECK(plain.size() == 2);
    CHECK(plain.contains(nullptr));
}

TEST_CASE("swap exchanges two py_refs without counting", "[ref]") {
    auto a = make_ref<animal>(1), b = make_ref<animal>(2);
    a.swap(b);
    CHECK(a->legs == 2);
    swap(a, b);
    CHECK(a->legs == 1);
    std::swap(a, b);
    CHECK(a->legs == 2);
    CHECK(a.use_count() == 1);
    py_ref<animal> none;
    swap(a, none);
    CHECK(a == nullptr);
    CHECK(none->legs == 2);
}

TEST_CASE("release gives a reference away and steal takes it over", "[ref]") {
    support::lifetimes l;
    auto a = make_ref<counted>(l);
    counted* const raw = a.release();
    CHECK(a == nullptr);
    CHECK(l.alive() == 1);
    auto b = py_ref<counted>::steal(raw);
    CHECK(b.use_count() == 1);
    b = nullptr;
    CHECK(l.alive() == 0);
    CHECK(py_ref<counted>::steal(nullptr) == nullptr);
    CHECK(py_ref<counted>().release() == nullptr);

    auto text = make_ref<std::string>("boxed");
    std::string* const value = text.release();
    CHECK(*value == "boxed");
    text = py_ref<std::string>::steal(value);
    CHECK(text.use_count() == 1);
    auto constant = py_ref<std::string const>::steal(text.release());
    CHECK(*constant == "boxed");
}

TEST_CASE("borrow makes a new reference to an object in use", "[ref]") {
    auto const a = make_ref<dog>();
    auto const b = pygc::borrow(a.get());
    CHECK(b == a);
    CHECK(a.use_count() == 2);
    CHECK(py_ref<animal>::borrow(a.get()) == a);
    CHECK(pygc::ref_from_this(a.get()) == a);
    CHECK(pygc::borrow(static_cast<dog const*>(a.get())) == a);
    CHECK(py_ref<dog>::borrow(nullptr) == nullptr);
    auto const text = make_ref<std::string>("boxed");
    CHECK(pygc::borrow(text.get()) == text);
    CHECK(a.use_count() == 2);
}

namespace {
struct registered : pygc::py_object {
    explicit registered(std::vector<py_ref<registered>>& all) { all.push_back(pygc::borrow(this)); }
    [[nodiscard]] py_ref<registered> self() { return pygc::ref_from_this(this); }
    [[nodiscard]] py_ref<registered const> self() const { return pygc::borrow(this); }
};
} // namespace

TEST_CASE("borrow(this) works in a constructor and in const functions", "[ref]") {
    std::vector<py_ref<registered>> all;
    auto const r = make_ref<registered>(all);
    REQUIRE(all.size() == 1);
    CHECK(all[0] == r);
    CHECK(r.use_count() == 2);
    CHECK(r->self() == r);
    registered const& constant = *r;
    CHECK(constant.self() == r);
    all.clear();
    CHECK(r.use_count() == 1);
}

TEST_CASE("assignment stores the new reference before it drops the old one", "[ref]") {
    struct looks : pygc::py_object {
        using pygc_acyclic = void;
        py_ref<looks>* place;
        bool* saw_new;
        looks(py_ref<looks>* p, bool* s) : place(p), saw_new(s) {}
        ~looks() {
            if (saw_new != nullptr) *saw_new = *place == nullptr || place->get() != this;
        }
    };
    bool saw_new = false;
    py_ref<looks> place;
    place = make_ref<looks>(&place, &saw_new);
    SECTION("copy") {
        auto const other = make_ref<looks>(&place, nullptr);
        place = other;
    }
    SECTION("move") { place = make_ref<looks>(&place, nullptr); }
    SECTION("null") { place = nullptr; }
    SECTION("reset") { place.reset(); }
    CHECK(saw_new);
    place = nullptr;
}

TEST_CASE("py_refs to incomplete types are copied, moved, assigned, compared and destroyed", "[ref]") {
    support::lifetimes l;
    {
        auto a = make_later(l);
        CHECK(a);
        py_ref<later> b = a;
        py_ref<later> c = std::move(a);
        CHECK(a == nullptr);
        CHECK(b == c);
        CHECK(((b <=> c) == 0));
        CHECK(b.use_count() == 2);
        a = b;
        a = std::move(b);
        swap(a, b);
        a.reset();
        a = nullptr;
        CHECK(nullptr == a);
        std::vector<py_ref<later>> many(10, c);
        CHECK(c.use_count() == 12);
        struct holder {
            py_ref<later> one;
            std::vector<py_ref<later>> more;
        };
        holder h{c, many};
        holder moved = std::move(h);
        CHECK(moved.more.size() == 10);
        CHECK(l.alive() == 1);
    }
    CHECK(l.alive() == 0);
}

TEST_CASE("what fits no class lives in a box", "[ref]") {
    auto const i = make_ref<int>(7);
    *i += 1;
    CHECK(*i == 8);
    auto const s = make_ref<std::string>(3u, 'x');
    CHECK(*s == "xxx");
    CHECK(s->size() == 3);
    auto const p = make_ref<double*>(nullptr);
    CHECK(*p == nullptr);
    enum class color { red, green };
    CHECK(*make_ref<color>(color::green) == color::green);
    auto const c = make_ref<int const>(3);
    CHECK(*c == 3);
    py_ref<int const> const view = i;
    CHECK(*view == 8);
    CHECK(view == i);
    auto const u = make_ref<std::unique_ptr<int>>(std::make_unique<int>(5));
    CHECK(**u == 5);
    auto const f = make_ref<int (*)(int)>(+[](int x) { return x + 1; });
    CHECK((*f)(1) == 2);
}

namespace {
struct later : pygc::py_object {
    using pygc_acyclic = void;
    explicit later(support::lifetimes& l) : life(l) {}
    support::probe life;
};
py_ref<later> make_later(support::lifetimes& l) { return make_ref<later>(l); }
} // namespace
