// SPDX-License-Identifier: BSL-1.0
// Assignments whose source lies inside the object that the assignment frees.
#include <support/catch.hpp>

#include "graph.hpp"

#include <range/v3/algorithm/count_if.hpp>

#include <list>
#include <map>

using namespace support;

TEST_CASE("head = head->next frees the list node by node", "[aliasing]") {
    lifetimes l;
    auto head = make_chain(l, 10);
    for (int left = 10; head != nullptr; --left) {
        CHECK(l.alive() == left);
        if (left % 2 == 0) {
            head = head->next;
        } else {
            head = std::move(head->next);
        }
    }
    CHECK(l.alive() == 0);
}

TEST_CASE("node->next = node->next->next takes one out of the middle", "[aliasing]") {
    lifetimes l;
    auto const head = make_chain(l, 5);
    head->next = head->next->next;
    CHECK(l.alive() == 4);
    head->next = std::move(head->next->next);
    CHECK(l.alive() == 3);
    swap(head->next, head->next->next->next);
    CHECK(l.alive() == 3);
    CHECK(head->next == nullptr);
    CHECK(pygc::collect() == 2);
}

TEST_CASE("a container member may be replaced by one inside what it frees", "[aliasing]") {
    lifetimes l;
    auto n = make_node(l);
    n->more = {make_node(l)};
    n->more[0]->more = {make_node(l), make_node(l)};
    auto taken = std::move(n->more[0]->more);
    n->more = std::move(taken);
    CHECK(l.alive() == 3);
    n = std::move(n->more[1]);
    CHECK(l.alive() == 1);
}

TEST_CASE("elements are erased while a loop goes over them", "[aliasing]") {
    lifetimes l;
    std::list<node_ref> all;
    for (int i = 0; i != 10; ++i) all.push_back(make_node(l, i % 3 == 0 ? "go" : "stay"));
    for (auto i = all.begin(); i != all.end();) {
        if ((*i)->name == "go") {
            i = all.erase(i);
        } else {
            ++i;
        }
        pygc::collect();
    }
    CHECK(l.alive() == 6);
    CHECK(ranges::count_if(all, [](auto const& n) { return n->name == "stay"; }) == 6);
    std::map<node_ref, int> keys;
    for (auto const& n : all) keys[n] = 1;
    all.clear();
    std::erase_if(keys, [first = true](auto const&) mutable { return std::exchange(first, false); });
    CHECK(l.alive() == 5);
}

TEST_CASE("a node may drop the last reference to itself in its own function", "[aliasing]") {
    struct self_dropper : pygc::py_object {
        using pygc_acyclic = void;
        pygc::py_ref<self_dropper>* owner;
        probe life;
        self_dropper(pygc::py_ref<self_dropper>& o, lifetimes& l) : owner(&o), life(l) {}
        bool drop() {
            auto const keep = pygc::borrow(this); // as with shared_from_this
            *owner = nullptr;
            return life.is_alive();
        }
    };
    lifetimes l;
    pygc::py_ref<self_dropper> owner;
    owner = pygc::make_ref<self_dropper>(owner, l);
    CHECK(owner->drop());
    CHECK(l.alive() == 0);
}
