// SPDX-License-Identifier: BSL-1.0
// An object whose destructor waits, because too many are nested, can be borrowed, watched and saved until its turn.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <functional>
#include <set>
#include <utility>
#include <vector>

using pygc::borrow;
using pygc::make_ref;
using pygc::py_ref;
using pygc::py_weakref;

namespace {

/// Signs off in its destructor from a register of plain pointers.
struct observer : pygc::py_object {
    using pygc_acyclic = void;
    static inline std::set<observer*> all;
    int told = 0;
    observer() { all.insert(this); }
    ~observer() { all.erase(this); }
};

struct segment : pygc::py_object {
    py_ref<segment> next;
    py_ref<observer> first, second;
    std::function<void(segment&)> at_end;
    ~segment() {
        first.reset();
        second.reset();
        if (at_end) at_end(*this);
    }
    void traverse(auto& visit) { visit(next, first, second); }
};

/// A chain whose observers' destructors wait from the 24th segment on. `f` runs in each segment's destructor.
py_ref<segment> make_chain(int length, std::function<void(segment&)> f) {
    py_ref<segment> head;
    for (int i = 0; i != length; ++i) {
        auto l = make_ref<segment>();
        l->first = make_ref<observer>();
        l->second = make_ref<observer>();
        l->next = std::move(head);
        l->at_end = f;
        head = std::move(l);
    }
    return head;
}

} // namespace

TEST_CASE("what waits can be borrowed and let go of again", "[trashcan]") {
    auto head = make_chain(60, [](segment&) {
        for (observer* each : observer::all) ++borrow(each)->told;
    });
    head = nullptr;
    CHECK(observer::all.empty());
}

TEST_CASE("what waits lives on if somebody holds it at its turn", "[trashcan]") {
    std::vector<py_ref<observer>> saved;
    auto head = make_chain(60, [&](segment&) {
        if (!saved.empty()) return;
        for (observer* each : observer::all) {
            auto r = borrow(each);
            if (r.use_count() == 1) saved.push_back(std::move(r)); // nobody else holds it: it waits
        }
    });
    head = nullptr;
    CHECK_FALSE(saved.empty());
    CHECK(observer::all.size() == saved.size());
    for (auto const& r : saved) CHECK(r.use_count() == 1);
    saved.clear();
    CHECK(observer::all.empty());
}

TEST_CASE("a container that is saved while it waits is tracked again", "[trashcan]") {
    struct node : pygc::py_object {
        py_ref<node> next;
        std::function<void()> at_end;
        ~node() {
            if (at_end) at_end();
        }
        void traverse(pygc::visitor& visit) { visit(next); }
    };
    py_ref<node> saved;
    auto head = make_ref<node>();
    node* const last = head.get();
    for (int i = 0; i != 60; ++i) {
        auto n = make_ref<node>();
        n->next = std::move(head);
        head = std::move(n);
        if (i != 0) continue;
        head->at_end = [&saved, last, holder = head.get()] {
            holder->next.reset(); // too deep: it waits
            saved = borrow(last);
            saved->next = saved;
        };
    }
    head = nullptr;
    REQUIRE(saved);
    CHECK(saved.use_count() == 2);
    CHECK(pygc::is_tracked(saved));
    saved = nullptr;
    CHECK(pygc::collect() == 1);
}

TEST_CASE("a weak reference to what waits gives nothing, and ends with it", "[trashcan][weakref]") {
    std::vector<py_weakref<observer>> watched;
    int alive = 0;
    auto head = make_chain(60, [&](segment&) {
        for (observer* each : observer::all) {
            py_weakref<observer> w(borrow(each));
            if (w.lock()) ++alive;
            watched.push_back(std::move(w));
        }
    });
    head = nullptr;
    CHECK(observer::all.empty());
    CHECK(alive != 0);
    for (auto const& w : watched) CHECK(w.expired());
}

TEST_CASE("what waits dies in the order in which recursion would reach it", "[trashcan]") {
    struct leaf : pygc::py_object {
        std::vector<int>* trace;
        int id;
        leaf(std::vector<int>& t, int i) : trace(&t), id(i) {}
        ~leaf() { trace->push_back(id); }
        void traverse(pygc::visitor&) {}
    };
    struct branch : pygc::py_object {
        std::vector<py_ref<pygc::py_object>> parts;
        void traverse(pygc::visitor& visit) { visit(parts); }
    };
    std::vector<int> trace;
    auto const build = [&trace](auto const& self, int depth, int& id) -> py_ref<pygc::py_object> {
        if (depth == 0) return make_ref<leaf>(trace, id++);
        auto b = make_ref<branch>();
        for (int i = 0; i != (depth < 6 ? 2 : 1); ++i) b->parts.push_back(self(self, depth - 1, id));
        return b;
    };
    int id = 0;
    auto root = build(build, 40, id);
    root = nullptr;
    REQUIRE(trace.size() == 32);
    for (int i = 0; i != 32; ++i) CHECK(trace[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a million objects may wait at once", "[trashcan]") {
    struct wide : pygc::py_object {
        std::vector<py_ref<wide>> parts;
        py_ref<wide> one;
        void traverse(pygc::visitor& visit) { visit(parts, one); }
    };
    auto root = make_ref<wide>();
    for (int i = 0; i != 1'000'000; ++i) root->parts.push_back(make_ref<wide>());
    for (int i = 0; i != 40; ++i) {
        auto above = make_ref<wide>();
        above->one = std::move(root);
        root = std::move(above);
    }
    root = nullptr;
    CHECK(pygc::get_memory().objects == 0);
}
