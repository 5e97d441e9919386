// SPDX-License-Identifier: BSL-1.0
// Havlak's loop finder (Nesting of Reducible and Irreducible Loops, 1997) over control-flow graphs: many small
// objects that refer to each other in every direction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "policy.hpp"
#include "run.hpp"

namespace bench {

/// A basic block. The graph owns it; edges are known at both ends.
struct block : object<block> {
    policy::vector<back<block>> from{}, to{};
    std::int64_t number = -1; ///< in depth-first order, once it has one

    void each_owned(auto&&) {}
    void traverse(auto& visit) { visit(from, to); }
};

struct flow_graph : object<flow_graph> {
    policy::vector<ref<block>> blocks{};

    void each_owned(auto&& f) {
        for (auto& b : blocks) f(b);
    }
    void traverse(auto& visit) { visit(blocks); }

    ref<block> add() {
        blocks.push_back(policy::make<block>());
        return blocks.back();
    }
    /// A new block that follows another one.
    ref<block> add_after(const ref<block>& before) {
        auto b = add();
        connect(before, b);
        return b;
    }
    static void connect(const ref<block>& source, const ref<block>& target) {
        source->to.push_back(policy::back_to(target));
        target->from.push_back(policy::back_to(source));
    }
};

/// A loop that was found. The forest owns it; it knows its blocks, the loop around it and the loops inside.
struct found_loop : object<found_loop> {
    back<found_loop> around{};
    policy::vector<back<found_loop>> inside{};
    policy::vector<back<block>> blocks{};
    bool reducible = true;

    void each_owned(auto&&) {}
    void traverse(auto& visit) { visit(around, inside, blocks); }
};

struct loop_forest : object<loop_forest> {
    policy::vector<ref<found_loop>> loops{};

    void each_owned(auto&& f) {
        for (auto& l : loops) f(l);
    }
    void traverse(auto& visit) { visit(loops); }
};

/// A block's place in the union of blocks that are in one loop, of which `parent` leads to the header.
struct place : object<place> {
    back<place> parent{}; // to itself at first
    back<block> at{};
    back<found_loop> loop{};
    std::int64_t number = 0, last = 0;                  ///< in depth-first order: its own, the greatest below
    policy::vector<std::int64_t> forward{}, backward{}; ///< edges that come in, backward ones from below
    bool pooled = false;

    void each_owned(auto&&) {}
    void traverse(auto& visit) { visit(parent, at, loop); }
};

class loop_finder {
public:
    explicit loop_finder(flow_graph& graph) : forest_(policy::make<loop_forest>()) {
        number(graph);
        sort_edges();
        for (std::size_t w = places_.size(); w-- != 0;) find_loop(*places_[w]);
    }
    loop_finder(const loop_finder&) = delete;
    loop_finder& operator=(const loop_finder&) = delete;
    ~loop_finder() {
        for (auto& p : places_) policy::drop(p);
    }

    /// For the caller, who owns it.
    ref<loop_forest> take() { return std::move(forest_); }

private:
    /// Gives each block that can be reached its number and its place, depth first.
    void number(flow_graph& graph) {
        struct visit {
            block* at;
            std::size_t next;
        };
        std::vector<visit> pending;
        const auto enter = [&](const back<block>& b) {
            block* const entered = policy::follow<block>(b);
            if (entered->number >= 0) return;
            auto p = policy::make<place>();
            entered->number = p->number = static_cast<std::int64_t>(places_.size());
            p->at = b;
            p->parent = policy::back_to(p);
            places_.push_back(std::move(p));
            pending.push_back({entered, 0});
        };
        enter(policy::back_to(graph.blocks.front()));
        while (!pending.empty()) {
            visit& v = pending.back();
            if (v.next == v.at->to.size()) {
                at(v.at->number).last = static_cast<std::int64_t>(places_.size()) - 1;
                pending.pop_back();
                continue;
            }
            enter(v.at->to[v.next++]);
        }
    }

    void sort_edges() {
        for (auto& p : places_) {
            for (const auto& source : policy::follow<block>(p->at)->from) {
                const std::int64_t v = policy::follow<block>(source)->number;
                if (v >= 0) (is_above(*p, v) ? p->backward : p->forward).push_back(v);
            }
        }
    }

    /// The loop whose header is w, if there is one: what reaches w's backward edges without passing w.
    void find_loop(place& w) {
        std::vector<place*> pool;
        bool loops_itself = false, reducible = true;
        const auto add = [&pool](place& p) {
            if (std::exchange(p.pooled, true)) return;
            pool.push_back(&p);
        };
        for (const std::int64_t v : w.backward) {
            if (v == w.number) {
                loops_itself = true;
            } else {
                add(header_of(at(v)));
            }
        }
        for (std::size_t i = 0; i != pool.size(); ++i) {
            for (const std::int64_t v : pool[i]->forward) {
                place& y = header_of(at(v));
                if (!is_above(w, y.number)) {
                    reducible = false; // a way in that passes the header by
                    w.forward.push_back(y.number);
                } else if (&y != &w) {
                    add(y);
                }
            }
        }
        if (pool.empty() && !loops_itself) return;

        auto found = policy::make<found_loop>();
        found->reducible = reducible;
        found->blocks.push_back(w.at);
        w.loop = policy::back_to(found);
        const auto& header = places_[static_cast<std::size_t>(w.number)];
        for (place* p : pool) {
            p->pooled = false;
            p->parent = policy::back_to(header);
            if (found_loop* inner = policy::follow<found_loop>(p->loop)) {
                inner->around = policy::back_to(found);
                found->inside.push_back(p->loop);
            } else {
                found->blocks.push_back(p->at);
            }
        }
        forest_->loops.push_back(std::move(found));
    }

    /// The header of the outermost loop found so far around a place; all on the way then lead there directly.
    place& header_of(place& p) {
        place* header = &p;
        for (place* next = policy::follow<place>(p.parent); next != header; next = policy::follow<place>(next->parent))
            header = next;
        for (place* step = &p; step != header;) {
            place* const next = policy::follow<place>(step->parent);
            step->parent = header->parent;
            step = next;
        }
        return *header;
    }

    [[nodiscard]] static bool is_above(const place& p, std::int64_t v) { return p.number <= v && v <= p.last; }
    place& at(std::int64_t number) { return *places_[static_cast<std::size_t>(number)]; }

    policy::vector<ref<place>> places_{};
    ref<loop_forest> forest_;
};

/// A loop around `width` others, one after the other, or around as many branches at the innermost depth.
inline ref<block> add_nest(flow_graph& graph, const ref<block>& before, std::int64_t depth, std::int64_t width) {
    const auto header = graph.add_after(before);
    auto current = header;
    for (std::int64_t i = 0; i != width; ++i) {
        if (depth != 0) {
            current = add_nest(graph, current, depth - 1, width);
            continue;
        }
        const auto yes = graph.add_after(current), no = graph.add_after(current);
        current = graph.add_after(yes);
        flow_graph::connect(no, current);
    }
    const auto latch = graph.add_after(current);
    flow_graph::connect(latch, header);
    return graph.add_after(latch);
}

/// Builds a graph and finds its loops, again and again.
inline outcome loops(const parameters& p) {
    outcome result;
    const processor_time watch;
    for (std::int64_t i = p["graphs"]; i != 0; --i) {
        auto graph = policy::make<flow_graph>();
        auto current = graph->add();
        for (std::int64_t j = 0; j != p["width"]; ++j) {
            current = add_nest(*graph, current, p["depth"], p["width"]);
            // Two ways into one cycle: a loop that is not reducible.
            const auto first = graph->add_after(current), second = graph->add_after(current);
            flow_graph::connect(first, second);
            flow_graph::connect(second, first);
            current = graph->add_after(second);
        }
        auto forest = loop_finder(*graph).take();
        result.items += static_cast<std::int64_t>(graph->blocks.size());
        for (const auto& l : forest->loops) {
            result.checksum += 1000 + static_cast<std::int64_t>(l->blocks.size() + l->inside.size());
            std::int64_t nesting = 1;
            for (auto* around = policy::follow<found_loop>(l->around); around != nullptr; ++nesting)
                around = policy::follow<found_loop>(around->around);
            result.checksum += l->reducible ? nesting : 100 * nesting;
        }
        current = ref<block>{};
        policy::drop(forest);
        policy::drop(graph);
    }
    result.nanoseconds = watch.elapsed();
    return result;
}

} // namespace bench
