// SPDX-License-Identifier: BSL-1.0
// The rest of the gc module: referrers, callbacks, debug flags, freeze, modes, visits, immortal objects.
#include <support/catch.hpp>
#include <support/stderr_capture.hpp>

#include <pygc/pygc.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

using pygc::collect;
using pygc::collection_info;
using pygc::collection_phase;
using pygc::make_ref;
using pygc::py_ref;

namespace {

struct node : pygc::py_object {
    py_ref<node> next;
    std::vector<py_ref<node>> more;
    void traverse(auto& visit) { visit(next, more); }
};

py_ref<node> loop() {
    auto n = make_ref<node>();
    n->next = n;
    return n;
}

} // namespace

TEST_CASE("rows 48 to 50: referents with duplicates, referrers once each", "[gc]") {
    auto a = make_ref<node>(), b = make_ref<node>(), c = make_ref<node>();
    a->next = b;
    a->more = {b, c};
    auto referents = pygc::get_referents(a, c);
    CHECK(referents.size() == 3);
    CHECK(referents.contains(b));
    CHECK(pygc::get_referents(make_ref<int>(1)).size() == 0);
    CHECK(pygc::get_referents(py_ref<node>()).empty());
    referents.clear();
    auto referrers = pygc::get_referrers(b);
    CHECK(referrers.size() == 1);
    CHECK(referrers[0] == a);
    CHECK(pygc::get_referrers(c, b).size() == 1);
    CHECK(pygc::get_referrers(a).empty());
}

TEST_CASE("rows 136, 137: callbacks hear start and stop, in order", "[gc][callbacks]") {
    std::vector<std::string> heard;
    const auto listen = [&heard](std::string name) {
        return [&heard, name](collection_phase phase, collection_info const& info) {
            heard.push_back(name + (phase == collection_phase::start ? " start " : " stop ") +
                            std::to_string(info.generation) + " " + std::to_string(info.collected) + " " +
                            std::to_string(info.candidates));
        };
    };
    const auto a = pygc::callbacks().append(listen("a"));
    const auto b = pygc::callbacks().append(listen("b"));
    auto kept = make_ref<node>();
    loop();
    CHECK(collect() == 1);
    CHECK(heard == std::vector<std::string>{"a start 2 0 0", "b start 2 0 0", "a stop 2 1 2", "b stop 2 1 2"});
    CHECK(pygc::callbacks().size() == 2);
    CHECK(pygc::callbacks().remove(a));
    CHECK_FALSE(pygc::callbacks().remove(a));
    heard.clear();
    collect(0);
    CHECK(heard.size() == 2);
    CHECK(pygc::callbacks().remove(b));
    CHECK(pygc::callbacks().empty());
}

TEST_CASE("rows 139, 140: callbacks may throw, collect, and change the list: a snapshot is called", "[gc][callbacks]") {
    int third = 0, reported = 0;
    std::size_t nested = 9;
    pygc::callback_list::id second = 0;
    pygc::callbacks().append([&](collection_phase, collection_info const&) {
        nested = collect();
#if defined(__cpp_exceptions)
        throw std::runtime_error("no");
#endif
    });
    second =
        pygc::callbacks().append([&](collection_phase, collection_info const&) { pygc::callbacks().remove(second); });
    pygc::callbacks().append([&](collection_phase, collection_info const&) { ++third; });
    pygc::set_unraisable_hook([&](pygc::unraisable const&) { ++reported; });
    collect();
    CHECK(third == 2);
    CHECK(nested == 0);
#if defined(__cpp_exceptions)
    CHECK(reported == 2);
#endif
    CHECK(pygc::callbacks().size() == 2);
    pygc::callbacks().clear();
    pygc::set_unraisable_hook(nullptr);
}

TEST_CASE("row 141: no callback is called at a heap's end", "[gc][callbacks]") {
    int calls = 0;
    {
        pygc::heap h;
        h.callbacks().append([&](collection_phase, collection_info const&) { ++calls; });
    }
    CHECK(calls == 0);
}

TEST_CASE("row 34: statistics have candidates and duration too", "[gc]") {
    const auto before = pygc::get_stats()[2];
    auto kept = make_ref<node>();
    loop();
    collect();
    const auto after = pygc::get_stats()[2];
    CHECK(after.collections == before.collections + 1);
    CHECK(after.collected == before.collected + 1);
    CHECK(after.candidates == before.candidates + 2);
    CHECK(after.duration > before.duration);
}

TEST_CASE("rows 132, 133: save_all keeps what is found, finalized and without weak references", "[gc][debug]") {
    struct told : pygc::py_object {
        int* calls;
        py_ref<told> next;
        explicit told(int& c) : calls(&c) {}
        void finalize() { ++*calls; }
        void traverse(pygc::visitor& visit) { visit(next); }
    };
    int finalized = 0, called = 0;
    pygc::set_debug(pygc::debug::save_all);
    CHECK(pygc::get_debug() == pygc::debug::save_all);
    auto a = make_ref<told>(finalized);
    a->next = a;
    const void* address = a.get();
    pygc::py_weakref<told> w(a, [&] { ++called; });
    a = nullptr;
    CHECK(collect() == 1);
    CHECK(finalized == 1);
    CHECK(called == 1);
    CHECK(w.expired());
    REQUIRE(pygc::garbage().size() == 1);
    CHECK(pygc::garbage()[0].get() == address);
    CHECK(pygc::get_objects(2).contains(pygc::garbage()[0]));
    pygc::set_debug(pygc::debug::none);
    pygc::garbage().clear();
    CHECK(collect() == 1);
    CHECK(finalized == 1);
}

TEST_CASE("row 134: stats prints its lines, and collectable names the objects", "[gc][debug]") {
    loop();
    std::string text;
    {
        support::stderr_capture capture;
        pygc::set_debug(pygc::debug::stats | pygc::debug::collectable);
        collect();
        pygc::set_debug(pygc::debug::none);
        loop();
        collect();
        text = capture.text();
    }
    CHECK(support::count_of(text, "gc: collecting generation 2...") == 1);
    CHECK(support::count_of(text, "gc: objects in each generation: 1 0 0") == 1);
    CHECK(support::count_of(text, "gc: done, 1 unreachable, 0 uncollectable") == 1);
    CHECK(support::count_of(text, "collectable ") == 1);
    CHECK(support::count_of(text, "node") == 1);
}

TEST_CASE("rows 142 to 146: frozen objects are hidden, die by count, and come back to generation 2", "[gc][freeze]") {
    collect();
    auto live = make_ref<node>();
    loop(); // garbage at that time stays
    CHECK(pygc::get_freeze_count() == 0);
    pygc::freeze();
    CHECK(pygc::get_freeze_count() == 2);
    CHECK(pygc::get_count() == std::array<std::size_t, 3>{0, 0, 0});
    CHECK(pygc::get_objects().empty());
    CHECK(pygc::is_tracked(live));
    CHECK(collect() == 0);
    {
        auto fresh = make_ref<node>();
        fresh->next = fresh;
        fresh->more.push_back(live);
        CHECK(pygc::get_referrers(live).size() == 1);
        live->next = nullptr;
    }
    CHECK(live.use_count() == 2);
    CHECK(collect() == 1);
    CHECK(live.use_count() == 1);
    std::size_t seen = 0;
    pygc::visit_objects([&](py_ref<pygc::py_object> const&) { ++seen; });
    CHECK(seen == 2);
    live = nullptr;
    CHECK(pygc::get_freeze_count() == 1);
    auto another = make_ref<node>();
    pygc::unfreeze();
    CHECK(pygc::get_freeze_count() == 0);
    CHECK(pygc::get_objects(2).size() == 1);
    CHECK(pygc::get_objects(0).size() == 1);
    CHECK(collect() == 1);
}

TEST_CASE("new objects use no page of the frozen ones, and are collected as ever", "[gc][freeze]") {
    std::vector<py_ref<node>> old;
    for (int i = 0; i != 1000; ++i) old.push_back(make_ref<node>());
    old.resize(500);
    auto empty_page = make_ref<std::vector<py_ref<node>>>();
    empty_page = nullptr;
    pygc::freeze();
    for (int i = 0; i != 2000; ++i) loop();
    collect();
    CHECK(pygc::get_objects().empty());
    CHECK(pygc::get_freeze_count() == 500);
    pygc::freeze(); // twice adds up
    auto more = loop();
    pygc::freeze();
    CHECK(pygc::get_freeze_count() == 501);
    pygc::unfreeze();
    old.clear();
    more = nullptr;
    CHECK(collect() == 1);
    for (int i = 0; i != 2000; ++i) old.push_back(make_ref<node>());
    CHECK(collect(0) == 0);
    CHECK(pygc::get_objects(1).size() == 2000);
}

TEST_CASE("row 161: a visit sees each object once, stops when told, and keeps collections off", "[gc]") {
    auto a = make_ref<node>(), b = make_ref<node>(), c = make_ref<node>();
    int seen_a = 0, visits = 0;
    CHECK(pygc::visit_objects([&](py_ref<pygc::py_object> const& r) { seen_a += r == a; }));
    CHECK(seen_a == 1);
    CHECK_FALSE(pygc::visit_objects([&](py_ref<pygc::py_object> const&) { return ++visits != 2; }));
    CHECK(visits == 2);
    const auto before = pygc::get_threshold();
    pygc::set_threshold(1);
    const auto collections = pygc::get_stats()[0].collections;
    pygc::visit_objects([&](py_ref<pygc::py_object> const&) {
        for (int i = 0; i != 10; ++i) loop();
        return false;
    });
    CHECK(pygc::get_stats()[0].collections == collections);
    pygc::set_threshold(before[0]);
    CHECK(pygc::is_enabled());
    CHECK(collect() == 10);
}

TEST_CASE("row 162: a visitor may free what it visits and make more", "[gc]") {
    std::vector<py_ref<node>> all;
    for (int i = 0; i != 3000; ++i) all.push_back(make_ref<node>());
    std::size_t calls = 0;
    pygc::visit_objects([&](py_ref<pygc::py_object> const&) {
        if (++calls == 10) all.clear();
        if (calls < 10) all.push_back(make_ref<node>());
    });
    CHECK(calls >= 10);
    CHECK(pygc::get_objects().size() == all.size());
}

TEST_CASE("a visitor may collect, whatever memory that gives back", "[gc]") {
    std::vector<py_ref<node>> all;
    for (int i = 0; i != 400'000; ++i) all.push_back(make_ref<node>()); // several chunks
    std::size_t calls = 0;
    pygc::visit_objects([&](py_ref<pygc::py_object> const&) {
        if (++calls == 1) {
            all.clear();
            collect();
        }
    });
    CHECK(calls >= 1);
    CHECK(pygc::get_objects().empty());
}

TEST_CASE("row 138: a callback may change garbage()", "[gc][callbacks]") {
    pygc::set_debug(pygc::debug::save_all);
    pygc::callbacks().append([](collection_phase phase, collection_info const&) {
        if (phase == collection_phase::stop) pygc::garbage().clear();
    });
    loop();
    CHECK(collect() == 1);
    CHECK(pygc::garbage().empty());
    pygc::callbacks().clear();
    pygc::set_debug(pygc::debug::none);
    CHECK(collect() == 1);
}

TEST_CASE("no_collect stops automatic collections, nested too; collect() runs", "[gc][mode]") {
    const auto before = pygc::get_threshold();
    pygc::set_threshold(10);
    const auto collections = [] { return pygc::get_stats()[0].collections + pygc::get_stats()[1].collections; };
    const auto begin = collections();
    {
        pygc::no_collect outer;
        {
            pygc::no_collect inner;
            for (int i = 0; i != 50; ++i) loop();
        }
        for (int i = 0; i != 50; ++i) loop();
        CHECK(pygc::safe_point() == 0);
        CHECK(collections() == begin);
        CHECK(collect(2) == 100);
        for (int i = 0; i != 50; ++i) loop();
    }
    loop();
    CHECK(collections() == begin + 1);
    pygc::set_threshold(before[0]);
    collect();
}

TEST_CASE("at safe points only: make_ref never collects, safe_point does when one is due", "[gc][mode]") {
    const auto before = pygc::get_threshold();
    pygc::set_threshold(10);
    CHECK(pygc::get_mode() == pygc::at_allocation);
    pygc::set_mode(pygc::mode::at_safe_point);
    const auto begin = pygc::get_stats()[0].collections;
    for (int i = 0; i != 30; ++i) loop();
    CHECK(pygc::get_stats()[0].collections == begin);
    CHECK(pygc::safe_point() == 30);
    CHECK(pygc::safe_point() == 0);
    pygc::disable();
    for (int i = 0; i != 30; ++i) loop();
    CHECK(pygc::safe_point() == 0);
    pygc::enable();
    CHECK(pygc::safe_point() == 30);
    pygc::set_mode(pygc::at_allocation);
    pygc::set_threshold(before[0]);
}

TEST_CASE("collect() inside a traverse returns 0", "[gc]") {
    struct curious : pygc::py_object {
        py_ref<curious> next;
        std::size_t found = 99;
        void traverse(pygc::visitor& visit) {
            found = collect();
            visit(next);
        }
    };
    auto a = make_ref<curious>();
    CHECK(collect() == 0);
    CHECK(a->found == 0);
}

TEST_CASE("a traverse that destroys objects is reported, and frees nothing else", "[gc]") {
    struct careless : pygc::py_object {
        py_ref<careless> next;
        py_ref<node> victim;
        void traverse(pygc::visitor& visit) {
            victim = nullptr;
            visit(next);
        }
    };
    auto a = make_ref<careless>();
    a->next = a;
    a->victim = make_ref<node>();
    a = nullptr;
    support::stderr_capture capture;
    const auto found = collect();
    const auto text = capture.text();
    CHECK(found == 0);
    CHECK(support::count_of(text, "inside a traverse") == 1);
    CHECK(collect() == 1);
    CHECK(pygc::get_objects().empty());
}
