// SPDX-License-Identifier: BSL-1.0
// Destructors may collect, allocate, make cycles and garbage, and cut others loose, by count or in a collection.
#include <support/catch.hpp>

#include "graph.hpp"

#include <functional>

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

/// Calls a function from its destructor.
struct caller : pygc::py_object {
    probe life;
    std::function<void()> at_end;
    py_ref<caller> self;
    node_ref owned;
    caller(lifetimes& l, std::function<void()> f) : life(l), at_end(std::move(f)) {}
    ~caller() { at_end(); }
    void traverse(auto& visit) { visit(self, owned); }
};

/// Makes a caller and lets it die: by its count, or as a cycle in a collection.
std::size_t end_with(lifetimes& l, bool cyclic, std::function<void()> f) {
    auto c = make_ref<caller>(l, std::move(f));
    c->owned = make_node(l);
    if (cyclic) c->self = c;
    c = nullptr;
    return cyclic ? pygc::collect() : 0;
}

} // namespace

TEST_CASE("row 78: collect in a destructor that a collection runs returns 0", "[reentry]") {
    lifetimes l;
    std::size_t inner = 1;
    CHECK(end_with(l, true, [&] {
              static_cast<void>(make_ring(l, 5));
              inner = pygc::collect();
          }) == 2);
    CHECK(inner == 0);
    CHECK(l.alive() == 5);
    CHECK(pygc::collect() == 5);
    CHECK(l.alive() == 0);
}

TEST_CASE("row 79: collect in a destructor that a count runs returns 0 and is made up for", "[reentry]") {
    lifetimes l;
    std::size_t inner = 99;
    static_cast<void>(make_ring(l, 5));
    end_with(l, false, [&] { inner = pygc::collect(); });
    CHECK(inner == 0);
    CHECK(l.alive() == 5);
    auto const next = make_node(l); // the first container made afterwards
    CHECK(l.alive() == 1);
}

TEST_CASE("a collection doesn't see half-dead objects, however deep the destructors nest", "[reentry]") {
    lifetimes l;
    std::size_t found = 0;
    int depth = 0;
    std::function<void()> recurse = [&] {
        static_cast<void>(make_ring(l, 3));
        found += pygc::collect();
        if (++depth < 60) end_with(l, false, recurse);
        static_cast<void>(make_ring(l, 2));
        found += pygc::collect();
    };
    end_with(l, false, recurse);
    CHECK(found + pygc::collect() == 60 * 5);
    CHECK(l.alive() == 0);
}

TEST_CASE("row 80: what destructors make is not part of the collection that runs them", "[reentry]") {
    lifetimes l;
    bool const cyclic = GENERATE(false, true);
    node_ref kept;
    end_with(l, cyclic, [&] {
        kept = make_ring(l, 3);
        static_cast<void>(make_ring(l, 4));
    });
    CHECK(l.alive() == 7);
    CHECK(pygc::get_objects(0).size() == 7);
    CHECK(kept->next->next->next == kept);
    CHECK(pygc::collect() == 4);
    CHECK(kept->next->next->next == kept);
    kept = nullptr;
    CHECK(pygc::collect() == 3);
}

TEST_CASE("row 28: automatic collections that fall due in destructors come after them", "[reentry]") {
    lifetimes l;
    pygc::set_threshold(1, 1, 1);
    for (int i = 0; i != 50; ++i) {
        end_with(l, i % 2 == 0, [&] {
            for (int k = 0; k != 10; ++k) static_cast<void>(make_ring(l, 2));
        });
    }
    pygc::collect();
    CHECK(l.alive() == 0);
    CHECK(pygc::get_stats()[0].collections >= 50);
}

TEST_CASE("destructors that make objects of the same type in a collection", "[reentry]") {
    // Enough of them that the pages under collection fill up and new ones are begun meanwhile.
    struct spawns : pygc::py_object {
        probe life;
        std::vector<py_ref<spawns>>* into;
        py_ref<spawns> self;
        spawns(lifetimes& l, std::vector<py_ref<spawns>>* v) : life(l), into(v) {}
        ~spawns() {
            if (into == nullptr) return;
            for (int i = 0; i != 2; ++i) {
                into->push_back(make_ref<spawns>(*counts, nullptr));
                into->back()->counts = counts;
                into->back()->self = into->back();
            }
        }
        lifetimes* counts = nullptr;
        void traverse(pygc::visitor& visit) { visit(self); }
    };
    int const amount = GENERATE(1, 50, 70, 129, 1000, 3000);
    lifetimes l, others;
    std::vector<py_ref<spawns>> born;
    for (int i = 0; i != amount; ++i) {
        auto s = make_ref<spawns>(l, &born);
        s->counts = &l;
        s->self = s;
    }
    for (int i = 0; i != amount; ++i) static_cast<void>(make_self_loop(others)); // pages behind theirs
    auto const total = pygc::get_objects().size();
    CHECK(total + static_cast<std::size_t>(l.destroyed) / 2 >= static_cast<std::size_t>(amount));
    pygc::collect();
    CHECK(others.alive() == 0);
    CHECK(born.size() == static_cast<std::size_t>(2 * amount));
    CHECK(l.constructed == 3 * amount);
    CHECK(l.alive() == 2 * amount);
    bool intact = true;
    for (auto const& b : born) intact = intact && b->life.is_alive() && b->self == b && b.use_count() == 2;
    CHECK(intact);
    CHECK(pygc::get_memory().objects == born.size());
    born.clear();
    CHECK(pygc::collect() == static_cast<std::size_t>(2 * amount));
    CHECK(l.alive() == 0);
}

TEST_CASE("a destructor may drop the last reference to others, old or young", "[reentry]") {
    lifetimes l;
    bool const cyclic = GENERATE(false, true);
    auto old = make_chain(l, 10);
    pygc::collect();
    auto young = make_ring(l, 3);
    end_with(l, cyclic, [&] { old = young = nullptr; });
    CHECK(l.alive() == 3);
    CHECK(pygc::collect() == 3);
    CHECK(l.alive() == 0);
}
