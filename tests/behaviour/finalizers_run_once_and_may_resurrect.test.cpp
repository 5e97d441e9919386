// SPDX-License-Identifier: BSL-1.0
// finalize(): once ever, object intact, resurrection, by count and in cycles.
#include <support/catch.hpp>

#include "told.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using pygc::collect;
using pygc::is_finalized;
using pygc::make_ref;
using pygc::py_ref;
using pygc::py_weakref;
using support::count_in;
using support::make_told;
using support::told;
using support::told_ref;
using support::told_ring;
using support::trace;

namespace {

bool is_in(told_ref const& r, int generation) { return pygc::get_objects(generation).contains(r); }

/// The places of what a test's finalizers save.
struct saved {
    std::vector<told_ref> all;
    auto saver() {
        return [this](told& self) { all.push_back(pygc::borrow(&self)); };
    }
};

auto breaker() {
    return [](told& self) { self.next = nullptr; };
}

} // namespace

TEST_CASE("row 54: a dropped object is finalized once, then destroyed", "[finalize]") {
    trace t;
    auto a = make_told(t, "a");
    py_weakref<told> w = a;
    a = nullptr;
    CHECK(t == trace{"finalize a", "~a"});
    CHECK(w.expired());
    CHECK(collect() == 0);
}

TEST_CASE("row 55: what saves itself lives, with its weak references, and is never finalized again", "[finalize]") {
    trace t;
    saved s;
    auto a = make_told(t, "a");
    a->in_finalizer = s.saver();
    py_weakref<told> w = a;
    a = nullptr;
    CHECK(t == trace{"finalize a"});
    REQUIRE(s.all.size() == 1);
    CHECK(w.lock() == s.all[0]);
    CHECK(s.all[0].use_count() == 1);
    CHECK(is_in(s.all[0], 0));
    s.all.clear();
    CHECK(t == trace{"finalize a", "~a"});
    CHECK(w.expired());
}

TEST_CASE("rows 56, 57: finalizers of untracked types run once too, also after a resurrection", "[finalize]") {
    struct leaf : pygc::py_object {
        leaf(int& c, py_ref<leaf>& p) : calls(&c), place(&p) {}
        void finalize() {
            ++*calls;
            *place = pygc::borrow(this);
        }
        int* calls;
        py_ref<leaf>* place;
    };
    int calls = 0;
    py_ref<leaf> place;
    {
        auto a = make_ref<leaf>(calls, place);
        CHECK_FALSE(pygc::is_tracked(a));
        CHECK_FALSE(is_finalized(a));
    }
    CHECK(calls == 1);
    CHECK(is_finalized(place));
    place = nullptr;
    CHECK(calls == 1);
}

#if defined(__cpp_exceptions)
namespace {

/// Looks at everything that it owns when its end comes.
struct inspector : pygc::py_object {
    explicit inspector(int& n) : intact(&n) {}
    int* intact;
    std::string text = "a text that is too long for the small string optimisation";
    std::vector<py_ref<inspector>> peers;
    py_ref<std::string> boxed = make_ref<std::string>(text);
    std::unique_ptr<int> number = std::make_unique<int>(7);
    void traverse(auto& visit) { visit(peers, boxed); }
    void finalize() {
        bool fine = text.size() == 57 && *boxed == text && *number == 7;
        for (const auto& p : peers) fine = fine && p != nullptr && p->text == text && *p->number == 7;
        *intact += fine;
    }
};

} // namespace

TEST_CASE("row 58: in its finalizer an object is intact, and so is what it refers to", "[finalize]") {
    int intact = 0;
    auto by_count = make_ref<inspector>(intact);
    by_count->peers.push_back(make_ref<inspector>(intact));
    by_count = nullptr;
    CHECK(intact == 2);
    {
        std::vector<py_ref<inspector>> all;
        for (int i = 0; i != 100; ++i) all.push_back(make_ref<inspector>(intact));
        for (const auto& i : all) i->peers = all;
    }
    CHECK(collect() == 100);
    CHECK(intact == 102);
}

TEST_CASE("row 160: no finalizer runs, and so none takes a lock, where no_collect forbids it", "[finalize]") {
    struct locks : pygc::py_object {
        explicit locks(std::mutex& m, int& n) : mutex(&m), runs(&n) {}
        std::mutex* mutex;
        int* runs;
        py_ref<locks> self;
        void traverse(pygc::visitor& visit) { visit(self); }
        void finalize() {
            const std::unique_lock lock(*mutex, std::try_to_lock);
            if (!lock.owns_lock()) std::abort(); // else it would wait for ever
            ++*runs;
        }
    };
    std::mutex mutex;
    int runs = 0;
    const auto make_garbage = [&] {
        for (int i = 0; i != 100; ++i) {
            auto l = make_ref<locks>(mutex, runs);
            l->self = l;
        }
    };
    pygc::set_threshold(10);
    {
        const pygc::no_collect critical;
        const std::lock_guard lock(mutex);
        make_garbage();
        CHECK(runs == 0);
    }
    make_garbage();
    CHECK(runs > 100);
    // Or collections at safe points only, which stand outside of all locks.
    collect();
    runs = 0;
    pygc::set_mode(pygc::at_safe_point);
    {
        const std::lock_guard lock(mutex);
        make_garbage();
    }
    CHECK(runs == 0);
    pygc::safe_point();
    CHECK(runs == 100);
    pygc::set_mode(pygc::at_allocation);
}

TEST_CASE("row 59: a finalizer that throws is reported, and its object destroyed", "[finalize][hook]") {
    trace t;
    std::string reported;
    pygc::set_unraisable_hook([&](pygc::unraisable const& u) {
        reported = std::string(u.what) + " " + std::string(u.type_name, u.type_name_length);
        try {
            std::rethrow_exception(u.exception);
        } catch (std::exception const& e) {
            reported += std::string(": ") + e.what();
        }
    });
    const auto fail = [](told&) { throw std::runtime_error("no"); };
    make_told(t, "a")->in_finalizer = fail;
    {
        auto a = make_told(t, "b");
        a->in_finalizer = fail;
    }
    CHECK(reported == "the finalizer of support::told: no");
    {
        auto ring = told_ring(t, {"c", "d"});
        ring[0]->in_finalizer = fail;
    }
    reported.clear();
    CHECK(collect() == 2);
    CHECK(reported == "the finalizer of support::told: no");
    CHECK(count_in(t, "~c") + count_in(t, "~d") == 2);
    pygc::set_unraisable_hook(nullptr);
}

TEST_CASE("row 60: a finalizer that runs while an exception is under way leaves it alone", "[finalize]") {
    trace t;
    try {
        auto a = make_told(t, "a");
        throw std::runtime_error("under way");
    } catch (std::runtime_error const& e) {
        CHECK(std::string(e.what()) == "under way");
    }
    CHECK(t == trace{"finalize a", "~a"});
}
#endif

TEST_CASE("row 61: a weak reference made in a finalizer that doesn't save its object ends dead", "[finalize]") {
    trace t;
    py_weakref<told> w;
    auto a = make_told(t, "a");
    a->in_finalizer = [&](told& self) { w = pygc::borrow(&self); };
    a = nullptr;
    CHECK(w.expired());
    CHECK(w != nullptr);
}

TEST_CASE("row 64: a self-cycle is finalized once and freed", "[finalize]") {
    trace t;
    auto a = make_told(t, "a");
    a->next = a;
    py_weakref<told> w = a;
    a = nullptr;
    CHECK(collect() == 1);
    CHECK(t == trace{"finalize a", "~a"});
    CHECK(w.expired());
    CHECK(collect() == 0);
}

TEST_CASE("rows 65, 73, 76: a self-cycle saves itself once, grows older, and keeps its weak references", "[finalize]") {
    trace t;
    saved s;
    auto a = make_told(t, "a");
    a->next = a;
    a->in_finalizer = s.saver();
    int told_of = 0;
    py_weakref<told> w(a, [&] { ++told_of; });
    a = nullptr;
    CHECK(collect(0) == 0);
    REQUIRE(s.all.size() == 1);
    CHECK(is_in(s.all[0], 1));
    CHECK(w.lock() == s.all[0]);
    CHECK(told_of == 0);
    s.all.clear();
    CHECK(collect() == 1);
    CHECK(t == trace{"finalize a", "~a"});
    CHECK(told_of == 1);
}

TEST_CASE("row 66: a cycle that a finalizer breaks dies in the finalizer phase, and once", "[finalize]") {
    trace t;
    auto a = make_told(t, "a");
    a->next = a;
    a->in_finalizer = breaker();
    a = nullptr;
    CHECK(collect() == 0); // as CPython: nothing was left to be found
    CHECK(t == trace{"finalize a", "~a"});
}

TEST_CASE("rows 67 to 72, 75: rings of savers, breakers and others: each finalized once, each freed once",
          "[finalize]") {
    const std::vector<std::string> kinds = {"nnn", "rrr", "bbb", "bnbn", "bbnn", "rnrn", "rnbrnb", "rrnnbb", "n", "rb"};
    for (auto const& kind : kinds) {
        trace t;
        saved s;
        std::vector<std::string> names;
        for (std::size_t i = 0; i != kind.size(); ++i) names.push_back(std::to_string(i));
        auto ring = told_ring(t, names);
        for (std::size_t i = 0; i != kind.size(); ++i) {
            if (kind[i] == 'r') ring[i]->in_finalizer = s.saver();
            if (kind[i] == 'b') ring[i]->in_finalizer = breaker();
        }
        ring.clear();
        INFO(kind);
        collect();
        for (auto const& name : names) CHECK(count_in(t, "finalize " + name) == 1);
        for (auto const& r : s.all) CHECK(is_finalized(r));
        s.all.clear();
        collect();
        for (auto const& name : names) {
            CHECK(count_in(t, "finalize " + name) == 1);
            CHECK(count_in(t, "~" + name) == 1);
        }
    }
}

TEST_CASE("rows 74, 84: what a saved object leads to is saved with it; the rest of the garbage goes", "[finalize]") {
    trace t;
    saved s;
    {
        auto a = make_told(t, "a");
        a->next = a;
        a->other = make_told(t, "cargo");
        a->in_finalizer = s.saver();
        auto b = make_told(t, "b");
        b->next = b;
        b->other = a;
    }
    CHECK(collect() == 1); // b
    CHECK(count_in(t, "~b") == 1);
    REQUIRE(s.all.size() == 1);
    CHECK(s.all[0]->other->name == "cargo");
    s.all.clear();
    CHECK(collect() == 2);
}

TEST_CASE("row 75: one resurrection keeps nobody else: 100 of 101 are collected", "[finalize]") {
    trace t;
    saved s;
    for (int i = 0; i != 100; ++i) {
        auto n = make_told(t, "n");
        n->next = n;
    }
    {
        auto z = make_told(t, "z");
        z->next = z;
        z->in_finalizer = s.saver();
    }
    CHECK(collect() == 100);
    s.all.clear();
    CHECK(collect() == 1);
}

TEST_CASE("rows 77, 78: in a finalizer the garbage is in no list, and collect() returns 0", "[finalize]") {
    trace t;
    std::size_t seen = 99, referrers = 99, nested = 99;
    auto a = make_told(t, "a");
    a->next = a;
    a->in_finalizer = [&](told& self) {
        auto me = pygc::borrow(&self);
        seen = pygc::get_objects().contains(me);
        referrers = pygc::get_referrers(me).size();
        nested = collect();
    };
    a = nullptr;
    collect();
    CHECK(seen == 0);
    CHECK(referrers == 0);
    CHECK(nested == 0);
}

TEST_CASE("row 79: in a finalizer by count, collect() returns 0 and waits for the end of the death", "[finalize]") {
    trace t;
    auto a = make_told(t, "a");
    std::size_t nested = 0;
    a->in_finalizer = [&](told&) {
        {
            auto loop = make_told(t, "loop");
            loop->next = loop;
        }
        nested = collect();
    };
    a = nullptr;
    CHECK(nested == 0);
    CHECK(t == trace{"finalize a", "~a"});
    CHECK(pygc::safe_point() == 1);
    CHECK(t == trace{"finalize a", "~a", "finalize loop", "~loop"});
}

TEST_CASE("row 80: what a finalizer makes belongs to the next collection", "[finalize]") {
    trace t;
    auto a = make_told(t, "a");
    a->next = a;
    a->in_finalizer = [&](told& self) {
        for (int i = 0; i != 300; ++i) { // more than the page had slots carved
            auto fresh = make_told(t, "fresh");
            fresh->next = fresh;
            if (i == 200) self.other = fresh;
        }
    };
    a = nullptr;
    CHECK(collect() == 1);
    CHECK(count_in(t, "~fresh") == 0);
    CHECK(collect() == 300);
}

TEST_CASE("row 13: a finalizer that overwrites its link in the cycle does no harm", "[finalize]") {
    trace t;
    auto a = make_told(t, "a"), b = make_told(t, "b");
    a->next = b;
    b->next = a;
    b->other = make_told(t, "third");
    b->in_finalizer = breaker();
    a = b = nullptr;
    collect();
    CHECK(count_in(t, "~a") + count_in(t, "~b") + count_in(t, "~third") == 3);
}

TEST_CASE("row 82: a weak reference that a finalizer makes to other garbage is dead before any destructor",
          "[finalize]") {
    trace t;
    py_weakref<told> kept;
    {
        auto ring = told_ring(t, {"a", "b"});
        ring[0]->in_finalizer = [&](told& self) { kept = self.next; };
        kept = ring[1];
    }
    bool seen = false;
    struct looks : pygc::py_object {
        py_weakref<told>& weak;
        bool& seen;
        looks(py_weakref<told>& w, bool& s) : weak(w), seen(s) {}
        ~looks() { seen = weak.lock() != nullptr; }
        py_ref<looks> next;
        void traverse(pygc::visitor& visit) { visit(next); }
    };
    {
        auto l = make_ref<looks>(kept, seen);
        l->next = l;
    }
    CHECK(collect() == 3);
    CHECK_FALSE(seen);
    CHECK(kept.expired());
}

TEST_CASE("row 149: deep structures with finalizers die on a small stack", "[finalize]") {
    trace t;
    constexpr int depth = 100'000;
    told_ref head;
    for (int i = 0; i != depth; ++i) {
        auto n = make_told(t, "n");
        n->next = std::move(head);
        head = std::move(n);
    }
    head = nullptr;
    CHECK(t.size() == 2 * depth);
    t.clear();
    // A finalizer that drops the rest itself.
    for (int i = 0; i != depth; ++i) {
        auto n = make_told(t, "n");
        n->in_finalizer = breaker();
        n->next = std::move(head);
        head = std::move(n);
    }
    head = nullptr;
    CHECK(t.size() == 2 * depth);
}

TEST_CASE("finalizers run in a heap's last collection, and may make objects there", "[finalize][heap]") {
    trace t;
    {
        pygc::heap h;
        pygc::heap::scope use(h);
        auto a = make_told(t, "a");
        a->next = a;
        a->in_finalizer = [&](told&) { make_told(t, "late"); };
    }
    CHECK(t == trace{"finalize a", "finalize late", "~late", "~a"});
}

TEST_CASE("that an object was finalized is remembered through resurrection, collection and freezing", "[finalize]") {
    trace t;
    saved s;
    auto a = make_told(t, "a");
    a->in_finalizer = s.saver();
    a = nullptr;
    CHECK(collect() == 0);
    CHECK(is_finalized(s.all.at(0)));
    pygc::freeze();
    CHECK(is_finalized(s.all.at(0)));
    pygc::unfreeze();
    s.all.clear();
    CHECK(t == trace{"finalize a", "~a"});
}
