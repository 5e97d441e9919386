// SPDX-License-Identifier: BSL-1.0
// The gc module: counters, thresholds, statistics, lists of objects, errors.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <array>
#include <cstddef>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;

namespace {

struct node : pygc::py_object {
    py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

py_ref<node> self_loop() {
    auto n = make_ref<node>();
    n->next = n;
    return n;
}

using counts = std::array<std::size_t, 3>;

std::size_t collections(int generation) {
    return pygc::get_stats()[static_cast<std::size_t>(generation)].collections;
}
std::size_t all_collections() { return collections(0) + collections(1) + collections(2); }

} // namespace

TEST_CASE("the thresholds begin as CPython's", "[gc]") {
    CHECK(pygc::get_threshold() == counts{2000, 10, 10});
    CHECK(pygc::is_enabled());
}

TEST_CASE("row 35: set_threshold changes only the thresholds it names", "[gc]") {
    pygc::set_threshold(100);
    CHECK(pygc::get_threshold() == counts{100, 10, 10});
    pygc::set_threshold(200, 5);
    CHECK(pygc::get_threshold() == counts{200, 5, 10});
    pygc::set_threshold(300, 6, 7);
    CHECK(pygc::get_threshold() == counts{300, 6, 7});
    pygc::set_threshold(0);
    CHECK(pygc::get_threshold() == counts{0, 6, 7});
    pygc::set_threshold(static_cast<std::size_t>(-1));
    CHECK(pygc::get_threshold() == counts{static_cast<std::size_t>(-1), 6, 7});
    auto const n = make_ref<node>();
    CHECK(pygc::is_tracked(n));
}

TEST_CASE("row 19: get_count grows with containers and is small after a collection", "[gc]") {
    pygc::collect();
    CHECK(pygc::get_count() == counts{0, 0, 0});
    auto const a = make_ref<node>();
    CHECK(pygc::get_count() == counts{1, 0, 0});
    auto const b = make_ref<node>();
    auto const leaf = make_ref<int>(1); // no container
    CHECK(pygc::get_count() == counts{2, 0, 0});
}

TEST_CASE("row 20: collections of one generation count towards the next", "[gc]") {
    pygc::collect();
    pygc::collect(0);
    CHECK(pygc::get_count() == counts{0, 1, 0});
    pygc::collect(1);
    CHECK(pygc::get_count() == counts{0, 0, 1});
    pygc::collect(2);
    CHECK(pygc::get_count() == counts{0, 0, 0});
}

TEST_CASE("row 33: deaths lower the first count, never below zero", "[gc]") {
    pygc::collect();
    auto a = make_ref<node>(), b = make_ref<node>();
    CHECK(pygc::get_count()[0] == 2);
    pygc::collect(0);
    CHECK(pygc::get_count() == counts{0, 1, 0});
    a = nullptr;
    CHECK(pygc::get_count()[0] == 0);
    auto c = make_ref<node>();
    CHECK(pygc::get_count()[0] == 1);
    c = b = nullptr;
    CHECK(pygc::get_count()[0] == 0);
}

TEST_CASE("the count stays the same when thresholds change how a heap counts", "[gc]") {
    auto const paced = pygc::get_threshold();
    pygc::collect();
    std::vector<py_ref<node>> keep;
    for (int i = 0; i != 1500; ++i) keep.push_back(make_ref<node>()); // two pages
    for (std::size_t i = 0; i != keep.size(); i += 2) keep[i] = nullptr;
    CHECK(pygc::get_count()[0] == 750);
    pygc::set_threshold(100'000);
    CHECK(pygc::get_count()[0] == 750);
    for (std::size_t i = 0; i != 100; i += 2) keep[i] = make_ref<node>();
    keep[1] = nullptr;
    CHECK(pygc::get_count()[0] == 799);
    pygc::set_threshold(paced[0]);
    CHECK(pygc::get_count()[0] == 799);
    for (std::size_t i = 1; i < keep.size(); i += 2) keep[i] = nullptr;
    CHECK(pygc::get_count()[0] == 50);
    CHECK(pygc::get_memory().objects == 50);
    pygc::set_threshold(1);
    CHECK(pygc::get_count()[0] == 50);
    auto const before = collections(0);
    auto const one_more = make_ref<node>();
    CHECK(collections(0) == before + 1);
    pygc::set_threshold(paced[0]);
    keep.clear();
}

TEST_CASE("a finalizer that lets its object live doesn't count it twice", "[gc]") {
    struct lazarus : pygc::py_object {
        py_ref<lazarus>* tomb = nullptr;
        py_ref<lazarus> self;
        void finalize() { *tomb = py_ref<lazarus>::borrow(this); }
        void traverse(pygc::visitor& visit) { visit(self); }
    };
    for (bool const paced : {true, false}) {
        pygc::set_threshold(paced ? 2000 : 2001);
        pygc::collect();
        py_ref<lazarus> tomb;
        make_ref<lazarus>()->tomb = &tomb;
        CHECK(pygc::get_count()[0] == 1);
        pygc::collect();
        tomb->self = nullptr;
        CHECK(pygc::get_count()[0] == 0);
        tomb = nullptr;
        CHECK(pygc::get_count()[0] == 0);
    }
    pygc::set_threshold(2000);
}

TEST_CASE("row 29: the collection comes with allocation k + 1 for threshold k", "[gc]") {
    pygc::collect();
    pygc::set_threshold(50);
    auto const before = collections(0);
    std::vector<py_ref<node>> keep;
    for (int i = 0; i != 50; ++i) keep.push_back(make_ref<node>());
    CHECK(collections(0) == before);
    CHECK(pygc::get_count()[0] == 50);
    keep.pop_back(); // net allocations count
    keep.push_back(make_ref<node>());
    CHECK(collections(0) == before);
    keep.push_back(make_ref<node>());
    CHECK(collections(0) == before + 1);
    CHECK(pygc::get_count()[0] == 0);
}

TEST_CASE("row 30: after more than threshold collections the older generation is due", "[gc]") {
    pygc::collect();
    pygc::set_threshold(10, 3, 2);
    auto const stats = pygc::get_stats();
    std::vector<py_ref<node>> keep;
    std::string sequence;
    auto last = stats;
    for (int i = 0; i != 11 * 12; ++i) {
        keep.push_back(make_ref<node>());
        auto const now = pygc::get_stats();
        for (std::size_t g = 0; g != 3; ++g) {
            if (now[g].collections != last[g].collections) sequence.push_back(static_cast<char>('0' + g));
        }
        last = now;
    }
    CHECK(sequence == "000010000100");
    for (int i = 0; i != 11 * 6; ++i) keep.push_back(make_ref<node>());
    CHECK(collections(2) == stats[2].collections + 1);
}

TEST_CASE("row 26: a first threshold of zero stops automatic collections", "[gc]") {
    pygc::set_threshold(0);
    auto const before = all_collections();
    std::vector<py_ref<node>> keep;
    for (int i = 0; i != 50'000; ++i) keep.push_back(make_ref<node>());
    CHECK(all_collections() == before);
    CHECK(pygc::get_count()[0] == 50'000);
}

TEST_CASE("row 27: enabled, garbage goes by itself; disabled, it stays", "[gc]") {
    pygc::set_threshold(1000, 0, 0);
    auto const before = all_collections();
    for (int i = 0; i != 10'000; ++i) static_cast<void>(self_loop());
    CHECK(all_collections() > before);
    CHECK(pygc::get_objects().size() <= 1001);
    pygc::disable();
    CHECK_FALSE(pygc::is_enabled());
    pygc::collect();
    auto const disabled = all_collections();
    for (int i = 0; i != 10'000; ++i) static_cast<void>(self_loop());
    CHECK(all_collections() == disabled);
    CHECK(pygc::get_objects().size() == 10'000);
    pygc::enable();
    CHECK(pygc::is_enabled());
    static_cast<void>(self_loop()); // far over the threshold
    CHECK(all_collections() == disabled + 1);
}

TEST_CASE("row 38: collect runs while disabled", "[gc]") {
    pygc::disable();
    static_cast<void>(self_loop());
    CHECK(pygc::collect() == 1);
    pygc::enable();
}

TEST_CASE("row 34: get_stats counts collections of exactly that generation", "[gc]") {
    auto const before = pygc::get_stats();
    static_cast<void>(self_loop());
    pygc::collect(0);
    auto const after_0 = pygc::get_stats();
    CHECK(after_0[0].collections == before[0].collections + 1);
    CHECK(after_0[1].collections == before[1].collections);
    CHECK(after_0[2].collections == before[2].collections);
    CHECK(after_0[0].collected == before[0].collected + 1);
    CHECK(after_0[0].candidates == before[0].candidates + 1);
    static_cast<void>(self_loop());
    auto const alive = make_ref<node>();
    pygc::collect(2);
    auto const after_2 = pygc::get_stats();
    CHECK(after_2[0].collections == after_0[0].collections);
    CHECK(after_2[1].collections == after_0[1].collections);
    CHECK(after_2[2].collections == after_0[2].collections + 1);
    CHECK(after_2[2].collected == after_0[2].collected + 1);
    CHECK(after_2[2].candidates == after_0[2].candidates + 2);
    CHECK(after_2[2].uncollectable == 0);
    CHECK(after_2[2].given_up == 0);
}

TEST_CASE("row 21: an object is in the list of its generation only", "[gc]") {
    auto const n = self_loop();
    auto const where = [&n] {
        std::string found;
        for (int g = 0; g != 3; ++g) {
            if (pygc::get_objects(g).contains(n)) found.push_back(static_cast<char>('0' + g));
        }
        return found;
    };
    CHECK(where() == "0");
    pygc::collect(0);
    CHECK(where() == "1");
    pygc::collect(0); // looks only at the youngest
    CHECK(where() == "1");
    pygc::collect(1);
    CHECK(where() == "2");
    pygc::collect(2);
    CHECK(where() == "2");
}

TEST_CASE("row 22: what survives a full collection is in generation 2 at once", "[gc]") {
    auto const n = make_ref<node>();
    pygc::collect();
    CHECK(pygc::get_objects(2).contains(n));
}

#if defined(__linux__)
TEST_CASE("a list gives its memory back, also an empty one", "[gc]") {
    const auto mapped_pages = [] {
        long pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        return pages;
    };
    pygc::heap h;
    pygc::heap::scope use(h);
    const auto n = GENERATE(false, true) ? self_loop() : nullptr;
    for (int i = 0; i != 10; ++i) static_cast<void>(pygc::get_objects(0).size() + pygc::get_objects(2).size());
    const long before = mapped_pages();
    for (int i = 0; i != 1000; ++i) {
        pygc::object_list list = pygc::get_objects();
        list = pygc::get_objects(2);
        pygc::object_list other(std::move(list));
        other.swap(list);
    }
    CHECK(mapped_pages() - before < (4 << 20) / 4096); // a list takes 64 KiB
    if (n != nullptr) n->next = nullptr;
}
#endif

TEST_CASE("row 23: get_objects lists all tracked objects, as references", "[gc]") {
    auto n = make_ref<node>();
    auto const old = make_ref<node>();
    pygc::collect(0);
    auto const young = make_ref<node>();
    auto const leaf = make_ref<std::string>("not tracked");
    auto all = pygc::get_objects();
    CHECK(all.size() == 3);
    CHECK_FALSE(all.empty());
    CHECK(all.contains(n));
    CHECK(all.contains(young));
    CHECK_FALSE(all.contains(leaf));
    CHECK(all[0].use_count() == 2);
    std::size_t seen = 0;
    for (auto const& object : all) seen += object != nullptr;
    CHECK(seen == 3);

    auto const raw = n.get();
    n = nullptr; // the list keeps it alive
    CHECK(pygc::collect() == 0);
    CHECK(pygc::borrow(raw).use_count() == 2);
    auto other = std::move(all);
    CHECK(all.empty());
    CHECK(other.size() == 3);
    all = std::move(other);
    all.swap(other);
    other = pygc::object_list();
    CHECK(pygc::get_objects().size() == 2);
}

TEST_CASE("row 36: the generations together hold all tracked objects", "[gc]") {
    std::vector<py_ref<node>> keep;
    for (int i = 0; i != 5000; ++i) {
        keep.push_back(make_ref<node>());
        if (i % 3 == 0) keep[static_cast<std::size_t>(i) / 2] = nullptr;
        if (i % 700 == 0) pygc::collect(i % 3);
    }
    std::size_t alive = 0;
    for (auto const& n : keep) alive += n != nullptr;
    CHECK(pygc::get_objects().size() == alive);
    CHECK(pygc::get_objects(0).size() + pygc::get_objects(1).size() + pygc::get_objects(2).size() == alive);
    auto const one_more = make_ref<node>();
    CHECK(pygc::get_objects().size() == alive + 1);
}

#if PYGC_EXCEPTIONS
TEST_CASE("rows 24 and 25: a generation that doesn't exist is a value_error", "[gc]") {
    for (int const bad : {-1000, -1, 3, 1000}) {
        CHECK_THROWS_AS(pygc::collect(bad), pygc::value_error);
        CHECK_THROWS_AS(static_cast<void>(pygc::get_objects(bad)), pygc::value_error);
    }
    std::string message;
    try {
        pygc::collect(3);
    } catch (std::exception const& e) {
        message = e.what();
    }
    CHECK(message == "pygc: a generation is 0, 1 or 2");
}
#endif

TEST_CASE("what a running collection found isn't listed to its finalizers", "[gc]") {
    static std::size_t objects, referrers, referents;
    struct asking : pygc::py_object {
        py_ref<asking> peer;
        void traverse(pygc::visitor& visit) { visit(peer); }
        void finalize() {
            objects += pygc::get_objects().size();
            referrers += pygc::get_referrers(peer).size();
            referents += pygc::get_referents(peer).size();
        }
    };
    pygc::heap h;
    pygc::heap::scope const use(h);
    objects = referrers = referents = 0;
    auto a = make_ref<asking>(), b = make_ref<asking>();
    a->peer = b;
    b->peer = a;
    CHECK(pygc::get_referrers(a).size() == 1);
    a = b = nullptr;
    CHECK(pygc::collect() == 2);
    CHECK(objects == 0);
    CHECK(referrers == 0);
    CHECK(referents == 2);
}
