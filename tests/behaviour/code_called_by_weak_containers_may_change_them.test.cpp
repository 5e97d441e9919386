// SPDX-License-Identifier: BSL-1.0
// Hash, comparison, copies, moves and destructors of keys and values find a weak container whole, and may do to it what
// they like: change it, collect, end it, throw.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
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

enum class at { nowhere, hash, comparison, copy, move, destructor };

/// What the code that the containers call does, once for each operation.
struct trap {
    at where = at::nowhere;
    int after = 0; // so many such calls before
    std::function<void()> act;

    void spring(at here) {
        if (here != where || after-- != 0) return;
        where = at::nowhere;
        const auto mine = std::move(act);
        mine();
    }
};
trap set_trap;

/// A number on the heap, so that a dead one is seen.
struct probe {
    std::unique_ptr<int> number;
    probe(int n) : number(std::make_unique<int>(n)) {}
    probe(const probe& other) : number(std::make_unique<int>(*other.number)) { set_trap.spring(at::copy); }
    probe(probe&& other) noexcept : number(std::make_unique<int>(*other.number)) {}
    probe& operator=(const probe&) = delete;
    ~probe() { set_trap.spring(at::destructor); }
    friend bool operator==(const probe& a, const probe& b) {
        set_trap.spring(at::comparison);
        return *a.number == *b.number;
    }
};
struct probe_hash {
    std::size_t operator()(const probe& p) const {
        set_trap.spring(at::hash);
        return static_cast<std::size_t>(*p.number % 2); // many of one hash
    }
};

/// A value whose moves and end are told.
struct value {
    std::unique_ptr<int> number;
    py_ref<node> held;
    value(int n, py_ref<node> h = nullptr) : number(std::make_unique<int>(n)), held(std::move(h)) {}
    value(value&& other) : number(std::make_unique<int>(*other.number)), held(std::move(other.held)) {
        set_trap.spring(at::move);
    }
    value& operator=(const value&) = delete;
    ~value() { set_trap.spring(at::destructor); }
    void traverse(auto& visit) { visit(held); }
};

using value_map = pygc::weak_value_map<probe, node, probe_hash>;
using key_map = pygc::weak_key_map<node, value>;

template <class Map>
std::size_t count(const Map& map) {
    std::size_t n = 0;
    for (const auto& entry : map) {
        static_cast<void>(entry);
        ++n;
    }
    return n;
}

constexpr int actions = 8;

/// Eight entries, and what their objects are held by.
struct values_scene {
    std::unique_ptr<value_map> map = std::make_unique<value_map>();
    value_map other;
    std::vector<py_ref<node>> nodes;
    py_ref<node> spare = make_ref<node>(99);

    values_scene() {
        for (int i = 0; i != 8; ++i) {
            nodes.push_back(make_ref<node>(i));
            map->set(i, nodes.back());
        }
    }
    void act(int action) {
        switch (action) {
        case 0:
            map->clear();
            break;
        case 1:
            map.reset();
            break;
        case 2:
            other = std::move(*map);
            break;
        case 3:
            for (auto& n : nodes) n = nullptr;
            break;
        case 4:
            for (int i = 8; i != 40; ++i) {
                nodes.push_back(make_ref<node>(i));
                map->set(i, nodes.back());
            }
            break;
        case 5:
            for (int i = 0; i != 8; ++i) map->erase(i);
            break;
        case 6:
            for (int i = 0; i != 8; ++i) map->set(i, spare);
            break;
        default:
            for (auto& n : nodes) {
                if (n != nullptr) n->next = n;
            }
            nodes.resize(1);
            collect();
            break;
        }
    }
    /// What is in the containers is found, and nothing else.
    bool is_whole() {
        for (value_map* m : {map.get(), &other}) {
            if (m == nullptr) continue;
            if (count(*m) != m->size()) return false;
            for (auto [key, object] : *m) {
                if (m->get(key) != object) return false;
            }
            for (int i = 0; i != 40; ++i) {
                const auto object = m->get(i);
                if (m->contains(i) != (object != nullptr)) return false;
            }
        }
        return true;
    }
};

struct keys_scene {
    std::unique_ptr<key_map> map = std::make_unique<key_map>();
    key_map other;
    std::vector<py_ref<node>> nodes;

    keys_scene() {
        for (int i = 0; i != 8; ++i) {
            nodes.push_back(make_ref<node>(i));
            map->set(nodes.back(), value(i));
        }
    }
    void act(int action) {
        const auto present = nodes; // a node that another operation uses may be null
        switch (action) {
        case 0:
            map->clear();
            break;
        case 1:
            map.reset();
            break;
        case 2:
            other = std::move(*map);
            break;
        case 3:
            for (auto& n : nodes) n = nullptr;
            break;
        case 4:
            for (int i = 8; i != 40; ++i) {
                nodes.push_back(make_ref<node>(i));
                map->set(nodes.back(), value(i));
            }
            break;
        case 5:
            for (const auto& n : present) map->erase(n);
            break;
        case 6:
            for (const auto& n : present) {
                if (n != nullptr) map->set(n, value(99));
            }
            break;
        default:
            for (auto& n : nodes) {
                if (n != nullptr) n->next = n;
            }
            nodes.resize(1);
            collect();
            break;
        }
    }
    bool is_whole() {
        for (key_map* m : {map.get(), &other}) {
            if (m == nullptr) continue;
            if (count(*m) != m->size()) return false;
            for (auto entry : *m) {
                const value* v = m->find(entry.first);
                if (v == nullptr || v != &entry.second || *v->number < 0) return false;
            }
        }
        return true;
    }
};

/// Every operation, with every action at every place of the code that it calls. Returns: how many traps were sprung.
template <class Scene, class Operation>
int try_all(std::initializer_list<at> places, Operation operate) {
    int sprung = 0;
    for (const at place : places) {
        for (int action = 0; action != actions; ++action) {
            for (int after = 0; after != 6; ++after) {
                bool fell = false;
                {
                    Scene scene;
                    set_trap = {place, after, [&] {
                                    fell = true;
                                    scene.act(action);
                                }};
                    operate(scene);
                    const bool open = set_trap.where != at::nowhere;
                    set_trap = {};
                    INFO("place " << static_cast<int>(place) << ", action " << action << ", after " << after);
                    REQUIRE(scene.is_whole());
                    if (open) break; // there are no more such calls
                }
                sprung += fell;
                collect();
            }
        }
    }
    return sprung;
}

} // namespace

TEST_CASE("a hash, comparison, copy or destructor of a key may change, collect, move or end the map", "[weak_map]") {
    const auto extra = make_ref<node>(77);
    const auto places = {at::hash, at::comparison, at::copy, at::destructor};
    CHECK(try_all<values_scene>(places, [&](values_scene& s) { s.map->set(5, extra); }) > 24);
    CHECK(try_all<values_scene>(places, [&](values_scene& s) { s.map->set(9, extra); }) > 32);
    CHECK(try_all<values_scene>(places, [](values_scene& s) { static_cast<void>(s.map->get(6)); }) > 24);
    CHECK(try_all<values_scene>(places, [](values_scene& s) { static_cast<void>(s.map->contains(11)); }) > 24);
    CHECK(try_all<values_scene>(places, [](values_scene& s) { s.map->erase(4); }) > 24);
    CHECK(try_all<values_scene>(places, [](values_scene& s) { s.map->pop(3); }) > 24);
    CHECK(try_all<values_scene>(places, [&](values_scene& s) { s.map->set_default(12, extra); }) > 32);
    CHECK(try_all<values_scene>({at::destructor}, [](values_scene& s) { s.map->clear(); }) > 7);
    CHECK(try_all<values_scene>({at::destructor}, [](values_scene& s) { s.nodes[3] = nullptr; }) > 7);
    CHECK(try_all<values_scene>({at::destructor}, [](values_scene& s) {
              auto* const m = s.map.get();
              value_map taken = std::move(*m);
          }) > 6);
}

TEST_CASE("a move or destructor of a value may change, collect, move or end the map", "[weak_map]") {
    const auto extra = make_ref<node>(77);
    const auto places = {at::move, at::destructor};
    CHECK(try_all<keys_scene>(places, [](keys_scene& s) { s.map->set(s.nodes[2], value(22)); }) > 14);
    CHECK(try_all<keys_scene>(places, [&](keys_scene& s) { s.map->set(extra, value(23)); }) > 14);
    CHECK(try_all<keys_scene>({at::destructor}, [](keys_scene& s) { s.map->erase(s.nodes[4]); }) > 7);
    CHECK(try_all<keys_scene>({at::destructor}, [](keys_scene& s) { s.map->clear(); }) > 7);
    CHECK(try_all<keys_scene>({at::destructor}, [](keys_scene& s) { s.nodes[1] = nullptr; }) > 7);
    CHECK(try_all<keys_scene>({at::destructor}, [](keys_scene& s) {
              for (auto& n : s.nodes) n->next = n;
              s.nodes.clear();
              collect();
          }) > 7);
}

TEST_CASE("a map may change in any way in the body of a loop over it", "[weak_map]") {
    for (int action = 0; action != actions; ++action) {
        for (int when = 0; when != 4; ++when) {
            values_scene v;
            keys_scene k;
            int at = 0, seen = 0;
            for (auto [key, object] : *v.map) {
                if (at++ == when) v.act(action);
                seen += *key.number >= 0 && object->id >= 0; // both are still there
            }
            CHECK((seen == at && at > when && v.is_whole()));
            at = seen = 0;
            for (auto entry : *k.map) {
                if (at++ == when) k.act(action);
                seen += *entry.second.number >= 0 && entry.first->id >= 0;
            }
            CHECK((seen == at && at > when && k.is_whole()));
        }
    }
}

TEST_CASE("an iterator that outlives its map keeps the entry it stands at, and is then at the end", "[weak_map]") {
    const auto a = make_ref<node>(1), b = make_ref<node>(2);
    auto map = std::make_unique<key_map>();
    map->set(a, value(1, b));
    map->set(b, value(2, a));
    auto set = std::make_unique<pygc::weak_set<node>>();
    set->add(a);
    auto i = map->begin(), last = map->begin();
    const auto end = map->end();
    ++last;
    auto member = set->begin();
    map.reset();
    set.reset();
    CHECK(((*i).first == a && *(*i).second.number == 1 && (*i).second.held == b));
    CHECK(((*last).first == b && *(*last).second.number == 2));
    CHECK(*member == a);
    CHECK((++i == end && ++last == end && ++last == end));
    CHECK(++member == pygc::weak_set<node>::iterator());
    CHECK((a.use_count() == 1 && b.use_count() == 1)); // nothing is kept any more
}

TEST_CASE("an entry that is replaced in a loop is met once", "[weak_map]") {
    keys_scene k;
    int met = 0;
    for (auto entry : *k.map) {
        REQUIRE(++met <= 8);
        k.map->set(entry.first, value(100 + met));
        CHECK(*entry.second.number < 100); // the old value stays until the iterator leaves
    }
    CHECK(met == 8);
    CHECK(k.map->size() == 8);
    for (auto entry : *k.map) CHECK(*entry.second.number > 100);
}

TEST_CASE("a map ends while its entries are what keeps its objects alive", "[weak_map]") {
    { // keys lead to each other's objects
        value_map unused;
        pygc::weak_value_map<py_ref<node>, node> map;
        const auto x = make_ref<node>(1), y = make_ref<node>(2);
        map.set(x, y);
        map.set(y, x);
        map.set(x, x);
    }
    { // a value that the collector can't see into
        pygc::weak_key_map<node, std::function<int()>> map, other;
        const auto x = make_ref<node>(3);
        map.set(x, [x] { return x->id; });
        CHECK((*map.find(x))() == 3);
        other = std::move(map);
        other = {};
    }
    { // each value holds the next key
        pygc::weak_key_map<node, py_ref<node>> map;
        auto first = make_ref<node>(0), last = first;
        for (int i = 1; i != 10'000; ++i) {
            auto next = make_ref<node>(i);
            map.set(last, next);
            last = std::move(next);
        }
        CHECK(map.size() == 9'999);
        const auto kept = map.begin();
        last = nullptr;
        first = nullptr;
        map = {};
        CHECK(map.empty());
    }
    { // a value's destructor lets go of the key
        static py_ref<node> only;
        only = make_ref<node>(5);
        struct releases {
            bool armed = true;
            releases() = default;
            releases(releases&& other) noexcept : armed(std::exchange(other.armed, false)) {}
            ~releases() {
                if (armed) only = nullptr;
            }
        };
        pygc::weak_key_map<node, releases> map;
        map.set(only, releases());
        map.clear();
        CHECK((only == nullptr && map.empty()));
    }
    collect();
    CHECK(pygc::get_objects().size() == 0);
}

TEST_CASE("what a map's end destroys may put something into the map", "[weak_map]") {
    static pygc::weak_key_map<node, std::shared_ptr<void>>* map;
    static py_ref<node> key;
    static int ends;
    ends = 0;
    key = make_ref<node>(1);
    const auto again = [](void*) {
        if (++ends < 4) map->set(key, nullptr);
    };
    {
        pygc::weak_key_map<node, std::shared_ptr<void>> m;
        map = &m;
        m.set(key, std::shared_ptr<void>(nullptr, again));
    }
    CHECK(ends == 1);
    CHECK(pygc::get_weakref_count(key) == 0); // nothing is left of what came late
    key = nullptr;
}

TEST_CASE("an object whose destructor runs is put into no weak container", "[weak_map]") {
    struct late : pygc::py_object {
        pygc::weak_value_map<int, late>* values;
        pygc::weak_key_map<late, int>* keys;
        pygc::weak_set<late>* set;
        bool* added;
        late(pygc::weak_value_map<int, late>* v, pygc::weak_key_map<late, int>* k, pygc::weak_set<late>* s, bool* a)
            : values(v), keys(k), set(s), added(a) {}
        void traverse(pygc::visitor&) {}
        ~late() {
            const auto self = pygc::borrow(this);
            values->set(1, self);
            keys->set(self, 1);
            *added = set->add(self) || set->contains(self);
        }
    };
    pygc::weak_value_map<int, late> values;
    pygc::weak_key_map<late, int> keys;
    pygc::weak_set<late> set;
    bool added = true;
    auto old = make_ref<late>(&values, &keys, &set, &added);
    values.set(1, old);
    { const auto dies = make_ref<late>(&values, &keys, &set, &added); }
    CHECK_FALSE(added);
    CHECK(values.get(1) == nullptr); // replaced by one that was gone at once
    CHECK((values.empty() && keys.empty() && set.empty()));
}

TEST_CASE("the caller's reference may go while its object is put in", "[weak_map]") {
    auto n = make_ref<node>(1);
    value_map map;
    set_trap = {at::hash, 0, [&n] { n = nullptr; }};
    map.set(1, n);
    CHECK((n == nullptr && map.empty()));
    set_trap = {at::hash, 0, [&n] { n = nullptr; }};
    n = make_ref<node>(2);
    CHECK(map.set_default(1, n)->id == 2);
    CHECK(map.empty());
}

TEST_CASE("hash and equality of all weak containers are the user's, and may look at the objects", "[weak_map]") {
    struct hash_of_id {
        std::size_t operator()(const py_ref<node>& n) const { return static_cast<std::size_t>(n->id); }
    };
    struct same_id {
        bool operator()(const py_ref<node>& a, const py_ref<node>& b) const { return a->id == b->id; }
    };
    struct no_default {
        explicit no_default(int i) : number(i) {}
        no_default(const no_default&) = delete;
        no_default(no_default&&) = default;
        no_default& operator=(const no_default&) = delete;
        int number;
    };
    const auto a = make_ref<node>(1), twin = make_ref<node>(1), b = make_ref<node>(2);
    pygc::weak_key_map<node, no_default, hash_of_id, same_id> map;
    map.set(a, no_default(10));
    map.set(b, no_default(20));
    CHECK(map.find(twin)->number == 10);
    map.set(twin, no_default(11)); // the entry is twin's now
    CHECK((map.size() == 2 && map.find(a)->number == 11));
    CHECK((map.erase(a) && !map.contains(twin)));
    CHECK(map.find(nullptr) == nullptr);
    pygc::weak_set<node, hash_of_id, same_id> set;
    CHECK((set.add(a) && !set.add(twin) && set.contains(twin) && set.size() == 1));
    CHECK((set.discard(twin) && set.empty()));
    struct modulo {
        bool operator()(int x, int y) const { return x % 10 == y % 10; }
    };
    struct modulo_hash {
        std::size_t operator()(int x) const { return static_cast<std::size_t>(x % 10); }
    };
    pygc::weak_value_map<int, node, modulo_hash, modulo> values;
    values.set(3, a);
    CHECK((values.get(13) == a && values.get(4) == nullptr));
}

TEST_CASE("many entries of few hashes, put in and taken out at random, are found", "[weak_map]") {
    pygc::weak_value_map<probe, node, probe_hash> few;
    pygc::weak_value_map<int, node> many;
    std::vector<py_ref<node>> nodes(200);
    std::uint32_t random = 12345;
    for (int step = 0; step != 4000; ++step) {
        random = random * 1664525 + 1013904223;
        const int i = static_cast<int>(random >> 16) % 200;
        auto& n = nodes[static_cast<std::size_t>(i)];
        if ((random >> 13) % 3 == 0) {
            n = nullptr;
        } else {
            n = make_ref<node>(i);
            few.set(i, n);
            many.set(i, n);
        }
        REQUIRE(few.get(i) == n);
        REQUIRE(many.get(i) == n);
    }
    std::size_t alive = 0;
    for (std::size_t i = 0; i != 200; ++i) {
        alive += nodes[i] != nullptr;
        REQUIRE(few.get(static_cast<int>(i)) == nodes[i]);
    }
    CHECK((few.size() == alive && many.size() == alive && count(many) == alive));
}

#if defined(__cpp_exceptions)
TEST_CASE("what hash, comparison, copies and moves throw leaves the map as it was", "[weak_map]") {
    const auto extra = make_ref<node>(77);
    for (const at place : {at::hash, at::comparison, at::copy, at::move}) {
        for (int after = 0; after != 4; ++after) {
            values_scene v;
            keys_scene k;
            int thrown = 0;
            const auto attempt = [&](auto operation) {
                set_trap = {place, after, [] { throw 1; }};
                try {
                    operation();
                } catch (int) {
                    ++thrown;
                }
                set_trap = {};
            };
            attempt([&] { v.map->set(21, extra); });
            CHECK((thrown == 0 || v.map->get(21) == nullptr));
            const int before = thrown;
            attempt([&] { v.map->set(3, extra); });
            CHECK(v.map->get(3) == (thrown == before ? extra : v.nodes[3]));
            attempt([&] { static_cast<void>(v.map->get(4)); });
            attempt([&] { static_cast<void>(v.map->erase(21)); });
            CHECK((v.is_whole() && v.map->size() >= 8));
            const int keys_before = thrown;
            attempt([&] { k.map->set(k.nodes[3], value(33)); });
            CHECK(*k.map->find(k.nodes[3])->number == (thrown == keys_before ? 33 : 3));
            CHECK(k.is_whole());
            if (after == 0 && place != at::copy) CHECK(thrown != 0);
        }
    }
}

TEST_CASE("what a destructor of a key or value throws goes to the hook, and the rest is destroyed", "[weak_map]") {
    struct throws {
        std::shared_ptr<int> counted;
        bool armed = true;
        explicit throws(std::shared_ptr<int> c) : counted(std::move(c)) {}
        throws(throws&& other) noexcept : counted(std::move(other.counted)), armed(std::exchange(other.armed, false)) {}
        ~throws() noexcept(false) {
            if (armed) throw 1;
        }
    };
    int told = 0;
    pygc::set_unraisable_hook([&told](const pygc::unraisable&) { ++told; });
    const auto counted = std::make_shared<int>(0);
    std::vector<py_ref<node>> nodes;
    {
        pygc::weak_key_map<node, throws> map;
        for (int i = 0; i != 5; ++i) {
            nodes.push_back(make_ref<node>(i));
            map.set(nodes.back(), throws(counted));
        }
        nodes.pop_back();
        CHECK(told == 1);
        map.erase(nodes[0]);
        CHECK((told == 2 && map.size() == 3));
    }
    CHECK(told == 5);
    CHECK(counted.use_count() == 1);
    pygc::set_unraisable_hook(nullptr);
}
#endif
