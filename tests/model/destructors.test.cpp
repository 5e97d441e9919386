// SPDX-License-Identifier: BSL-1.0
// What the random programs found, each in its smallest form.
#include <support/catch.hpp>

#include <fstream>
#include <utility>
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

/// Ends its heap when it dies.
pygc::heap* ending = nullptr;
struct ender : pygc::py_object {
    pygc::py_ref<ender> self;
    ~ender() {
        ++deaths;
        delete std::exchange(ending, nullptr);
    }
    void traverse(auto& visit) { visit(self); }
};

/// The one called a lets a reference to itself escape, all others drop what has escaped.
pygc::py_ref<pygc::py_object>* escaped = nullptr;
struct escaper : pygc::py_object {
    explicit escaper(char n) : name(n) {}
    char name;
    pygc::py_ref<escaper> next;
    ~escaper() {
        ++deaths;
        *escaped = name == 'a' ? pygc::py_ref<pygc::py_object>::borrow(this) : nullptr;
    }
    void traverse(auto& visit) { visit(next); }
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

TEST_CASE("a heap may be ended by a destructor that its own collection runs", "[destructor]") {
    for (int generation = 0; generation != 3; ++generation) {
        deaths = 0;
        ending = new pygc::heap();
        {
            pygc::heap::scope use(*ending);
            auto outlives_all = pygc::make_ref<neighbour>();
            for (int i = 0; i != 100; ++i) {
                auto e = pygc::make_ref<ender>();
                e->self = e;
            }
        }
        CHECK(ending->collect(generation) == 100);
        CHECK(ending == nullptr);
        CHECK(deaths == 101);
    }
}

TEST_CASE("a heap ended by its own collection leaves living objects usable", "[destructor]") {
    deaths = 0;
    ending = new pygc::heap();
    pygc::py_ref<neighbour> left;
    {
        pygc::heap::scope use(*ending);
        left = pygc::make_ref<neighbour>();
        auto e = pygc::make_ref<ender>();
        e->self = e;
    }
    CHECK(ending->collect() == 1);
    CHECK(left.use_count() == 1);
    left = nullptr;
    CHECK(deaths == 2);
}

TEST_CASE("a reference that escapes from a destructor may go in the same collection", "[destructor]") {
    pygc::py_ref<pygc::py_object> place;
    escaped = &place;
    for (const char* names : {"abc", "a", "ba", "aa", "bab"}) {
        deaths = 0;
        int made = 0;
        pygc::py_ref<escaper> first;
        for (const char* n = names; *n != 0; ++n, ++made) {
            auto next = pygc::make_ref<escaper>(*n);
            next->next = first ? first : next;
            if (first) {
                next->next = first->next;
                first->next = next;
            } else {
                first = next;
            }
        }
        first = nullptr;
        CHECK(pygc::collect() == static_cast<std::size_t>(made));
        CHECK(deaths == made);
        place = nullptr;
        CHECK(pygc::get_memory().objects == 0);
    }
    escaped = nullptr;
}

#if defined(__linux__)
TEST_CASE("a heap's memory goes with the last object that outlived it", "[destructor]") {
    const auto mapped_pages = [] {
        long pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        return pages;
    };
    long after_first = 0;
    for (int round = 0; round != 200; ++round) {
        std::vector<pygc::py_ref<neighbour>> outlive;
        {
            pygc::heap h;
            pygc::heap::scope use(h);
            for (int i = 0; i != 1 + round % 3; ++i) outlive.push_back(pygc::make_ref<neighbour>());
        }
        outlive.clear();
        if (round == 20) after_first = mapped_pages();
    }
    // Each heap takes more than four megabytes of addresses.
    CHECK(mapped_pages() - after_first < (100 << 20) / 4096);
}
#endif
