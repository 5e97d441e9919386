// SPDX-License-Identifier: BSL-1.0
// What a thread leaves behind: its cycles are found when nobody else can use them, or by who adopts them.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;

namespace {

std::atomic<int> alive{0};

struct node : pygc::py_object {
    node() { ++alive; }
    ~node() { --alive; }
    py_ref<node> next, other;
    pygc::external_bytes size{1000};
    void traverse(auto& visit) { visit(next, other); }
};

struct large : pygc::py_object {
    std::vector<py_ref<large>> more;
    char text[40000] = {};
    void traverse(auto& visit) { visit(more); }
};

py_ref<node> ring(int length) {
    auto first = make_ref<node>();
    auto last = first;
    for (int i = 1; i != length; ++i) {
        last->next = make_ref<node>();
        last = last->next;
    }
    last->next = first;
    return first;
}

py_ref<node> ring_of_an_ended_thread(int length) {
    py_ref<node> r;
    std::thread([&] { r = ring(length); }).join();
    return r;
}

/// As long as it lives the process has another thread.
class other_thread {
public:
    other_thread()
        : thread_([this] {
              while (!stop_) std::this_thread::yield();
          }) {}
    ~other_thread() {
        stop_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

} // namespace

TEST_CASE("cycles of an ended thread are collected while there is no other thread", "[threads]") {
    auto r = ring_of_an_ended_thread(3);
    CHECK(pygc::collect() == 0);
    CHECK(alive == 3);
    r = nullptr;
    CHECK(pygc::collect(1) == 0); // only a full one looks there
    CHECK(pygc::collect() == 3);
    CHECK(alive == 0);
}

TEST_CASE("cycles of many short-lived threads don't add up", "[threads]") {
    int most = 0;
    for (int round = 0; round != 200; ++round) {
        auto r = std::async(std::launch::async, [] { return ring(2); }).get();
        r = nullptr;
        pygc::collect();
        most = std::max(most, alive.load());
    }
    CHECK(most == 0);
}

TEST_CASE("automatic collections find the cycles of ended threads too", "[threads]") {
    for (int i = 0; i != 20; ++i) ring_of_an_ended_thread(5).reset();
    CHECK(alive == 100);
    std::vector<py_ref<node>> grows; // until a full collection is due
    auto const before = pygc::get_stats()[2].collections;
    while (pygc::get_stats()[2].collections == before) grows.push_back(make_ref<node>());
    CHECK(alive == static_cast<int>(grows.size()));
}

TEST_CASE("what one ended thread's garbage held in another's goes too", "[threads]") {
    auto a = ring_of_an_ended_thread(2), b = ring_of_an_ended_thread(2), c = ring_of_an_ended_thread(2);
    b->other = std::exchange(a, nullptr);
    c->other = std::exchange(b, nullptr);
    CHECK(pygc::collect() == 0);
    c = nullptr;
    CHECK(pygc::collect() == 6);
    CHECK(alive == 0);
}

TEST_CASE("cycles of a heap that has ended are found by the thread's own", "[threads][heap]") {
    py_ref<node> r;
    {
        pygc::heap h;
        pygc::heap::scope const use(h);
        r = ring(4);
    }
    pygc::heap other;
    r = nullptr;
    CHECK(other.collect() == 0);
    CHECK(alive == 4);
    CHECK(pygc::collect() == 4);
}

TEST_CASE("while another thread runs nobody looks at what ended threads left", "[threads]") {
    auto r = ring_of_an_ended_thread(3);
    {
        other_thread const busy;
        r = nullptr;
        CHECK(pygc::collect() == 0);
        CHECK(alive == 3);
    }
    CHECK(pygc::collect() == 3);
}

TEST_CASE("an adopted object's heap is collected with the adopting one", "[threads][adopt]") {
    other_thread const busy;
    auto r = ring_of_an_ended_thread(3);
    CHECK(pygc::get_objects().empty());
    CHECK(pygc::adopt(r));
    CHECK(pygc::get_objects().size() == 3);
    CHECK(pygc::get_memory().external == 3000);
    auto mine = make_ref<node>(); // a cycle through objects of both
    mine->other = r;
    r->other = mine;
    r = mine = nullptr;
    CHECK(pygc::collect() == 4);
    CHECK(alive == 0);
    CHECK(pygc::get_memory().external == 0);
}

TEST_CASE("adoption takes weak references, finalizers and generations along", "[threads][adopt]") {
    other_thread const busy;
    py_ref<node> r;
    pygc::py_weakref<node> plain, told;
    int calls = 0, finalized = 0;
    std::thread([&] {
        r = ring(3);
        pygc::collect();
        r->other = make_ref<node>();
        told = pygc::py_weakref<node>(r, [&] { ++calls; });
        plain = r->other;
    }).join();
    pygc::finalizer const f(r, [&] { ++finalized; });
    CHECK(pygc::adopt(r));
    CHECK(pygc::get_weakref_count(r) == 2);
    CHECK(plain.lock() == r->other);
    pygc::py_weakref<node> const later(r);
    r = nullptr;
    CHECK(pygc::collect(0) == 0);
    CHECK(pygc::collect() == 4);
    CHECK(calls == 1);
    CHECK(finalized == 1);
    CHECK(plain.expired());
    CHECK(later.expired());
}

TEST_CASE("adoption takes the entries of weak_key_maps along", "[threads][adopt]") {
    other_thread const busy;
    pygc::weak_key_map<node, py_ref<node>> of_both, of_thread;
    py_ref<node> r;
    {
        auto const mine = make_ref<node>();
        of_both.set(mine, mine);
    }
    std::thread([&] {
        r = make_ref<node>();
        auto const other = make_ref<node>();
        r->next = other;
        other->next = other; // which the thread's end finds, but for r
        of_both.set(r, other);
        of_both.set(other, r);
        of_thread.set(r, r);
    }).join();
    CHECK(of_both.size() == 3);
    CHECK(pygc::adopt(r));
    r = nullptr;
    pygc::collect();
    CHECK(of_both.empty());
    CHECK(of_thread.empty());
    CHECK(alive == 0);
    of_both.set(make_ref<node>(), nullptr);
    CHECK(of_both.empty());
}

TEST_CASE("objects of many types and sizes are adopted, and their pages used again", "[threads][adopt]") {
    other_thread const busy;
    for (int round = 0; round != 10; ++round) {
        std::vector<py_ref<node>> nodes;
        std::vector<py_ref<int>> numbers;
        py_ref<large> l;
        std::thread([&] {
            for (int i = 0; i != 3000; ++i) {
                nodes.push_back(ring(1));
                numbers.push_back(make_ref<int>(i));
            }
            l = make_ref<large>();
            l->more.push_back(l);
            for (int i = 0; i < 3000; i += 2) nodes[static_cast<std::size_t>(i)]->next = nullptr;
            for (std::size_t i = 0; i < 3000; i += 2) nodes[i] = nullptr;
        }).join();
        REQUIRE(pygc::adopt(l));
        CHECK(pygc::adopt(nodes[1]));
        CHECK(*numbers[2999] == 2999);
        for (int i = 0; i != 2000; ++i) ring(1).reset();
        l = nullptr;
        nodes.clear();
        pygc::collect();
        REQUIRE(alive == 0);
    }
}

TEST_CASE("only what has ended can be adopted", "[threads][adopt]") {
    CHECK_FALSE(pygc::adopt(py_ref<node>()));
    CHECK(pygc::adopt(make_ref<node>())); // it is here already
    pygc::heap h;
    py_ref<node> r;
    {
        pygc::heap::scope const use(h);
        r = make_ref<node>();
    }
    CHECK_FALSE(pygc::adopt(r));
    CHECK(h.get_objects().size() == 1);
}

TEST_CASE("bytes outside go back to the heap they were added in", "[threads][external]") {
    py_ref<node> r;
    std::thread([&] {
        r = make_ref<node>();
        if (pygc::get_memory().external != 1000) r = nullptr;
    }).join();
    REQUIRE(r != nullptr);
    CHECK(pygc::get_memory().external == 0);
    auto mine = make_ref<node>();
    r = nullptr;
    CHECK(pygc::get_memory().external == 1000);
    auto h = std::make_unique<pygc::heap>();
    pygc::external_bytes field; // on the stack
    {
        pygc::heap::scope const use(*h);
        field = 500;
        CHECK(h->get_memory().external == 500);
    }
    pygc::external_bytes copied = field; // made here, and so counted here
    CHECK(pygc::get_memory().external == 1500);
    CHECK(h->get_memory().external == 500);
    pygc::external_bytes moved = std::move(field);
    CHECK(h->get_memory().external == 500);
    moved = 100;
    CHECK(h->get_memory().external == 100);
    h.reset(); // the field outlives it
    moved = 200;
    CHECK(pygc::get_memory().external == 1500);
    copied = 0;
    CHECK(pygc::get_memory().external == 1000);
    mine->size = std::move(moved);
    CHECK(pygc::get_memory().external == 0);
    CHECK(mine->size.count() == 200);
}
