// SPDX-License-Identifier: BSL-1.0
// Public operations that find no memory: std::bad_alloc, and everything is as it was.
#include "failing_memory.hpp"

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using failing_memory::scene;
using failing_memory::survives_every_failure;
using pygc::make_ref;
using pygc::py_ref;
using pygc::py_weakref;

namespace {

constinit int alive = 0;

struct counted {
    counted() { ++alive; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --alive; }
};

struct node : pygc::py_object {
    counted c;
    py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

const std::string long_text(100, 'x');

} // namespace

#if defined(__linux__)
#if defined(__cpp_exceptions)

// ---- objects ------------------------------------------------------------------------------------------

namespace {

template <std::size_t Bytes>
struct sized : node {
    char ballast[Bytes] = {};
};
struct alignas(256) aligned : node {
    char ballast[256] = {};
};
struct alignas(65536) page_aligned : node {
    char ballast[65536] = {};
};
/// A plain struct, which lives in a box, with members that allocate.
struct plain {
    std::unique_ptr<counted> c = std::make_unique<counted>();
    std::string text = long_text;
    py_ref<plain> next;
};
/// Its constructor makes other objects, and a weak reference to itself.
struct with_children : node {
    std::array<py_ref<node>, 3> children;
    py_weakref<with_children> self;
    with_children() {
        for (auto& child : children) child = make_ref<node>();
        children[0] = make_ref<sized<9000>>();
        self = pygc::borrow(this);
    }
    void traverse(auto& visit) { visit(next, children, self); }
};
/// Throws when half of it is there.
struct half : node {
    std::string first = long_text;
    py_ref<node> second = make_ref<node>();
    explicit half(bool throws) {
        if (throws) throw 1;
    }
};

template <class T>
struct making : scene {
    py_ref<T> made;
    making() { alive = 0; }
    bool operate() {
        made = make_ref<T>();
        return true;
    }
    void expect_unchanged() {
        expect(made == nullptr && alive == 0, "there is half an object");
        expect(objects() == 0 && heap.get_objects().empty(), "an object is counted that isn't there");
    }
    void expect_done() {
        expect(made != nullptr && made.use_count() == 1, "there is no object");
        made = nullptr;
        expect(alive == 0 && objects() == 0, "it does not die");
    }
};

struct throwing_constructor : scene {
    int thrown = 0;
    py_ref<half> made;
    throwing_constructor() { alive = 0; }
    bool operate() {
        try {
            made = make_ref<half>(true);
        } catch (int) {
            ++thrown;
        }
        made = make_ref<half>(false);
        return true;
    }
    void expect_unchanged() { expect(made == nullptr && alive == 0 && objects() == 0, "there is half an object"); }
    void expect_done() { expect(thrown != 0 && alive == 2 && objects() == 2, "wrong objects are there"); }
};

} // namespace

TEST_CASE("objects of every size and shape are made, or there is nothing", "[failure][make]") {
    CHECK(survives_every_failure<making<node>>() >= 1);
    CHECK(survives_every_failure<making<sized<9000>>>() >= 1);
    CHECK(survives_every_failure<making<sized<70'000>>>() >= 1);
    CHECK(survives_every_failure<making<sized<6'000'000>>>() >= 1);
    CHECK(survives_every_failure<making<aligned>>() >= 1);
    CHECK(survives_every_failure<making<page_aligned>>() >= 1);
    CHECK(survives_every_failure<making<plain>>() >= 3);
    CHECK(survives_every_failure<making<with_children>>() >= 2);
}

TEST_CASE("a constructor may throw, with memory or without", "[failure][make]") {
    CHECK(survives_every_failure<throwing_constructor>() >= 3);
}

// ---- weak references ----------------------------------------------------------------------------------

namespace {

/// Some objects, one of which has a weak reference already.
struct with_objects : scene {
    std::vector<py_ref<node>> nodes;
    py_weakref<node> plain;
    int called = 0;
    explicit with_objects(std::size_t count = 2) {
        alive = 0;
        for (std::size_t i = 0; i != count; ++i) nodes.push_back(make_ref<node>());
        plain = nodes[0];
    }
    std::size_t weak_references() {
        std::size_t sum = 0;
        for (const auto& n : nodes) sum += pygc::get_weakref_count(n);
        return sum;
    }
    /// What must hold whatever happened.
    void expect_objects(std::size_t weak) {
        expect(alive == static_cast<int>(nodes.size()), "an object died or got lost");
        expect(weak_references() == weak, "another number of weak references");
        expect(plain.lock() == nodes[0], "the old weak reference is broken");
        for (const auto& n : nodes) expect(n.use_count() == 1, "a reference got lost");
    }
};

struct plain_weakref : with_objects {
    py_weakref<node> w;
    bool operate() {
        w = py_weakref<node>(nodes[1]);
        return true;
    }
    void expect_unchanged() { expect_objects(1); }
    void expect_done() {
        expect_objects(2);
        nodes.pop_back();
        expect(w.expired(), "the weak reference is alive");
    }
};

/// Weak references to so many objects that the table grows.
struct many_weakrefs : with_objects {
    std::vector<py_weakref<node>> all;
    many_weakrefs() : with_objects(1000) { all.reserve(1000); }
    bool operate() {
        for (std::size_t i = all.size(); i != 1000; ++i) all.emplace_back(nodes[i]);
        return true;
    }
    void expect_unchanged() { expect_objects(all.empty() ? 1 : all.size()); }
    void expect_done() {
        expect_objects(1000);
        nodes.clear();
        for (const auto& w : all) expect(w.expired(), "a weak reference is alive");
    }
};

struct captures : with_objects {
    py_ref<node> other = make_ref<node>();
    py_weakref<node> w;
    bool operate() {
        w = py_weakref<node>(
            nodes[0], [this](const std::string& s, const py_ref<node>&) { called += s == long_text; }, long_text,
            other);
        return true;
    }
    void expect_unchanged() {
        --alive; // the captured one
        expect_objects(1);
        ++alive;
        expect(other.use_count() == 1, "something holds what was to be captured");
    }
    void expect_done() {
        --alive;
        expect_objects(2);
        ++alive;
        expect(other.use_count() == 2, "nothing is captured");
        nodes.erase(nodes.begin());
        expect(called == 1 && other.use_count() == 1, "the callback wasn't called, or holds on");
    }
};

struct proxies_and_methods : with_objects {
    std::unique_ptr<pygc::weak_proxy<node>> proxy;
    using function = py_ref<node> node::*;
    std::unique_ptr<pygc::weak_method<node, function>> method;
    bool operate() {
        auto p = std::make_unique<pygc::weak_proxy<node>>(nodes[1], [this] { ++called; });
        auto m = std::make_unique<pygc::weak_method<node, function>>(nodes[1], &node::next, [this] { ++called; });
        proxy = std::move(p);
        method = std::move(m);
        return true;
    }
    void expect_unchanged() { expect_objects(1); }
    void expect_done() {
        expect_objects(3);
        nodes.pop_back();
        expect(called == 2 && method->expired() && !*proxy, "a callback wasn't called");
    }
};

struct finalizers : with_objects {
    pygc::finalizer f;
    bool operate() {
        f = pygc::finalizer(
            nodes[1], [this](const std::string& s) { called += s == long_text; }, long_text);
        return true;
    }
    void expect_unchanged() {
        expect_objects(1);
        expect(!f.alive() && called == 0, "half a finalizer is there");
    }
    void expect_done() {
        expect(f.alive() && f.peek() == nodes[1], "there is no finalizer");
        nodes.pop_back();
        expect(called == 1, "it was not called once");
    }
};

struct functions : with_objects {
    pygc::py_function<void(int)> f, before;
    functions() : before([this](int by) { called += 100 * by; }) { f = before; }
    bool operate() {
        f = {[this](int by, const py_ref<node>& n, const std::string& s) {
                 called += by * (n != nullptr && s == long_text);
             },
             nodes[1], long_text};
        return true;
    }
    void expect_unchanged() {
        expect_objects(1);
        f(1);
        expect(called == 100, "the old function is gone");
        called = 0;
    }
    void expect_done() {
        expect(nodes[1].use_count() == 2, "nothing is captured");
        f(3);
        expect(called == 3, "the function doesn't do what it should");
        f = nullptr;
        expect_objects(1);
    }
};

} // namespace

TEST_CASE("a function is made, or the old one is still there", "[failure][function]") {
    CHECK(survives_every_failure<functions>() >= 2);
}

TEST_CASE("a weak reference is made, or nothing has changed", "[failure][weakref]") {
    CHECK(survives_every_failure<plain_weakref>() >= 0);
    CHECK(survives_every_failure<many_weakrefs>() >= 1);
    CHECK(survives_every_failure<captures>() >= 2);
    CHECK(survives_every_failure<proxies_and_methods>() >= 4);
}

TEST_CASE("a finalizer is made, or nothing has changed", "[failure][finalizer]") {
    CHECK(survives_every_failure<finalizers>() >= 2);
}

// ---- weak containers ----------------------------------------------------------------------------------

namespace {

struct containers : with_objects {
    pygc::weak_value_map<std::string, node> values;
    pygc::weak_key_map<node, std::string> keys;
    pygc::weak_set<node> set;
    containers() : with_objects(4) {
        values.set(long_text, nodes[0]);
        keys.set(nodes[0], long_text);
        set.add(nodes[0]);
    }
    void expect_first() {
        expect(values.get(long_text) == nodes[0], "the map of values lost an entry");
        const std::string* value = keys.find(nodes[0]);
        expect(value != nullptr && *value == long_text, "the map of keys lost an entry");
        expect(set.contains(nodes[0]), "the set lost an entry");
    }
    void expect_sizes(std::size_t n) {
        expect(values.size() == n, "the map of values has another size");
        expect(keys.size() == n, "the map of keys has another size");
        expect(set.size() == n, "the set has another size");
    }
    void expect_entries_vanish() {
        plain.reset();
        nodes.clear();
        expect(alive == 0 && objects() == 0, "an object lives on");
        expect_sizes(0);
    }
};

struct insert_value : containers {
    bool operate() {
        values.set(long_text + "1", nodes[1]);
        return true;
    }
    void expect_unchanged() {
        expect_first();
        expect_sizes(1);
        expect_objects(4);
    }
    void expect_done() {
        expect_first();
        expect(values.size() == 2 && values.get(long_text + "1") == nodes[1], "there is no entry");
        nodes[1] = nullptr;
        expect(values.size() == 1, "the entry stays");
        expect_entries_vanish();
    }
};

struct insert_key : containers {
    bool operate() {
        keys[nodes[1]] = long_text;
        return true;
    }
    void expect_unchanged() {
        expect_first();
        expect(values.size() == 1 && set.size() == 1 && keys.size() <= 2, "another size");
        if (const std::string* s = keys.find(nodes[1])) expect(s->empty(), "half a value");
    }
    void expect_done() {
        expect_first();
        expect(keys.size() == 2 && *keys.find(nodes[1]) == long_text, "there is no entry");
        expect_entries_vanish();
    }
};

struct insert_member : containers {
    bool operate() { return set.add(nodes[1]); }
    void expect_unchanged() {
        expect_first();
        expect_sizes(1);
        expect_objects(4);
    }
    void expect_done() {
        expect_first();
        expect(set.size() == 2 && set.contains(nodes[1]), "there is no entry");
        expect_entries_vanish();
    }
};

struct replace : containers {
    bool operate() {
        values.set(long_text, nodes[2]);
        return true;
    }
    void expect_unchanged() {
        expect_first();
        expect_sizes(1);
        expect_objects(4);
    }
    void expect_done() {
        expect(values.size() == 1 && values.get(long_text) == nodes[2], "the entry isn't replaced");
        nodes.erase(nodes.begin());
        expect(values.size() == 1 && keys.size() == 0, "the replaced object ended the entry");
        expect_entries_vanish();
    }
};

struct replace_key : containers {
    bool operate() {
        keys.set(nodes[0], long_text + "2");
        return true;
    }
    void expect_unchanged() {
        expect_first();
        expect_sizes(1);
        expect_objects(4);
    }
    void expect_done() {
        expect(keys.size() == 1 && *keys.find(nodes[0]) == long_text + "2", "the entry isn't replaced");
        expect_entries_vanish();
    }
};

struct update_set : containers {
    pygc::weak_set<node> other;
    update_set() {
        for (const auto& n : nodes) other.add(n);
    }
    bool operate() {
        set.update(other);
        return true;
    }
    void expect_unchanged() {
        expect_first();
        expect(set.size() >= 1 && set.size() < 4 && other.size() == 4, "another size");
    }
    void expect_done() {
        expect(set.size() == 4 && other.size() == 4, "something is missing");
        expect_entries_vanish();
    }
};

/// Many entries at once, so that the tables behind grow.
struct many_entries : containers {
    bool operate() {
        for (int i = 0; i != 300; ++i) values.set(std::to_string(i), nodes[static_cast<std::size_t>(i) % 4]);
        return true;
    }
    void expect_unchanged() {
        expect_first();
        std::size_t seen = 0;
        for (const auto& [key, value] : values) {
            ++seen;
            expect(value != nullptr && (key == long_text || value == nodes[std::stoul(key) % 4]), "a wrong entry");
        }
        expect(seen == values.size(), "entries got lost");
    }
    void expect_done() {
        expect(values.size() == 301, "entries got lost");
        expect_unchanged();
        expect_entries_vanish();
    }
};

/// Objects die under an iterator; the entries go with it.
struct deaths_under_iterator : containers {
    deaths_under_iterator() {
        for (const auto& n : nodes) {
            for (int i = 0; i != 5; ++i) values.set(std::to_string(values.size()), n);
            keys.set(n, long_text);
            set.add(n);
        }
    }
    bool operate() {
        {
            auto i = values.begin();
            auto k = keys.begin();
            auto s = set.begin();
            nodes[1] = nodes[2] = nodes[3] = nullptr;
            expect(values.size() >= 6 && keys.size() >= 1 && set.size() >= 1, "entries got lost");
        }
        return true;
    }
    void expect_unchanged() { expect(false, "the end of an iterator needs memory"); }
    void expect_done() {
        expect_first();
        expect(values.size() == 6 && keys.size() == 1 && set.size() == 1, "entries of dead objects are still there");
        expect_entries_vanish();
    }
};

struct take_out : containers {
    bool operate() {
        expect(values.pop(long_text) == nodes[0], "there was no entry");
        expect(keys.erase(nodes[0]), "there was no entry");
        expect(set.discard(nodes[0]), "there was no entry");
        return true;
    }
    void expect_unchanged() { expect(false, "taking out needs memory"); }
    void expect_done() {
        expect_sizes(0);
        expect_objects(1);
        expect_entries_vanish();
    }
};

struct clear_and_move : containers {
    bool operate() {
        auto moved = std::move(values);
        expect(moved.size() == 1 && values.empty(), "not moved");
        values = std::move(moved);
        std::swap(values, moved);
        expect(moved.size() == 1 && values.empty(), "not swapped");
        values = std::move(moved);
        keys.clear();
        set.clear();
        return true;
    }
    void expect_unchanged() { expect(false, "moving or clearing needs memory"); }
    void expect_done() {
        expect(values.size() == 1 && keys.empty() && set.empty(), "another size");
        expect(values.get(long_text) == nodes[0], "an entry got lost");
        keys.set(nodes[0], long_text);
        set.add(nodes[0]);
        expect_first();
        expect_entries_vanish();
    }
};

} // namespace

TEST_CASE("an entry of a weak container is there, or nothing has changed", "[failure][weak_map]") {
    CHECK(survives_every_failure<insert_value>() >= 3);
    CHECK(survives_every_failure<insert_key>() >= 2);
    CHECK(survives_every_failure<insert_member>() >= 1);
    CHECK(survives_every_failure<replace>() >= 0);
    CHECK(survives_every_failure<replace_key>() >= 1);
    CHECK(survives_every_failure<update_set>() >= 3);
    CHECK(survives_every_failure<many_entries>() >= 300);
}

TEST_CASE("taking entries out of weak containers needs no memory", "[failure][weak_map]") {
    CHECK(survives_every_failure<take_out>() == 0);
    CHECK(survives_every_failure<deaths_under_iterator>() == 0);
    CHECK(survives_every_failure<clear_and_move>() == 0);
}

// ---- heaps and their settings -------------------------------------------------------------------------

namespace {

struct another_heap : scene {
    std::unique_ptr<pygc::heap> made;
    bool operate() {
        made = std::make_unique<pygc::heap>();
        return true;
    }
    void expect_unchanged() { expect(made == nullptr, "half a heap is there"); }
    void expect_done() {
        const pygc::heap::scope use_it(*made);
        expect(make_ref<node>() != nullptr && made->get_memory().mapped != 0, "it can't be used");
    }
};

struct lists : with_objects {
    pygc::object_list all, referrers, referents;
    lists() : with_objects(20'000) { // more than the first piece of a list holds
        for (const auto& n : nodes) n->next = nodes[0];
        heap.collect(0);
    }
    bool operate() {
        all = heap.get_objects();
        referrers = heap.get_referrers(nodes[0]);
        referents = heap.get_referents(nodes[1], nodes[2]);
        return true;
    }
    void expect_unchanged() {
        expect(nodes[1].use_count() == (all.empty() ? 1 : 2) + (referrers.empty() ? 0 : 1), "a list was lost");
        expect(alive == 20'000, "an object died");
    }
    void expect_done() {
        expect(all.size() == 20'000 && referrers.size() == 20'000 && referents.size() == 2, "wrong lists");
        all.clear();
        referrers.clear();
        referents.clear();
        expect(nodes[1].use_count() == 1, "a list held on");
    }
};

struct hooks : scene {
    int first = 0, second = 0;
    hooks() {
        heap.callbacks().append([this](pygc::collection_phase, const pygc::collection_info&) { ++first; });
    }
    bool operate() {
        heap.callbacks().append([this, text = long_text](pygc::collection_phase, const pygc::collection_info&) {
            second += text == long_text;
        });
        return true;
    }
    void expect_unchanged() { expect(heap.callbacks().size() == 1, "half a callback is there"); }
    void expect_done() {
        heap.collect();
        expect(first == 2 && second == 2 && heap.callbacks().size() == 2, "not all were called");
    }
};

/// The finalizer finds no memory: its exception goes to the hook, the object dies all the same.
struct needy : node {
    py_ref<node>* place = nullptr;
    void finalize() { *place = make_ref<sized<9000>>(); }
};
struct finalizers_that_make_objects : scene {
    py_ref<node> made;
    int exceptions = 0;
    finalizers_that_make_objects() {
        alive = 0;
        heap.set_unraisable_hook([this](const pygc::unraisable&) { ++exceptions; });
    }
    bool operate() {
        auto n = make_ref<needy>();
        n->place = &made;
        n = nullptr;
        return true;
    }
    void expect_unchanged() { expect(alive == 0 && objects() == 0, "an object is left"); }
    void expect_done() {
        expect((made != nullptr) == (exceptions == 0), "an exception got lost");
        expect(alive == (made != nullptr ? 1 : 0), "the object did not die");
    }
};

struct unraisable_hook : scene {
    int before = 0, now = 0;
    unraisable_hook() {
        heap.set_unraisable_hook([this](const pygc::unraisable&) { ++before; });
    }
    bool operate() {
        heap.set_unraisable_hook([this, text = long_text](const pygc::unraisable&) { now += text == long_text; });
        return true;
    }
    void expect_unchanged() {
        auto n = make_ref<node>();
        const py_weakref<node> w(n, [] { throw 1; });
        n = nullptr;
        expect(before == 1 && now == 0, "the old hook is gone");
    }
    void expect_done() {
        auto n = make_ref<node>();
        const py_weakref<node> w(n, [] { throw 1; });
        n = nullptr;
        expect(now == 1, "the new hook isn't called");
    }
};

} // namespace

TEST_CASE("a heap is made, or there is none", "[failure][heap]") { CHECK(survives_every_failure<another_heap>() >= 2); }

TEST_CASE("lists of objects are whole, or there are none", "[failure][heap]") {
    CHECK(survives_every_failure<lists>() >= 3);
}

TEST_CASE("callbacks and hooks are in place, or nothing has changed", "[failure][heap]") {
    CHECK(survives_every_failure<hooks>() >= 2);
    CHECK(survives_every_failure<unraisable_hook>() >= 2);
    CHECK(survives_every_failure<finalizers_that_make_objects>() >= 1);
}

TEST_CASE("the first object of a thread is made, or the thread goes on without", "[failure][make]") {
    int failures = 0;
    for (int first = 1;; ++first) {
        bool threw = false, works = false, finished = false;
        std::thread([&] {
            int refused = 0;
            {
                const failing_memory::refusal memory(first, false);
                try {
                    static_cast<void>(make_ref<node>());
                } catch (const std::bad_alloc&) {
                    threw = true;
                }
                refused = memory.refused();
            }
            finished = refused == 0;
            works = make_ref<node>() != nullptr && pygc::collect() == 0;
        }).join();
        REQUIRE(works);
        if (finished) break;
        failures += threw;
    }
    CHECK(failures >= 1);
    CHECK(alive == 0);
}

#endif

// ---- heaps that end -----------------------------------------------------------------------------------

TEST_CASE("a heap that ends while its objects are visited gives everything back", "[failure][heap]") {
    alive = 0;
    pygc::detail::release_spare_heaps();
    const auto before = failing_memory::outstanding;
    bool finished = false;
    for (bool last_dies_in_visit : {true, false}) {
        auto* h = new pygc::heap();
        py_ref<node> last;
        {
            const pygc::heap::scope use(*h);
            last = make_ref<node>();
            auto cycle = make_ref<node>();
            cycle->next = cycle;
        }
        finished = h->visit_objects([&](const py_ref<pygc::py_object>&) {
            delete std::exchange(h, nullptr);
            if (last_dies_in_visit) last = nullptr;
        });
        CHECK(finished);
        CHECK(alive == (last_dies_in_visit ? 0 : 1));
        last = nullptr;
    }
    CHECK(alive == 0);
    pygc::detail::release_spare_heaps(); // the next thread would have taken it
    CHECK(failing_memory::outstanding.mapped == before.mapped);
}

// ---- what needs no memory -----------------------------------------------------------------------------

TEST_CASE("freezing, visiting, letting go and immortality need no memory", "[failure]") {
    alive = 0;
    int asked = -1;
    std::size_t seen = 0;
    bool frozen = false, dead = false;
    {
        pygc::heap h;
        const pygc::heap::scope use(h);
        auto deep = make_ref<node>();
        auto immortal = make_ref<node>();
        for (int i = 0; i != 100'000; ++i) {
            auto n = make_ref<node>();
            n->next = std::move(deep);
            deep = std::move(n);
        }
        const py_weakref<node> weak(deep, [&dead] { dead = true; });
        {
            const failing_memory::refusal memory(1, true);
            h.freeze();
            frozen = h.get_freeze_count() == 100'003;
            h.visit_objects([&seen](const py_ref<pygc::py_object>&) { ++seen; });
            h.unfreeze();
            h.set_threshold(1, 1, 1);
            h.disable();
            pygc::immortalize(immortal);
            immortal = nullptr;
            const pygc::heap::scope again(h);
            deep = nullptr;
            asked = memory.asked();
        }
    }
    CHECK(asked == 0);
    CHECK(frozen);
    CHECK(seen == 100'003);
    CHECK(dead);
    CHECK(alive == 1); // the immortal one
}

TEST_CASE("row 63: fifty weak references with callbacks end without memory", "[failure][weakref]") {
    for (bool cyclic : {false, true}) {
        pygc::heap h;
        const pygc::heap::scope use(h);
        int called = 0, asked = -1;
        std::vector<py_weakref<node>> weak;
        auto n = make_ref<node>();
        if (cyclic) n->next = n;
        for (int i = 0; i != 50; ++i) weak.emplace_back(n, [&called] { ++called; });
        h.collect(); // has the memory it needs afterwards
        {
            const failing_memory::refusal memory(1, true);
            n = nullptr;
            h.collect();
            asked = memory.asked();
        }
        CHECK(called == 50);
        CHECK(asked == 0);
        for (const auto& w : weak) CHECK(w.expired());
    }
}

#endif
