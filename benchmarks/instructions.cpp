// SPDX-License-Identifier: BSL-1.0
// Does one operation N times and nothing else worth mentioning: instructions.sh counts what it
// executes. usage: pygc_instructions OPERATION N

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <pygc/pygc.hpp>

#include "graphs.hpp"
#include "measure.hpp"
#include "nodes.hpp"

namespace {

using bench::escape;
using bench::pygc_node;

template <class Node>
void copy(std::size_t count) {
    const auto node = Node::make();
    for (std::size_t i = 0; i != count; ++i) {
        auto other = node;
        escape(other.get());
    }
}

/// There and back counts as two.
template <class Node>
void move(std::size_t count) {
    auto node = Node::make();
    for (std::size_t i = 0; i != count; i += 2) {
        auto other = std::move(node);
        escape(&other);
        node = std::move(other);
        escape(&node);
    }
}

template <class Node>
void make(std::size_t count) {
    const auto another = Node::make(); // otherwise each drop would empty pygc's page
    for (std::size_t i = 0; i != count; ++i) {
        auto node = Node::make();
        escape(node.get());
    }
}

void new_delete(std::size_t count) {
    for (std::size_t i = 0; i != count; ++i) {
        auto* node = new bench::raw_node;
        escape(node);
        delete node;
    }
}

/// A thousand made, then dropped in the same order, again and again.
void make_batches(std::size_t count) {
    bench::node_vector nodes(1000);
    for (std::size_t i = 0; i != count; i += nodes.size()) {
        for (auto& node : nodes) node = pygc_node::make();
        for (auto& node : nodes) node = nullptr;
    }
}

/// Two objects each, with the automatic collections that they bring.
void cycle(std::size_t count) {
    for (std::size_t i = 0; i != count; i += 2) {
        auto first = pygc_node::make();
        auto second = pygc_node::make();
        first->a = second;
        second->a = first;
        escape(first.get());
    }
}

/// Collections of 10,000 living objects until `count` have been examined.
void collect(std::size_t count, bool one_root) {
    auto nodes = bench::make_nodes(10'000);
    bench::link_randomly(nodes);
    const auto root = nodes[0];
    const std::size_t size = nodes.size();
    if (one_root) nodes = {};
    pygc::collect();
    for (std::size_t i = 0; i != count; i += size) pygc::collect();
}

void walk(std::size_t count) {
    auto nodes = bench::make_nodes(10'000);
    bench::link_randomly(nodes);
    bench::walker visit_all(nodes.size());
    for (std::size_t i = 0; i != count; i += nodes.size()) visit_all(nodes[0].get());
}

struct operation {
    std::string_view name;
    void (*run)(std::size_t count);
};

constexpr operation operations[] = {
    {"copy+drop/py_ref", copy<pygc_node>},
    {"copy+drop/py_ref_to_box", copy<bench::pygc_plain>},
    {"copy+drop/hand_written", copy<bench::hand_node>},
    {"copy+drop/shared_ptr", copy<bench::shared_node>},
    {"move/py_ref", move<pygc_node>},
    {"move/hand_written", move<bench::hand_node>},
    {"move/shared_ptr", move<bench::shared_node>},
    {"make+drop/make_ref", make<pygc_node>},
    {"make+drop/make_ref_box", make<bench::pygc_plain>},
    {"make+drop/make_ref_leaf", make<bench::pygc_leaf>},
    {"make+drop/make_ref_batch", make_batches},
    {"make+drop/make_shared", make<bench::shared_node>},
    {"make+drop/hand_written", make<bench::hand_node>},
    {"make+drop/new_delete", new_delete},
    {"cycle/make_ref", cycle},
    {"collect/all_held", [](std::size_t count) { collect(count, false); }},
    {"collect/one_root", [](std::size_t count) { collect(count, true); }},
    {"collect/walk", walk},
};

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--list") {
        for (const operation& o : operations) std::printf("%s\n", o.name.data());
        return 0;
    }
    if (argc == 3) {
        const std::string_view name = argv[1];
        const auto count = static_cast<std::size_t>(std::strtoul(argv[2], nullptr, 10));
        for (const operation& o : operations) {
            if (o.name != name) continue;
            o.run(count);
            return 0;
        }
    }
    std::fputs("usage: pygc_instructions OPERATION N | --list\n", stderr);
    return 2;
}
