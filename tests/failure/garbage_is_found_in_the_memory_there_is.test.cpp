// SPDX-License-Identifier: BSL-1.0
// Collections without memory for the whole set: garbage is found in portions, in what the heap keeps for that.
#include "failing_memory.hpp"

#include <array>
#include <utility>
#include <vector>

using failing_memory::refusal;
using pygc::make_ref;
using pygc::py_ref;

namespace {

constinit int alive = 0, finalized = 0;

struct node : pygc::py_object {
    py_ref<node> next;
    node() { ++alive; }
    ~node() { --alive; }
    void traverse(auto& visit) { visit(next); }
};

/// One a page.
struct large : pygc::py_object {
    py_ref<large> next;
    std::array<char, 20'000> load{};
    large() { ++alive; }
    ~large() { --alive; }
    void traverse(auto& visit) { visit(next); }
};

struct finalizable : node {
    void finalize() { ++finalized; }
};

template <class T>
py_ref<T> pair() {
    auto first = make_ref<T>();
    auto second = make_ref<T>();
    first->next = second;
    second->next = first;
    return first;
}

/// Enough that no reserve holds a picture of all: two in a hundred pairs live.
template <class T>
struct crowd {
    pygc::heap heap;
    pygc::heap::scope use{heap};
    std::vector<py_ref<T>> living;
    int pairs;

    explicit crowd(int n) : pairs(n) {
        alive = finalized = 0;
        heap.disable();
        for (int i = 0; i != n; ++i) {
            auto p = pair<T>();
            if (i % 50 == 0) living.push_back(std::move(p));
        }
    }
    std::size_t collect(int generation) {
        const refusal memory(1, true);
        return heap.collect(generation);
    }
    [[nodiscard]] int living_objects() const { return static_cast<int>(2 * living.size()); }
};

} // namespace

#if defined(__linux__)

TEST_CASE("without memory small cycles are found in portions, in any generation", "[failure][collect]") {
    const int generation = GENERATE(0, 1, 2);
    CAPTURE(generation);
    crowd<node> c(40'000);
    const auto found = c.collect(generation);
    // A pair that lies in two portions stays.
    CHECK(found > 70'000);
    CHECK(alive == 80'000 - static_cast<int>(found));
    CHECK(c.heap.get_stats()[static_cast<std::size_t>(generation)].collections == 1);
    CHECK(static_cast<int>(found + c.heap.collect()) == 80'000 - c.living_objects());
    for (auto& p : c.living) CHECK((p->next->next == p && p.use_count() == 2));
    CHECK(alive == c.living_objects());
}

TEST_CASE("without memory the finalizers of what is found run once", "[failure][finalize]") {
    crowd<finalizable> c(20'000);
    const auto found = c.collect(2);
    CHECK(found > 30'000);
    c.heap.collect();
    CHECK(alive == c.living_objects());
    CHECK(finalized == 40'000 - c.living_objects());
}

TEST_CASE("without memory a ring of many large objects is found whole", "[failure][collect]") {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    alive = 0;
    {
        auto first = make_ref<large>();
        auto last = first;
        for (int i = 1; i != 700; ++i) {
            last->next = make_ref<large>();
            last = last->next;
        }
        last->next = first;
    }
    std::size_t found = 0;
    {
        const refusal memory(1, true);
        found = heap.collect();
    }
    CHECK(found == 700);
    CHECK(alive == 0);
    CHECK(heap.get_stats()[2].given_up == 0);
}

TEST_CASE("a collection that has to leave something says that it gave up", "[failure][collect]") {
    crowd<node> c(40'000);
    { // what lives is more than fits
        std::vector<py_ref<node>> more;
        for (int i = 0; i != 60'000; ++i) more.push_back(make_ref<node>());
        const auto found = c.collect(2);
        CHECK(found > 0);
        CHECK(c.heap.get_stats()[2].given_up == 1);
    }
    c.heap.collect();
    CHECK(c.heap.get_stats()[2].given_up == 1);
    CHECK(alive == c.living_objects());
}

#endif
