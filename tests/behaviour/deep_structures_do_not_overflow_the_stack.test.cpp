// SPDX-License-Identifier: BSL-1.0
// Chains and rings of any length die and are collected on a small stack, in a sensible order.
#include <support/catch.hpp>
#include <support/environment.hpp>

#include "graph.hpp"

#include <functional>
#include <map>
#include <optional>

#include <pthread.h>

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

constexpr int length = with_address_sanitizer ? 50'000 : 200'000;

/// Runs `f` in a thread whose stack has 64 KiB (more under AddressSanitizer, whose frames are larger).
void on_small_stack(std::function<void()> f) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, std::size_t{with_address_sanitizer ? 1024 : 64} << 10);
    pthread_t thread;
    REQUIRE(pthread_create(
                &thread, &attributes,
                [](void* p) -> void* {
                    (*static_cast<std::function<void()>*>(p))();
                    return nullptr;
                },
                &f) == 0);
    pthread_join(thread, nullptr);
    pthread_attr_destroy(&attributes);
}

/// Reaches its successor in one of many ways.
template <class Held>
struct link : pygc::py_object {
    explicit link(lifetimes& l) : life(l) {}
    probe life;
    Held held{};
    void traverse(auto& visit) { visit(held); }
};

template <class Held>
void chain_dies(lifetimes& l, std::function<void(Held&, py_ref<pygc::py_object>)> put) {
    on_small_stack([&] {
        py_ref<pygc::py_object> first;
        for (int i = 0; i != length; ++i) {
            auto n = make_ref<link<Held>>(l);
            put(n->held, std::move(first));
            first = std::move(n);
        }
        first = nullptr;
    });
    CHECK(l.constructed == length);
    CHECK(l.alive() == 0);
}

using any_ref = py_ref<pygc::py_object>;

struct cell {
    using pygc_acyclic = void;
    int value;
    py_ref<cell> next;
};

} // namespace

TEST_CASE("row 150: a long chain dies by its counts on a small stack", "[deep]") {
    lifetimes l;
    SECTION("through a member") {
        chain_dies<any_ref>(l, [](any_ref& r, any_ref next) { r = std::move(next); });
    }
    SECTION("through a vector") {
        chain_dies<std::vector<any_ref>>(l, [](auto& v, any_ref next) { v.push_back(std::move(next)); });
    }
    SECTION("through an optional in a map") {
        chain_dies<std::map<int, std::optional<any_ref>>>(l, [](auto& m, any_ref next) { m[1] = std::move(next); });
    }
}

TEST_CASE("a long chain through user-written destructors dies on a small stack", "[deep]") {
    struct with_destructor : pygc::py_object {
        explicit with_destructor(lifetimes& l) : life(l) {}
        ~with_destructor() {
            next = nullptr; // early
            if (after != nullptr) after.reset();
        }
        probe life;
        py_ref<with_destructor> next, after;
        void traverse(pygc::visitor& visit) { visit(next, after); }
    };
    lifetimes l;
    on_small_stack([&] {
        py_ref<with_destructor> first;
        for (int i = 0; i != length; ++i) {
            auto n = make_ref<with_destructor>(l);
            (i % 2 == 0 ? n->next : n->after) = std::move(first);
            first = std::move(n);
        }
    });
    CHECK(l.alive() == 0);
}

TEST_CASE("a long chain of values that are not tracked dies on a small stack", "[deep]") {
    on_small_stack([&] {
        py_ref<cell> first;
        for (int i = 0; i != length; ++i) first = make_ref<cell>(i, std::move(first));
        CHECK_FALSE(pygc::is_tracked(first));
        first = nullptr;
        CHECK(pygc::get_memory().objects == 0);
    });
}

TEST_CASE("row 153: a long ring is collected on a small stack", "[deep]") {
    lifetimes l;
    on_small_stack([&] {
        pygc::disable();
        static_cast<void>(make_ring(l, length));
        CHECK(pygc::collect() == static_cast<std::size_t>(length));
        auto n = make_self_loop(l); // with a tail, held by nothing else
        n->more.push_back(make_chain(l, length));
        n = nullptr;
        CHECK(pygc::collect() == static_cast<std::size_t>(length) + 1);
        auto const live = make_ring(l, length);
        CHECK(pygc::collect() == 0);
        live->next = nullptr;
    });
    CHECK(l.alive() == 0);
}

TEST_CASE("a long live chain from one root is marked on a small stack", "[deep]") {
    lifetimes l;
    on_small_stack([&] {
        auto root = make_chain(l, length);
        auto garbage = make_self_loop(l); // or nothing would be marked
        garbage->next = garbage;
        garbage = nullptr;
        CHECK(pygc::collect() == 1);
        CHECK(l.alive() == length);
        root = nullptr;
    });
    CHECK(l.alive() == 0);
}

TEST_CASE("row 149: destructors that collect in deep nests", "[deep]") {
    struct collects : pygc::py_object {
        explicit collects(lifetimes& l, int n) : life(l), number(n) {}
        ~collects() {
            if (number % 17 == 0) pygc::collect();
        }
        probe life;
        int number;
        std::vector<py_ref<collects>> more;
        void traverse(pygc::visitor& visit) { visit(more); }
    };
    lifetimes l;
    for (int twice = 0; twice != 2; ++twice) {
        py_ref<collects> outermost;
        for (int i = 0; i != 150; ++i) {
            auto n = make_ref<collects>(l, i);
            n->more = {outermost, outermost};
            outermost = std::move(n);
        }
        outermost = nullptr;
        CHECK(l.alive() == 0);
    }
}
