// SPDX-License-Identifier: BSL-1.0
// py_object: the count belongs to the object's identity, never to its value.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;

namespace {

struct person : pygc::py_object {
    explicit person(std::string n = "nobody") : name(std::move(n)) {}
    std::string name;
    py_ref<person> friend_;
    void traverse(auto& visit) { visit(friend_); }
};

struct company : pygc::py_object {
    person founder{"founder"}; // by value: a member, counted by nobody
    std::map<std::string, person> staff;
    std::vector<person> past;
    py_ref<company> rival;
    void traverse(auto& visit) { visit(founder, staff, past, rival); }
};

} // namespace

TEST_CASE("copying and moving an object copies its value, not its count", "[object]") {
    auto const a = make_ref<person>("Ada");
    auto const again = a;
    auto const b = make_ref<person>(*a);
    CHECK(b->name == "Ada");
    CHECK(a.use_count() == 2);
    CHECK(b.use_count() == 1);
    *b = person("Bob");
    CHECK(b->name == "Bob");
    CHECK(b.use_count() == 1);
    *a = *b;
    CHECK(a->name == "Bob");
    CHECK(a.use_count() == 2);
    auto const c = make_ref<person>(std::move(*a));
    CHECK(c->name == "Bob");
    CHECK(c.use_count() == 1);
    CHECK(a.use_count() == 2);
    using std::swap;
    swap(*a, *b);
    CHECK(a.use_count() == 2);
    CHECK(b.use_count() == 1);
    CHECK(pygc::is_tracked(a));
    CHECK(pygc::is_tracked(b));
}

TEST_CASE("an object on the stack is an ordinary value", "[object]") {
    auto const before = pygc::get_objects().size();
    {
        person local("local");
        local.friend_ = make_ref<person>("heap");
        person copy = local;
        CHECK(copy.friend_ == local.friend_);
        CHECK(copy.friend_.use_count() == 2);
        CHECK(pygc::get_objects().size() == before + 1);
        CHECK(pygc::collect() == 0); // references from the stack are references from outside
        CHECK(copy.friend_->name == "heap");
    }
    CHECK(pygc::get_objects().size() == before);
}

TEST_CASE("references of objects that are members are found through their owner", "[object]") {
    auto c = make_ref<company>();
    auto p = make_ref<person>("p");
    SECTION("a member") { c->founder.friend_ = p; }
    SECTION("in a map") { c->staff["x"].friend_ = p; }
    SECTION("in a vector") { c->past.resize(5), c->past[3].friend_ = p; }
    CHECK(p.use_count() == 2);
    CHECK(pygc::collect() == 0);
    p->friend_ = p; // a cycle of its own, held by the company
    p = nullptr;
    CHECK(pygc::collect() == 0);
    c->rival = c;
    c = nullptr;
    CHECK(pygc::collect() == 2);
}

TEST_CASE("an object needs no virtual function and may have them", "[object]") {
    struct with_virtual : pygc::py_object {
        virtual ~with_virtual() = default;
        virtual int f() { return 1; }
    };
    struct overrides : with_virtual {
        int f() override { return 2; }
    };
    py_ref<with_virtual> const p = make_ref<overrides>();
    CHECK(p->f() == 2);
    CHECK_FALSE(std::is_polymorphic_v<person>);
    CHECK(sizeof(pygc::py_object) == 8);
}
