// SPDX-License-Identifier: BSL-1.0
// A collection leaves associative containers as their own class would: an entry whose key is garbage goes, and no key
// is nulled. All destructors find containers in which they can look things up, and from which they can erase.
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <support/catch.hpp>
#include <support/probe.hpp>
#include <support/stderr_capture.hpp>

#include <pygc/pygc.hpp>

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

template <class Keyed>
struct node;

/// These read the objects that the keys refer to.
template <class Keyed>
struct by_number {
    bool operator()(py_ref<node<Keyed>> const& a, py_ref<node<Keyed>> const& b) const { return a->number < b->number; }
};
template <class Keyed>
struct same_number {
    bool operator()(py_ref<node<Keyed>> const& a, py_ref<node<Keyed>> const& b) const { return a->number == b->number; }
};
template <class Keyed>
struct hash_of_number {
    std::size_t operator()(py_ref<node<Keyed>> const& a) const { return static_cast<std::size_t>(a->number) % 13; }
};

struct ordered {};
struct ordered_equal {};
struct unordered {};
struct unordered_equal {};
struct map {};
struct multimap {};
struct hash_map {};
struct hash_multimap {};
struct by_identity {};

template <class K>
struct container_of;
template <>
struct container_of<ordered> {
    using type = std::set<py_ref<node<ordered>>, by_number<ordered>>;
};
template <>
struct container_of<ordered_equal> {
    using type = std::multiset<py_ref<node<ordered_equal>>, by_number<ordered_equal>>;
};
template <>
struct container_of<unordered> {
    using type = std::unordered_set<py_ref<node<unordered>>, hash_of_number<unordered>, same_number<unordered>>;
};
template <>
struct container_of<unordered_equal> {
    using type = std::unordered_multiset<py_ref<node<unordered_equal>>, hash_of_number<unordered_equal>,
                                         same_number<unordered_equal>>;
};
template <>
struct container_of<map> {
    using type = std::map<py_ref<node<map>>, py_ref<node<map>>, by_number<map>>;
};
template <>
struct container_of<multimap> {
    using type = std::multimap<py_ref<node<multimap>>, py_ref<node<multimap>>, by_number<multimap>>;
};
template <>
struct container_of<hash_map> {
    using type = std::unordered_map<py_ref<node<hash_map>>, py_ref<node<hash_map>>, hash_of_number<hash_map>,
                                    same_number<hash_map>>;
};
template <>
struct container_of<hash_multimap> {
    using type = std::unordered_multimap<py_ref<node<hash_multimap>>, std::vector<py_ref<node<hash_multimap>>>,
                                         hash_of_number<hash_multimap>, same_number<hash_multimap>>;
};
template <>
struct container_of<by_identity> {
    using type = std::unordered_set<py_ref<node<by_identity>>>;
};

/// Empties its container one by one when it dies.
template <class K>
struct node : pygc::py_object {
    node(lifetimes& l, int n) : life(l), number(n) {}
    ~node() {
        while (!peers.empty()) {
            auto const i = peers.begin();
            if (key(*i) == nullptr) std::abort();
            auto const found = peers.find(key(*i));
            if (found == peers.end()) std::abort();
            peers.erase(i);
        }
    }
    static py_ref<node> const& key(py_ref<node> const& element) { return element; }
    template <class V>
    static py_ref<node> const& key(std::pair<py_ref<node> const, V> const& element) {
        return element.first;
    }
    void put(py_ref<node> const& p) {
        using mapped = typename container_of<K>::type;
        if constexpr (requires { typename mapped::mapped_type; }) {
            if constexpr (std::is_same_v<typename mapped::mapped_type, py_ref<node>>) {
                peers.emplace(p, p);
            } else {
                peers.emplace(p, std::vector<py_ref<node>>{p, p});
            }
        } else {
            peers.insert(p);
        }
    }

    probe life;
    int number;
    typename container_of<K>::type peers;
    void traverse(auto& visit) { visit(peers); }
};

} // namespace

TEMPLATE_TEST_CASE("a destructor empties a container whose keys are garbage, with a hash or order that reads them",
                   "[keys]", ordered, ordered_equal, unordered, unordered_equal, map, multimap, hash_map, hash_multimap,
                   by_identity) {
    int const size = GENERATE(1, 2, 8, 60);
    int const generation = GENERATE(0, 2);
    lifetimes l;
    auto alive = make_ref<node<TestType>>(l, -1);
    {
        std::vector<py_ref<node<TestType>>> all;
        for (int i = 0; i != size; ++i) all.push_back(make_ref<node<TestType>>(l, i));
        for (auto& a : all) {
            a->put(alive); // a key that lives stays where it is
            for (auto& b : all) a->put(b);
        }
    }
    CHECK(alive.use_count() >= size + 1);
    CHECK(pygc::collect(generation) == static_cast<std::size_t>(size));
    CHECK(l.alive() == 1);
    CHECK(alive.use_count() == 1);
}

namespace {

struct item : pygc::py_object {
    explicit item(lifetimes& l) : life(l) {}
    probe life;
    std::vector<py_ref<item>> leads_to;
    void traverse(auto& visit) { visit(leads_to); }
};

struct part {
    std::string text = "part";
    py_ref<item> of;
    friend bool operator<(part const& a, part const& b) { return a.of < b.of; }
    void traverse(auto& visit) { visit(of); }
};

/// Keys in all kinds of places.
struct owner : pygc::py_object {
    explicit owner(lifetimes& l) : life(l) {}
    ~owner() {
        for (auto const& p : pairs) seen += p.first != nullptr && p.second == 1;
        for (auto const& p : parts) seen += p.of != nullptr;
        for (auto const& [name, set] : nested) {
            for (auto const& k : set) seen += k != nullptr;
        }
        for (auto const& [k, v] : both) seen += k != nullptr && v != nullptr;
        for (auto const& k : *behind) seen += k != nullptr;
        for (auto const& k : sets) seen += static_cast<int>(k.size());
        for (auto const& [k, set] : outer) seen += k != nullptr ? static_cast<int>(set.size()) : -100;
        *result = seen;
    }
    probe life;
    py_ref<owner> self;
    std::set<std::pair<py_ref<item>, int>> pairs;
    std::set<part> parts;
    std::map<std::string, std::set<py_ref<item>>> nested;
    std::map<py_ref<item>, py_ref<item>> both;
    std::unique_ptr<std::set<py_ref<item>>> behind = std::make_unique<std::set<py_ref<item>>>();
    std::set<std::vector<py_ref<item>>> sets;
    std::map<py_ref<item>, std::set<py_ref<item>>> outer;
    int seen = 0;
    int* result = nullptr;
    void traverse(pygc::visitor& visit);
};

void owner::traverse(pygc::visitor& visit) { visit(self, pairs, parts, nested, both, behind, sets, outer); }

} // namespace

TEST_CASE("keys in pairs, classes, nested containers and behind pointers go with their entries, the others stay",
          "[keys]") {
    lifetimes l;
    int result = -1;
    auto alive = make_ref<item>(l);
    {
        auto dead = make_ref<item>(l), other = make_ref<item>(l);
        dead->leads_to = {dead, other};
        other->leads_to = {dead};
        auto o = make_ref<owner>(l);
        o->result = &result;
        o->self = o;
        for (auto const& k : {alive, dead, other}) {
            o->pairs.insert({k, 1});
            o->parts.insert({"x", k});
            o->nested["a"].insert(k);
            o->both[k] = alive;
            o->behind->insert(k);
            o->sets.insert({k, alive});
            o->outer[k] = {alive, dead};
        }
    }
    CHECK(pygc::collect() == 3);
    CHECK(l.alive() == 1);
    CHECK(alive.use_count() == 1);
    CHECK(result == 1 + 1 + 1 + 1 + 1 + 2 + 1); // in each place only what lives, and its own set of one
}

namespace {

struct holder : pygc::py_object {
    std::map<py_ref<item>, std::string> names;
    py_ref<holder> self;
    void traverse(auto& visit) { visit(names, self); }
};

} // namespace

TEST_CASE("a living container keeps all its keys", "[keys]") {
    lifetimes l;
    auto h = make_ref<holder>();
    for (int i = 0; i != 100; ++i) {
        auto k = make_ref<item>(l);
        k->leads_to = {k};
        h->names[k] = "a name";
    }
    for (int generation : {0, 1, 2}) CHECK(pygc::collect(generation) == 0);
    CHECK(h->names.size() == 100);
    h->self = h;
    h = nullptr;
    CHECK(pygc::collect() == 101);
    CHECK(l.alive() == 0);
}

#if defined(__cpp_exceptions)

namespace {

bool hash_throws = false;

struct throwing_hash {
    std::size_t operator()(py_ref<item> const& k) const {
        if (hash_throws) throw std::runtime_error("a hash that throws");
        return k == nullptr ? 0 : k->leads_to.size();
    }
};

struct thrower : pygc::py_object {
    explicit thrower(lifetimes& l) : life(l) {}
    probe life;
    py_ref<thrower> self;
    std::unordered_set<py_ref<item>, throwing_hash> peers;
    void traverse(auto& visit) { visit(self, peers); }
};

} // namespace

TEST_CASE("a hash that throws while a dead key is taken out loses nothing", "[keys]") {
    lifetimes l;
    {
        auto t = make_ref<thrower>(l);
        t->self = t;
        for (int i = 0; i != 3; ++i) {
            auto k = make_ref<item>(l);
            for (int j = 0; j <= i; ++j) k->leads_to.push_back(k);
            t->peers.insert(k);
        }
    }
    std::string text;
    hash_throws = true;
    {
        stderr_capture capture;
        pygc::collect();
        text = capture.text();
    }
    hash_throws = false;
    // Whether a container calls the hash there is its own choice.
    if (l.alive() != 0) {
        CHECK(l.alive() == 4);
        CHECK(count_of(text, "a hash that throws") >= 1);
        CHECK(pygc::collect() == 4);
    }
    CHECK(l.alive() == 0);
}

#endif

TEST_CASE("weak references to a dead key are cleared, and what its entry held dies once", "[keys]") {
    lifetimes l;
    auto alive = make_ref<item>(l);
    pygc::py_weakref<item> weak;
    {
        auto h = make_ref<holder>();
        h->self = h;
        auto k = make_ref<item>(l);
        k->leads_to = {k, alive};
        weak = k;
        h->names[k] = "a name that is too long for the small string optimisation";
        h->names[alive] = "another name that is too long for the small string";
    }
    CHECK(pygc::collect() == 2);
    CHECK(weak.expired());
    CHECK(l.alive() == 1);
    CHECK(alive.use_count() == 1);
}

TEST_CASE("twenty thousand objects in one another's sets go at once", "[keys]") {
    lifetimes l;
    constexpr int size = 20000;
    {
        std::vector<py_ref<node<unordered>>> all;
        for (int i = 0; i != size; ++i) all.push_back(make_ref<node<unordered>>(l, i));
        for (int i = 0; i != size; ++i) {
            for (int j = 1; j <= 5; ++j) {
                all[static_cast<std::size_t>(i)]->put(all[static_cast<std::size_t>((i + j * j) % size)]);
            }
        }
    }
    CHECK(pygc::collect() == size);
    CHECK(l.alive() == 0);
}
