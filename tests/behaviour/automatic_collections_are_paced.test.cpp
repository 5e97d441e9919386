// SPDX-License-Identifier: BSL-1.0
// Automatic collections bound the garbage, and cost linear time in all.
#include <support/catch.hpp>

#include "graph.hpp"

#include <vector>

using namespace support;

namespace {
struct small : pygc::py_object {
    pygc::py_ref<small> next;
    void traverse(auto& visit) { visit(next); }
};
} // namespace

TEST_CASE("row 31: an automatic full collection waits until a quarter of the old objects is new", "[pacing]") {
    lifetimes l;
    std::vector<node_ref> keep;
    for (int i = 0; i != 4000; ++i) keep.push_back(make_node(l));
    pygc::collect();
    pygc::set_threshold(10, 0, 0);
    auto const before = pygc::get_stats()[2].collections;
    for (int i = 0; i != 900; ++i) keep.push_back(make_node(l));
    CHECK(pygc::get_stats()[2].collections == before);
    CHECK(pygc::get_stats()[1].collections != 0);
    pygc::collect(2); // asked for, it always runs
    CHECK(pygc::get_stats()[2].collections == before + 1);
    for (int i = 0; i != 1500; ++i) keep.push_back(make_node(l));
    CHECK(pygc::get_stats()[2].collections == before + 2);
}

TEST_CASE("row 32: a growing heap sees a logarithmic number of full collections", "[pacing]") {
    pygc::heap fresh;
    pygc::heap::scope const use(fresh);
    std::vector<pygc::py_ref<small>> keep;
    for (int i = 0; i != 500'000; ++i) keep.push_back(pygc::make_ref<small>());
    auto const stats = pygc::get_stats();
    CHECK(stats[0].collections > 200);
    CHECK(stats[1].collections > 15);
    CHECK(stats[2].collections >= 1);
    CHECK(stats[2].collections <= 10);
    auto const examined = stats[0].candidates + stats[1].candidates + stats[2].candidates;
    CHECK(examined < 8u * 500'000u);
}

TEST_CASE("row 166: a stream of short-lived cycles needs bounded memory", "[pacing]") {
    lifetimes l;
    std::vector<node_ref> old;
    for (int i = 0; i != 1000; ++i) old.push_back(make_node(l));
    int most = 0;
    for (int i = 0; i != 50'000; ++i) {
        static_cast<void>(make_ring(l, 2));
        if (l.alive() > most) most = l.alive();
    }
    CHECK(most <= 1000 + 2001 + 11 * 11 * 2); // a ring that a collection met half-built waits longer
    pygc::collect(); // while the counter lives
    CHECK(l.alive() == 1000);
    old.clear();
}

TEST_CASE("objects that died young don't wait for a full collection", "[pacing]") {
    lifetimes l;
    pygc::set_threshold(100, 10, 10);
    std::vector<node_ref> window(50); // cycles live a while, then go
    int most = 0;
    for (std::size_t i = 0; i != 20'000; ++i) {
        window[i % window.size()] = make_ring(l, 3);
        if (l.alive() > most) most = l.alive();
    }
    CHECK(most < 5000);
    window.clear();
    pygc::collect();
    CHECK(l.alive() == 0);
}
