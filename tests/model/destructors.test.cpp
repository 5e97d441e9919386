// SPDX-License-Identifier: BSL-1.0
// What the random programs found, each in its smallest form.
#include <support/catch.hpp>

#include <vector>

#include <pygc/pygc.hpp>

namespace {

std::vector<pygc::py_ref<pygc::py_object>>* keep = nullptr;
int deaths = 0;

/// When it dies for the first time it makes so many nodes of its own type that they need slots which
/// had never been used when the collection began.
struct prolific : pygc::py_object {
    pygc::py_ref<prolific> self;
    int children = 0;
    ~prolific() {
        ++deaths;
        for (int i = 0; i != children; ++i) keep->push_back(pygc::make_ref<prolific>());
    }
    void traverse(auto& visit) { visit(self); }
};

struct neighbour : pygc::py_object {
    pygc::py_ref<neighbour> self;
    ~neighbour() { ++deaths; }
    void traverse(auto& visit) { visit(self); }
};

/// A plain struct whose last field has no default.
struct number {
    number(int n) : value(n) {}
    int value;
};
struct ring {
    pygc::py_ref<ring> next[3];
    number name;
};

} // namespace

TEST_CASE("a collected object may make more objects of its type than there is room for", "[destructor]") {
    std::vector<pygc::py_ref<pygc::py_object>> kept;
    keep = &kept;
    deaths = 0;
    auto first = pygc::make_ref<prolific>();
    first->children = 2000;
    first->self = first;
    std::vector<pygc::py_ref<neighbour>> neighbours;
    for (int i = 0; i != 3000; ++i) {
        auto n = pygc::make_ref<neighbour>();
        n->self = n;
        if (i % 2 == 0) neighbours.push_back(n);
    }
    pygc::collect(); // half of the neighbours
    deaths = 0;
    first = nullptr;
    neighbours.clear();
    CHECK(pygc::collect() == 1501);
    CHECK(deaths == 1501);
    CHECK(kept.size() == 2000);
    CHECK(pygc::get_objects().size() == 2000);
    kept.clear();
    CHECK(deaths == 3501);
    keep = nullptr;
}

TEST_CASE("an array in a plain struct is seen whole when a later field has no default", "[fields]") {
    auto a = pygc::make_ref<ring>(nullptr, nullptr, nullptr, 1);
    auto b = pygc::make_ref<ring>(nullptr, nullptr, a, 2);
    a->next[1] = b;
    a = nullptr;
    CHECK(pygc::collect() == 0);
    b = nullptr;
    CHECK(pygc::collect() == 2);
}
