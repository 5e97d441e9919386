// SPDX-License-Identifier: BSL-1.0
// A heap outlives whoever uses it, in whatever order they end.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <memory>
#include <optional>
#include <thread>

using pygc::heap;
using pygc::make_ref;

namespace {

int alive = 0;

struct node : pygc::py_object {
    node() { ++alive; }
    ~node() { --alive; }
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

pygc::py_ref<node> loop() {
    auto n = make_ref<node>();
    n->next = n;
    return n;
}

} // namespace

TEST_CASE("a no_collect may outlive its heap", "[heap]") {
    auto h = std::make_unique<heap>();
    std::optional<pygc::no_collect> pause(std::in_place, *h);
    {
        heap::scope const use(*h);
        loop().reset();
    }
    h.reset();
    CHECK(alive == 0);
    heap other; // would get the memory
    pause.reset();
    heap::scope const use(other);
    CHECK(loop()->next != nullptr);
    CHECK(other.collect() == 1);
}

TEST_CASE("a scope may outlive its heap", "[heap]") {
    pygc::py_ref<node> kept;
    {
        auto h = std::make_unique<heap>();
        heap::scope const use(*h);
        h.reset();
        kept = loop();
        loop().reset();
    }
    CHECK(alive == 2);
    auto const mine = make_ref<node>();
    CHECK(pygc::get_objects().size() == 1);
    kept = nullptr;
    CHECK(pygc::collect() == 2);
    CHECK(alive == 1);
}

TEST_CASE("heaps inside one another's scopes end in any order", "[heap]") {
    auto a = std::make_unique<heap>(), b = std::make_unique<heap>();
    {
        heap::scope const use_a(*a);
        loop().reset();
        {
            heap::scope const use_b(*b);
            a.reset(); // the one that comes back
            loop().reset();
            b.reset();
            loop().reset();
        }
        loop().reset();
        CHECK(heap::current().collect() >= 1);
    }
    pygc::collect();
    CHECK(alive == 0);
}

TEST_CASE("a heap that ends is collected although it is frozen", "[heap][freeze]") {
    std::size_t mapped = 0;
    for (int i = 0; i != 50; ++i) {
        heap h;
        heap::scope const use(h);
        loop().reset();
        auto const kept = loop();
        h.freeze();
        kept->next = nullptr;
        mapped = h.get_memory().mapped;
    }
    CHECK(alive == 0);
    CHECK(mapped <= std::size_t{8} << 20);
}

TEST_CASE("what is left of a frozen heap lives on and dies by its count", "[heap][freeze]") {
    pygc::py_ref<node> kept;
    {
        heap h;
        heap::scope const use(h);
        kept = loop();
        h.freeze();
    }
    CHECK(alive == 1);
    kept->next = nullptr;
    kept = nullptr;
    CHECK(alive == 0);
}

TEST_CASE("a thread whose heap is frozen is collected at its end", "[heap][freeze]") {
    int left = -1;
    std::thread([] {
        loop().reset();
        pygc::freeze();
    }).join();
    left = alive;
    CHECK(left == 0);
}

TEST_CASE("a new heap is as good as new, whatever the one before it was told", "[heap]") {
    {
        heap h;
        h.set_threshold(1, 2, 3);
        h.disable();
        h.set_mode(pygc::at_safe_point);
        h.callbacks().append([](auto...) { ++alive; });
        h.set_unraisable_hook([](auto const&) {});
        heap::scope const use(h);
        loop().reset();
        h.freeze();
    }
    heap h;
    CHECK(h.get_threshold() == heap::current().get_threshold());
    CHECK(h.is_enabled());
    CHECK(h.get_mode() == pygc::at_allocation);
    CHECK(h.callbacks().empty());
    CHECK(h.get_memory().objects == 0);
    CHECK(h.get_stats()[2].collections == 0);
    CHECK(h.get_freeze_count() == 0);
    CHECK(h.collect() == 0);
    CHECK(alive == 0);
}
