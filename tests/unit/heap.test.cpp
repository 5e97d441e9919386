// SPDX-License-Identifier: BSL-1.0
// heap: one for each thread and as many more as are made; independent, and outlived by their objects.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using pygc::heap;
using pygc::make_ref;
using pygc::py_ref;

namespace {

struct node : pygc::py_object {
    explicit node(support::lifetimes& l) : life(l) {}
    support::probe life;
    py_ref<node> next;
    std::vector<py_ref<node>> more;
    void traverse(auto& visit) { visit(next, more); }
};

py_ref<node> ring(support::lifetimes& l, int length) {
    auto first = make_ref<node>(l);
    auto last = first;
    for (int i = 1; i != length; ++i) {
        last->next = make_ref<node>(l);
        last = last->next;
    }
    last->next = first;
    return first;
}

} // namespace

TEST_CASE("a scope makes a heap current and the previous one again", "[heap]") {
    heap& mine = heap::current();
    heap h;
    {
        heap::scope use(h);
        CHECK(&heap::current() == &h);
        heap inner;
        {
            heap::scope use_inner(inner);
            CHECK(&heap::current() == &inner);
        }
        CHECK(&heap::current() == &h);
    }
    CHECK(&heap::current() == &mine);
}

TEST_CASE("heaps have objects, counters and thresholds of their own", "[heap]") {
    support::lifetimes l;
    heap h;
    auto const here = pygc::get_objects().size();
    py_ref<node> n;
    {
        heap::scope use(h);
        n = ring(l, 3);
        CHECK(pygc::get_objects().size() == 3);
    }
    CHECK(pygc::get_objects().size() == here);
    CHECK(h.get_objects().size() == 3);
    CHECK(h.get_objects(0).contains(n));
    CHECK(h.get_count()[0] == 3);
    CHECK(h.get_memory().objects == 3);
    h.set_threshold(7, 8, 9);
    CHECK(h.get_threshold() == std::array<std::size_t, 3>{7, 8, 9});
    CHECK(pygc::get_threshold()[0] != 7);
    h.disable();
    CHECK_FALSE(h.is_enabled());
    CHECK(pygc::is_enabled());
    n = nullptr;
    CHECK(pygc::collect() == 0); // the other heap
    CHECK(l.alive() == 3);
    CHECK(h.collect() == 3);
    CHECK(l.alive() == 0);
    CHECK(h.get_stats()[2].collected == 3);
}

TEST_CASE("an automatic collection is that of the current heap", "[heap]") {
    support::lifetimes l;
    heap h;
    h.set_threshold(10);
    auto const before = pygc::get_stats()[0].collections;
    {
        heap::scope use(h);
        for (int i = 0; i != 100; ++i) static_cast<void>(ring(l, 1));
    }
    CHECK(h.get_stats()[0].collections > 5);
    CHECK(pygc::get_stats()[0].collections == before);
    CHECK(l.alive() <= 11);
}

TEST_CASE("the end of a heap collects its garbage", "[heap]") {
    support::lifetimes l;
    {
        heap h;
        heap::scope use(h);
        static_cast<void>(ring(l, 10));
        CHECK(l.alive() == 10);
    }
    // The scope ended before the heap, which was made first.
    CHECK(l.alive() == 0);
}

TEST_CASE("objects outlive their heap while they are referenced", "[heap]") {
    support::lifetimes l;
    py_ref<node> survivor;
    {
        heap h;
        heap::scope use(h);
        survivor = make_ref<node>(l);
        survivor->next = make_ref<node>(l);
        static_cast<void>(ring(l, 5));
    }
    CHECK(l.alive() == 2);
    survivor->more.push_back(survivor->next);
    CHECK(survivor->next.use_count() == 2);
    auto const here = make_ref<node>(l); // in this thread's heap
    survivor->next->next = here;
    survivor = nullptr;
    CHECK(l.alive() == 1);
    CHECK(here.use_count() == 1);
}

TEST_CASE("references between heaps count as references from outside", "[heap]") {
    support::lifetimes l;
    heap a, b;
    py_ref<node> x, y;
    {
        heap::scope use(a);
        x = make_ref<node>(l);
    }
    {
        heap::scope use(b);
        y = make_ref<node>(l);
    }
    x->next = y;
    auto const watched = y.get();
    y = nullptr;
    CHECK(b.collect() == 0); // held from a
    CHECK(l.alive() == 2);
    CHECK(watched->life.is_alive());
    SECTION("a chain from heap to heap dies by count") {
        x = nullptr;
        CHECK(l.alive() == 0);
    }
    SECTION("a cycle inside one heap takes what only it holds in the other") {
        x->more.push_back(x);
        x = nullptr;
        CHECK(b.collect() == 0);
        CHECK(a.collect() == 1);
        CHECK(l.alive() == 0);
    }
    SECTION("a cycle through both heaps is not found, and can be cut by hand") {
        watched->next = x;
        x = nullptr;
        CHECK(a.collect() + b.collect() == 0);
        CHECK(l.alive() == 2);
        watched->next = nullptr;
        CHECK(l.alive() == 0);
    }
}

TEST_CASE("a destructor of one heap's garbage may collect another heap", "[heap]") {
    struct collects_other : pygc::py_object {
        heap* other;
        py_ref<collects_other> self;
        explicit collects_other(heap& h) : other(&h) {}
        ~collects_other() { other->collect(); }
        void traverse(pygc::visitor& visit) { visit(self); } // a local class has no templates
    };
    support::lifetimes l;
    heap other;
    {
        heap::scope use(other);
        static_cast<void>(ring(l, 7));
    }
    auto c = make_ref<collects_other>(other);
    c->self = c;
    c = nullptr;
    CHECK(pygc::collect() == 1);
    CHECK(l.alive() == 0);
}

TEST_CASE("each thread has its heap, collected when the thread ends", "[heap]") {
    support::lifetimes first, second;
    heap const* heaps[2] = {};
    auto const work = [](support::lifetimes& l, heap const*& h) {
        h = &heap::current();
        for (int i = 0; i != 3000; ++i) static_cast<void>(ring(l, 2)); // automatic collections too
        if (pygc::get_stats()[0].collections == 0) h = nullptr;
    };
    {
        std::thread t1(work, std::ref(first), std::ref(heaps[0]));
        std::thread t2(work, std::ref(second), std::ref(heaps[1]));
        t1.join();
        t2.join();
    }
    CHECK(heaps[0] != nullptr);
    CHECK(heaps[1] != nullptr);
    CHECK(heaps[0] != &heap::current());
    CHECK(first.constructed == 6000);
    CHECK(first.alive() == 0);
    CHECK(second.alive() == 0);
}

TEST_CASE("objects outlive their thread", "[heap]") {
    support::lifetimes l;
    py_ref<node> acyclic, cyclic;
    std::thread([&] {
        acyclic = make_ref<node>(l);
        acyclic->next = make_ref<node>(l);
        cyclic = ring(l, 3);
        static_cast<void>(ring(l, 4));
    }).join();
    CHECK(l.constructed == 9);
    CHECK(l.alive() == 5);
    CHECK(acyclic->next.use_count() == 1);
    acyclic = nullptr;
    CHECK(l.alive() == 3);
    cyclic->next->next->next = nullptr; // nobody will collect that heap until the program ends
    cyclic = nullptr;
    CHECK(l.alive() == 0);
}

TEST_CASE("a heap may be handed from thread to thread", "[heap]") {
    support::lifetimes l;
    auto h = std::make_unique<heap>();
    py_ref<node> n;
    std::thread([&] {
        heap::scope use(*h);
        n = ring(l, 3);
    }).join();
    CHECK(l.alive() == 3);
    CHECK(h->collect() == 0);
    n = nullptr;
    std::thread([&] { CHECK(h->collect() == 3); }).join();
    CHECK(l.alive() == 0);
}

TEST_CASE("many heaps come and go", "[heap]") {
    support::lifetimes l;
    std::vector<std::unique_ptr<heap>> heaps;
    std::vector<py_ref<node>> kept;
    for (int i = 0; i != 50; ++i) {
        heaps.push_back(std::make_unique<heap>());
        heap::scope use(*heaps.back());
        kept.push_back(ring(l, 3));
        static_cast<void>(ring(l, 2));
    }
    heaps.erase(heaps.begin(), heaps.begin() + 25);
    CHECK(l.alive() == 200);
    for (auto& n : kept) n->next->next->next = nullptr;
    kept.clear();
    CHECK(l.alive() == 50);
    heaps.clear();
    CHECK(l.alive() == 0);
}

TEST_CASE("scopes may end in any order: the last one made of those that live counts", "[heap]") {
    support::lifetimes l;
    heap& own = heap::current();
    std::array<std::size_t, 3> const order = GENERATE(
        as<std::array<std::size_t, 3>>(), std::array<std::size_t, 3>{0, 1, 2}, std::array<std::size_t, 3>{0, 2, 1},
        std::array<std::size_t, 3>{1, 0, 2}, std::array<std::size_t, 3>{1, 2, 0}, std::array<std::size_t, 3>{2, 0, 1},
        std::array<std::size_t, 3>{2, 1, 0});
    std::size_t const heap_of_third = GENERATE(std::size_t{0}, std::size_t{2}); // the first heap once more, or another
    CAPTURE(order, heap_of_third);
    std::array<std::unique_ptr<heap>, 3> heaps;
    for (auto& h : heaps) h = std::make_unique<heap>();
    std::array<heap*, 3> const entered = {heaps[0].get(), heaps[1].get(), heaps[heap_of_third].get()};
    std::array<std::unique_ptr<heap::scope>, 3> scopes;
    for (std::size_t i = 0; i != 3; ++i) scopes[i] = std::make_unique<heap::scope>(*entered[i]);
    for (std::size_t const i : order) {
        scopes[i].reset();
        heap* expected = &own;
        for (std::size_t k = 0; k != 3; ++k) expected = scopes[k] != nullptr ? entered[k] : expected;
        CHECK(&heap::current() == expected);
        static_cast<void>(ring(l, 2));
        CHECK(expected->collect() == 2);
    }
    for (auto& h : heaps) {
        std::thread([&] { heap::scope const use(*h); }).join(); // nobody's any more: in debug mode another thread may
        h.reset();
    }
    CHECK(l.alive() == 0);
}

TEST_CASE("an ended heap keeps no garbage, whatever it was told to save", "[heap]") {
    support::lifetimes l;
    bool const collects = GENERATE(false, true);
    SECTION("a heap") {
        heap h;
        heap::scope const use(h);
        h.set_debug(pygc::debug::save_all);
        static_cast<void>(ring(l, 2));
        if (collects) h.collect();
        CHECK(l.alive() == 2);
    }
    SECTION("that of a thread") {
        std::thread([&] {
            pygc::set_debug(pygc::debug::save_all);
            static_cast<void>(ring(l, 2));
            if (collects) pygc::collect();
        }).join();
    }
    SECTION("one that objects outlive") {
        py_ref<node> kept;
        {
            heap h;
            heap::scope const use(h);
            h.set_debug(pygc::debug::save_all);
            kept = ring(l, 2);
            static_cast<void>(ring(l, 3));
            if (collects) h.collect();
        }
        CHECK(l.alive() == 2);
        CHECK(pygc::adopt(kept));
        kept = nullptr;
        CHECK(pygc::collect() == 2);
    }
    SECTION("one that its own garbage ends") {
        auto h = std::make_unique<heap>();
        {
            heap::scope const use(*h);
            auto const saved = ring(l, 2);
            pygc::finalizer const end(saved, [&h] { h.reset(); });
        }
        heap& running = *h;
        running.set_debug(collects ? pygc::debug::save_all : pygc::debug::none);
        running.collect();
    }
    CHECK(l.alive() == 0);
}
