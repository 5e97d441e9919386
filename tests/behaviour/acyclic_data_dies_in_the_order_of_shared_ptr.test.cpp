// SPDX-License-Identifier: BSL-1.0
// Without cycles, destructors run in the order that the same program has with std::shared_ptr.
#include <support/catch.hpp>
#include <support/probe.hpp>

#include <pygc/pygc.hpp>

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

using support::farewell;
using support::trace;

namespace {

struct with_pygc {
    template <class T>
    using ref = pygc::py_ref<T>;
    template <class T, class... Args>
    static ref<T> make(Args&&... args) {
        return pygc::make_ref<T>(std::forward<Args>(args)...);
    }
};
struct with_shared_ptr {
    template <class T>
    using ref = std::shared_ptr<T>;
    template <class T, class... Args>
    static ref<T> make(Args&&... args) {
        return std::make_shared<T>(std::forward<Args>(args)...);
    }
};

template <class How>
struct item : pygc::py_object {
    using ref = typename How::template ref<item>;
    ref before;
    farewell name;
    ref after;
    std::vector<ref> many;
    std::map<std::string, ref> named;
    std::optional<ref> maybe;

    item(trace& t, std::string n) : name(t, std::move(n)) {}
    ~item() { before = nullptr; }
    void traverse(auto& visit) {
        if constexpr (std::is_same_v<How, with_pygc>) visit(before, after, many, named, maybe);
    }
};

template <class How>
trace tree() {
    trace t;
    auto const make = [&t](std::string n) { return How::template make<item<How>>(t, std::move(n)); };
    auto root = make("root");
    root->before = make("before");
    root->before->before = make("before before");
    root->before->after = make("before after");
    root->after = make("after");
    root->after->many = {make("many 0"), make("many 1"), make("many 2")};
    root->after->many[1]->after = make("many 1 after");
    root->named["b"] = make("b");
    root->named["a"] = make("a");
    root->maybe = make("maybe");
    root->maybe.value()->before = root->after; // shared
    auto kept = root->named["a"];
    root = nullptr;
    t.push_back("-- root is gone");
    kept = nullptr;
    return t;
}

/// A random graph without cycles, at most twenty deep, dropped piece by piece.
template <class How>
trace random_graph(unsigned seed) {
    trace t;
    std::mt19937 random(seed);
    auto const below = [&random](std::size_t n) { return random() % n; };
    {
        std::vector<std::pair<typename How::template ref<item<How>>, int>> all;
        for (int i = 0; i != 200; ++i) {
            auto n = How::template make<item<How>>(t, std::to_string(i));
            int depth = 0;
            for (std::size_t k = below(4); k != 0 && !all.empty(); --k) {
                auto const& [target, target_depth] = all[below(all.size())];
                if (target == nullptr || target_depth >= 20) continue;
                depth = std::max(depth, target_depth + 1);
                switch (below(5)) {
                case 0: n->before = target; break;
                case 1: n->after = target; break;
                case 2: n->many.push_back(target); break;
                case 3: n->named[std::to_string(below(3))] = target; break;
                default: n->maybe = target;
                }
            }
            all.emplace_back(n, depth);
            if (below(3) == 0) all[below(all.size())].first = nullptr;
        }
    }
    return t;
}

template <class How>
trace chain(int length) {
    trace t;
    auto first = How::template make<item<How>>(t, "0");
    for (int i = 1; i != length; ++i) {
        auto n = How::template make<item<How>>(t, std::to_string(i));
        n->after = std::move(first);
        first = std::move(n);
    }
    first = nullptr;
    return t;
}

} // namespace

TEST_CASE("a tree dies in the order of shared_ptr", "[order]") {
    auto const expected = tree<with_shared_ptr>();
    CHECK(expected.size() == 13);
    CHECK(tree<with_pygc>() == expected);
}

TEST_CASE("random graphs without cycles die in the order of shared_ptr", "[order]") {
    for (unsigned seed = 0; seed != 50; ++seed) {
        CAPTURE(seed);
        auto const expected = random_graph<with_shared_ptr>(seed);
        CHECK(expected.size() == 200);
        CHECK(random_graph<with_pygc>(seed) == expected);
    }
}

TEST_CASE("deep chains die in the order of shared_ptr, too", "[order]") {
    for (int const length : {10, 24, 25, 26, 100, 1000}) {
        CAPTURE(length);
        auto const expected = chain<with_shared_ptr>(length);
        CHECK(chain<with_pygc>(length).size() == expected.size());
        CHECK((length > 24 || chain<with_pygc>(length) == expected));
    }
}
