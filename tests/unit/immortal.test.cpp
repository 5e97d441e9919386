// SPDX-License-Identifier: BSL-1.0
// Counts saturate: an object with more references than can be counted is never freed.
#include <support/catch.hpp>
#include <support/environment.hpp>
#include <support/stderr_capture.hpp>

#include <pygc/pygc.hpp>

#include <cstdint>

namespace {
struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};
} // namespace

TEST_CASE("a count that overflows makes the object immortal", "[immortal]") {
    if (!support::optimised || support::with_address_sanitizer) {
        WARN("skipped: two thousand million increments take too long without optimisation");
        return;
    }
    struct value : pygc::py_object {
        using pygc_acyclic = void;
        bool* destroyed;
        explicit value(bool& d) : destroyed(&d) {}
        ~value() { *destroyed = true; }
    };
    bool destroyed = false;
    pygc::heap h; // forgotten at the end with the object in it
    pygc::heap::scope use(h);
    auto r = pygc::make_ref<value>(destroyed);
    for (std::int64_t i = 0; i <= INT32_MAX; ++i) static_cast<void>(pygc::py_ref<value>(r).release());
    CHECK(r.use_count() < 0);
    auto* const raw = r.get();
    for (int i = 0; i != 1000; ++i) {
        auto const again = pygc::borrow(raw);
        CHECK(again.get() == raw);
    }
    r = nullptr;
    CHECK_FALSE(destroyed);
    for (int i = 0; i != 1000; ++i) static_cast<void>(pygc::py_ref<value>::steal(raw)); // too many drops
    CHECK_FALSE(destroyed);
    CHECK(pygc::collect() == 0);
    CHECK_FALSE(destroyed);
}

TEST_CASE("a collection lets immortal objects live, and what they lead to, and says nothing", "[immortal]") {
    pygc::heap h; // forgotten at the end with the objects in it
    pygc::heap::scope use(h);
    auto a = pygc::make_ref<node>();
    a->next = pygc::make_ref<node>();
    a->next->next = a;
    pygc::immortalize(a);
    const pygc::py_weakref<node> immortal = a, next = a->next;
    support::stderr_capture capture;
    for (int round = 0; round != 2; ++round) { // held, and not
        for (int generation = 0; generation != 3; ++generation) CHECK(h.collect(generation) == 0);
        a = nullptr;
    }
    CHECK(capture.text().empty());
    CHECK(h.get_stats()[2].uncollectable == 0);
    REQUIRE_FALSE(immortal.expired());
    CHECK(immortal.lock()->next == next.lock());
}
