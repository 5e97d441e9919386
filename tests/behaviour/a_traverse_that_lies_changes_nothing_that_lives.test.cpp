// SPDX-License-Identifier: BSL-1.0
// Whatever a traverse shows, a living object keeps its count, its references and its life, and the report names who
// lies. The lies are balanced so that counts add up to what they would be for garbage.
#include <support/catch.hpp>
#include <support/probe.hpp>
#include <support/stderr_capture.hpp>

#include <pygc/pygc.hpp>

#include <array>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

struct item : pygc::py_object {
    explicit item(lifetimes& l) : life(l) {}
    probe life;
    py_ref<item> next;
    void traverse(auto& visit) { visit(next); }
};

enum class lie {
    none,
    twice,
    twice_in_another_call,
    twice_by_vector,
    copy,
    copy_of_vector,
    copy_in_array,
    member_of_another,
    vector_of_another,
    static_variable,
    order,
    rotation,
    more,
    more_in_vector,
    fewer,
    nothing_any_more,
    balanced,
    keys_twice,
    hashed_keys_twice,
    last = hashed_keys_twice,
};

py_ref<item> a_static;

struct teller : pygc::py_object {
    explicit teller(lifetimes& l, lie k) : life(l), kind(k) {}
    probe life;
    lie kind;
    int calls = 0;
    py_ref<teller> self;
    py_ref<item> first, second, third;
    std::vector<py_ref<item>> row;
    std::set<py_ref<item>> keys;
    std::unordered_set<py_ref<item>> hashed;
    item* other = nullptr; // not owned
    std::vector<py_ref<item>>* other_row = nullptr;

    void traverse(pygc::visitor& visit) {
        ++calls;
        visit(self, keys, hashed);
        switch (kind) {
        case lie::none:
            return visit(first, second, third, row);
        case lie::twice:
            return visit(first, first, second, third, row);
        case lie::twice_in_another_call:
            visit(first, second, third, row);
            return visit(first);
        case lie::twice_by_vector:
            visit(first, second, third, row);
            return visit(row);
        case lie::copy: {
            const py_ref<item> copy = first;
            return visit(copy, second, third, row);
        }
        case lie::copy_of_vector: {
            const auto copy = row;
            return visit(first, second, third, copy, row);
        }
        case lie::copy_in_array: {
            const std::array<py_ref<item>, 1> copy{first};
            return visit(copy, first, second, third, row);
        }
        case lie::member_of_another:
            return visit(first, second, third, row, other->next);
        case lie::vector_of_another:
            return visit(first, second, third, row, *other_row);
        case lie::static_variable:
            return visit(first, second, third, row, a_static);
        case lie::order:
            if (calls % 2 == 0) return visit(second, first, third, row);
            return visit(first, second, third, row);
        case lie::rotation:
            if (calls % 3 == 0) return visit(first, second, third, row);
            if (calls % 3 == 1) return visit(second, third, first, row);
            return visit(third, first, second, row);
        case lie::more:
            if (calls > 1) return visit(first, second, third, row);
            return visit(first, first, third, row);
        case lie::more_in_vector:
            if (calls > 1) visit(row);
            return visit(first, second, third);
        case lie::fewer:
            if (calls > 1) return visit(second, third, row);
            return visit(first, second, third, row);
        case lie::nothing_any_more:
            if (calls == 1) visit(first, second, third, row);
            return;
        case lie::balanced:
            return visit(first, first, third, third, row); // `second` goes unseen
        case lie::keys_twice:
            return visit(first, second, third, row, keys);
        case lie::hashed_keys_twice:
            return visit(first, second, third, row, hashed);
        }
    }
};

} // namespace

TEST_CASE("no lie of a dead object changes an object that lives", "[lie]") {
    lifetimes l;
    pygc::heap heap; // what is kept for good stays in a heap of its own
    pygc::heap::scope use(heap);
    const auto kind = static_cast<lie>(GENERATE(range(0, static_cast<int>(lie::last) + 1)));
    const int generation = GENERATE(0, 1, 2);
    CAPTURE(static_cast<int>(kind), generation);
    if (GENERATE(false, true)) pygc::collect(generation); // in debug mode counts fall in headers or copies, by turns
    stderr_capture capture;
    std::vector<py_ref<item>> living;
    for (int i = 0; i != 4; ++i) living.push_back(make_ref<item>(l));
    const auto &x = living[0], &y = living[1], &z = living[2], &elder = living[3];
    for (int i = 0; i != 3; ++i) living[static_cast<std::size_t>(i)]->next = living[static_cast<std::size_t>(i)];
    elder->next = x;
    auto elder_row = make_ref<std::vector<py_ref<item>>>();
    elder_row->push_back(y);
    if (generation != 2) pygc::collect(generation); // those are older than the liar then
    a_static = z;
    teller* raw = nullptr;
    {
        auto t = make_ref<teller>(l, kind);
        raw = t.get();
        t->self = t;
        t->first = x;
        t->second = y;
        t->third = z;
        t->row = {x, y};
        t->keys = {y, z};
        t->hashed = {x, z};
        t->other = elder.get();
        t->other_row = &*elder_row;
    }
    pygc::collect(generation);
    REQUIRE(l.alive() >= 4);
    for (const auto& n : living) REQUIRE(n->life.is_alive());
    CHECK((x->next == x && y->next == y && z->next == z));
    CHECK(elder->next == x);
    CHECK((elder_row->size() == 1 && elder_row->front() == y));
    CHECK(a_static == z);
    if (l.alive() == 5) { // all that the liar has is as it was
        CHECK((raw->first == x && raw->second == y && raw->third == z));
        CHECK((raw->row.size() == 2 && raw->row[0] == x && raw->row[1] == y));
        CHECK((raw->keys.size() == 2 && raw->keys.count(y) == 1 && raw->keys.count(z) == 1));
        CHECK((raw->hashed.size() == 2 && raw->hashed.count(x) == 1 && raw->hashed.count(z) == 1));
        raw->kind = lie::none;
        pygc::collect();
    }
    CHECK(l.alive() == 4);
    CHECK(x.use_count() == 3); // `living`, itself, and `elder`, `elder_row` or the static
    CHECK(y.use_count() == 3);
    CHECK(z.use_count() == 3);
    a_static = nullptr;
}

namespace {

struct culprit : pygc::py_object {
    explicit culprit(lifetimes& l, int k) : life(l), kind(k) {}
    probe life;
    int kind;
    py_ref<culprit> self, peer;
    culprit* other = nullptr; // not owned
    void traverse(auto& visit) {
        if (kind == 1) return visit(self, self, peer);
        if (kind == 2) {
            const auto copy = peer;
            return visit(self, copy);
        }
        if (kind == 3) return visit(self, other->peer);
        visit(self, peer);
    }
};

} // namespace

TEST_CASE("the report of a lie names the type and the place", "[lie]") {
    lifetimes l;
    pygc::heap heap;
    pygc::heap::scope use(heap);
    const int kind = GENERATE(1, 2, 3);
    CAPTURE(kind);
    culprit* raw = nullptr;
    const auto held = make_ref<culprit>(l, 0);
    {
        auto a = make_ref<culprit>(l, kind), b = make_ref<culprit>(l, kind == 3 ? 4 : 0);
        raw = a.get();
        a->self = kind == 1 ? held : a;
        a->peer = kind == 3 ? nullptr : b;
        b->peer = a;
        b->self = b;
        a->other = b.get();
        if (kind == 1) b->self = a;
    }
    std::string text;
    {
        stderr_capture capture;
        pygc::collect();
        text = capture.text();
    }
    CAPTURE(text);
    CHECK(held->life.is_alive());
    CHECK(count_of(text, "culprit") >= 1);
    CHECK(count_of(text, "the traverse of") >= 1);
    if (kind == 1) CHECK(count_of(text, " twice") >= 1);
    if (kind == 2) CHECK(count_of(text, "copy of a reference") >= 1);
    if (kind == 1) CHECK(count_of(text, "at offset") >= 1);
    raw->kind = 0;
    pygc::collect();
    CHECK(l.alive() == 1);
    CHECK(held.use_count() == 1);
}

namespace {

/// Honest until its finalizer has run.
struct late_liar : pygc::py_object {
    explicit late_liar(lifetimes& l, int k) : life(l), kind(k) {}
    probe life;
    int kind;
    bool late = false;
    py_ref<late_liar> self;
    py_ref<item> held, other;
    void finalize() { late = true; }
    void traverse(auto& visit) {
        visit(self);
        if (!late || kind == 0) return visit(held, other);
        if (kind == 1) return visit(held, held, other);
        if (kind == 2) return visit(held, other, other);
        if (kind == 3) {
            const auto copy = held;
            return visit(copy, other);
        }
        visit(other);
    }
};

} // namespace

TEST_CASE("a lie after the finalizers changes nothing that lives", "[lie]") {
    lifetimes l;
    pygc::heap heap;
    pygc::heap::scope use(heap);
    const int kind = GENERATE(1, 2, 3, 4);
    CAPTURE(kind);
    if (GENERATE(false, true)) pygc::collect(); // in debug mode counts fall in headers or copies, by turns
    auto held = make_ref<item>(l), other = make_ref<item>(l);
    held->next = other;
    const pygc::py_weakref<item> weak = held, weak_other = other;
    late_liar* raw = nullptr;
    {
        auto a = make_ref<late_liar>(l, kind);
        raw = a.get();
        a->self = a;
        a->held = held;
        a->other = other;
    }
    stderr_capture capture;
    pygc::collect();
    CHECK(held->life.is_alive());
    CHECK(held->next == other);
    CHECK(weak.lock() == held);
    CHECK(weak_other.lock() == other);
    if (l.alive() == 3) {
        raw->kind = 0;
        pygc::collect();
    }
    CHECK(l.alive() == 2);
    CHECK(held.use_count() == 1);
    CHECK(other.use_count() == 2);
}

TEST_CASE("a lie that hides the reference from outside ends no weak reference", "[lie]") {
    lifetimes l;
    pygc::heap heap;
    pygc::heap::scope use(heap);
    auto held = make_ref<culprit>(l, 0);
    const pygc::py_weakref<culprit> weak = held;
    culprit* raw = nullptr;
    {
        auto a = make_ref<culprit>(l, 1); // shows `self` twice
        raw = a.get();
        a->self = held;
        a->peer = a;
    }
    stderr_capture capture;
    pygc::collect();
    CHECK(weak.lock() == held);
    raw->kind = 0;
    pygc::collect();
    CHECK(l.alive() == 1);
    CHECK(held.use_count() == 1);
}

TEST_CASE("a lie costs nobody his life among twenty thousand", "[lie]") {
    const int pairs = GENERATE(10'000, 100'000); // of so many copies of the counts fall
    CAPTURE(pairs);
    lifetimes l;
    pygc::heap heap;
    pygc::heap::scope use(heap);
    std::vector<py_ref<culprit>> living;
    std::vector<culprit*> dead;
    for (int i = 0; i != pairs; ++i) {
        living.push_back(make_ref<culprit>(l, 0));
        auto a = make_ref<culprit>(l, 1);
        dead.push_back(a.get());
        a->self = living.back();
        a->peer = a;
    }
    stderr_capture capture;
    pygc::collect();
    CHECK(l.alive() == 2 * pairs);
    for (culprit* c : dead) c->kind = 0;
    CHECK(pygc::collect() == static_cast<std::size_t>(pairs));
    CHECK(l.alive() == pairs);
    for (auto& n : living) REQUIRE(n.use_count() == 1);
}
