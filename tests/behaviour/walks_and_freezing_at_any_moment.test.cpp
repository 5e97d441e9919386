// SPDX-License-Identifier: BSL-1.0
// Walks over the heap that change it, and freezing in the middle of something.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <array>
#include <map>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;

namespace {

template <int Kind>
struct large : pygc::py_object {
    py_ref<large> next;
    std::array<char, 8000> load{}; // four a page
    void traverse(auto& visit) { visit(next); }
};

struct freezing : pygc::py_object {
    py_ref<freezing> self;
    explicit freezing(bool unfreezes) {
        pygc::freeze();
        if (unfreezes) pygc::unfreeze();
    }
    void traverse(auto& visit) { visit(self); }
};

struct three_pages : pygc::py_object {
    std::array<char, 80'000> load{};
    py_ref<three_pages> next;
    void traverse(auto& visit) { visit(next); }
};

/// Objects of two kinds over several chunks, all of which have room.
struct crowd {
    pygc::heap heap;
    pygc::heap::scope use{heap};
    std::vector<py_ref<large<0>>> kept;
    std::vector<py_ref<large<1>>> dropped;
    std::map<pygc::py_object*, int> seen;

    crowd() {
        for (int i = 0; i != 500; ++i) kept.push_back(make_ref<large<0>>());
        for (int i = 0; i != 500; ++i) dropped.push_back(make_ref<large<1>>());
        for (int i = 0; i != 60; ++i) kept.push_back(make_ref<large<0>>());
    }
    [[nodiscard]] bool each_was_seen_once() {
        for (const auto& k : kept) {
            if (seen[k.get()] != 1) return false;
        }
        return true;
    }
};

} // namespace

TEST_CASE("a walk that drops objects sees each that stays once", "[visit_objects]") {
    crowd c;
    c.heap.visit_objects([&](const py_ref<pygc::py_object>& r) {
        ++c.seen[r.get()];
        for (int i = 0; i != 4 && !c.dropped.empty(); ++i) c.dropped.pop_back();
    });
    CHECK(c.each_was_seen_once());
}

TEST_CASE("a walk that collects, freezes and walks sees each object once", "[visit_objects]") {
    crowd c;
    int calls = 0;
    std::size_t inner = 0;
    c.heap.visit_objects([&](const py_ref<pygc::py_object>& r) {
        ++c.seen[r.get()];
        ++calls;
        if (calls == 100) c.dropped.clear();
        if (calls % 100 == 0) c.heap.collect();
        if (calls == 150) c.heap.freeze();
        if (calls == 250) c.heap.unfreeze();
        if (calls == 300) c.heap.visit_objects([&](const py_ref<pygc::py_object>&) { ++inner; });
    });
    CHECK(c.each_was_seen_once());
    CHECK(inner == c.kept.size());
}

TEST_CASE("a walk that makes an object at each step ends", "[visit_objects]") {
    crowd c;
    std::vector<py_ref<large<1>>> made;
    c.heap.visit_objects([&](const py_ref<pygc::py_object>& r) {
        ++c.seen[r.get()];
        made.push_back(make_ref<large<1>>());
        return made.size() < 10'000;
    });
    CHECK(made.size() < 10'000);
    CHECK(c.each_was_seen_once());
}

TEST_CASE("an object whose constructor froze and unfroze the heap is found by a young collection", "[freeze]") {
    auto n = make_ref<freezing>(true);
    n->self = n;
    n = nullptr;
    CHECK(pygc::collect(0) == 1);
}

TEST_CASE("an object whose constructor froze the heap is found once it is unfrozen", "[freeze]") {
    auto n = make_ref<freezing>(false);
    n->self = n;
    n = nullptr;
    CHECK(pygc::collect() == 0);
    pygc::unfreeze();
    CHECK(pygc::collect() == 1);
}

TEST_CASE("objects of three pages are allocated in the holes of dead ones", "[memory]") {
    pygc::heap fresh;
    const pygc::heap::scope use(fresh);
    std::vector<py_ref<three_pages>> all;
    for (int i = 0; i != 300; ++i) all.push_back(make_ref<three_pages>());
    const auto mapped = fresh.get_memory().mapped;
    for (std::size_t i = 0; i < all.size(); i += 3) all[i] = nullptr;
    for (std::size_t i = 0; i < all.size(); i += 3) all[i] = make_ref<three_pages>();
    CHECK(fresh.get_memory().mapped <= mapped + (PYGC_ASAN ? std::size_t{64} << 20 : 0));
}
