// SPDX-License-Identifier: BSL-1.0
// A traverse that shows more than its object owns: nothing is freed on such evidence, and it is reported.
#include <support/catch.hpp>
#include <support/stderr_capture.hpp>

#include "graph.hpp"

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

struct liar : pygc::py_object {
    explicit liar(lifetimes& l) : life(l) {}
    probe life;
    py_ref<liar> next;
    bool lies = true;
    void traverse(auto& visit) {
        visit(next);
        if (lies) visit(next);
    }
};

struct forgetful : pygc::py_object {
    explicit forgetful(lifetimes& l) : life(l) {}
    probe life;
    py_ref<forgetful> shown, hidden;
    void traverse(auto& visit) { visit(shown); }
};

} // namespace

TEST_CASE("a reference shown twice is reported, and its object treated as alive", "[lie]") {
    lifetimes l;
    auto const before = pygc::get_stats()[2].uncollectable;
    auto a = make_ref<liar>(l), b = make_ref<liar>(l);
    liar* const raw[] = {a.get(), b.get()};
    a->next = b;
    b->next = a;
    a = b = nullptr;
    {
        stderr_capture capture;
        CHECK(pygc::collect() == 2); // uncollectable ones count
        auto const text = capture.text();
        CHECK(count_of(text, "shows more references than there are to the") == 2);
        CHECK(count_of(text, "the traverse of") == 1); // and once, who says so
        CHECK(count_of(text, "liar") == 3);
    }
    CHECK(l.alive() == 2);
    CHECK(pygc::get_stats()[2].uncollectable == before + 2);
    CHECK(pygc::get_objects(2).size() == 2);
    for (liar* each : raw) each->lies = false;
    CHECK(pygc::collect() == 2);
    CHECK(l.alive() == 0);
}

TEST_CASE("row 18: what a mistaken object leads to is alive as well", "[lie]") {
    lifetimes l;
    auto a = make_ref<liar>(l);
    a->next = a;
    auto* const raw = a.get();
    a->lies = true;
    auto other = make_ref<liar>(l);
    other->lies = false;
    other->next = a; // garbage that nobody lies about still goes
    a = other = nullptr;
    stderr_capture capture;
    pygc::collect();
    CHECK(raw->life.is_alive());
    raw->lies = false;
    pygc::collect();
    CHECK(l.alive() == 0);
}

TEST_CASE("a thousand lies are reported eight times a collection", "[lie]") {
    lifetimes l;
    std::vector<liar*> all;
    for (int i = 0; i != 1000; ++i) {
        auto n = make_ref<liar>(l);
        n->next = n;
        all.push_back(n.get());
    }
    stderr_capture capture;
    CHECK(pygc::collect() == 1000);
    CHECK(count_of(capture.text(), "more references") == 8);
    CHECK(l.alive() == 1000);
    for (liar* each : all) each->lies = false;
    CHECK(pygc::collect() == 1000);
}

TEST_CASE("a reference left out makes garbage stay, never worse", "[lie]") {
    lifetimes l;
    auto a = make_ref<forgetful>(l);
    a->hidden = a;
    auto* const raw = a.get();
    a = nullptr;
    CHECK(pygc::collect() == 0);
    CHECK(raw->life.is_alive());
    raw->shown = std::move(raw->hidden);
    CHECK(pygc::collect() == 1);
    CHECK(l.alive() == 0);
}

namespace {

struct held : pygc::py_object {
    explicit held(lifetimes& l) : life(l) {}
    probe life;
    py_ref<held> self;
    void traverse(auto& visit) { visit(self); }
};

struct shows_twice : pygc::py_object {
    py_ref<held> target;
    py_ref<shows_twice> self;
    void traverse(auto& visit) { visit(target, target, self); }
};

} // namespace

TEST_CASE("a reference shown twice frees nobody who is held from outside", "[lie]") {
    // The lie hides the one reference from outside: every count adds up to zero, and yet the object lives.
    lifetimes l;
    pygc::heap heap; // what is kept for good stays in a heap of its own
    pygc::heap::scope use(heap);
    int const generation = GENERATE(0, 1, 2);
    auto outside = make_ref<held>(l);
    {
        auto a = make_ref<shows_twice>();
        a->target = outside;
        a->self = a;
    }
    std::string text;
    {
        stderr_capture capture;
        CHECK(pygc::collect(generation) == 2); // both are reported as uncollectable
        text = capture.text();
    }
    CHECK(count_of(text, "a traverse shows a reference twice") == 1);
    CHECK(pygc::get_stats()[static_cast<std::size_t>(generation)].uncollectable == 2);
    CHECK(pygc::get_stats()[static_cast<std::size_t>(generation)].collected == 0);
    CHECK(l.alive() == 1);
    CHECK(pygc::is_tracked(outside));
    CHECK(pygc::get_objects(generation == 0 ? 1 : 2).size() == 2);
    {
        stderr_capture capture;
        CHECK(pygc::collect() == 2); // accused again, and kept, as long as it lies
        CHECK(l.alive() == 1);
        outside = nullptr;
        CHECK(pygc::collect() == 2); // nobody refers to it but the liar, whose own end is not in doubt
    }
    CHECK(l.alive() == 0);
    CHECK(pygc::get_objects(2).empty());
}
