// SPDX-License-Identifier: BSL-1.0
// weak_value_map, weak_key_map, weak_set: entries that vanish, also under iterators.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using pygc::collect;
using pygc::make_ref;
using pygc::py_ref;

namespace {

struct node : pygc::py_object {
    explicit node(int i = 0) : id(i) {}
    int id;
    py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

py_ref<node> loop(int i) {
    auto n = make_ref<node>(i);
    n->next = n;
    return n;
}

} // namespace

TEST_CASE("row 115: entries vanish with their object", "[weak_map]") {
    pygc::weak_value_map<std::string, node> values;
    pygc::weak_key_map<node, std::string> keys;
    pygc::weak_set<node> set;
    auto a = make_ref<node>(1), b = make_ref<node>(2);
    values.set("a", a);
    values.set("b", b);
    keys.set(a, std::string("A"));
    keys.set(b, "B");
    CHECK(set.add(a));
    CHECK(set.add(b));
    CHECK_FALSE(set.add(b));
    CHECK((values.size() == 2 && keys.size() == 2 && set.size() == 2));
    CHECK(a.use_count() == 1);
    CHECK(values.get("a") == a);
    CHECK(*keys.find(a) == "A");
    a = nullptr;
    CHECK((values.size() == 1 && keys.size() == 1 && set.size() == 1));
    CHECK(values.get("a") == nullptr);
    CHECK_FALSE(values.contains("a"));
    CHECK(values.pop("b") == b);
    CHECK(values.empty());
    CHECK(set.pop() == b);
    CHECK(set.pop() == nullptr);
    CHECK(keys.erase(b));
    CHECK_FALSE(keys.erase(b));
    CHECK(values.set_default("c", b) == b);
    CHECK(values.set_default("c", make_ref<node>(9)) == b);
    values.clear();
    CHECK(values.empty());
}

TEST_CASE("rows 116, 118: members that die under an iterator are skipped and go with it", "[weak_map]") {
    pygc::weak_value_map<int, node> map;
    pygc::weak_set<node> set;
    std::vector<py_ref<node>> members;
    for (int i = 0; i != 20; ++i) {
        members.push_back(loop(i));
        map.set(i, members.back());
        set.add(members.back());
    }
    {
        auto at = map.begin();
        auto in_set = set.begin();
        members.clear();
        collect();
        CHECK(map.size() <= 2); // the iterators hold theirs
        CHECK(set.size() <= 2);
    }
    collect();
    CHECK(map.size() == 0);
    CHECK(set.size() == 0);
    for (int i = 0; i != 20; ++i) {
        members.push_back(make_ref<node>(i));
        map.set(i, members.back());
    }
    int seen = 0;
    for (auto [key, value] : map) {
        CHECK(value->id == key);
        ++seen;
        members.clear(); // all but the one the loop holds
    }
    CHECK(seen == 1);
    CHECK(map.empty());
}

TEST_CASE("row 117: with automatic collections at any threshold the length only falls", "[weak_map]") {
    const auto before = pygc::get_threshold();
    for (std::size_t threshold = 1; threshold != 100; ++threshold) {
        pygc::set_threshold(threshold, threshold, threshold);
        pygc::weak_set<node> set;
        std::vector<py_ref<node>> members;
        for (int i = 0; i != 20; ++i) {
            members.push_back(loop(i));
            set.add(members.back());
        }
        members.clear();
        const auto first = set.size();
        { const auto passing = make_ref<node>(); }
        const auto second = set.size();
        REQUIRE(second <= first);
        REQUIRE(first <= 20);
    }
    pygc::set_threshold(before[0], before[1], before[2]);
    collect();
}

TEST_CASE("row 119: changes while a removal is pending", "[weak_map]") {
    pygc::weak_value_map<int, node> map;
    auto a = make_ref<node>(1), b = make_ref<node>(2), c = make_ref<node>(3);
    map.set(1, a);
    map.set(2, b);
    {
        auto at = map.begin();
        auto held = (*at).second;
        auto& other = held == a ? b : a;
        const int key = other->id;
        other = nullptr; // pending
        CHECK(map.size() == 1);
        map.set(key, c); // comes back under the same key
        CHECK(map.size() == 2);
        CHECK(map.erase(key));
        CHECK(map.size() == 1);
        map.set(key, c);
        held = nullptr;
        CHECK(map.get(key) == c);
    }
    CHECK(map.size() == 2);
    {
        auto at = map.begin();
        map.clear();
        CHECK(map.empty());
        map.set(7, c);
        CHECK(map.size() == 1);
    }
    CHECK(map.get(7) == c);
}

TEST_CASE("row 121: a value that replaced a dead one's stays", "[weak_map]") {
    pygc::weak_value_map<int, node> map;
    auto fresh = make_ref<node>(2);
    auto old = loop(1);
    pygc::py_weakref<node> first(old, [&] { map.set(1, fresh); });
    map.set(1, old);
    pygc::py_weakref<node> last(old, [&] { map.set(1, fresh); }); // runs before the map hears of it
    old = nullptr;
    collect();
    CHECK(map.get(1) == fresh);
    CHECK(map.size() == 1);
}

TEST_CASE("a callback may empty or destroy a map before the map hears of the death", "[weak_map]") {
    for (bool destroy : {false, true}) {
        auto map = std::make_unique<pygc::weak_value_map<std::string, node>>();
        auto a = make_ref<node>(1);
        map->set("a key that is too long for the small string optimisation", a);
        pygc::py_weakref<node> newer(a, [&] { destroy ? map.reset() : map->clear(); });
        a = nullptr;
        if (!destroy) CHECK(map->empty());
    }
    pygc::weak_set<node> set;
    auto a = make_ref<node>(1), b = make_ref<node>(2);
    set.add(a);
    set.add(b);
    auto at = std::make_unique<pygc::weak_set<node>::iterator>(set.begin());
    auto& other = **at == a ? b : a;
    pygc::py_weakref<node> newer(other, [&] { at.reset(); }); // sweeps the dead entry away
    other = nullptr;
    CHECK(set.size() == 1);
}

TEST_CASE("row 123: sets are joined and emptied while members die", "[weak_map]") {
    pygc::weak_set<node> a, b;
    auto x = make_ref<node>(1), y = make_ref<node>(2);
    a.add(x);
    b.add(y);
    a.update(b);
    CHECK(a.size() == 2);
    y = nullptr;
    CHECK(a.size() == 1);
    CHECK(b.empty());
    CHECK(a.discard(x));
    CHECK_FALSE(a.discard(x));
}

TEST_CASE("row 128: a map owns no cycle with its entries, and moves", "[weak_map]") {
    auto a = make_ref<node>(1);
    pygc::weak_value_map<int, node> kept;
    {
        pygc::weak_value_map<int, node> map;
        map.set(1, a);
        kept = std::move(map);
    }
    CHECK(kept.get(1) == a);
    CHECK(pygc::get_weakref_count(a) == 1);
    { const auto gone = std::move(kept); }
    CHECK(pygc::get_weakref_count(a) == 0);
}

TEST_CASE("a map inside garbage, with entries of the same garbage", "[weak_map]") {
    struct owner : pygc::py_object {
        pygc::weak_value_map<int, owner> map;
        pygc::weak_key_map<owner, py_ref<owner>> strong;
        py_ref<owner> next;
        void traverse(pygc::visitor& visit) { visit(map, strong, next); }
    };
    auto a = make_ref<owner>(), b = make_ref<owner>();
    a->next = b;
    b->next = a;
    a->map.set(1, b);
    b->map.set(1, a);
    a->strong.set(a, b);
    a = b = nullptr;
    CHECK(collect() >= 2);
    CHECK(pygc::get_objects().size() == 0);
}

TEST_CASE("values of a weak key map are visible to the collector", "[weak_map]") {
    struct owner : pygc::py_object {
        pygc::weak_key_map<node, py_ref<owner>> map;
        void traverse(pygc::visitor& visit) { visit(map); }
    };
    auto key = make_ref<node>(1);
    auto a = make_ref<owner>();
    a->map.set(key, a); // a cycle through the map
    a = nullptr;
    CHECK(collect() == 1);
}

#if defined(__cpp_exceptions)
namespace {

constinit bool hash_throws = false, comparison_throws = false;

struct temperamental {
    int value;
    friend bool operator==(const temperamental& a, const temperamental& b) {
        if (comparison_throws) throw 1;
        return a.value == b.value;
    }
};
struct throwing_hash {
    std::size_t operator()(const temperamental& k) const {
        if (hash_throws) throw 1;
        return static_cast<std::size_t>(k.value % 3);
    }
};

} // namespace

TEST_CASE("an entry vanishes without asking for the hash of its key or comparing it", "[weak_map]") {
    pygc::weak_value_map<temperamental, node, throwing_hash> map;
    std::vector<py_ref<node>> nodes;
    for (int i = 0; i != 30; ++i) {
        nodes.push_back(make_ref<node>(i));
        map.set({i}, nodes.back());
    }
    hash_throws = comparison_throws = true;
    CHECK_THROWS_AS(map.get({1}), int);
    CHECK_THROWS_AS(map.set({1}, nodes[2]), int);
    nodes.resize(20);
    CHECK(map.size() == 20);
    {
        const auto held = map.begin();
        nodes.resize(10);
        CHECK(map.size() <= 11); // the one that the iterator stands at may live
    }
    hash_throws = comparison_throws = false;
    CHECK(map.size() == 10);
    CHECK(map.get({9}) == nodes[9]);
    CHECK(map.get({10}) == nullptr);
}
#endif

TEST_CASE("an entry that came back and went again while an iterator lived goes with it once", "[weak_map]") {
    pygc::weak_key_map<node, int> map;
    auto a = make_ref<node>(1), b = make_ref<node>(2);
    map.set(a, 1);
    map.set(b, 2);
    {
        const auto held = map.end();
        for (int i = 0; i != 3; ++i) {
            CHECK(map.erase(a));
            CHECK(map.size() == 1);
            map.set(a, i);
            CHECK(map.size() == 2);
        }
        CHECK(map.erase(b));
    }
    CHECK(map.size() == 1);
    CHECK(*map.find(a) == 2);
    CHECK(map.find(b) == nullptr);
}

TEST_CASE("what goes with the last iterator may change the map", "[weak_map]") {
    using map_type = pygc::weak_key_map<node, std::shared_ptr<void>>;
    map_type map;
    std::vector<py_ref<node>> nodes;
    for (int i = 0; i != 8; ++i) nodes.push_back(make_ref<node>(i));
    const auto late = make_ref<node>(9);
    int ended = 0;
    const auto value = [&](std::size_t i) {
        return std::shared_ptr<void>(nullptr, [&, i](void*) {
            ++ended;
            map.erase(nodes[(i + 1) % 8]); // which may wait for its end as well
            map.set(late, nullptr);
            for (auto entry : map) static_cast<void>(entry);
        });
    };
    for (std::size_t i = 0; i != 8; ++i) map.set(nodes[i], value(i));
    {
        const auto held = map.begin();
        for (std::size_t i = 0; i < 8; i += 2) nodes[i] = nullptr;
    }
    CHECK(map.size() == 1);
    CHECK(ended == 8);
    CHECK(map.contains(late));
}

TEST_CASE("a map that was moved from is empty and as good as new", "[weak_map]") {
    const auto a = make_ref<node>(1);
    pygc::weak_value_map<int, node> map;
    CHECK((map.size() == 0 && map.begin() == map.end() && !map.contains(1) && !map.erase(1)));
    map.set(1, a);
    auto moved = std::move(map);
    CHECK(moved.get(1) == a);
    CHECK((map.empty() && map.get(1) == nullptr && map.begin() == map.end()));
    map.clear();
    map.set(2, a);
    CHECK((map.get(2) == a && !moved.contains(2)));
}
