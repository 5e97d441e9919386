// SPDX-License-Identifier: BSL-1.0
// An object is tracked when its constructor has returned: a collection never looks at a half-built one.
#include <support/catch.hpp>

#include "graph.hpp"

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

struct collects_halfway : pygc::py_object {
    py_ref<collects_halfway> itself;
    node_ref first;
    probe life;
    std::size_t tracked;
    node_ref second;
    std::vector<node_ref> third;

    collects_halfway(lifetimes& l, bool throws)
        : itself(pygc::borrow(this)), first(make_ring(l, 2)), life(l), tracked(collect_and_count()),
          second(make_ring(l, 3)), third{first, second} {
        pygc::collect();
        itself = nullptr;
#if PYGC_EXCEPTIONS
        if (throws) throw 1;
#else
        static_cast<void>(throws);
#endif
    }
    void traverse(auto& visit) {
        if (!life.is_alive()) std::abort(); // looked at half-built
        visit(itself, first, second, third);
    }

    static std::size_t collect_and_count() {
        pygc::collect();
        return pygc::get_objects().size();
    }
};

} // namespace

TEST_CASE("row 45: a collection in a constructor leaves the object and its members alone", "[constructor]") {
    lifetimes l;
    auto c = make_ref<collects_halfway>(l, false);
    CHECK(c->tracked == 2); // the ring, not the object
    CHECK(pygc::is_tracked(c));
    CHECK(c.use_count() == 1);
    CHECK(l.alive() == 6);
    c->itself = c;
    c = nullptr;
    CHECK(pygc::collect() == 6);
    CHECK(l.alive() == 0);
}

TEST_CASE("an automatic collection in a constructor does no harm either", "[constructor]") {
    lifetimes l;
    pygc::set_threshold(1, 1, 1);
    {
        std::vector<py_ref<collects_halfway>> all;
        for (int i = 0; i != 20; ++i) all.push_back(make_ref<collects_halfway>(l, false));
        CHECK(l.alive() == 120);
    }
    pygc::collect();
    CHECK(l.alive() == 0);
}

#if PYGC_EXCEPTIONS
TEST_CASE("a constructor that collects and then throws leaves no object", "[constructor]") {
    lifetimes l;
    CHECK_THROWS_AS(make_ref<collects_halfway>(l, true), int);
    CHECK(pygc::get_objects().size() == 5); // what it had made
    CHECK(pygc::get_memory().objects == 5);
    CHECK(pygc::collect() == 5);
    CHECK(l.alive() == 0);
}

namespace {
struct throws_while_dying : pygc::py_object {
    node_ref member;
    explicit throws_while_dying(lifetimes& l) : member(make_node(l)) {}
    ~throws_while_dying() noexcept(false) { throw std::string("ignored"); }
    py_ref<throws_while_dying> self;
    void traverse(auto& visit) { visit(member, self); }
};
} // namespace
#endif

#if PYGC_EXCEPTIONS
#include <support/stderr_capture.hpp>

TEST_CASE("row 59: an exception from a destructor is reported and dropped", "[exceptions]") {
    lifetimes l;
    bool const cyclic = GENERATE(false, true);
    stderr_capture capture;
    auto t = make_ref<throws_while_dying>(l);
    if (cyclic) t->self = t;
    t = nullptr;
    CHECK(pygc::collect() == (cyclic ? 2u : 0u));
    CHECK(l.alive() == 0);
    CHECK(pygc::get_memory().objects == 0);
    auto const text = capture.text();
    CHECK(count_of(text, "exception ignored in the destructor of") == 1);
    CHECK(count_of(text, "throws_while_dying") == 1);
}

TEST_CASE("row 60: an exception on its way is not disturbed by collections", "[exceptions]") {
    struct collects_at_exit {
        lifetimes* l;
        ~collects_at_exit() {
            static_cast<void>(make_ring(*l, 3));
            pygc::collect();
        }
    };
    lifetimes l;
    std::string caught;
    try {
        auto const held = make_ring(l, 2);
        collects_at_exit const guard{&l};
        throw std::string("message");
    } catch (std::string const& s) {
        caught = s;
    }
    CHECK(caught == "message");
    CHECK(l.alive() == 2);
    CHECK(pygc::collect() == 2);
}

TEST_CASE("an exception may carry a reference", "[exceptions]") {
    lifetimes l;
    {
        node_ref caught;
        try {
            throw make_ring(l, 2);
        } catch (node_ref const& r) {
            CHECK(pygc::collect() == 0);
            caught = r;
        }
        CHECK(pygc::collect() == 0);
        CHECK(caught->next->next == caught);
        CHECK(caught.use_count() == 2);
    }
    CHECK(pygc::collect() == 2);
    CHECK(l.alive() == 0);
}
#endif
