// SPDX-License-Identifier: BSL-1.0
// py_function: what can be called, what is captured, and that the collector sees it.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using pygc::collect;
using pygc::make_ref;
using pygc::py_function;
using pygc::py_ref;

namespace {

struct button : pygc::py_object {
    explicit button(int i = 0) : id(i) {}
    int id;
    int clicks = 0;
    py_function<int(int)> on_click;
    void traverse(auto& visit) { visit(on_click); }
    int click(int by) { return clicks += by; }
    int click_once() { return click(1); }
};

int twice(int i) { return 2 * i; }

struct bus : pygc::py_object {
    std::vector<py_function<void()>> listeners;
    void traverse(auto& visit) { visit(listeners); }
};

struct owner : pygc::py_object {
    py_function<int(owner&)> f;
    void traverse(auto& visit) { visit(f); }
};
struct watched {
    support::probe p;
};

/// A plain struct: its fields are seen.
struct clicker {
    py_ref<button> target;
    int factor;
    int operator()(int by) { return target->click(factor * by); }
};
/// Not an aggregate: it shows what it owns.
class counter {
public:
    explicit counter(py_ref<button> b) : target_(std::move(b)) {}
    int operator()(int by) const { return target_->click(by); }
    void traverse(auto& visit) { visit(target_); }

private:
    py_ref<button> target_;
};

} // namespace

TEST_CASE("functions, lambdas, members and structs can be called", "[function]") {
    const auto b = make_ref<button>(7);
    py_function<int(int)> f = &twice;
    CHECK(f(4) == 8);
    f = [](int i) { return i + 1; };
    CHECK(f(4) == 5);
    int sum = 0;
    f = [&sum](int i) { return sum += i; }; // owns nothing
    CHECK((f(4) == 4 && f(4) == 8 && sum == 8));
    f = clicker{b, 3};
    CHECK((f(1) == 3 && f(1) == 6));
    f = counter(b);
    CHECK(f(1) == 7);
    const py_function<int()> once(&button::click_once, b);
    CHECK(once() == 8);
    const py_function<int(button&, int)> member = &button::click;
    CHECK(member(*b, 2) == 10);
    const py_function<int(const button&)> field = &button::id;
    CHECK(field(*b) == 7);
    CHECK(b.use_count() == 3);
    f = nullptr;
    CHECK(b.use_count() == 2);
}

TEST_CASE("captured values follow the arguments, and are the function's own", "[function]") {
    const auto b = make_ref<button>(7);
    py_function<std::string(const std::string&)> f(
        [](const std::string& s, py_ref<button>& r, int& calls) {
            return s + std::to_string(r->id) + std::to_string(++calls);
        },
        b, 0);
    CHECK(b.use_count() == 2);
    CHECK(f("a") == "a71");
    CHECK(f("b") == "b72");
    const auto copy = f; // shares them
    CHECK(copy("c") == "c73");
    CHECK(f("d") == "d74");
    CHECK(b.use_count() == 2);
    auto moved = std::move(f);
    CHECK((f == nullptr && moved != nullptr));
    CHECK(moved("e") == "e75");
    moved.reset();
    CHECK(copy("f") == "f76");
}

TEST_CASE("arguments and results are passed as they come", "[function]") {
    const py_function<std::unique_ptr<int>(std::unique_ptr<int>)> pass = [](std::unique_ptr<int> p) { return p; };
    CHECK(*pass(std::make_unique<int>(5)) == 5);
    int value = 1;
    const py_function<int&(int&)> same = [](int& i) -> int& { return i; };
    CHECK(&same(value) == &value);
    const py_function<void(int&)> ignores = [](int& i) { return ++i; };
    ignores(value);
    CHECK(value == 2);
    const py_function<long(short)> converts = &twice;
    CHECK(converts(short{3}) == 6);
    // What is captured need not be copyable, nor the callable.
    struct only_moves {
        std::unique_ptr<int> p;
        int operator()(std::unique_ptr<int>& q) { return *p + *q; }
    };
    const py_function<int()> moves(only_moves{std::make_unique<int>(3)}, std::make_unique<int>(4));
    CHECK(moves() == 7);
}

TEST_CASE("null pointers and empty functions make an empty function", "[function]") {
    int (*none)(int) = nullptr;
    int (button::*no_member)(int) = nullptr;
    py_function<int(int)> f(none);
    CHECK(f == nullptr);
    CHECK_FALSE(f);
    CHECK(py_function<int(button&, int)>(no_member) == nullptr);
    const py_function<long(short)> other = f;
    CHECK(other == nullptr);
    f = &twice;
    const py_function<long(short)> wraps = f;
    CHECK(wraps(short{2}) == 4);
    py_function<int(int)> g;
    swap(f, g);
    CHECK((f == nullptr && g(1) == 2));
#if defined(__cpp_exceptions)
    CHECK_THROWS_AS(f(1), pygc::type_error);
    CHECK_THROWS_AS((py_function<void()>()()), std::exception);
#endif
}

TEST_CASE("the signature is deduced from a function or a lambda", "[function]") {
    const py_function f = &twice;
    const py_function g = [](int i, double d) noexcept { return i + d; };
    STATIC_REQUIRE(std::is_same_v<decltype(f), const py_function<int(int)>>);
    STATIC_REQUIRE(std::is_same_v<decltype(g), const py_function<double(int, double)>>);
    CHECK(f(1) + g(1, 0.5) == 3.5);
}

TEST_CASE("a cycle through a function is collected", "[function][collect]") {
    for (int way = 0; way != 3; ++way) {
        auto b = make_ref<button>();
        switch (way) {
        case 0:
            b->on_click = {[](int by, py_ref<button>& self) { return self->click(by); }, b};
            break;
        case 1:
            b->on_click = clicker{b, 1};
            break;
        default:
            b->on_click = counter(b);
        }
        auto copy = b->on_click;
        CHECK(b->on_click(2) == 2);
        CHECK(pygc::get_referrers(b).size() == 1);
        b = nullptr;
        CHECK(collect() == 0); // the copy holds it all
        CHECK(copy(2) == 4);
        copy = nullptr;
        CHECK(collect() == 2);
    }
}

TEST_CASE("functions in containers, boxes and other functions are seen", "[function][collect]") {
    auto b = make_ref<bus>();
    for (int i = 0; i != 3; ++i) b->listeners.push_back({[](py_ref<bus>&) {}, b});
    const py_function<void()> inner([](py_ref<bus>&) {}, b);
    b->listeners.push_back({[](py_function<void()>& f) { f(); }, inner});
    b = nullptr;
    CHECK(collect() == 0);
    {
        auto box = make_ref<py_function<void()>>();
        *box = {[](py_ref<py_function<void()>>& self) { CHECK(*self); }, box};
        (*box)();
    }
    CHECK(collect() == 2);
}

TEST_CASE("a function without references is not tracked", "[function]") {
    const auto before = pygc::get_objects().size();
    const py_function<int(int)> f = &twice, g = [](int i) { return i; };
    const py_function<int(int)> h([](int i, std::string& s) { return i + static_cast<int>(s.size()); },
                                  std::string("ab"));
    CHECK(pygc::get_objects().size() == before);
    CHECK(f(1) + g(1) + h(1) == 6);
    const py_function<void()> k([](py_ref<button>&) {}, py_ref<button>());
    CHECK(pygc::get_objects().size() == before + 1);
}

TEST_CASE("a function may be reset, assigned to and collected while it runs", "[function]") {
    support::lifetimes counts;
    auto o = make_ref<owner>();
    o->f = {[](owner& self, watched& w) {
                self.f = nullptr;
                return w.p.is_alive() ? 1 : -1;
            },
            watched{support::probe(counts)}};
    CHECK(o->f(*o) == 1);
    CHECK(counts.alive() == 0);
    o->f = {[](owner& self, watched& w, py_ref<owner>& me) {
                self.f = [](owner&) { return 2; };
                me = nullptr; // the last reference to the owner
                collect();
                return w.p.is_alive() ? 1 : -1;
            },
            watched{support::probe(counts)}, o};
    auto& place = *o;
    o = nullptr;
    CHECK(place.f(place) == 1);
    CHECK(counts.alive() == 0);
}

TEST_CASE("a chain of functions of any length ends", "[function]") {
    py_function<int()> f = [] { return 1; };
    for (int i = 0; i != 100'000; ++i) f = {[](py_function<int()>& before) { return before ? 1 : 0; }, std::move(f)};
    CHECK(f() == 1);
    f = nullptr;
    CHECK(pygc::get_memory().objects == 0);
}

#if defined(__cpp_exceptions)
TEST_CASE("what the callable throws comes out of the call", "[function]") {
    const auto b = make_ref<button>();
    const py_function<void(int)> f([](int i, py_ref<button>&) { throw i; }, b);
    for (int i = 0; i != 3; ++i) CHECK_THROWS_AS(f(i), int);
    CHECK(b.use_count() == 2);
}

TEST_CASE("a value that can't be captured leaves nothing behind", "[function]") {
    struct throws_when_moved {
        explicit throws_when_moved(int n) : left(n) {}
        throws_when_moved(throws_when_moved&& other) : left(other.left - 1) {
            if (left == 0) throw 1;
        }
        int left;
    };
    const auto b = make_ref<button>();
    for (int moves = 1; moves != 3; ++moves) {
        try {
            const py_function<void()> f([](py_ref<button>&, throws_when_moved&) {}, b, throws_when_moved(moves));
            CHECK(moves == 2);
        } catch (int) {
            CHECK(moves == 1);
        }
        CHECK(b.use_count() == 1);
    }
}
#endif
