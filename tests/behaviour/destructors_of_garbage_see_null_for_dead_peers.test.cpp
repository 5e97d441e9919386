// SPDX-License-Identifier: BSL-1.0
// Destructors of garbage see null where a dead peer was, and the living as they are.
#include <support/catch.hpp>

#include "graph.hpp"

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

struct looker : pygc::py_object {
    struct seen {
        int null = 0, alive = 0, fields = 0;
    };
    seen* saw;
    probe life;
    py_ref<looker> peer;
    std::vector<py_ref<looker>> peers;
    node_ref living;
    std::string name = "a name that needs memory of its own";

    looker(seen& s, lifetimes& l) : saw(&s), life(l) {}
    ~looker() {
        for (auto const& p : {peer, peers.at(0)}) {
            if (p == nullptr) {
                ++saw->null;
            } else {
                ++saw->alive;
                if (p->life.is_alive()) ++saw->alive;
            }
        }
        if (living != nullptr && living->life.is_alive() && living->name == "living") ++saw->alive;
        if (name.size() == 35 && life.is_alive()) ++saw->fields;
    }
    void traverse(auto& visit) { visit(peer, peers, living); }
};

} // namespace

TEST_CASE("a destructor in a cycle sees null for peers of the same garbage", "[destructor]") {
    looker::seen saw;
    lifetimes l;
    auto const living = make_node(l, "living");
    {
        auto a = make_ref<looker>(saw, l), b = make_ref<looker>(saw, l);
        a->peer = b;
        b->peer = a;
        a->peers.push_back(a);
        b->peers.push_back(b);
        a->living = b->living = living;
    }
    CHECK(pygc::collect() == 2);
    CHECK(saw.null == 4);
    CHECK(saw.alive == 2);
    CHECK(saw.fields == 2);
    CHECK(living.use_count() == 1);
    CHECK(l.alive() == 1);
}

TEST_CASE("a destructor outside cycles sees its peers alive", "[destructor]") {
    looker::seen saw;
    lifetimes l;
    auto const living = make_node(l, "living");
    auto a = make_ref<looker>(saw, l);
    a->peer = make_ref<looker>(saw, l);
    a->peers.push_back(a->peer);
    a->peer->peers.push_back(nullptr);
    a->living = living;
    a = nullptr;
    CHECK(saw.alive == 5); // the peer twice, alive each time, and the living
    CHECK(saw.null == 2);
    CHECK(saw.fields == 2);
    CHECK(l.alive() == 1);
}

TEST_CASE("row 13: a destructor may overwrite its links", "[destructor]") {
    struct cuts : pygc::py_object {
        py_ref<cuts> other;
        node_ref owned;
        ~cuts() {
            owned = nullptr;
            other = nullptr;
        }
        void traverse(pygc::visitor& visit) { visit(other, owned); }
    };
    lifetimes l;
    for (int i = 0; i != 3; ++i) {
        auto a = make_ref<cuts>(), b = make_ref<cuts>();
        a->other = b;
        b->other = a;
        b->owned = make_node(l);
        if (i == 1) a->owned = b->owned;
        if (i == 2) b->owned->next = b->owned;
    }
    CHECK(pygc::collect() == 9);
    CHECK(l.alive() == 0);
}
