// SPDX-License-Identifier: BSL-1.0
// A destructor that stores a reference to its own object away: reported, and the memory kept until it goes.
#include <support/catch.hpp>
#include <support/stderr_capture.hpp>

#include "graph.hpp"

#include <array>

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

template <std::size_t Bytes>
struct escapes : pygc::py_object {
    probe life;
    py_ref<escapes>* place;
    py_ref<escapes> self;
    std::array<char, Bytes> load{};
    escapes(lifetimes& l, py_ref<escapes>& p) : life(l), place(&p) {}
    ~escapes() { *place = pygc::borrow(this); }
    void traverse(auto& visit) { visit(self); }
};

/// Drops a reference from its destructor. Big enough to come after all small objects' pages.
struct drops : pygc::py_object {
    py_ref<pygc::py_object>* place;
    py_ref<drops> self;
    explicit drops(py_ref<pygc::py_object>& p) : place(&p) {}
    ~drops() { *place = nullptr; }
    void traverse(auto& visit) { visit(self); }
};

constexpr char const* message = "a destructor let a reference escape";

} // namespace

TEMPLATE_TEST_CASE_SIG("an escaped reference keeps memory, not the object", "[escape]", ((std::size_t Bytes), Bytes),
                       8, 50'000, 5'000'000) {
    lifetimes l;
    py_ref<escapes<Bytes>> place;
    bool const cyclic = GENERATE(false, true);
    std::string text;
    {
        stderr_capture capture;
        auto e = make_ref<escapes<Bytes>>(l, place);
        if (cyclic) e->self = e;
        e = nullptr;
        CHECK(pygc::collect() == (cyclic ? 1u : 0u));
        text = capture.text();
    }
    CHECK(count_of(text, message) == 1);
    CHECK(text.find("escapes") != std::string::npos); // the type is named
    CHECK(l.destroyed == 1);
    REQUIRE(place != nullptr);
    CHECK(place.use_count() == 1);
    CHECK(pygc::get_memory().objects == 1);
    CHECK_FALSE(pygc::is_tracked(place));
    CHECK(pygc::collect() == 0);
    place = nullptr;
    CHECK(pygc::get_memory().objects == 0);
    CHECK(l.destroyed == 1);
}

TEMPLATE_TEST_CASE_SIG("a reference that escapes and goes while the same collection runs", "[escape]",
                       ((std::size_t Bytes), Bytes), 8, 50'000, 5'000'000) {
    struct escapes_to_base : pygc::py_object {
        probe life;
        py_ref<pygc::py_object>* place;
        py_ref<escapes_to_base> self;
        std::array<char, Bytes> load{};
        escapes_to_base(lifetimes& l, py_ref<pygc::py_object>& p) : life(l), place(&p) {}
        ~escapes_to_base() {
            *place = pygc::borrow(this);
        }
        void traverse(pygc::visitor& visit) { visit(self); }
    };
    lifetimes l;
    py_ref<pygc::py_object> place;
    stderr_capture capture;
    pygc::no_collect const until_all_are_made;
    for (int i = 0; i != 3; ++i) { // whichever comes first: each drops what those before let escape
        auto e = make_ref<escapes_to_base>(l, place);
        e->self = e;
        auto d = make_ref<drops>(place);
        d->self = d;
    }
    CHECK(pygc::collect() == 6);
    place = nullptr;
    CHECK(l.alive() == 0);
    CHECK(pygc::get_memory().objects == 0);
    auto const again = make_ref<escapes_to_base>(l, place);
    CHECK(pygc::get_memory().objects == 1);
    again->self = nullptr;
    CHECK(count_of(capture.text(), message) == 3);
    stderr_capture last;
    const_cast<py_ref<escapes_to_base>&>(again) = nullptr;
    place = nullptr;
}

TEST_CASE("references taken and dropped in a destructor do no harm", "[escape]") {
    struct borrows : pygc::py_object {
        using pygc_acyclic = void;
        probe life;
        explicit borrows(lifetimes& l) : life(l) {}
        ~borrows() {
            for (int i = 0; i != 10; ++i) {
                auto const mine = pygc::borrow(this);
                auto const copy = mine;
                if (copy != this) std::abort();
            }
        }
    };
    lifetimes l;
    stderr_capture capture;
    static_cast<void>(make_ref<borrows>(l));
    CHECK(l.destroyed == 1);
    CHECK(capture.text().empty());
}

#ifdef __cpp_exceptions
namespace {

struct escapes_by_constructor : pygc::py_object {
    py_ref<escapes_by_constructor> self;
    explicit escapes_by_constructor(py_ref<escapes_by_constructor>& place) {
        place = pygc::borrow(this);
        throw 7;
    }
    void traverse(auto& visit) { visit(self); }
};

struct throws_first {
    throws_first() { throw 8; }
};
struct never_counted : throws_first, pygc::py_object {};

} // namespace

TEST_CASE("a reference that escapes from a throwing constructor keeps the memory until it goes", "[escape]") {
    py_ref<escapes_by_constructor> place;
    std::string text;
    {
        stderr_capture capture;
        CHECK_THROWS_AS(make_ref<escapes_by_constructor>(place), int);
        text = capture.text();
    }
    CHECK(count_of(text, "a constructor that threw let a reference escape") == 1);
    REQUIRE(place != nullptr);
    CHECK(place.use_count() == 1);
    CHECK_FALSE(pygc::is_tracked(place));
    CHECK(pygc::get_memory().objects == 1);
    CHECK(pygc::collect() == 0);
    place = nullptr;
    CHECK(pygc::get_memory().objects == 0);
}

TEST_CASE("a constructor that throws before the count exists leaves nothing behind", "[escape]") {
    CHECK_THROWS_AS(make_ref<never_counted>(), int);
    CHECK(pygc::get_memory().objects == 0);
}
#endif

namespace {

/// The last of a chain keeps a reference to the one before it, whose destructor is running.
struct chain_link : pygc::py_object {
    chain_link* before = nullptr;
    py_ref<chain_link>* place = nullptr;
    py_ref<chain_link> next;
    ~chain_link() {
        if (place != nullptr) *place = pygc::borrow(before);
    }
    void traverse(auto& visit) { visit(next); }
};

} // namespace

TEST_CASE("a reference that escapes at the end of a chain keeps memory at any depth", "[escape]") {
    // So deep destructors nest; the last chain_link's has to wait for that of the one before it.
    constexpr int deepest = pygc::detail::nesting_limit;
    for (int length = 1; length <= deepest; ++length) {
        py_ref<chain_link> place;
        std::string text;
        {
            stderr_capture capture;
            auto first = make_ref<chain_link>();
            chain_link* last = first.get();
            for (int i = 0; i != length; ++i) {
                last->next = make_ref<chain_link>();
                last->next->before = last;
                last = last->next.get();
            }
            last->place = &place;
            first = nullptr;
            text = capture.text();
        }
        INFO(length << " before the last");
        CHECK(count_of(text, message) == 1);
        REQUIRE(place != nullptr);
        CHECK(place.use_count() == 1);
        CHECK(pygc::get_memory().objects == 1);
        place = nullptr;
        CHECK(pygc::get_memory().objects == 0);
    }
}
