// SPDX-License-Identifier: BSL-1.0
// Callbacks of weak references, finalizers, callbacks of collections and the unraisable hook: their function objects
// may change the lists they are in, collect, or let go of what they are made for, when called, moved and destroyed.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

using pygc::collect;
using pygc::make_ref;
using pygc::py_ref;
using pygc::py_weakref;

namespace {

struct node : pygc::py_object {
    py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

/// A function object that does something when it is moved, and when its last copy goes.
struct told {
    std::function<void()> on_move, on_end;
    bool armed = true;
    told(std::function<void()> m, std::function<void()> e) : on_move(std::move(m)), on_end(std::move(e)) {}
    told(told&& other) : on_move(other.on_move), on_end(other.on_end), armed(std::exchange(other.armed, false)) {
        if (on_move) on_move();
    }
    told(const told& other) = default;
    ~told() {
        if (armed && on_end) on_end();
    }
    template <class... Args>
    void operator()(const Args&...) const {}
};

} // namespace

TEST_CASE("a callback whose moves let go of the object is told of the death, or never was there", "[weakref]") {
    auto n = make_ref<node>();
    const told drops([&n] { n = nullptr; }, nullptr);
    const py_weakref<node> w(n, drops);
    CHECK((n == nullptr && w.expired()));
    n = make_ref<node>();
    n->next = n;
    const told collects(
        [&n] {
            n = nullptr;
            collect();
        },
        nullptr);
    const py_weakref<node> v(n, collects, 1, 2);
    collect();
    CHECK(v.expired());
    n = make_ref<node>();
    const pygc::finalizer f(n, drops);
    CHECK((n == nullptr && !f.alive()));
    n = make_ref<node>();
    const pygc::weak_proxy<node> p(n, drops);
    CHECK((n == nullptr && !p));
    n = make_ref<node>();
    const pygc::weak_method m(n, &node::next, drops);
    CHECK((n == nullptr && m.expired()));
}

TEST_CASE("a callback's end may end its weak reference, others, and make new ones", "[weakref]") {
    auto n = make_ref<node>();
    std::vector<py_weakref<node>> all;
    int ended = 0;
    for (int i = 0; i != 4; ++i) {
        all.emplace_back(n, told(nullptr, [&] {
                             ++ended;
                             const auto gone = std::exchange(all, {});
                             if (n != nullptr) all.emplace_back(n, [] {});
                         }));
    }
    ended = 0;
    { const auto first = std::exchange(all[0], {}); }
    CHECK(ended == 4);
    CHECK(pygc::get_weakref_count(n) == 1);
    all.clear();
    for (int i = 0; i != 4; ++i) all.emplace_back(n, told(nullptr, [&] { const auto gone = std::exchange(all, {}); }));
    n = nullptr;
    CHECK(all.empty());
}

TEST_CASE("for_each_weakref meets those that were there, whatever is made and ended meanwhile", "[weakref]") {
    auto n = make_ref<node>();
    std::vector<py_weakref<node>> all;
    for (int i = 0; i != 5; ++i) all.emplace_back(n, [] {});
    int met = 0;
    pygc::for_each_weakref(n, [&](const py_weakref<node>& w) {
        ++met;
        CHECK((w == nullptr) == false);
        all.clear(); // ends all of them but for the list's hold
        all.emplace_back(n, [] {});
    });
    CHECK(met == 5);
    CHECK(pygc::get_weakref_count(n) == 1);
    met = 0;
    pygc::for_each_weakref(n, [&](const py_weakref<node>& w) {
        ++met;
        n = nullptr;
        CHECK(w.expired());
    });
    CHECK(met == 1);
    pygc::for_each_weakref(n, [&](const py_weakref<node>&) { ++met; });
    CHECK(met == 1);
    n = make_ref<node>();
    pygc::weak_key_map<node, int> map;
    pygc::weak_set<node> set;
    map.set(n, 1);
    set.add(n);
    pygc::finalizer f(n, [] {});
    met = 0;
    pygc::for_each_weakref(n, [&](const py_weakref<node>&) {
        ++met;
        map.clear();
        set = {};
        f.detach();
    });
    CHECK(met == 3);
}

TEST_CASE("what a finalizer's function destroys may detach, call and make finalizers, and end its handle",
          "[finalizer]") {
    pygc::heap heap;
    int ended = 0, called = 0;
    {
        const pygc::heap::scope use(heap);
        const auto n = make_ref<node>();
        auto handle = std::make_unique<pygc::finalizer>();
        pygc::finalizer second(n, [&called] { ++called; });
        std::function<void()> at_end = [&] {
            if (++ended != 1) return;
            handle.reset();
            second();
            const pygc::finalizer third(n, [&called] { called += 10; });
            collect();
        };
        auto f = std::make_shared<told>(nullptr, [&at_end] { at_end(); });
        *handle = pygc::finalizer(n, [f] {});
        f = nullptr;
        CHECK(handle->detach() == n);
        CHECK((ended == 1 && handle == nullptr && called == 1));
        heap.set_unraisable_hook(nullptr);
    }
    CHECK(called == 11); // the third, when the object died
}

TEST_CASE("a finalizer may detach and call the others of its object", "[finalizer]") {
    auto n = make_ref<node>();
    std::vector<pygc::finalizer> all;
    int calls = 0;
    for (int i = 0; i != 5; ++i) {
        all.emplace_back(n, [&] {
            ++calls;
            for (auto& f : all) {
                if (calls == 1) f.detach();
                f();
            }
        });
    }
    n = nullptr;
    CHECK(calls == 1);
    for (const auto& f : all) CHECK_FALSE(f.alive());
}

TEST_CASE("callbacks of collections may append, remove and clear, when called and when destroyed", "[callbacks]") {
    pygc::heap heap;
    auto& list = heap.callbacks();
    int ended = 0, called = 0;
    const auto again = [&](auto&& self) -> void {
        if (++ended < 4)
            list.append(
                [&called, t = std::make_shared<told>(nullptr, [&, self] { self(self); })](auto...) { ++called; });
    };
    const auto add = [&] {
        return list.append(
            [&called, t = std::make_shared<told>(nullptr, [&] { again(again); })](auto...) { ++called; });
    };
    add();
    list.clear();
    CHECK((ended == 1 && list.size() == 1)); // the one appended by the end of the one that was there
    heap.collect();
    CHECK(called == 2);
    list.clear();
    CHECK((ended == 2 && list.size() == 1));
    ended = called = 0;
    list.clear();
    ended = 9; // no more are appended
    const auto one = add(), two = add();
    list.append([&](pygc::collection_phase, const pygc::collection_info&) {
        list.remove(one);
        list.remove(two);
        add();
        heap.collect(); // nested: does nothing
        list.clear();
    });
    const auto before = list.size();
    heap.collect();
    CHECK(list.empty());
    CHECK(called == static_cast<int>(before) - 1); // a changed list takes effect the next time
    list.append(told(
        [&list] {
            if (list.size() < 3) list.append([](auto...) {});
        },
        nullptr));
    CHECK(list.size() >= 3);
    heap.collect();
}

TEST_CASE("a callback of a collection may end its heap", "[callbacks]") {
    auto heap = std::make_unique<pygc::heap>();
    heap->callbacks().append([&heap](auto...) { heap.reset(); });
    {
        const pygc::heap::scope use(*heap);
        const auto n = make_ref<node>();
        n->next = n;
    }
    heap->collect();
    CHECK(heap == nullptr);
}

TEST_CASE("a list of objects may be changed by what dies with it", "[object_list]") {
    struct changes : pygc::py_object {
        pygc::object_list* list;
        int* ended;
        changes(pygc::object_list* l, int* e) : list(l), ended(e) {}
        void traverse(pygc::visitor&) {}
        ~changes() {
            ++*ended;
            list->clear();
            for (int i = 0; i != 2; ++i) *list = {};
        }
    };
    pygc::object_list list;
    int ended = 0;
    {
        std::vector<py_ref<changes>> all;
        for (int i = 0; i != 5; ++i) all.push_back(make_ref<changes>(&list, &ended));
        list = pygc::get_objects();
        CHECK(list.size() == 5);
    }
    CHECK(ended == 0);
    list.clear();
    CHECK((ended == 5 && list.empty()));
}

#if defined(__cpp_exceptions)
TEST_CASE("the unraisable hook may replace itself, collect and throw", "[unraisable]") {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    int told_of = 0, ended = 0;
    heap.set_unraisable_hook([&, end = told(nullptr, [&] { ++ended; })](const pygc::unraisable&) {
        ++told_of;
        heap.set_unraisable_hook([&](const pygc::unraisable&) { told_of += 10; });
        collect();
        CHECK(told_of == 1); // it is still there, though replaced
    });
    ended = 0;
    for (int i = 0; i != 2; ++i) {
        auto n = make_ref<node>();
        const py_weakref<node> w(n, [] { throw std::runtime_error("a callback"); });
        n = nullptr;
    }
    CHECK(told_of == 11);
    CHECK(ended == 1);
    auto n = make_ref<node>();
    CHECK_THROWS_AS(py_weakref<node>(n, told([] { throw 1; }, nullptr)), int);
    CHECK_THROWS_AS(pygc::finalizer(n, told([] { throw 1; }, nullptr)), int);
    CHECK_THROWS_AS(heap.callbacks().append(told([] { throw 1; }, nullptr)), int);
    CHECK(pygc::get_weakref_count(n) == 0);
    CHECK(heap.callbacks().empty());
}
#endif
