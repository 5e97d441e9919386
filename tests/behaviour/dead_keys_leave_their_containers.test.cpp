// SPDX-License-Identifier: BSL-1.0
// An entry whose key is garbage leaves its container before any destructor runs; no key is ever null, and the container
// works as long as it lives.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

bool fails = false;  // what destructors saw
bool throws = false; // the hash of a key

struct key : pygc::py_object {
    explicit key(lifetimes& l, int i)
        : life(l), id(i), name(std::to_string(i) + " and a tail beyond the small buffer") {}
    probe life;
    int id;
    std::string name;
    py_ref<pygc::py_object> back;
    void traverse(auto& visit) { visit(back); }
};
using key_ref = py_ref<key>;

/// These read the object: a null or dead key is fatal.
struct by_name {
    bool operator()(const key_ref& a, const key_ref& b) const { return a->name < b->name; }
};
struct hash_of_name {
    std::size_t operator()(const key_ref& a) const { return std::hash<std::string>{}(a->name); }
};
struct crowded_hash {
    std::size_t operator()(const key_ref& a) const noexcept { return static_cast<std::size_t>(a->id % 2); }
};
struct equal_names {
    bool operator()(const key_ref& a, const key_ref& b) const { return a->name == b->name; }
};

struct tagged {
    int tag;
    key_ref inside;
    bool operator<(const tagged& o) const { return tag < o.tag || (tag == o.tag && inside->name < o.inside->name); }
};

key_ref key_of(const key_ref& k) { return k; }
key_ref key_of(const tagged& t) { return t.inside; }
template <class A, class B>
key_ref key_of(const std::pair<A, B>& p) {
    return key_of(p.first);
}

template <class Element>
Element element_of(const key_ref& k, int i) {
    if constexpr (std::is_same_v<Element, key_ref>) {
        return k;
    } else if constexpr (std::is_same_v<Element, tagged>) {
        return {i, k};
    } else {
        using first = std::remove_const_t<typename Element::first_type>;
        return Element(element_of<first>(k, i), typename Element::second_type{});
    }
}

template <class Container>
struct owner : pygc::py_object {
    explicit owner(lifetimes& l) : life(l) {}
    probe life;
    Container entries;
    std::size_t left = 0; // as many live keys as there are
    ~owner() {
        fails |= entries.size() != left;
        for (const auto& e : entries) fails |= key_of(e) == nullptr;
        while (!entries.empty()) {
            const auto k = entries.begin();
            if (throws) {
                // looking it up would throw in a destructor
            } else if constexpr (requires { typename Container::mapped_type; }) {
                fails |= entries.find((*k).first) == entries.end();
            } else {
                fails |= entries.find(*k) == entries.end();
            }
            entries.erase(k);
        }
        entries.clear();
    }
    void traverse(auto& visit) { visit(entries); }
};

} // namespace

TEMPLATE_TEST_CASE("dead keys leave, living ones stay and are found", "[keys]", (std::set<key_ref>),
                   (std::set<key_ref, by_name>), (std::multiset<key_ref, by_name>), (std::map<key_ref, int>),
                   (std::map<key_ref, key_ref, by_name>), (std::multimap<key_ref, std::string, by_name>),
                   (std::unordered_set<key_ref>), (std::unordered_set<key_ref, hash_of_name, equal_names>),
                   (std::unordered_set<key_ref, crowded_hash, equal_names>),
                   (std::unordered_multiset<key_ref, crowded_hash, equal_names>),
                   (std::unordered_map<key_ref, std::vector<key_ref>, hash_of_name, equal_names>),
                   (std::unordered_multimap<key_ref, int, crowded_hash>), (std::set<std::pair<key_ref, int>>),
                   (std::set<tagged>), (std::map<tagged, key_ref>)) {
    lifetimes l;
    fails = false;
    const int generation = GENERATE(0, 1, 2);
    const int size = GENERATE(1, 3, 40);
    std::vector<key_ref> living;
    {
        auto o = make_ref<owner<TestType>>(l);
        for (int i = 0; i != size; ++i) {
            auto dead = make_ref<key>(l, 2 * i), alive = make_ref<key>(l, 2 * i + 1);
            dead->back = o;
            o->entries.insert(element_of<typename TestType::value_type>(dead, 2 * i));
            o->entries.insert(element_of<typename TestType::value_type>(alive, 2 * i + 1));
            living.push_back(alive);
        }
        o->left = living.size();
    }
    CHECK(pygc::collect(generation) == static_cast<std::size_t>(size) + 1);
    CHECK_FALSE(fails);
    CHECK(l.alive() == size);
    for (const auto& k : living) REQUIRE(k.use_count() == 1);
}

namespace {

struct graph : pygc::py_object {
    explicit graph(lifetimes& l) : life(l) {}
    probe life;
    std::unordered_set<py_ref<graph>> peers;
    std::map<py_ref<graph>, py_ref<graph>> table;
    ~graph() {
        while (!peers.empty()) peers.erase(peers.begin());
        fails |= !table.empty();
    }
    void traverse(pygc::visitor& visit);
};
void graph::traverse(pygc::visitor& visit) { visit(peers, table); }

} // namespace

TEST_CASE("objects that are each other's keys and values end together", "[keys]") {
    lifetimes l;
    fails = false;
    {
        std::vector<py_ref<graph>> all;
        for (int i = 0; i != 60; ++i) all.push_back(make_ref<graph>(l));
        for (auto& a : all) {
            for (auto& b : all) {
                a->peers.insert(b);
                a->table[b] = a;
            }
        }
    }
    CHECK(pygc::collect() == 60);
    CHECK(l.alive() == 0);
    CHECK_FALSE(fails);
}

TEST_CASE("a hundred thousand dead keys leave one container", "[keys]") {
    lifetimes l;
    fails = false;
    {
        auto o = make_ref<owner<std::unordered_map<key_ref, key_ref, hash_of_name, equal_names>>>(l);
        for (int i = 0; i != 100000; ++i) {
            auto k = make_ref<key>(l, i);
            k->back = o;
            o->entries[k] = k;
        }
    }
    pygc::collect();
    CHECK(l.alive() == 0);
    CHECK_FALSE(fails);
}

namespace {

struct with_end : pygc::py_object {
    using pygc_acyclic = void;
    explicit with_end(lifetimes& l, int& n) : life(l), ends(n) {}
    ~with_end() { ++ends; }
    probe life;
    int& ends;
};

/// Dies with the entry, while all garbage is whole.
struct mapped {
    key_ref peer;
    py_ref<with_end> last;
};

struct finalized : pygc::py_object {
    explicit finalized(lifetimes& l) : life(l) {}
    probe life;
    std::map<key_ref, mapped, by_name> entries;
    std::size_t seen = 0;
    std::size_t* told = nullptr;
    void finalize() { *told = entries.size(); }
    void traverse(auto& visit) { visit(entries); }
};

} // namespace

TEST_CASE("finalizers see all entries; mapped values end once", "[keys]") {
    lifetimes l;
    int ends = 0;
    std::size_t told = 0;
    {
        auto o = make_ref<finalized>(l);
        o->told = &told;
        for (int i = 0; i != 5; ++i) {
            auto k = make_ref<key>(l, i);
            k->back = o;
            o->entries[k] = mapped{k, make_ref<with_end>(l, ends)};
        }
    }
    pygc::collect();
    CHECK(told == 5);
    CHECK(ends == 5);
    CHECK(l.alive() == 0);
}

#if defined(__cpp_exceptions)
namespace {

struct throwing_hash {
    std::size_t operator()(const key_ref& a) const {
        if (throws) throw std::runtime_error("no hash");
        return std::hash<std::string>{}(a->name);
    }
};

} // namespace

TEST_CASE("a hash that throws while a collection runs loses nothing", "[keys]") {
    pygc::heap heap;
    pygc::heap::scope use(heap);
    lifetimes l;
    fails = false;
    auto living = make_ref<key>(l, 1);
    {
        auto o = make_ref<owner<std::unordered_set<key_ref, throwing_hash, equal_names>>>(l);
        auto dead = make_ref<key>(l, 0);
        dead->back = o;
        o->entries = {dead, living};
        o->left = 1;
    }
    throws = true;
    pygc::collect();
    throws = false;
    pygc::collect();
    CHECK(l.alive() == 1);
    CHECK(living.use_count() == 1);
}
#endif
