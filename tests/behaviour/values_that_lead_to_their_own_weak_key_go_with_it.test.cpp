// SPDX-License-Identifier: BSL-1.0
// Ephemerons: a value in a weak_key_map doesn't keep its own key alive, however it leads there.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <map>
#include <memory>
#include <utility>
#include <vector>

using pygc::collect;
using pygc::make_ref;
using pygc::py_ref;

namespace {

constinit int gone = 0;

struct node : pygc::py_object {
    py_ref<node> next;
    std::vector<py_ref<node>> more;
    ~node() { ++gone; }
    void traverse(auto& visit) { visit(next, more); }
};
using map_type = pygc::weak_key_map<node, py_ref<node>>;

struct owner : pygc::py_object {
    map_type map;
    py_ref<owner> next;
    py_ref<node> held;
    void traverse(auto& visit) { visit(map, next, held); }
};
struct far_owner : pygc::py_object { // its traverse is called through the visitor's base
    map_type map;
    void traverse(pygc::visitor& visit) { visit(map); }
};

std::vector<py_ref<node>> nodes(std::size_t n) {
    std::vector<py_ref<node>> v;
    for (std::size_t i = 0; i != n; ++i) v.push_back(make_ref<node>());
    return v;
}

/// Returns: how many died in a full collection.
int died() {
    const int before = gone;
    collect();
    return gone - before;
}
int died_in(pygc::heap& h) {
    const int before = gone;
    h.collect();
    return gone - before;
}

} // namespace

TEST_CASE("a value that leads to its own key doesn't keep it alive, wherever the map is", "[ephemeron]") {
    map_type outside;
    const auto in_object = make_ref<owner>();
    const auto far = make_ref<far_owner>();
    const auto in_unique = std::make_unique<map_type>();
    auto box = make_ref<map_type>();
    for (map_type* map : {&outside, &in_object->map, &far->map, in_unique.get(), box.get()}) {
        {
            auto v = nodes(2);
            v[1]->next = v[0];
            map->set(v[0], v[1]);
        }
        CHECK(died() == 2);
        CHECK(map->empty());
        {
            const auto n = make_ref<node>();
            map->set(n, n);
        }
        CHECK(died() == 1);
        CHECK(map->empty());
    }
}

TEST_CASE("a value lives as long as its key and its map, and what it leads to as well", "[ephemeron]") {
    for (const bool inside : {false, true}) {
        collect(); // what the last round left
        auto o = make_ref<owner>();
        map_type outside;
        map_type& map = inside ? o->map : outside;
        auto key = make_ref<node>();
        {
            auto v = nodes(3);
            v[0]->next = v[1];
            v[1]->next = v[2];
            v[2]->more = {key, v[0]};
            map.set(key, v[0]);
        }
        CHECK(died() == 0);
        CHECK((*map.find(key))->next->next->more[0] == key);
        SECTION(inside ? "the key goes first" : "the key goes, outside") {
            key = nullptr;
            CHECK(died() == 4);
            CHECK(map.empty());
        }
        SECTION(inside ? "the map goes first" : "the entry goes") {
            if (inside) {
                o->next = o;
                o = nullptr;
            } else {
                map.clear();
            }
            CHECK(died() == 3);
            CHECK(key != nullptr);
        }
    }
}

TEST_CASE("entries that lead to each other's keys go together, and live together", "[ephemeron]") {
    map_type map;
    auto keys = nodes(50);
    for (std::size_t i = 0; i != 50; ++i) map.set(keys[i], keys[(i + 1) % 50]);
    auto one = keys[17];
    keys.clear();
    CHECK(died() == 0);
    CHECK(map.size() == 50);
    one = nullptr;
    CHECK(died() == 50);
    CHECK(map.empty());
}

TEST_CASE("chains through two maps are followed in linear time, whatever their order", "[ephemeron]") {
    constexpr std::size_t length = 60'000; // a step for each pair would be minutes
    for (const bool backwards : {false, true}) {
        map_type first, second;
        py_ref<node> head;
        {
            auto keys = nodes(length);
            for (std::size_t k = 0; k + 1 != length; ++k) {
                const std::size_t i = backwards ? length - 2 - k : k;
                (i % 2 == 0 ? first : second).set(keys[i], keys[i + 1]);
            }
            head = keys[0];
        }
        CHECK(died() == 0);
        CHECK(first.size() + second.size() == length - 1);
        head = nullptr;
        collect();
        CHECK((first.empty() && second.empty()));
    }
}

TEST_CASE("garbage maps and live maps of one collection don't mix", "[ephemeron]") {
    map_type live;
    auto key = make_ref<node>();
    {
        auto o = make_ref<owner>();
        o->next = o;
        auto v = nodes(2);
        v[0]->next = v[1];
        o->map.set(key, v[0]); // the key lives, the map doesn't
        o->map.set(v[1], v[0]);
        live.set(key, v[1]);
    }
    CHECK(died() == 1);
    CHECK(*live.find(key) != nullptr);
    { // a map that only a value of its own leads to
        auto o = make_ref<owner>();
        o->held = make_ref<node>();
        pygc::weak_key_map<node, py_ref<owner>> owners;
        owners.set(o->held, o);
        o->map.set(o->held, key);
        o = nullptr;
        CHECK(died() == 1);
        CHECK(owners.empty());
    }
    CHECK(died() == 0);
}

TEST_CASE("maps in the values of maps are ephemerons of ephemerons", "[ephemeron]") {
    using inner = pygc::weak_key_map<node, py_ref<node>>;
    pygc::weak_key_map<node, inner> outer;
    auto a = make_ref<node>(), b = make_ref<node>();
    {
        auto v = nodes(1);
        v[0]->more = {a, b};
        outer[a].set(b, v[0]);
    }
    CHECK(died() == 0);
    CHECK((outer.size() == 1 && outer[a].size() == 1));
    SECTION("the inner key goes") {
        b = nullptr;
        CHECK(died() == 2);
        CHECK((outer.size() == 1 && outer[a].empty()));
    }
    SECTION("the outer key goes") {
        a = nullptr;
        CHECK(died() == 2);
        CHECK((outer.empty() && b != nullptr));
    }
    SECTION("both go") {
        a = b = nullptr;
        CHECK(died() == 3);
        CHECK(outer.empty());
    }
}

TEST_CASE("values of many shapes are seen into", "[ephemeron]") {
    struct plain {
        int number = 0;
        std::map<int, py_ref<node>> map;
        std::unique_ptr<py_ref<node>> owned;
    };
    pygc::weak_key_map<node, plain> map;
    pygc::weak_key_map<node, std::vector<std::pair<py_ref<node>, int>>> vectors;
    pygc::weak_key_map<node, pygc::py_function<void()>> functions;
    {
        auto v = nodes(3);
        plain p;
        p.map[1] = v[0];
        p.owned = std::make_unique<py_ref<node>>(v[0]);
        map.set(v[0], std::move(p));
        vectors.set(v[1], {{v[1], 1}, {v[2], 2}, {v[1], 3}});
        functions.set(v[2], pygc::py_function<void()>([](const py_ref<node>&) {}, v[2]));
    }
    CHECK(died() == 3);
    CHECK((map.empty() && vectors.empty() && functions.empty()));
}

TEST_CASE("finalizers of keys see their entries, and who comes back keeps them", "[ephemeron]") {
    struct phoenix : pygc::py_object {
        py_ref<phoenix> next;
        pygc::weak_key_map<phoenix, py_ref<phoenix>>* map;
        py_ref<phoenix>* rescue;
        bool* seen;
        phoenix(pygc::weak_key_map<phoenix, py_ref<phoenix>>* m, py_ref<phoenix>* r, bool* s)
            : map(m), rescue(r), seen(s) {}
        void finalize() {
            const auto self = pygc::borrow(this);
            *seen = map->find(self) != nullptr && *map->find(self) != nullptr;
            if (rescue != nullptr) *rescue = self;
        }
        void traverse(pygc::visitor& visit) { visit(next); }
    };
    pygc::weak_key_map<phoenix, py_ref<phoenix>> map;
    py_ref<phoenix> saved;
    bool seen = false, seen_by_value = false;
    for (py_ref<phoenix>* rescue : {&saved, static_cast<py_ref<phoenix>*>(nullptr)}) {
        {
            auto key = make_ref<phoenix>(&map, rescue, &seen);
            auto v = make_ref<phoenix>(&map, nullptr, &seen_by_value);
            v->next = key;
            map.set(key, v);
        }
        seen = false;
        collect();
        CHECK(seen);
        CHECK(map.size() == (rescue != nullptr ? 1u : 0u));
        if (rescue == nullptr) continue;
        CHECK((*map.find(saved))->next == saved);
        saved = nullptr;
        collect();
        CHECK(map.empty());
    }
    collect();
    CHECK(pygc::get_objects().size() == 0);
}

TEST_CASE("the destructor of a dead value sees null for the garbage and what lives as it is", "[ephemeron]") {
    struct sees {
        py_ref<node> key, other;
        int* nulls = nullptr;
        sees() = default;
        sees(py_ref<node> k, py_ref<node> o, int* n) : key(std::move(k)), other(std::move(o)), nulls(n) {}
        sees(sees&& s) noexcept
            : key(std::move(s.key)), other(std::move(s.other)), nulls(std::exchange(s.nulls, nullptr)) {}
        ~sees() {
            if (nulls != nullptr) *nulls += (key == nullptr) + 10 * (other != nullptr && other->more.empty());
            if (nulls != nullptr) collect(); // nested: finds nothing
        }
        void traverse(pygc::visitor& visit) { visit(key, other); }
    };
    int nulls = 0;
    const auto living = make_ref<node>();
    pygc::weak_key_map<node, sees> map;
    {
        const auto n = make_ref<node>();
        map.set(n, sees(n, living, &nulls));
    }
    CHECK(died() == 1);
    CHECK(nulls == 11);
    CHECK(living.use_count() == 1);
}

TEST_CASE("young collections take values for held from outside, and full ones find them", "[ephemeron]") {
    map_type map;
    {
        auto v = nodes(2);
        v[1]->next = v[0];
        map.set(v[0], v[1]);
    }
    const int before = gone;
    pygc::collect(0);
    pygc::collect(1);
    CHECK(gone == before);
    CHECK(map.size() == 1);
    CHECK(died() == 2);
}

TEST_CASE("a collection frees the entries whose keys are in its heap, whatever heaps the others are in", "[ephemeron]") {
    pygc::heap first, second, third;
    map_type map;
    std::vector<py_ref<node>> kept;
    const auto put = [&](pygc::heap& h) {
        const pygc::heap::scope use(h);
        auto v = nodes(3);
        map.set(v[0], v[1]); // a value that leads to its key
        v[1]->next = v[0];
        map.set(v[2], nullptr);
        kept.push_back(v[2]);
    };
    for (pygc::heap* h : {&first, &second, &third, &first}) put(*h);
    CHECK(map.size() == 8);
    CHECK(died_in(second) == 2);
    CHECK(map.size() == 7);
    CHECK(died_in(first) == 4);
    CHECK(died_in(third) == 2);
    CHECK(map.size() == 4);
    kept.erase(kept.begin() + 2); // the only key of its heap that is left
    CHECK(map.size() == 3);
    put(third);
    CHECK(died_in(third) == 2);
    CHECK(died_in(first) + died_in(second) == 0);
    kept.clear();
    CHECK(map.empty());
}

TEST_CASE("a key elsewhere, a key that isn't tracked and a map that is owned elsewhere count as reached", "[ephemeron]") {
    pygc::heap other;
    map_type map;
    const auto here = make_ref<owner>();
    const auto in_other = [&other] {
        const pygc::heap::scope use(other);
        return make_ref<owner>();
    }();
    const auto key = [&other] {
        const pygc::heap::scope use(other);
        return make_ref<node>();
    }();
    SECTION("a key elsewhere, whatever the map's other keys are") {
        auto v = nodes(2);
        map.set(key, v[0]);
        map.set(v[1], v[1]);
        v.clear();
        CHECK(died() == 1);
        CHECK(map.size() == 1);
    }
    SECTION("a key elsewhere, in a map that goes with its owner") {
        auto o = make_ref<owner>();
        o->next = o;
        auto v = nodes(2);
        o->map.set(key, v[0]);
        o->map.set(v[1], v[0]);
        v[0]->next = v[0];
        v.clear(); // the second goes by its count
        CHECK(died() == 0);
        CHECK(o->map.size() == 1);
        o = nullptr;
        CHECK(died() == 1);
    }
    SECTION("a map that is owned elsewhere") {
        in_other->next = in_other;
        auto v = nodes(2);
        v[1]->next = v[0];
        in_other->map.set(v[0], v[1]);
        v.clear();
        CHECK(died_in(other) == 0);
        CHECK(died() == 2);
        CHECK(in_other->map.empty());
    }
    SECTION("a value that leads to a key of another heap, and back") {
        auto v = nodes(1);
        map.set(key, v[0]);
        v[0]->next = key;
        map.set(v[0], key);
        v.clear();
        CHECK(died() == 0);
        CHECK(died_in(other) == 0);
        CHECK(map.size() == 2);
        map.clear();
    }
    SECTION("a key that isn't tracked") {
        pygc::weak_key_map<int, py_ref<owner>> numbers;
        numbers.set(make_ref<int>(1), here);
        CHECK(numbers.empty());
        const auto number = make_ref<int>(2);
        numbers.set(number, make_ref<owner>());
        collect();
        CHECK(numbers.size() == 1);
    }
    in_other->next = nullptr;
}

TEST_CASE("a map of several heaps is moved, swapped and ended like any other", "[ephemeron]") {
    pygc::heap other;
    map_type a, b;
    for (int round = 0; round != 3; ++round) {
        for (map_type* map : {&a, &b}) {
            auto v = nodes(1);
            map->set(v[0], v[0]);
            const pygc::heap::scope use(other);
            v = nodes(1);
            map->set(v[0], v[0]);
        }
        a.swap(b);
        if (round == 1) a = std::move(b);
        CHECK(died() == (round == 1 ? 1 : 2));
        CHECK(a.size() == 1);
        if (round == 2) {
            a.clear();
            b = map_type();
        }
        other.collect();
        CHECK((a.empty() && b.empty()));
    }
}

TEST_CASE("a heap may end before a map with entries for its objects", "[ephemeron]") {
    map_type map;
    py_ref<node> left;
    {
        pygc::heap short_lived;
        const pygc::heap::scope use(short_lived);
        auto v = nodes(3);
        map.set(v[0], v[0]);
        map.set(v[1], v[2]);
        left = v[1];
    }
    CHECK(map.size() == 1); // the heap's last collection took the one that only its own value leads to
    left = nullptr;
    CHECK(map.empty());
    const auto n = make_ref<node>();
    map.set(n, nullptr);
    CHECK(map.size() == 1);
}

TEST_CASE("values that are put in, replaced and taken out between collections are counted right", "[ephemeron]") {
    map_type map;
    auto keys = nodes(20);
    for (int round = 0; round != 30; ++round) {
        for (std::size_t i = 0; i != 20; ++i) {
            auto v = nodes(1);
            v[0]->next = keys[i];
            v[0]->more = {keys[(i + 7) % 20], v[0]};
            if ((static_cast<std::size_t>(round) + i) % 3 != 0) map.set(keys[i], v[0]);
            if ((static_cast<std::size_t>(round) + i) % 5 == 0) map.erase(keys[i]);
        }
        collect();
        for (const auto& key : keys) {
            const auto* v = map.find(key);
            REQUIRE((v == nullptr || (*v)->next == key));
        }
    }
    keys.clear();
    collect();
    CHECK(map.empty());
    CHECK(pygc::get_objects().size() == 0);
}
