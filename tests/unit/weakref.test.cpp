// SPDX-License-Identifier: BSL-1.0
// py_weakref, weak_proxy, weak_method: life and death of weak references.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

using pygc::collect;
using pygc::make_ref;
using pygc::py_ref;
using pygc::py_weakref;
using support::trace;

namespace {

struct node : pygc::py_object {
    explicit node(int i = 0) : id(i) {}
    virtual ~node() = default;
    int id;
    py_ref<node> next;
    py_weakref<node> weak;
    std::vector<py_weakref<node>> many;
    void traverse(auto& visit) { visit(next, weak, many); }
    int get() const { return id; }
    void set(int i) { id = i; }
};

struct derived : node {
    using node::node;
};

} // namespace

TEST_CASE("row 99: a weak reference gives its object while it lives, then null", "[weakref]") {
    auto a = make_ref<node>(7);
    py_weakref<node> w = a;
    CHECK(w.lock() == a);
    CHECK(w.lock()->id == 7);
    CHECK(w.use_count() == 1);
    CHECK_FALSE(w.expired());
    a = nullptr;
    CHECK(w.lock() == nullptr);
    CHECK(w.use_count() == 0);
    CHECK(w.expired());
    CHECK(py_weakref<node>().expired());
    CHECK(py_weakref<node>(nullptr).lock() == nullptr);
    CHECK(py_weakref<node>(py_ref<node>()).expired());
    STATIC_REQUIRE(sizeof(py_weakref<node>) == sizeof(void*));
    STATIC_REQUIRE(std::is_nothrow_copy_constructible_v<py_weakref<node>>);
    STATIC_REQUIRE(std::is_nothrow_move_constructible_v<py_weakref<node>>);
}

TEST_CASE("weak references convert as references do, and to boxes", "[weakref]") {
    auto d = make_ref<derived>(1);
    py_weakref<derived> wd = d;
    py_weakref<node> wn = wd;
    py_weakref<const node> wc = d;
    CHECK(wn == wd);
    CHECK(wc.lock() == d);
    wn = make_ref<node>(2);
    CHECK(wn.expired());
    auto i = make_ref<int>(3);
    py_weakref w = i;
    CHECK(*w.lock() == 3);
    i = nullptr;
    CHECK(w.expired());
    STATIC_REQUIRE(!std::is_convertible_v<py_weakref<node>, py_weakref<derived>>);
}

TEST_CASE("rows 100 to 102: callbacks run once, newest first, when all are dead already", "[weakref]") {
    trace t;
    auto a = make_ref<node>();
    py_weakref<node> plain = a;
    py_weakref<node> first(a, [&](py_weakref<node> const& me) { t.push_back(me.expired() ? "first" : "alive"); });
    py_weakref<node> second(a, [&] { t.push_back(first.expired() && plain.expired() ? "second" : "alive"); });
    CHECK(first.has_callback());
    CHECK_FALSE(plain.has_callback());
    a = nullptr;
    CHECK(t == trace{"second", "first"});
    CHECK_FALSE(first.has_callback());
    CHECK(collect() == 0);
}

TEST_CASE("a weak reference that goes first is never called", "[weakref]") {
    int called = 0;
    auto a = make_ref<node>();
    {
        py_weakref<node> w(a, [&] { ++called; });
        auto copy = w;
        w.reset();
        CHECK(copy.lock() == a);
    }
    a = nullptr;
    CHECK(called == 0);
}

TEST_CASE("rows 104 to 106: plain weak references share a record; the counts say so", "[weakref]") {
    auto a = make_ref<node>();
    CHECK(pygc::get_weakref_count(a) == 0);
    py_weakref<node> w1 = a, w2 = a;
    CHECK(pygc::get_weakref_count(a) == 1);
    py_weakref<node> c1(a, [] {}), c2(a, [] {});
    CHECK(pygc::get_weakref_count(a) == 3);
    std::vector<py_weakref<node>> listed;
    pygc::for_each_weakref(a, [&](py_weakref<node> w) { listed.push_back(w); });
    REQUIRE(listed.size() == 3);
    CHECK_FALSE(listed[0].has_callback());
    CHECK(listed[1].has_callback());
    listed.clear();
    c1.reset();
    CHECK(pygc::get_weakref_count(a) == 2);
    w1.reset();
    w2.reset();
    c2.reset();
    CHECK(pygc::get_weakref_count(a) == 0);
    CHECK(pygc::get_weakref_count(py_ref<node>()) == 0);
}

TEST_CASE("rows 107 to 109: equal while alive if the objects are the same, else if the same; hashes stay",
          "[weakref]") {
    auto a = make_ref<node>(), b = make_ref<node>();
    py_weakref<node> wa = a, wa2(a, [] {}), wb = b;
    CHECK(wa == wa2);
    CHECK(wa != wb);
    CHECK(wa != nullptr);
    const auto hash = std::hash<py_weakref<node>>()(wa);
    CHECK(hash == std::hash<py_weakref<node>>()(wa2));
    const auto copy = wa;
    a = nullptr;
    CHECK(wa != wa2);
    CHECK(wa == copy);
    CHECK(hash == std::hash<py_weakref<node>>()(wa));
    std::unordered_set<py_weakref<node>> set{wa, wb};
    CHECK(set.contains(copy));
}

TEST_CASE("rows 87, 88: a callback that is garbage with its object is not called", "[weakref]") {
    int inner = 0, outer = 0;
    auto a = make_ref<node>(1), b = make_ref<node>(2);
    a->next = b;
    b->next = a;
    a->weak = py_weakref<node>(b, [&] { ++inner; });
    py_weakref<node> outside(b, [&] { ++outer; });
    a = b = nullptr;
    CHECK(collect() == 3); // the garbage weak reference is one of them, as in CPython
    CHECK(inner == 0);
    CHECK(outer == 1);
}

TEST_CASE("a callback's captured references are visible: a cycle through it is collected", "[weakref]") {
    int called = 0;
    auto a = make_ref<node>(1), b = make_ref<node>(2);
    a->weak = py_weakref<node>(
        b, [&](py_ref<node>& self) { called += self->id; }, a);
    a = nullptr;
    CHECK(collect() == 2); // a, and the weak reference with its callback
    b = nullptr;
    CHECK(called == 0);
}

TEST_CASE("captured values are passed behind the weak reference", "[weakref]") {
    int got = 0;
    auto a = make_ref<node>(1), b = make_ref<node>(5);
    py_weakref<node> w(
        a,
        [&](py_weakref<node> const& dead, py_ref<node>& other, int n) {
            got = 100 * dead.expired() + 10 * other->id + n;
        },
        b, 9);
    CHECK(b.use_count() == 2);
    a = nullptr;
    CHECK(got == 159);
    CHECK(b.use_count() == 1); // let go after the call
}

TEST_CASE("row 85: callbacks of two garbage objects both see both dead", "[weakref]") {
    auto a = make_ref<node>(), b = make_ref<node>();
    a->next = a;
    b->next = b;
    int both_dead = 0;
    py_weakref<node> wa, wb;
    const auto look = [&] { both_dead += wa.expired() && wb.expired(); };
    wa = py_weakref<node>(a, look);
    wb = py_weakref<node>(b, look);
    a = b = nullptr;
    CHECK(collect() == 2);
    CHECK(both_dead == 2);
}

TEST_CASE("rows 81, 86: an old object that dies with young garbage finds its weak reference dead", "[weakref]") {
    auto old = make_ref<node>(1);
    collect();
    auto young = make_ref<node>(2);
    young->next = young;
    int calls = 0;
    bool dead = false;
    py_weakref<node> peer = young;
    py_weakref<node> w(old, [&] {
        ++calls;
        dead = peer.expired();
    });
    struct holder : pygc::py_object {
        py_ref<node> held;
        py_ref<holder> self;
        void traverse(pygc::visitor& visit) { visit(held, self); }
    };
    auto h = make_ref<holder>();
    h->self = h;
    h->held = std::move(old);
    h = nullptr;
    young = nullptr;
    CHECK(collect(0) == 2);
    CHECK(calls == 1);
    CHECK(dead);
}

TEST_CASE("rows 92, 93: a callback may collect", "[weakref]") {
    std::size_t found = 99;
    auto a = make_ref<node>();
    py_weakref<node> w(a, [&] {
        auto loop = make_ref<node>();
        loop->next = loop;
        loop = nullptr;
        found = collect();
    });
    a = nullptr;
    CHECK(found == 0); // it waits until `a` is dead
    CHECK(pygc::safe_point() == 1);
    found = 99;
    auto b = make_ref<node>();
    b->next = b;
    py_weakref<node> v(b, [&] { found = collect(); });
    b = nullptr;
    CHECK(collect() == 1);
    CHECK(found == 0); // one is running
}

#if defined(__cpp_exceptions)
TEST_CASE("row 94: a callback that throws is reported; the others run", "[weakref][hook]") {
    int reports = 0, called = 0;
    pygc::set_unraisable_hook([&](pygc::unraisable const& u) {
        ++reports;
        CHECK(std::string(u.what) == "a callback of a weak reference to");
    });
    for (bool cyclic : {false, true}) {
        auto a = make_ref<node>();
        if (cyclic) a->next = a;
        py_weakref<node> w1(a, [&] { ++called; });
        py_weakref<node> w2(a, [] { throw std::runtime_error("no"); });
        a = nullptr;
        collect();
    }
    CHECK(reports == 2);
    CHECK(called == 2);
    pygc::set_unraisable_hook(nullptr);
}

TEST_CASE("a constructor that throws ends the weak references it has made", "[weakref]") {
    struct refuses : pygc::py_object {
        explicit refuses(py_weakref<refuses>& w) {
            w = pygc::borrow(this);
            throw 1;
        }
    };
    py_weakref<refuses> w;
    CHECK_THROWS_AS(make_ref<refuses>(w), int);
    CHECK(w.expired());
}

TEST_CASE("rows 103, 114: a proxy of a dead object throws, one of a living holds it for the call", "[weakref]") {
    auto a = make_ref<node>(3);
    pygc::weak_proxy p(a);
    CHECK(p->get() == 3);
    CHECK(static_cast<bool>(p));
    struct dropper : pygc::py_object {
        py_ref<dropper>* owner = nullptr;
        int value = 4;
        int drop_me() {
            *owner = nullptr;
            return value; // the proxy still holds us
        }
    };
    auto d = make_ref<dropper>();
    d->owner = &d;
    pygc::weak_proxy q(d);
    CHECK(q->drop_me() == 4);
    CHECK_FALSE(static_cast<bool>(q));
    a = nullptr;
    CHECK_THROWS_AS(p->get(), pygc::reference_error);
}
#endif

TEST_CASE("row 95: a weak reference that its callback ends is counted, and freed once", "[weakref]") {
    std::vector<py_weakref<node>> list;
    auto a = make_ref<node>();
    a->next = a;
    list.push_back(py_weakref<node>(a, [&] { list.clear(); }));
    a = nullptr;
    CHECK(collect() == 2);
    CHECK(list.empty());
}

TEST_CASE("row 96: a young weak reference whose callback ran grows older", "[weakref]") {
    collect();
    auto a = make_ref<node>();
    a->next = a;
    py_weakref<node> w(a, [] {});
    a = nullptr;
    const auto before = pygc::get_objects(1).size();
    CHECK(collect(0) == 1);
    CHECK(pygc::get_objects(1).size() == before + 1);
    CHECK(pygc::get_objects(0).size() == 0);
}

TEST_CASE("row 97: by count the finalizer comes first, then callbacks, then the destructor", "[weakref]") {
    trace t;
    struct told : pygc::py_object {
        using pygc_acyclic = void;
        trace& t;
        py_weakref<told> self;
        explicit told(trace& to) : t(to) {}
        void finalize() { t.push_back(self.expired() ? "too late" : "finalizer"); }
        ~told() { t.push_back("destructor"); }
    };
    auto a = make_ref<told>(t);
    a->self = a;
    py_weakref<told> w(a, [&] { t.push_back("callback"); });
    a = nullptr;
    CHECK(t == trace{"finalizer", "callback", "destructor"});
}

TEST_CASE("row 113: a weak method is callable while its object lives", "[weakref]") {
    auto a = make_ref<node>(3);
    int gone = 0;
    pygc::weak_method m(a, &node::get, [&] { ++gone; });
    pygc::weak_method setter(a, &node::set);
    setter.lock()(8);
    {
        auto f = m.lock();
        REQUIRE(f);
        CHECK(f() == 8);
        CHECK(f.self() == a);
    }
    CHECK(m == m);
    a = nullptr;
    CHECK(gone == 1);
    CHECK(m.expired());
    CHECK_FALSE(m.lock());
}

TEST_CASE("row 151: an object whose end waits is not visible through its weak reference", "[weakref]") {
    struct link : pygc::py_object {
        std::vector<py_weakref<link>>* all = nullptr;
        std::size_t at = 0;
        int* seen = nullptr;
        py_ref<link> next;
        void traverse(pygc::visitor& visit) { visit(next); }
        ~link() {
            for (auto& w : *all) {
                if (auto p = w.lock()) *seen += p.use_count() == 0;
            }
        }
    };
    std::vector<py_weakref<link>> all;
    int seen = 0, called = 0;
    py_ref<link> head;
    for (std::size_t i = 0; i != 100; ++i) {
        auto n = make_ref<link>();
        n->all = &all;
        n->at = i;
        n->seen = &seen;
        n->next = head;
        head = n;
        all.push_back(py_weakref<link>(head, [&] { ++called; }));
    }
    head = nullptr;
    CHECK(seen == 0);
    CHECK(called == 100);
}

TEST_CASE("a weak reference made while the last one before it waits for its end is a fresh one", "[weakref]") {
    // At the depth where ends must wait, a destructor drops the only weak reference and makes another.
    struct link : pygc::py_object {
        py_ref<link> next;
        py_weakref<node>* weak = nullptr;
        py_ref<node>* target = nullptr;
        void traverse(pygc::visitor& visit) { visit(next); }
        ~link() {
            weak->reset();
            *weak = *target;
            if (pygc::get_weakref_count(*target) != 1) std::abort();
        }
    };
    auto target = make_ref<node>(1);
    py_weakref<node> weak = target;
    py_ref<link> head;
    for (int i = 0; i != 60; ++i) {
        auto n = make_ref<link>();
        n->weak = &weak;
        n->target = &target;
        n->next = head;
        head = n;
    }
    head = nullptr;
    CHECK(weak.lock() == target);
    target = nullptr;
    CHECK(weak.expired());
}

TEST_CASE("objects without weak references know nothing of them; many are found quickly", "[weakref]") {
    std::vector<py_ref<node>> nodes;
    std::vector<py_weakref<node>> weak;
    for (int i = 0; i != 20'000; ++i) {
        nodes.push_back(make_ref<node>(i));
        if (i % 2 == 0) weak.push_back(nodes.back());
    }
    for (std::size_t i = 0; i != weak.size(); ++i) REQUIRE(weak[i].lock()->id == static_cast<int>(2 * i));
    for (std::size_t i = 0; i < nodes.size(); i += 4) nodes[i] = nullptr;
    for (std::size_t i = 0; i != weak.size(); ++i) REQUIRE(weak[i].expired() == (i % 2 == 0));
    nodes.clear();
    for (auto const& w : weak) REQUIRE(w.expired());
}

TEST_CASE("a weak reference outlives the heap of its object", "[weakref][heap]") {
    py_weakref<node> w;
    int called = 0;
    {
        pygc::heap h;
        pygc::heap::scope use(h);
        auto a = make_ref<node>();
        a->next = a;
        w = py_weakref<node>(a, [&] { ++called; });
    }
    CHECK(w.expired());
    CHECK(called == 1);
}

TEST_CASE("a weak reference that a callback makes from a plain pointer to garbage is dead", "[weakref]") {
    for (bool cyclic : {false, true}) {
        auto a = make_ref<node>(1);
        if (cyclic) a->next = a;
        py_weakref<node> late;
        node* plain = a.get();
        py_weakref<node> w(a, [&] { late = pygc::borrow(plain); });
        a = nullptr;
        CHECK(collect() == (cyclic ? 1 : 0));
        CHECK(late.expired());
    }
}

TEST_CASE("a weak reference made from a destructor is dead", "[weakref]") {
    struct dying : pygc::py_object {
        using pygc_acyclic = void;
        py_weakref<dying>& out;
        explicit dying(py_weakref<dying>& o) : out(o) {}
        ~dying() { out = pygc::borrow(this); }
    };
    py_weakref<dying> w;
    { const auto passing = make_ref<dying>(w); }
    CHECK(w.expired());
}

TEST_CASE("row 112: whether a callback is to come is known in life, and no longer afterwards", "[weakref]") {
    for (bool cyclic : {false, true}) {
        auto a = make_ref<node>(1);
        if (cyclic) a->next = a;
        bool has_in_callback = true;
        py_weakref<node> const plain = a;
        py_weakref<node> const with(a, [&](py_weakref<node> const& dead) { has_in_callback = dead.has_callback(); });
        auto const copy = with;
        CHECK_FALSE(plain.has_callback());
        CHECK(with.has_callback());
        CHECK(copy.has_callback());
        CHECK_FALSE(py_weakref<node>().has_callback());
        a = nullptr;
        collect();
        CHECK_FALSE(has_in_callback);
        CHECK_FALSE(with.has_callback());
        CHECK_FALSE(copy.has_callback());
    }
}
