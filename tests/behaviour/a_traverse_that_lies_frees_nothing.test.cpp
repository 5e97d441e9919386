// SPDX-License-Identifier: BSL-1.0
// A traverse that shows more than its object owns: nothing is freed on such evidence, and it is reported.
#include <support/catch.hpp>
#include <support/stderr_capture.hpp>

#include "graph.hpp"

using pygc::make_ref;
using pygc::py_ref;
using namespace support;

namespace {

struct liar : pygc::py_object {
    explicit liar(lifetimes& l) : life(l) {}
    probe life;
    py_ref<liar> next;
    bool lies = true;
    void traverse(auto& visit) {
        visit(next);
        if (lies) visit(next);
    }
};

struct forgetful : pygc::py_object {
    explicit forgetful(lifetimes& l) : life(l) {}
    probe life;
    py_ref<forgetful> shown, hidden;
    void traverse(auto& visit) { visit(shown); }
};

} // namespace

TEST_CASE("a reference shown twice is reported, and its object treated as alive", "[lie]") {
    lifetimes l;
    auto const before = pygc::get_stats()[2].uncollectable;
    auto a = make_ref<liar>(l), b = make_ref<liar>(l);
    liar* const raw[] = {a.get(), b.get()};
    a->next = b;
    b->next = a;
    a = b = nullptr;
    {
        stderr_capture capture;
        CHECK(pygc::collect() == 2); // uncollectable ones count
        auto const text = capture.text();
        CHECK(count_of(text, "shows more references than there are to the") == 2);
        CHECK(count_of(text, "there are to the {anonymous}::liar") + count_of(text, "anonymous namespace)::liar at") >=
              2);
        CHECK(count_of(text, "shows the reference at offset") == 1); // once a type
        CHECK(count_of(text, " twice") == 1);
    }
    CHECK(l.alive() == 2);
    CHECK(pygc::get_stats()[2].uncollectable == before + 2);
    CHECK(pygc::get_objects(2).size() == 2);
    for (liar* each : raw) each->lies = false;
    CHECK(pygc::collect() == 2);
    CHECK(l.alive() == 0);
}

TEST_CASE("row 18: what a mistaken object leads to is alive as well", "[lie]") {
    lifetimes l;
    auto a = make_ref<liar>(l);
    a->next = a;
    auto* const raw = a.get();
    a->lies = true;
    auto other = make_ref<liar>(l);
    other->lies = false;
    other->next = a; // garbage that nobody lies about still goes
    a = other = nullptr;
    stderr_capture capture;
    pygc::collect();
    CHECK(raw->life.is_alive());
    raw->lies = false;
    pygc::collect();
    CHECK(l.alive() == 0);
}

TEST_CASE("a thousand lies are reported eight times a collection", "[lie]") {
    lifetimes l;
    std::vector<liar*> all;
    for (int i = 0; i != 1000; ++i) {
        auto n = make_ref<liar>(l);
        n->next = n;
        all.push_back(n.get());
    }
    stderr_capture capture;
    CHECK(pygc::collect() == 1000);
    CHECK(count_of(capture.text(), "more references") == 8);
    CHECK(l.alive() == 1000);
    for (liar* each : all) each->lies = false;
    CHECK(pygc::collect() == 1000);
}

TEST_CASE("a reference left out makes garbage stay, never worse", "[lie]") {
    lifetimes l;
    auto a = make_ref<forgetful>(l);
    a->hidden = a;
    auto* const raw = a.get();
    a = nullptr;
    CHECK(pygc::collect() == 0);
    CHECK(raw->life.is_alive());
    raw->shown = std::move(raw->hidden);
    CHECK(pygc::collect() == 1);
    CHECK(l.alive() == 0);
}

namespace {

struct held : pygc::py_object {
    explicit held(lifetimes& l) : life(l) {}
    probe life;
    py_ref<held> self;
    void traverse(auto& visit) { visit(self); }
};

struct shows_twice : pygc::py_object {
    py_ref<held> target;
    py_ref<shows_twice> self;
    void traverse(auto& visit) { visit(target, target, self); }
};

} // namespace

TEST_CASE("a reference shown twice frees nobody who is held from outside", "[lie]") {
    // The lie hides the one reference from outside: every count adds up to zero, and yet the object lives.
    lifetimes l;
    int const generation = GENERATE(0, 1, 2);
    auto outside = make_ref<held>(l);
    {
        auto a = make_ref<shows_twice>();
        a->target = outside;
        a->self = a;
    }
    std::string text;
    {
        stderr_capture capture;
        CHECK(pygc::collect(generation) == 2); // both are reported as uncollectable
        text = capture.text();
    }
    CHECK(count_of(text, "a traverse shows a reference twice") == 1);
    CHECK(l.alive() == 1);
    CHECK(pygc::is_tracked(outside));
    CHECK(pygc::get_objects(generation == 0 ? 1 : 2).size() == 2);
    stderr_capture capture;
    CHECK(pygc::collect() == 2); // all is as it was
    outside = nullptr;
    pygc::collect(); // what lies is garbage by its own count; what it lies about dies with it
    CHECK(l.alive() == 0);
}

namespace {

/// What lives, and what a liar refers to.
struct peer : pygc::py_object {
    explicit peer(lifetimes& l, int n = 0) : life(l), number(n) {}
    probe life;
    int number;
    py_ref<peer> next;
    void traverse(auto& visit) { visit(next); }
};

/// How a traverse may lie about the members below.
enum class lie {
    none,
    twice,
    vector_twice,
    element_twice,
    copy,
    copies_of_elements,
    vector_by_value,
    copy_on_the_heap,
    copy_in_a_member,
    static_variable,
    local_of_the_caller,
    member_of_an_older,
    vector_of_an_older,
    other_order,
    reversed,
    swapped_members,
    fewer,
    none_the_second_time,
    fewer_elements,
    more,
    more_elements,
    all_the_second_time,
    two_that_balance,
};

struct older : pygc::py_object {
    py_ref<peer> one;
    std::vector<py_ref<peer>> many;
    void traverse(auto& visit) { visit(one, many); }
};

py_ref<peer>& a_static() {
    static py_ref<peer> r;
    return r;
}

struct actor : pygc::py_object {
    actor(lifetimes& l, lie k) : life(l), kind(k) {}
    probe life;
    lie kind;
    py_ref<actor> self;
    py_ref<peer> a, b;
    std::vector<py_ref<peer>> many;
    py_ref<peer> scratch;
    older* other = nullptr;
    py_ref<peer>* local = nullptr;
    int turns = 0;

    std::vector<py_ref<peer>> by_value() const { return many; }

    void traverse(auto& visit) {
        ++turns;
        visit(self);
        bool const again = turns % 2 == 0;
        switch (kind) {
        case lie::none:
            return visit(a, b, many);
        case lie::twice:
            return visit(a, a, b, many);
        case lie::vector_twice:
            return visit(a, b, many, many);
        case lie::element_twice:
            return visit(a, b, many, many.back());
        case lie::copy: {
            auto const c = a;
            return visit(c, b, many);
        }
        case lie::copies_of_elements:
            visit(a, b);
            for (auto const& each : many) {
                auto const c = each;
                visit(c);
            }
            return;
        case lie::vector_by_value:
            return visit(a, b, by_value());
        case lie::copy_on_the_heap: {
            auto const c = std::make_unique<std::vector<py_ref<peer>>>(many);
            return visit(a, b, *c);
        }
        case lie::copy_in_a_member:
            scratch = a;
            visit(scratch, b, many);
            if (!again) scratch = nullptr;
            return;
        case lie::static_variable:
            return visit(a, b, many, a_static());
        case lie::local_of_the_caller:
            visit(a, b, many);
            if (local != nullptr) visit(*local);
            return;
        case lie::member_of_an_older:
            return visit(a, b, many, other->one);
        case lie::vector_of_an_older:
            return visit(a, b, many, other->many);
        case lie::other_order:
            if (again) return visit(b, a, many);
            return visit(a, b, many);
        case lie::reversed:
            visit(a, b);
            for (std::size_t i = 0; i != many.size(); ++i) visit(many[again ? many.size() - 1 - i : i]);
            return;
        case lie::swapped_members:
            if (again) return visit(many, b, a);
            return visit(a, b, many);
        case lie::fewer:
            if (again) return visit(b, many);
            return visit(a, b, many);
        case lie::none_the_second_time:
            if (again) return;
            return visit(a, b, many);
        case lie::fewer_elements:
            visit(a, b);
            for (std::size_t i = again ? 1 : 0; i < many.size(); ++i) visit(many[i]);
            return;
        case lie::more:
            if (again) return visit(a, b, many);
            return visit(b, many);
        case lie::more_elements:
            visit(a, b);
            for (std::size_t i = again ? 0 : 1; i < many.size(); ++i) visit(many[i]);
            return;
        case lie::all_the_second_time:
            if (again) visit(a, b, many);
            return;
        case lie::two_that_balance: // one reference twice, and another not at all
            return visit(a, a, many);
        }
    }
};

/// A garbage cycle whose traverse lies, with all that it refers to held from outside or not.
struct scene {
    explicit scene(lie k) : kind(k) {
        actor_ = make_ref<actor>(actors, k);
        actor_->self = actor_;
        for (int i = 0; i != 8; ++i) peers.push_back(make_ref<peer>(l, i));
        for (auto& p : peers) p->next = p;
        actor_->a = peers[0];
        actor_->b = peers[1];
        actor_->many = {peers[2], peers[3], peers[4]};
        for (auto& p : peers) raw.push_back(p.get());
    }

    scene(scene const&) = delete;
    scene& operator=(scene const&) = delete;
    ~scene() {
        peers.clear();
        pygc::collect();
    }

    /// Everybody who lives has as many references as the program can see, and leads where it did.
    void check_alive(py_ref<peer> const& p, long expected) {
        CHECK(p->life.is_alive());
        CHECK(p.use_count() == expected);
        CHECK(p->next == p);
    }

    lie kind;
    lifetimes actors;
    lifetimes l;
    py_ref<actor> actor_;
    std::vector<py_ref<peer>> peers;
    std::vector<peer*> raw;
};

} // namespace

TEST_CASE("whatever a traverse lies, what the program holds is not destroyed, nulled or miscounted", "[lie]") {
    int const k = GENERATE(range(0, static_cast<int>(lie::two_that_balance) + 1));
    int const generation = GENERATE(0, 1, 2);
    INFO("lie " << k << ", generation " << generation);
    stderr_capture capture;
    auto const outside = make_ref<older>();
    for (int g = 0; g < generation; ++g) pygc::collect(g);
    pygc::collect(generation == 2 ? 1 : generation); // older from now on than what is made now
    scene s(static_cast<lie>(k));
    outside->one = s.peers[5];
    outside->many = {s.peers[6], s.peers[7]};
    a_static() = s.peers[5];
    py_ref<peer> local = s.peers[6];
    s.actor_->other = outside.get();
    s.actor_->local = &local;
    actor* const liar = s.actor_.get();
    s.actor_ = nullptr;
    for (int i = 0; i != 3; ++i) pygc::collect(generation);
    REQUIRE(s.l.alive() == 8);
    bool const kept = s.actors.alive() == 1;
    if (kept) {
        CHECK(liar->a == s.peers[0]);
        CHECK(liar->b == s.peers[1]);
        CHECK(liar->many == std::vector<py_ref<peer>>{s.peers[2], s.peers[3], s.peers[4]});
        CHECK(liar->self.use_count() == 1);
    }
    for (std::size_t i = 0; i != 5; ++i) {
        s.check_alive(s.peers[i], 2 + (kept ? 1 : 0) + (kept && liar->scratch == s.peers[i] ? 1 : 0));
    }
    s.check_alive(s.peers[5], 4);
    s.check_alive(s.peers[6], 4);
    s.check_alive(s.peers[7], 3);
    CHECK(outside->one == s.peers[5]);
    CHECK(outside->many.size() == 2);
    CHECK(outside->many[0] == s.peers[6]);
    CHECK(outside->many[1] == s.peers[7]);
    CHECK(a_static() == s.peers[5]);
    CHECK(local == s.peers[6]);
    a_static() = nullptr;
    local = nullptr;
    outside->one = nullptr;
    outside->many.clear();
    if (!kept) return;
    liar->kind = lie::none;
    liar->scratch = nullptr;
    pygc::collect();
    CHECK(s.actors.alive() == 0);
    CHECK(s.l.alive() == 8);
}

TEST_CASE("what a traverse lies about is as it was even if nobody holds it, and goes once the lie ends", "[lie]") {
    int const k = GENERATE(range(1, static_cast<int>(lie::two_that_balance) + 1));
    int const generation = GENERATE(0, 1, 2);
    INFO("lie " << k << ", generation " << generation);
    stderr_capture capture;
    scene s(static_cast<lie>(k));
    auto outside = make_ref<older>();
    py_ref<peer> local;
    s.actor_->other = outside.get();
    s.actor_->local = &local;
    actor* const liar = s.actor_.get();
    s.actor_ = nullptr;
    s.peers.clear();
    pygc::collect(generation);
    if (s.actors.alive() == 1) {
        REQUIRE(liar->many.size() == 3);
        for (std::size_t i = 0; i != 5; ++i) {
            auto const& shown = i == 0 ? liar->a : i == 1 ? liar->b : liar->many[i - 2];
            REQUIRE(shown.get() == s.raw[i]);
            CHECK(shown->next == shown);
            CHECK(shown->number == static_cast<int>(i));
        }
        liar->kind = lie::none;
        liar->scratch = nullptr;
    }
    pygc::collect();
    CHECK(s.l.alive() == 0);
}

namespace {

/// What a collection says of a garbage cycle with this lie.
std::string said_of(lie k, int generation = 2, bool held = true) {
    auto outside = make_ref<older>();
    pygc::collect(1);
    stderr_capture capture;
    scene s(k);
    outside->one = s.peers[5];
    a_static() = s.peers[5];
    py_ref<peer> local = s.peers[6];
    s.actor_->other = outside.get();
    s.actor_->local = &local;
    actor* const liar = s.actor_.get();
    s.actor_ = nullptr;
    if (!held) s.peers.clear();
    pygc::collect(generation);
    std::string text = capture.text();
    if (s.actors.alive() == 1) liar->kind = lie::none;
    outside->one = nullptr;
    a_static() = nullptr;
    return text;
}

std::string at_offset_of(std::size_t offset) { return "at offset " + std::to_string(offset); }

std::size_t offset_of_a() {
    lifetimes l;
    auto const p = make_ref<actor>(l, lie::none);
    return static_cast<std::size_t>(reinterpret_cast<char*>(&p->a) - reinterpret_cast<char*>(p.get()));
}

} // namespace

TEST_CASE("the report of a lie names the type, and the member or what is wrong with the place", "[lie]") {
    std::string const a = at_offset_of(offset_of_a());
    auto const has = [](std::string const& text, std::string const& words) {
        return text.find("actor at 0x") != std::string::npos && text.find(words) != std::string::npos;
    };
    CHECK(has(said_of(lie::twice), "shows the reference " + a + " twice"));
    CHECK(has(said_of(lie::vector_twice), "twice"));
    CHECK(has(said_of(lie::element_twice), "twice"));
    CHECK(has(said_of(lie::copy), "shows a copy of a reference"));
    CHECK(has(said_of(lie::vector_by_value), "shows a copy of a reference"));
    CHECK(has(said_of(lie::copy_on_the_heap, 2, false), "shows a copy of a reference"));
    CHECK(has(said_of(lie::member_of_an_older, 0), "shows a reference of somebody else: at offset 8 of "));
    CHECK(has(said_of(lie::vector_of_an_older, 0), "shows a reference of somebody else: at offset 16 of "));
#if defined(__linux__)
    CHECK(has(said_of(lie::static_variable), "a static variable"));
#endif
    CHECK(has(said_of(lie::fewer, 2, false), "shows other references each time"));
    CHECK(has(said_of(lie::none_the_second_time, 2, false), "shows other references each time"));
    CHECK(has(said_of(lie::fewer_elements, 2, false), "shows other references each time"));
}

namespace {

struct elsewhere : pygc::py_object {
    explicit elsewhere(lifetimes& l) : life(l) {}
    void finalize() { ++finalized; }
    probe life;
    py_ref<elsewhere> self;
    py_ref<peer> target;
    int finalized = 0;
    bool lies = true;
    void traverse(pygc::visitor& visit);
};

void elsewhere::traverse(pygc::visitor& visit) {
    visit(self, target);
    if (lies) visit(target);
}

} // namespace

TEST_CASE("a lie is seen before finalizers and weak references, also by a traverse that is compiled elsewhere",
          "[lie]") {
    int const generation = GENERATE(0, 1, 2);
    lifetimes l;
    auto target = make_ref<peer>(l);
    auto e = make_ref<elsewhere>(l);
    elsewhere* const raw = e.get();
    int called = 0;
    pygc::py_weakref<elsewhere> weak(e, [&called](pygc::py_weakref<elsewhere> const&) { ++called; });
    pygc::py_weakref<peer> weak_target(target);
    e->self = e;
    e->target = target;
    e = nullptr;
    {
        stderr_capture capture;
        pygc::collect(generation);
        CHECK(count_of(capture.text(), " twice") >= 1);
    }
    CHECK(raw->finalized == 0);
    CHECK(called == 0);
    CHECK(weak.lock().get() == raw);
    CHECK(weak_target.lock() == target);
    CHECK(raw->target == target);
    CHECK(target.use_count() == 2);
    raw->lies = false;
    CHECK(pygc::collect() == 1);
    CHECK(called == 1);
    CHECK(target.use_count() == 1);
}
