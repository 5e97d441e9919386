// SPDX-License-Identifier: BSL-1.0
// While an object dies by its count no collection starts on the thread: a container may be in the middle of clear().
#include <support/catch.hpp>
#include <support/probe.hpp>
#include <support/stderr_capture.hpp>

#include <pygc/pygc.hpp>

#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

using pygc::collect;
using pygc::heap;
using pygc::make_ref;
using pygc::py_ref;
using pygc::safe_point;
using namespace support;

namespace {

struct loop : pygc::py_object {
    static inline int alive = 0;
    py_ref<loop> self;
    loop() { ++alive; }
    ~loop() { --alive; }
    void traverse(auto& visit) { visit(self); }
};

/// Leaves a cycle behind that only a collection frees.
void make_garbage() {
    auto l = make_ref<loop>();
    l->self = l;
}

/// Does all that may start a collection in its destructor, or what it is told to.
struct item : pygc::py_object {
    std::function<void()> at_end;
    py_ref<item> other;
    item() = default;
    explicit item(std::function<void()> f) : at_end(std::move(f)) {}
    ~item() {
        if (at_end) {
            at_end();
        } else {
            make_garbage();
            collect(0);
            collect();
            safe_point();
        }
    }
    void traverse(auto& visit) { visit(other); }
};
using item_ref = py_ref<item>;

struct holder {
    item_ref one;
    std::vector<item_ref> more;
};

/// One container of each kind, in an object that collections look at.
struct owner : pygc::py_object {
    std::vector<item_ref> vector;
    std::deque<item_ref> deque;
    std::list<item_ref> list;
    std::forward_list<item_ref> forward_list;
    std::set<item_ref> set;
    std::multiset<item_ref> multiset;
    std::map<int, item_ref> map;
    std::multimap<int, item_ref> multimap;
    std::unordered_set<item_ref> unordered_set;
    std::unordered_map<int, item_ref> unordered_map;
    std::unordered_multimap<int, item_ref> unordered_multimap;
    std::vector<std::vector<item_ref>> nested;
    std::vector<std::unique_ptr<holder>> owners;
    std::vector<std::optional<item_ref>> optionals;
    std::vector<std::variant<int, item_ref>> variants;
    std::optional<std::vector<item_ref>> maybe;

    void traverse(auto& visit) {
        visit(vector, deque, list, forward_list, set, multiset, map, multimap, unordered_set, unordered_map,
              unordered_multimap, nested, owners, optionals, variants, maybe);
    }

    void fill(int n) {
        auto const fresh = [] { return make_ref<item>(); };
        maybe.emplace();
        for (int i = 0; i != n; ++i) {
            vector.push_back(fresh());
            deque.push_back(fresh());
            list.push_back(fresh());
            forward_list.push_front(fresh());
            set.insert(fresh());
            multiset.insert(fresh());
            map.emplace(i, fresh());
            multimap.emplace(i / 2, fresh());
            unordered_set.insert(fresh());
            unordered_map.emplace(i, fresh());
            unordered_multimap.emplace(i / 2, fresh());
            nested.push_back({fresh(), fresh()});
            owners.push_back(std::make_unique<holder>(holder{fresh(), {fresh(), fresh()}}));
            optionals.emplace_back(fresh());
            variants.emplace_back(fresh());
            maybe->push_back(fresh());
        }
    }
};

/// Applies `f` to each container of the owner.
template <class F>
void for_each_container(owner& o, F f) {
    f(o.vector);
    f(o.deque);
    f(o.list);
    f(o.forward_list);
    f(o.set);
    f(o.multiset);
    f(o.map);
    f(o.multimap);
    f(o.unordered_set);
    f(o.unordered_map);
    f(o.unordered_multimap);
    f(o.nested);
    f(o.owners);
    f(o.optionals);
    f(o.variants);
}

/// What waits is collected, and nothing is left over.
void check_end() {
    collect();
    CHECK(loop::alive == 0);
}

} // namespace

TEST_CASE("a container of a living object may be cleared while its elements make, collect and die", "[reentry]") {
    pygc::set_threshold(1);
    auto o = make_ref<owner>();
    o->fill(20);
    for_each_container(*o, [](auto& c) { c.clear(); });
    o->maybe.reset();
    CHECK(o->map.empty());
    pygc::set_threshold(2000);
    check_end();
}

TEST_CASE("a container of a living object may be assigned to, moved and swapped away", "[reentry]") {
    pygc::set_threshold(1);
    auto o = make_ref<owner>();
    o->fill(20);
    for_each_container(*o, [](auto& c) { c = std::remove_reference_t<decltype(c)>(); });
    o->fill(20);
    for_each_container(*o, [](auto& c) { std::remove_reference_t<decltype(c)>().swap(c); });
    o->fill(20);
    for_each_container(*o, [](auto& c) { auto const gone = std::move(c); });
    for_each_container(*o, [](auto& c) { c.clear(); });
    pygc::set_threshold(2000);
    o->maybe = std::nullopt;
    check_end();
}

TEST_CASE("ranges may be erased, and sequences shortened", "[reentry]") {
    pygc::set_threshold(1);
    auto o = make_ref<owner>();
    o->fill(20);
    o->vector.erase(o->vector.begin() + 3, o->vector.begin() + 15);
    o->deque.erase(o->deque.begin() + 3, o->deque.begin() + 15);
    o->list.erase(std::next(o->list.begin(), 3), std::next(o->list.begin(), 15));
    o->map.erase(o->map.find(3), o->map.find(15));
    o->set.erase(std::next(o->set.begin(), 3), std::next(o->set.begin(), 15));
    o->unordered_map.erase(o->unordered_map.begin(), std::next(o->unordered_map.begin(), 9));
    o->nested.resize(2);
    o->owners.resize(2);
    o->optionals.assign(3, std::nullopt);
    o->variants.assign(3, 1);
    o->list.remove_if([](item_ref const&) { return true; });
    CHECK(o->nested.size() == 2);
    o = nullptr;
    pygc::set_threshold(2000);
    check_end();
}

TEST_CASE("a collection that falls due in a death comes with the next container made, or safe_point", "[reentry]") {
    pygc::set_threshold(10);
    auto i = make_ref<item>([] {
        for (int k = 0; k != 100; ++k) make_garbage();
        CHECK(loop::alive == 100);
    });
    auto const before = pygc::get_stats()[0].collections;
    i = nullptr;
    CHECK(loop::alive == 100);
    CHECK(pygc::get_stats()[0].collections == before);
    bool const by_hand = GENERATE(true, false);
    if (by_hand) {
        CHECK(safe_point() == 100);
    } else {
        auto const next = make_ref<item>([] {});
    }
    CHECK(loop::alive == 0);
}

TEST_CASE("collect in a death is made up for, whatever the settings say of automatic collections", "[reentry]") {
    int const setting = GENERATE(0, 1, 2, 3);
    auto i = make_ref<item>([] {
        make_garbage();
        CHECK(collect() == 0);
        CHECK(collect(0) == 0);
    });
    if (setting == 1) pygc::disable();
    if (setting == 2) pygc::set_threshold(0);
    if (setting == 3) pygc::set_mode(pygc::at_safe_point);
    i = nullptr;
    CHECK(loop::alive == 1);
    if (setting == 3) {
        auto const next = make_ref<item>([] {});
        CHECK(loop::alive == 1); // make_ref starts none in this mode
        CHECK(safe_point() == 1);
    } else {
        auto const next = make_ref<item>([] {});
    }
    CHECK(loop::alive == 0);
    CHECK(safe_point() == 0); // once
    pygc::enable();
    pygc::set_mode(pygc::at_allocation);
}

TEST_CASE("a collection that waits also waits for no_collect", "[reentry]") {
    auto i = make_ref<item>([] {
        make_garbage();
        collect();
    });
    {
        pygc::no_collect const pause;
        i = nullptr;
        auto const next = make_ref<item>([] {});
        CHECK(safe_point() == 0);
        CHECK(loop::alive == 1);
    }
    CHECK(safe_point() == 1);
}

TEST_CASE("in a death no heap of the thread is collected, each makes up for it", "[reentry][heap]") {
    heap other;
    auto i = make_ref<item>([&] {
        make_garbage();
        {
            heap::scope const use(other);
            make_garbage();
            CHECK(collect() == 0);
        }
        CHECK(other.collect() == 0);
        CHECK(collect() == 0);
    });
    i = nullptr;
    CHECK(loop::alive == 2);
    CHECK(other.safe_point() == 1);
    CHECK(loop::alive == 1);
    CHECK(safe_point() == 1);
}

TEST_CASE("a destructor that a collection runs may collect another heap", "[reentry][heap]") {
    heap other;
    std::size_t found = 0, same = 99;
    auto i = make_ref<item>([&] {
        {
            heap::scope const use(other);
            make_garbage();
        }
        found = other.collect();
        same = collect();
    });
    i->other = i;
    i = nullptr;
    CHECK(collect() == 1);
    CHECK(found == 1);
    CHECK(same == 0);
}

TEST_CASE("may_collect lets an event loop in a destructor collect", "[reentry]") {
    std::size_t found = 0, inner = 99;
    auto i = make_ref<item>([&] {
        make_garbage();
        CHECK(collect() == 0);
        pygc::may_collect const here;
        found = collect();
        auto deeper = make_ref<item>([&] {
            make_garbage();
            inner = collect(); // this death is one of its own
        });
        deeper = nullptr;
        CHECK(loop::alive == 1);
        safe_point();
        CHECK(loop::alive == 0);
    });
    i = nullptr;
    CHECK(found == 1);
    CHECK(inner == 0);
    CHECK(loop::alive == 0);
}

TEST_CASE("may_collect works at the end of a chain, where destructors wait", "[reentry]") {
    std::size_t found = 0;
    item_ref head = make_ref<item>([&] {
        make_garbage();
        pygc::may_collect const here;
        found = collect();
    });
    for (int i = 0; i != 100; ++i) {
        auto next = make_ref<item>([] {});
        next->other = std::move(head);
        head = std::move(next);
    }
    head = nullptr;
    CHECK(found == 1);
}

TEST_CASE("get_referrers and get_referents find nothing in a death, and say so", "[reentry]") {
    auto o = make_ref<owner>();
    auto watched = make_ref<item>([] {});
    o->vector.push_back(watched);
    std::size_t referrers = 99, referents = 99;
    o->list.push_back(make_ref<item>([&] {
        referrers = pygc::get_referrers(watched).size();
        referents = pygc::get_referents(o).size();
    }));
    stderr_capture capture;
    o->list.clear();
    auto const text = capture.text();
    CHECK(referrers == 0);
    CHECK(referents == 0);
    CHECK(count_of(text, "pygc: get_referrers while an object dies") == 1);
    CHECK(count_of(text, "pygc: get_referents while an object dies") == 1);
    CHECK(pygc::get_referrers(watched).size() == 1);
}

#if defined(__cpp_exceptions)
TEST_CASE("the callback of a weak reference that a constructor made and threw is a death too", "[reentry]") {
    struct thrower : pygc::py_object {
        pygc::py_weakref<thrower> watched;
        thrower(std::size_t& found) {
            watched = pygc::py_weakref<thrower>(pygc::borrow(this), [&found] {
                make_garbage();
                found = collect();
            });
            throw 1;
        }
        void traverse(pygc::visitor& visit) { visit(watched); }
    };
    std::size_t found = 99;
    CHECK_THROWS_AS(make_ref<thrower>(found), int);
    CHECK((found == 0 || found == 99)); // 99: the weak reference went first, and with it its callback
    check_end();
}
#endif

TEST_CASE("what the rule does not cover works under no_collect", "[reentry]") {
    // Constructors, comparators and destructors of plain elements are no deaths: the program holds collections off.
    struct plain {
        item_ref one;
        int rank = 0;
        plain() = default;
        explicit plain(int r) : rank(r) { make_garbage(); }
        plain(plain const&) = default;
        plain(plain&&) = default;
        plain& operator=(plain const&) = default;
        plain& operator=(plain&&) = default;
        ~plain() { make_garbage(); }
        void traverse(pygc::visitor& visit) { visit(one); }
    };
    struct box : pygc::py_object {
        std::deque<plain> deque;
        std::forward_list<plain> list;
        std::vector<plain> vector;
        void traverse(pygc::visitor& visit) { visit(deque, list, vector); }
    };
    pygc::set_threshold(1);
    auto b = make_ref<box>();
    {
        pygc::no_collect const pause;
        for (int i = 0; i != 200; ++i) b->deque.emplace_front(i);
        for (int i = 0; i != 50; ++i) b->list.emplace_front(i * 7 % 50);
        b->list.sort([](plain const& x, plain const& y) {
            make_garbage();
            return x.rank < y.rank;
        });
        b->vector.resize(50);
        b->vector.clear();
        b->deque.clear();
    }
    CHECK(b->list.front().rank == 0);
    b = nullptr;
    pygc::set_threshold(2000);
    check_end();
}
