// SPDX-License-Identifier: BSL-1.0
// Garbage cycles of every shape are found, freed and counted as CPython counts them.
#include <support/catch.hpp>

#include "graph.hpp"

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

using namespace support;
using pygc::collect;
using pygc::make_ref;
using pygc::py_ref;

TEST_CASE("row 1: a list that contains itself", "[collect]") {
    struct list {
        std::vector<py_ref<list>> items;
    };
    auto l = make_ref<list>();
    l->items.push_back(l);
    CHECK(collect() == 0);
    l = nullptr;
    CHECK(collect() == 1);
    CHECK(collect() == 0);
}

TEST_CASE("row 2: a map that contains itself", "[collect]") {
    struct map {
        std::map<int, py_ref<map>> items;
    };
    auto m = make_ref<map>();
    m->items[1] = m;
    m = nullptr;
    CHECK(collect() == 1);
}

namespace {
struct list_of_pairs;
struct pair_with_list {
    int const number;
    py_ref<list_of_pairs> const list;
};
struct list_of_pairs {
    std::vector<py_ref<pair_with_list>> items;
};
} // namespace

TEST_CASE("row 3: a cycle through an immutable pair", "[collect]") {
    auto list = make_ref<list_of_pairs>();
    auto pair = make_ref<pair_with_list>(1, list);
    list->items.push_back(pair);
    list = nullptr;
    CHECK(collect() == 0);
    pair = nullptr;
    CHECK(collect() == 2);
}

TEST_CASE("rows 4 and 6: an object with a member that refers to itself", "[collect]") {
    lifetimes l;
    static_cast<void>(make_self_loop(l));
    CHECK(l.alive() == 1);
    CHECK(collect() == 1);
    CHECK(l.destroyed == 1);
}

namespace {
struct mixed : std::vector<py_ref<mixed>>, pygc::py_object {
    py_ref<mixed> self;
    void traverse(auto& visit) {
        visit(static_cast<std::vector<py_ref<mixed>>&>(*this), self);
    }
};
} // namespace

TEST_CASE("row 7: a class derived from a container and from py_object", "[collect]") {
    auto m = make_ref<mixed>();
    m->self = m;
    m->push_back(m);
    m->push_back(nullptr);
    m = nullptr;
    CHECK(collect() == 1);
    CHECK(collect() == 0);
}

namespace {
struct bound_call { // what a lambda's captures are: an object with members
    py_ref<struct has_method> self;
    int operator()() const;
};
struct has_method : pygc::py_object {
    int value = 42;
    bound_call method;
    void traverse(auto& visit) { visit(method); }
};
int bound_call::operator()() const { return self->value; }
} // namespace

TEST_CASE("row 8: an object that stores a method bound to itself", "[collect]") {
    auto h = make_ref<has_method>();
    h->method.self = h;
    CHECK(h->method() == 42);
    h = nullptr;
    CHECK(collect() == 1);
}

namespace {
struct scope_of_names;
struct function {
    py_ref<scope_of_names> globals;
};
struct scope_of_names {
    std::map<std::string, py_ref<function>> names;
};
} // namespace

TEST_CASE("row 9: a function whose globals hold the function", "[collect]") {
    auto globals = make_ref<scope_of_names>();
    globals->names["f"] = make_ref<function>(globals);
    globals = nullptr;
    CHECK(collect() == 2);
}

TEST_CASE("row 10: a frame that is captured in its own local", "[collect]") {
    struct frame {
        std::tuple<int, py_ref<frame>, std::string> locals;
    };
    auto f = make_ref<frame>();
    std::get<1>(f->locals) = f;
    f = nullptr;
    CHECK(collect() == 1);
}

namespace {
struct hostile : pygc::py_object {
    int* calls;
    py_ref<hostile> other;
    explicit hostile(int& c) : calls(&c) {}
    hostile(hostile const&) = delete;
    hostile& operator=(hostile const&) = delete;
    bool operator==(hostile const&) const { return ++*calls, other.operator bool(); }
    hostile* operator&() { return ++*calls, nullptr; } // NOLINT: hostile indeed
    void operator,(hostile const&) const { ++*calls; }
    void traverse(pygc::visitor& visit) { visit(other); }
};
} // namespace

TEST_CASE("rows 11 and 12: the collector calls nothing of the user's to inspect an object", "[collect]") {
    int calls = 0;
    auto a = make_ref<hostile>(calls), b = make_ref<hostile>(calls);
    a->other = b;
    b->other = a;
    a = b = nullptr;
    CHECK(collect() == 2);
    CHECK(calls == 0);
}

TEST_CASE("row 14: the tail of a cycle counts, for it is unreachable too", "[collect]") {
    lifetimes l;
    auto n = make_self_loop(l);
    n->more = {make_node(l), make_node(l)};
    n->more[1]->next = make_node(l);
    n = nullptr;
    CHECK(l.alive() == 4);
    CHECK(collect() == 4);
    CHECK(l.alive() == 0);
}

TEST_CASE("row 15: what an older container holds is not freed by a younger collection", "[collect]") {
    lifetimes l;
    auto old = make_self_loop(l);
    collect(1);
    old->more.push_back(make_ring(l, 2)); // young
    old = nullptr;
    CHECK(collect(0) == 0);
    CHECK(collect(1) == 0);
    CHECK(l.alive() == 3);
    CHECK(collect(2) == 3);
    CHECK(l.alive() == 0);
}

TEST_CASE("row 16: a hundred self-loops are a hundred objects", "[collect]") {
    lifetimes l;
    auto const before = pygc::get_stats()[2].collected;
    for (int i = 0; i != 100; ++i) static_cast<void>(make_self_loop(l));
    CHECK(collect() == 100);
    CHECK(pygc::get_stats()[2].collected == before + 100);
    CHECK(l.destroyed == 100);
}

TEST_CASE("row 17: an acyclic structure dies at once, by its counts", "[collect]") {
    lifetimes l;
    auto root = make_node(l);
    auto const shared = make_node(l);
    for (int i = 0; i != 100; ++i) {
        root->more.push_back(make_chain(l, 5));
        root->more.back()->more.push_back(shared);
    }
    CHECK(l.alive() == 502);
    root = nullptr;
    CHECK(l.alive() == 1);
    CHECK(shared.use_count() == 1);
    CHECK(collect() == 0);
}

TEST_CASE("row 37: old garbage dies by its count when the young cycle that held it goes", "[collect]") {
    lifetimes l;
    auto old = make_node(l);
    collect();
    auto young = make_self_loop(l);
    young->more.push_back(old);
    young = old = nullptr;
    CHECK(collect(0) == 1);
    CHECK(l.alive() == 0);
}

TEST_CASE("row 52: a tracked object that dies by its count leaves the registry", "[collect]") {
    lifetimes l;
    for (int generation : {0, 1, 2}) {
        auto n = make_node(l);
        collect(generation);
        CHECK(pygc::get_objects().size() == 1);
        n = nullptr;
        CHECK(pygc::get_objects().empty());
    }
    CHECK(l.alive() == 0);
}

TEST_CASE("repeated edges and self edges are edges like others", "[collect]") {
    lifetimes l;
    auto a = make_node(l), b = make_node(l);
    a->next = b;
    a->more = {b, b, a, a, b};
    b->more = {a, a, b};
    b->next = b;
    SECTION("alive by one") {
        a = nullptr;
        CHECK(collect() == 0);
        CHECK(b->more[0]->more.size() == 5);
        b = nullptr;
    }
    SECTION("alive by the other") {
        b = nullptr;
        CHECK(collect() == 0);
        CHECK(a->next->more.size() == 3);
        a = nullptr;
    }
    CHECK(collect() == 2);
    CHECK(l.alive() == 0);
}

TEST_CASE("only what is unreachable goes", "[collect]") {
    lifetimes l;
    auto root = make_ring(l, 10);
    root->more.push_back(make_ring(l, 5));
    auto dead = make_ring(l, 20);
    dead->more = {root, root->more[0], make_ring(l, 3)}; // garbage may refer to the living
    dead = nullptr;
    CHECK(collect() == 23);
    CHECK(l.alive() == 15);
    CHECK(root.use_count() == 2);
    CHECK(root->more[0].use_count() == 2);
    root->more.clear(); // the inner ring
    CHECK(collect() == 5);
    root = nullptr;
    CHECK(collect() == 10);
}

TEST_CASE("one collection settles a whole unreachable structure", "[collect]") {
    lifetimes l;
    auto a = make_ring(l, 3);
    a->more.push_back(make_ring(l, 4)); // cycles that hang on cycles, with tails
    a->more[0]->more.push_back(make_ring(l, 5));
    a->more[0]->more[0]->more.push_back(make_chain(l, 1000));
    a->next->more.push_back(make_chain(l, 10));
    a = nullptr;
    CHECK(l.alive() == 1022);
    CHECK(collect() == 1022);
    CHECK(l.alive() == 0);
    CHECK(collect() == 0);
}

TEST_CASE("row 168: a reference moved into its own object leaves garbage, though no count fell", "[collect]") {
    lifetimes l;
    auto p = make_node(l);
    int const generation = GENERATE(0, 1, 2);
    SECTION("into itself") {
        auto* const raw = p.get();
        raw->next = std::move(p);
        CHECK(collect(generation) == 1);
    }
    SECTION("by swap") {
        auto* const raw = p.get();
        swap(raw->next, p);
        CHECK(collect(generation) == 1);
    }
    SECTION("into another member of its cycle") {
        auto* const other = (p->next = make_node(l)).get();
        other->more.push_back(std::move(p));
        CHECK(collect(generation) == 2);
    }
    SECTION("by swapping containers") {
        std::vector<node_ref> outside{p};
        auto* const raw = p.get();
        p = nullptr;
        raw->more.swap(outside);
        CHECK(collect(generation) == 1);
    }
    CHECK(l.alive() == 0);
}

TEST_CASE("row 169: a root moved away in generation 2 is freed by automatic collections", "[collect]") {
    lifetimes l, others;
    auto p = make_node(l);
    std::vector<node_ref> old;
    for (int i = 0; i != 1000; ++i) old.push_back(make_node(others));
    collect();
    auto* const raw = p.get();
    raw->next = std::move(p);
    CHECK(pygc::get_objects(2).size() == 1001);
    pygc::set_threshold(20, 2, 2);
    int allocations = 0;
    for (; l.alive() != 0 && allocations != 100'000; ++allocations) old.push_back(make_node(others));
    CHECK(l.alive() == 0);
    CHECK(allocations < 2000);
}
