// SPDX-License-Identifier: BSL-1.0
// Collections that find no memory: they give up, say so, and the next one finds everything.
#include "failing_memory.hpp"

#include <string>
#include <vector>

using failing_memory::scene;
using failing_memory::survives_every_failure;
using pygc::make_ref;
using pygc::py_ref;
using pygc::py_weakref;

namespace {

constinit int alive = 0, finalized = 0;

struct node : pygc::py_object {
    node() { ++alive; }
    ~node() { --alive; }
    py_ref<node> next;
    std::vector<py_ref<node>> more;
    void traverse(auto& visit) { visit(next, more); }
};

/// Resurrects itself into `saved` if it is there.
struct finalizable : node {
    py_ref<finalizable>* saved = nullptr;
    void finalize() {
        ++finalized;
        if (saved != nullptr) *saved = pygc::borrow(this);
    }
};

template <class T>
py_ref<T> ring(int length) {
    auto first = make_ref<T>();
    py_ref<node> last = first;
    for (int i = 1; i != length; ++i) {
        auto next = make_ref<T>();
        last->next = next;
        last = next;
    }
    last->next = first;
    return first;
}

/// Two rings of garbage, and a third that lives.
template <class T>
struct rings : scene {
    static constexpr int length = 300;
    py_ref<T> living;
    std::size_t found = 0;

    rings() {
        heap.disable();
        alive = finalized = 0;
        living = ring<T>(length);
        static_cast<void>(ring<T>(length));
        static_cast<void>(ring<T>(length));
    }
    /// Without memory for all a collection finds what it can, or nothing.
    void expect_rest_alive() {
        const int rest = 3 * length - static_cast<int>(found);
        expect(alive == rest, "something died that wasn't found");
        expect(found % length == 0 && found <= 2 * length, "something was found that lives");
        expect(objects() >= static_cast<std::size_t>(rest), "an object got lost");
    }
    void expect_all_alive() {
        expect_rest_alive();
        expect(living->next->next != nullptr && living.use_count() == 2, "a living ring is broken");
    }
    void expect_garbage_gone() {
        expect(alive == length, "garbage is still there");
        expect(found == 2 * length, "collect returned another number");
        living = nullptr;
        expect(heap.collect() == length && objects() == 0, "the living ring can't be collected");
    }
};

template <int Generation>
struct plain_garbage : rings<node> {
    bool operate() { return collect(Generation, found); }
    void expect_unchanged() { expect_all_alive(); }
    void expect_done() { expect_garbage_gone(); }
};

struct many_references : rings<node> {
    many_references() {
        py_ref<node> n = living;
        for (int i = 0; i != length; ++i, n = n->next) n->more.assign(200, living);
    }
    bool operate() { return collect(2, found); }
    void expect_unchanged() {
        expect_rest_alive();
        expect(living->more.size() == 200, "a list was changed");
    }
    void expect_done() { expect_garbage_gone(); }
};

/// One second look more than plain garbage needs: it can fail when the finalizers have run.
struct garbage_with_finalizers : rings<finalizable> {
    bool operate() { return collect(2, found); }
    void expect_unchanged() {
        expect_all_alive();
        expect(finalized == 0 || finalized == 2 * length, "finalizers of one ring have run");
    }
    void expect_done() {
        expect(finalized == 2 * length, "a finalizer ran twice or never");
        expect_garbage_gone();
    }
};

struct resurrection : rings<finalizable> {
    py_ref<finalizable> saved;
    resurrection() {
        auto another = ring<finalizable>(length);
        another->saved = &saved;
    }
    bool operate() { return collect(2, found); }
    void expect_unchanged() {
        expect(alive == 4 * length, "something died");
        expect(finalized == 0 || saved != nullptr, "a finalizer's resurrection got lost");
    }
    void expect_done() {
        expect(finalized == 3 * length, "a finalizer ran twice or never");
        expect(saved != nullptr && alive == 2 * length, "what came back is gone");
        expect(saved->next->next != nullptr, "what came back is broken");
        saved = nullptr;
        expect(heap.collect() == length, "what came back can't be collected");
        expect_garbage_gone();
    }
};

struct garbage_with_weak_references : rings<node> {
    int called = 0;
    std::vector<py_weakref<node>> outside;
    garbage_with_weak_references() {
        auto another = ring<node>(length);
        auto n = py_ref<node>(another);
        for (int i = 0; i != 10; ++i, n = n->next) {
            outside.emplace_back(n);
            outside.emplace_back(n, [this] { ++called; });
        }
    }
    bool operate() { return collect(2, found); }
    void expect_unchanged() {
        expect(alive == 4 * length && found == 0, "something died");
        expect(called == 0, "a callback was called");
        for (const auto& w : outside) expect(!w.expired(), "a weak reference is dead");
    }
    void expect_done() {
        expect(called == 10, "a callback was called twice or never");
        for (const auto& w : outside) expect(w.expired(), "a weak reference is alive");
        outside.clear();
        found -= length;
        expect_garbage_gone();
    }
};

struct saving_all : rings<node> {
    saving_all() { heap.set_debug(pygc::debug::save_all); }
    bool operate() { return collect(2, found); }
    void expect_unchanged() {
        expect_all_alive();
        expect(heap.garbage().empty(), "something was saved");
    }
    void expect_done() {
        expect(alive == 3 * length && found == 2 * length, "what was found is not alive");
        expect(heap.garbage().size() == found, "not all was saved");
        heap.set_debug(pygc::debug::none);
        heap.garbage().clear();
        found = heap.collect();
        expect_garbage_gone();
    }
};

/// The garbage of a heap is freed in make_ref, if there is memory; if not, make_ref works all the same.
struct automatic : rings<node> {
    py_ref<node> fresh;
    automatic() {
        heap.enable();
        heap.set_threshold(10);
    }
    bool operate() {
        fresh = make_ref<node>();
        return true;
    }
    void expect_unchanged() { expect(false, "make_ref needed memory for its collection"); }
    void expect_done() {
        expect(fresh != nullptr, "there is no object");
        heap.collect();
        expect(alive == length + 1, "garbage is still there");
    }
};

struct listeners : rings<node> {
    int started = 0, stopped = 0;
    listeners() {
        for (int i = 0; i != 20; ++i) {
            heap.callbacks().append([this](pygc::collection_phase phase, const pygc::collection_info&) {
                ++(phase == pygc::collection_phase::start ? started : stopped);
            });
        }
    }
    bool operate() {
        started = stopped = 0;
        return collect(2, found);
    }
    void expect_unchanged() {
        expect_all_alive();
        expect(started == 20 && stopped == 20, "somebody was not told");
    }
    void expect_done() {
        expect(started == 20 && stopped == 20, "somebody was not told");
        expect_garbage_gone();
    }
};

} // namespace

#if defined(__linux__)

TEST_CASE("a collection of any generation without memory gives up and loses nothing", "[failure][collect]") {
    CHECK(survives_every_failure<plain_garbage<0>>() >= 7);
    CHECK(survives_every_failure<plain_garbage<1>>() >= 7);
    CHECK(survives_every_failure<plain_garbage<2>>() >= 7);
}

TEST_CASE("a collection gives up when its list of references can't grow", "[failure][collect]") {
    CHECK(survives_every_failure<many_references>() > survives_every_failure<plain_garbage<2>>());
}

TEST_CASE("finalizers run once, whether or not there is memory for the second look", "[failure][finalize]") {
    CHECK(survives_every_failure<garbage_with_finalizers>() >= 7);
}

TEST_CASE("what a finalizer brought back lives, whether or not there is memory for the second look",
          "[failure][finalize]") {
    CHECK(survives_every_failure<resurrection>() >= 7);
}

TEST_CASE("weak references to garbage stay as long as it does", "[failure][weakref]") {
    CHECK(survives_every_failure<garbage_with_weak_references>() >= 7);
}

TEST_CASE("what can't be put into the list garbage is neither lost nor freed", "[failure][collect]") {
    CHECK(survives_every_failure<saving_all>() > survives_every_failure<plain_garbage<2>>());
}

TEST_CASE("an automatic collection without memory is no failure of make_ref", "[failure][collect]") {
    CHECK(survives_every_failure<automatic>() >= 7);
}

TEST_CASE("callbacks of collections need no memory to be called", "[failure][callbacks]") {
    CHECK(survives_every_failure<listeners>() == survives_every_failure<plain_garbage<2>>());
}

#endif
