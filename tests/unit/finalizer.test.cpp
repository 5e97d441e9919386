// SPDX-License-Identifier: BSL-1.0
// finalizer: functions called when an object has died, by hand, or at the end of a heap.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <memory>
#include <stdexcept>

using pygc::finalizer;
using pygc::make_ref;
using pygc::py_ref;
using support::trace;

namespace {

struct node : pygc::py_object {
    py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

} // namespace

TEST_CASE("row 124: a finalizer runs once: at death, or by hand", "[finalizer]") {
    int sum = 0;
    auto a = make_ref<node>();
    finalizer f(
        a, [&](int n) { sum += n; }, 5);
    CHECK(f.alive());
    CHECK(f.peek() == a);
    a = nullptr;
    CHECK(sum == 5);
    CHECK_FALSE(f.alive());
    CHECK(f.peek() == nullptr);
    CHECK_FALSE(f());
    auto b = make_ref<node>();
    finalizer g(b, [&] { sum += 100; });
    CHECK(g());
    CHECK_FALSE(g());
    b = nullptr;
    CHECK(sum == 105);
}

TEST_CASE("a detached finalizer never runs; one nobody holds does", "[finalizer]") {
    int calls = 0;
    auto a = make_ref<node>();
    finalizer f(a, [&] { ++calls; });
    CHECK(f.detach() == a);
    CHECK(f.detach() == nullptr);
    finalizer(a, [&] { calls += 10; });
    a = nullptr;
    CHECK(calls == 10);
}

TEST_CASE("row 125: five finalizers, one detached, one called: the rest newest first", "[finalizer]") {
    trace t;
    auto a = make_ref<node>();
    a->next = a;
    const auto add = [&](std::string n) { return finalizer(a, [&t, n] { t.push_back(n); }); };
    auto f1 = add("1"), f2 = add("2"), f3 = add("3"), f4 = add("4"), f5 = add("5");
    f3.detach();
    f5();
    a = nullptr;
    pygc::collect();
    CHECK(t == trace{"5", "4", "2", "1"});
}

TEST_CASE("row 126: what a finalizer owns is freed after it ran", "[finalizer]") {
    auto token = std::make_shared<int>(1);
    auto a = make_ref<node>();
    finalizer f(a, [token] {});
    CHECK(token.use_count() == 2);
    a = nullptr;
    CHECK(token.use_count() == 1);
}

TEST_CASE("row 127: at the end of a heap: newest first, what throws is reported, new ones next", "[finalizer][heap]") {
    trace t;
    py_ref<node> a; // outlives its heap
    {
        pygc::heap h;
        pygc::heap::scope use(h);
#if defined(__cpp_exceptions)
        pygc::set_unraisable_hook([&](pygc::unraisable const&) { t.push_back("reported"); });
#endif
        a = make_ref<node>();
        finalizer(a, [&] { t.push_back("f1"); });
        finalizer f2(a, [&] { t.push_back("f2"); });
        f2.set_at_exit(false);
        CHECK_FALSE(f2.at_exit());
        finalizer(a, [&] {
            t.push_back("f3");
            finalizer(a, [&] { t.push_back("g1"); });
#if defined(__cpp_exceptions)
            throw std::runtime_error("f3");
#endif
        });
        finalizer(a, [&] { t.push_back("f4"); });
    }
#if defined(__cpp_exceptions)
    CHECK(t == trace{"f4", "f3", "reported", "g1", "f1"});
#else
    CHECK(t == trace{"f4", "f3", "g1", "f1"});
#endif
}
