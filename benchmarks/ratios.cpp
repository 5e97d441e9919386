// SPDX-License-Identifier: BSL-1.0
// Measures, in one run, what pygc promises, next to what it is promised against; judges nothing.
// usage: pygc_ratios [--json] [--rounds N] [--objects N]
//
// The contenders of a row take turns, and the median of the rounds counts, so that a busy machine
// disturbs both alike; what is short is measured in many short slices. Times are processor time. No
// thread is started but at the end: until then shared_ptr counts without atomic instructions.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <pygc/pygc.hpp>

#include "graphs.hpp"
#include "measure.hpp"
#include "nodes.hpp"

#if defined(__linux__)
#include <unistd.h>
#endif

namespace {

using bench::escape;
using bench::pygc_node;
using bench::time_each;

std::size_t rounds = 11;
std::size_t objects = 1'000'000;

/// A benchmark that doesn't do what it says must not print figures.
void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "error: not measured as intended: %s\n", what);
    std::exit(1);
}

struct row {
    const char* what;
    const char* against; // null: no contender, `ours` itself is compared with the goal
    const char* unit;
    double ours;
    double theirs;
    double goal; // 0: none
    int digits;

    [[nodiscard]] double figure() const { return against != nullptr ? ours / theirs : ours; }
    [[nodiscard]] const char* verdict() const { return goal == 0 ? "" : figure() <= goal ? "met" : "missed"; }
};

std::vector<row> rows;

void report(const char* what, const char* unit, double figure, double goal, int digits) {
    rows.push_back({what, nullptr, unit, figure, 0, goal, digits});
}

/// What takes nanoseconds is measured in this many times more rounds, each that much shorter than a
/// round of the large things: most of them then see no interruption at all.
constexpr std::size_t slices = 20;

/// Runs both in turn, the first to go changing each round; one round first that doesn't count.
/// Each contender returns its nanoseconds.
template <class Ours, class Theirs>
void compare(const char* what, const char* against, double goal, std::size_t times, Ours&& ours, Theirs&& theirs) {
    std::vector<double> our_times, their_times;
    for (std::size_t round = 0; round <= times; ++round) {
        double our_time = 0;
        if (round % 2 == 0) our_time = ours();
        const double their_time = theirs();
        if (round % 2 != 0) our_time = ours();
        if (round == 0) continue;
        our_times.push_back(our_time);
        their_times.push_back(their_time);
    }
    rows.push_back({what, against, "ns", bench::median(our_times), bench::median(their_times), goal, 2});
}

// The loops, out of line, so that one contender's code can't change the other's.

template <class Node>
[[gnu::noinline]] void make_and_drop(std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) {
        auto node = Node::make();
        escape(node.get());
    }
}

[[gnu::noinline]] void new_and_delete(std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) {
        auto* node = new bench::raw_node;
        escape(node);
        delete node;
    }
}

template <class Ref>
[[gnu::noinline]] void copy_and_drop(const Ref* begin, const Ref* end, std::size_t repeats) {
    for (std::size_t i = 0; i != repeats; ++i) {
        for (const Ref* r = begin; r != end; ++r) {
            Ref copy(*r);
            escape(copy.get());
        }
    }
}

[[gnu::noinline]] void churn_cycles(std::size_t pairs) {
    for (std::size_t i = 0; i != pairs; ++i) {
        auto first = pygc_node::make();
        auto second = pygc_node::make();
        first->a = second;
        second->a = first;
        escape(first.get());
    }
    pygc::collect();
}

[[gnu::noinline]] void churn_pairs_by_hand(std::size_t pairs) {
    for (std::size_t i = 0; i != pairs; ++i) {
        auto* first = new bench::raw_node;
        auto* second = new bench::raw_node;
        first->a = second;
        second->a = first;
        escape(first);
        delete second;
        delete first;
    }
}

[[gnu::noinline]] void churn_shared_pairs(std::size_t pairs) {
    for (std::size_t i = 0; i != pairs; ++i) {
        auto first = bench::shared_node::make();
        auto second = bench::shared_node::make();
        first->a = second;
        escape(first.get());
    }
}

void compare_small_things() {
    const std::size_t count = objects / slices + 1;
    const std::size_t times = rounds * slices;
    const auto ours_made = [&] { return time_each(count, [&] { make_and_drop<pygc_node>(count); }); };
    const auto theirs_made = [&] { return time_each(count, [&] { new_and_delete(count); }); };
    {
        // As in a program that has others of the type; without them each drop empties the page.
        const auto another = pygc_node::make();
        compare("make + drop a node", "new + delete", 0.25, times, ours_made, theirs_made);
    }
    compare("make + drop the only node", "new + delete", 0, times, ours_made, theirs_made);

    // Several objects, as in real programs, but few enough for the first-level cache.
    constexpr std::size_t width = 256;
    std::vector<pygc::py_ref<pygc_node>> ours;
    std::vector<bench::hand_ref<bench::hand_node>> theirs;
    for (std::size_t i = 0; i != width; ++i) {
        ours.push_back(pygc_node::make());
        theirs.push_back(bench::hand_node::make());
    }
    const std::size_t repeats = 4 * count / width + 1;
    const auto copy_all = [&](const auto& refs) {
        return time_each(repeats * width, [&] { copy_and_drop(refs.data(), refs.data() + refs.size(), repeats); });
    };
    compare(
        "copy + drop a reference", "hand-written pointer", 1.05, times, [&] { return copy_all(ours); },
        [&] { return copy_all(theirs); });
}

void compare_cycles() {
    const std::size_t pairs = objects / 2 / slices + 1;
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    compare(
        "make + collect a 2-cycle, per object", "acyclic make_shared pair", 0, rounds * slices,
        [&] { return time_each(2 * pairs, [&] { churn_cycles(pairs); }); },
        [&] { return time_each(2 * pairs, [&] { churn_shared_pairs(pairs); }); });
    compare(
        "make + collect a 2-cycle, per object", "new + delete by hand", 0.6, rounds * slices,
        [&] { return time_each(2 * pairs, [&] { churn_cycles(pairs); }); },
        [&] { return time_each(2 * pairs, [&] { churn_pairs_by_hand(pairs); }); });
    require(heap.get_memory().objects == 0, "cycles were left over");
}

void compare_chains() {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    const auto ours = [] {
        pygc::py_ref<pygc_node> head;
        for (std::size_t i = 0; i != objects; ++i) {
            auto node = pygc_node::make();
            node->a = std::move(head);
            head = std::move(node);
        }
        return time_each(objects, [&] { head = nullptr; });
    };
    const auto theirs = [] {
        bench::raw_node* head = nullptr;
        for (std::size_t i = 0; i != objects; ++i) {
            auto* node = new bench::raw_node;
            node->a = head;
            head = node;
        }
        return time_each(objects, [&] {
            while (head != nullptr) {
                bench::raw_node* node = head;
                head = node->a;
                delete node;
            }
        });
    };
    compare("drop a chain, per node", "delete in a loop", 1, rounds, ours, theirs);
}

/// What the end of garbage costs: all found, told apart from nothing, destroyed, its memory returned.
void compare_sweeps() {
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    const auto ours = [&heap] {
        for (std::size_t i = 0; i != objects; i += 2) {
            const auto first = pygc_node::make();
            first->a = pygc_node::make();
            first->a->a = first;
        }
        return time_each(objects, [&] { heap.collect(); });
    };
    std::vector<bench::raw_node*> nodes(objects);
    const auto theirs = [&nodes] {
        for (auto& node : nodes) node = new bench::raw_node;
        return time_each(objects, [&] {
            for (auto* node : nodes) delete node;
        });
    };
    compare("full collection of garbage, cycles of two, per object", "delete in a loop", 0, rounds, ours, theirs);
    require(heap.get_memory().objects == 0, "cycles were left over");
}

/// Nodes of two heaps, linked at random and in the order of their allocation, collected in full. What the second is
/// compared with is the walk over the first: a walk in the order of allocation is one along the memory.
void compare_collections() {
    pygc::heap heap, ordered_heap;
    heap.disable();
    ordered_heap.disable();
    bench::node_vector nodes, ordered;
    {
        const pygc::heap::scope use(heap);
        nodes = bench::make_nodes(objects);
        bench::link_randomly(nodes);
    }
    auto root = nodes[0];

    bench::walker walk(objects);
    const auto collecting = [&](pygc::heap& collected) {
        std::size_t found = 0;
        const double each = time_each(objects, [&] { found = collected.collect(); });
        require(found == 0, "the heap has garbage");
        return each;
    };
    const auto walking = [&] {
        std::size_t visited = 0;
        const double each = time_each(objects, [&] { visited = walk(root.get()); });
        require(visited == objects, "the walk doesn't reach every node");
        return each;
    };
    compare(
        "full collection, all held from outside, per object", "depth-first walk", 0.3, rounds,
        [&] { return collecting(heap); }, walking);
    nodes = {};
    compare(
        "full collection, one root, per object", "depth-first walk", 0.5, rounds, [&] { return collecting(heap); },
        walking);
    require(heap.get_memory().objects == objects, "nodes were lost");
    {
        const pygc::heap::scope use(ordered_heap);
        ordered = bench::make_nodes(objects);
        bench::link_locally(ordered);
    }
    compare(
        "full collection, all held, in order of allocation, per object", "depth-first walk in random order", 0.2,
        rounds, [&] { return collecting(ordered_heap); }, walking);
}

/// What a program with a small heap feels: 2,000 fresh objects, linked at random, all alive.
void measure_young_collection() {
    constexpr std::size_t fresh = 2000;
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    std::vector<double> times;
    for (std::size_t round = 0; round != rounds * slices; ++round) {
        auto nodes = bench::make_nodes(fresh);
        bench::link_randomly(nodes);
        const bench::stopwatch watch;
        const std::size_t found = heap.collect(0);
        times.push_back(watch.nanoseconds() / 1e3);
        require(found == 0, "there was garbage");
        // Taken apart, or they would be garbage of an older generation.
        for (auto& node : nodes) node->a = node->b = nullptr;
    }
    report("young collection of 2,000 living objects", "us", bench::median(times), 20, 1);
}

/// Once a program has started a thread, libstdc++'s shared_ptr counts with atomic instructions.
void compare_with_threads() {
    std::thread([] {}).join();
    constexpr std::size_t width = 256;
    std::vector<pygc::py_ref<pygc_node>> ours;
    std::vector<std::shared_ptr<bench::shared_node>> theirs;
    for (std::size_t i = 0; i != width; ++i) {
        ours.push_back(pygc_node::make());
        theirs.push_back(bench::shared_node::make());
    }
    const std::size_t repeats = 4 * (objects / slices + 1) / width + 1;
    const auto copy_all = [&](const auto& refs) {
        return time_each(repeats * width, [&] { copy_and_drop(refs.data(), refs.data() + refs.size(), repeats); });
    };
    compare(
        "copy + drop a reference", "shared_ptr, once a thread has run", 0.1, rounds * slices,
        [&] { return copy_all(ours); }, [&] { return copy_all(theirs); });
}

/// Bytes of this process that are in memory, 0 if unknown.
std::size_t resident_bytes() {
#if defined(__linux__)
    unsigned long pages = 0;
    if (std::FILE* statm = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(statm, "%*u %lu", &pages) != 1) pages = 0;
        std::fclose(statm);
    }
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
#else
    return 0;
#endif
}

void measure_memory() {
    constexpr std::size_t payload = sizeof(pygc_node) - sizeof(pygc::py_object);
    report("header", "bytes", sizeof(pygc_node) - payload, 8, 0);
    report("sizeof(py_ref)", "bytes", sizeof(pygc::py_ref<pygc_node>), 8, 0);

    const auto beside = [](std::size_t bytes) {
        return static_cast<double>(bytes) / static_cast<double>(objects) - sizeof(pygc_node);
    };
    pygc::heap heap;
    const pygc::heap::scope use(heap);
    heap.disable();
    const std::size_t before = resident_bytes();
    pygc::py_ref<pygc_node> head;
    for (std::size_t i = 0; i != objects; ++i) {
        auto node = pygc_node::make();
        node->a = std::move(head);
        head = std::move(node);
    }
    const std::size_t after = resident_bytes();
    report("beside an object, address space", "bytes", beside(heap.get_memory().mapped), 0, 2);
    if (before == 0) return;
    report("beside an object, resident", "bytes", beside(after - before), 6, 2);
    heap.collect();
    report("beside an object, resident after a full collection", "bytes", beside(resident_bytes() - before), 6, 2);
}

void print_table() {
    std::printf("%zu objects, median of %zu rounds, %s\n\n", objects, rounds, __VERSION__);
    std::puts("| measured | pygc | against | | figure | goal | verdict "
              "|\n|---|---:|---|---:|---:|---:|---|");
    for (const row& r : rows) {
        std::printf("| %s | %.*f %s | ", r.what, r.digits, r.ours, r.unit);
        if (r.against != nullptr) {
            std::printf("%s | %.2f %s | %.2f | ", r.against, r.theirs, r.unit, r.figure());
        } else {
            std::printf("| | %.*f | ", r.digits, r.ours);
        }
        if (r.goal != 0) std::printf("<= %g", r.goal);
        std::printf(" | %s |\n", r.verdict());
    }
}

void print_json() {
    std::printf("{\"objects\": %zu, \"rounds\": %zu, \"compiler\": \"%s\", \"rows\": [\n", objects, rounds,
                __VERSION__);
    const char* separator = "";
    for (const row& r : rows) {
        std::printf("%s  {\"what\": \"%s\", \"unit\": \"%s\", \"pygc\": %.4f", separator, r.what, r.unit, r.ours);
        if (r.against != nullptr) std::printf(", \"against\": \"%s\", \"theirs\": %.4f", r.against, r.theirs);
        std::printf(", \"figure\": %.4f", r.figure());
        if (r.goal != 0) std::printf(", \"goal\": %g, \"verdict\": \"%s\"", r.goal, r.verdict());
        std::printf("}");
        separator = ",\n";
    }
    std::puts("\n]}");
}

[[noreturn]] void usage(const char* wrong) {
    std::fprintf(stderr, "error: %s\nusage: pygc_ratios [--json] [--rounds N] [--objects N]\n", wrong);
    std::exit(2);
}

std::size_t number(const char* text) {
    char* end = nullptr;
    const unsigned long n = text != nullptr ? std::strtoul(text, &end, 10) : 0;
    if (n == 0 || *end != '\0' || n > 100'000'000) usage("a number from 1 to 100000000 is missing");
    return n;
}

} // namespace

int main(int argc, char** argv) {
    bool json = false;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument == "--json") {
            json = true;
        } else if (argument == "--rounds") {
            rounds = number(argv[++i]);
        } else if (argument == "--objects") {
            objects = number(argv[++i]);
        } else {
            usage(("unknown option " + argument).c_str());
        }
    }

    // First, while malloc has given nothing back to the system that could be counted as new.
    measure_memory();
    compare_small_things();
    compare_cycles();
    compare_chains();
    compare_sweeps();
    compare_collections();
    measure_young_collection();
    compare_with_threads();
    json ? print_json() : print_table();
}
