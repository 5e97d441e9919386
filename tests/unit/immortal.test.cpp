// SPDX-License-Identifier: BSL-1.0
// Counts saturate: an object with more references than can be counted is never freed.
#include <support/catch.hpp>
#include <support/environment.hpp>

#include <pygc/pygc.hpp>

#include <cstdint>

TEST_CASE("a count that overflows makes the object immortal", "[immortal]") {
    if (!support::optimised || support::with_address_sanitizer) {
        WARN("skipped: two thousand million increments take too long without optimisation");
        return;
    }
    struct value : pygc::py_object {
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
