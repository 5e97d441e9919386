// SPDX-License-Identifier: BSL-1.0
// The model: what a program must do, computed with plain counts and plain reachability on numbered nodes.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "program.hpp"

namespace model {

struct model_node {
    kind type = kind::leaf;
    int heap = 0;
    long count = 0;
    int age = none; // 0, 1, then 2 = new to generation 2, 3 = seen by a full collection; none = not tracked
    bool alive = true;
    bool inner = false;
    bool born_in_destructor = false;
    int fixed[4] = {none, none, none, none};
    std::vector<int> vector;
    std::map<int, int> map;

    template <class F>
    void for_each_place(F f) {
        for (int& target : fixed) f(target);
        for (int& target : vector) f(target);
        for (auto& [key, target] : map) f(target);
    }
};

struct model_stats {
    std::size_t collections = 0, collected = 0, candidates = 0;
};

struct model_heap {
    bool collecting = false;
    bool enabled = true;
    int nesting = 0;
    std::deque<int> postponed;
    std::size_t added_by_running = 0; // how many of the first of them the running destructor added
    long allocations = 0;
    std::size_t younger[3] = {0, 0, 0};
    long threshold[3] = {first_threshold, 10, 10};
    model_stats stats[3];
    long of_age[4] = {0, 0, 0, 0};
    std::set<int> tracked;
    long nodes = 0;
};

class plain_model {
public:
    plain_model(const settings& s, int nesting_limit)
        : settings_(s), nesting_limit_(nesting_limit), roots_(static_cast<std::size_t>(s.roots), none) {
        for (int h = 0; h != s.heaps; ++h) new_heap(h);
    }

    /// Does `op`; `trace` is what the library did. The first difference is described in `error()`.
    void run(const operation& op, const std::vector<event>& trace) {
        trace_ = &trace;
        position_ = 0;
        execute(op);
        if (error_.empty() && position_ != trace.size()) {
            error_ = "the library went on with: " + to_string(trace[position_]);
        }
    }

    [[nodiscard]] const std::string& error() const { return error_; }
    [[nodiscard]] int nodes() const { return static_cast<int>(nodes_.size()); }
    [[nodiscard]] model_node& node(int id) { return at(nodes_, id); }
    [[nodiscard]] int root(int k) const { return at(roots_, k); }
    [[nodiscard]] model_heap& heap_in(int place) { return at(heaps_, at(heap_in_, place)); }
    [[nodiscard]] int heap_number_in(int place) const { return at(heap_in_, place); }
    [[nodiscard]] long alive() const { return alive_; }

    /// The counts again, from nothing but the references. Returns: a node whose count is wrong, or none.
    [[nodiscard]] int recount() {
        std::vector<long> counts(nodes_.size(), 0);
        const auto see = [&counts](int target) {
            if (target != none) ++at(counts, target);
        };
        for (int target : roots_) see(target);
        for (model_node& n : nodes_) {
            if (n.alive) n.for_each_place(see);
        }
        for (int id = 0; id != nodes(); ++id) {
            if (node(id).alive && (node(id).count != at(counts, id) || at(counts, id) == 0)) return id;
        }
        return none;
    }

private:
    // ---- events -----------------------------------------------------------------------------------

    void expect(event_kind what, int value) {
        if (!error_.empty()) return;
        const event e{what, value};
        if (position_ < trace_->size() && (*trace_)[position_] == e) {
            ++position_;
            return;
        }
        error_ = "expected: " + to_string(e) + ", the library: " +
                 (position_ < trace_->size() ? to_string((*trace_)[position_]) : std::string("nothing more"));
    }

    // ---- counting and dying -----------------------------------------------------------------------

    void increment(int id) {
        if (id != none) ++node(id).count;
    }

    void decrement(int id) {
        if (id != none && --node(id).count == 0) fell_to_zero(id);
    }

    /// The new reference is stored before the old one is dropped.
    void store(int& place, int target) {
        const int old = place;
        increment(target);
        place = target;
        decrement(old);
    }
    void store_moved(int& place, int& from) {
        const int target = from;
        from = none;
        const int old = place;
        place = target;
        decrement(old);
    }

    void fell_to_zero(int id) {
        model_node& n = node(id);
        model_heap& h = at(heaps_, n.heap);
        if (layout_of(n.type).container) {
            if (h.allocations > 0) --h.allocations;
            untrack(id);
        }
        if (h.nesting >= nesting_limit_) {
            h.postponed.insert(h.postponed.begin() + static_cast<std::ptrdiff_t>(h.added_by_running++), id);
        } else {
            dispose(id);
        }
    }

    void dispose(int id) {
        model_heap& h = at(heaps_, node(id).heap);
        ++h.nesting;
        run_destructor(id);
        if (h.nesting == nesting_limit_) {
            while (!h.postponed.empty()) {
                const int next = h.postponed.front();
                h.postponed.pop_front();
                h.added_by_running = 0;
                dispose(next);
            }
            h.added_by_running = 0;
        }
        --h.nesting;
    }

    void untrack(int id) {
        model_node& n = node(id);
        model_heap& h = at(heaps_, n.heap);
        --h.of_age[n.age];
        n.age = none;
        h.tracked.erase(id);
    }

    void run_destructor(int id) {
        model_node& n = node(id);
        n.alive = false;
        --alive_;
        --at(heaps_, n.heap).nodes;
        expect(event_kind::died, id);
        const layout& l = layout_of(n.type);
        for (int i = 0; i != l.fixed_count; ++i) expect(event_kind::sees, n.fixed[i]);
        for (int target : n.vector) expect(event_kind::sees, target);
        for (const auto& [key, target] : n.map) expect(event_kind::sees, target);
        if (!error_.empty()) return;
        ++in_destructor_;
        execute(plan_of(settings_, id, n.born_in_destructor));
        --in_destructor_;
        // The members, last declared first.
        if (l.map) {
            decrement(n.fixed[2]);
            decrement(n.fixed[1]);
            for (auto i = n.map.rbegin(); i != n.map.rend(); ++i) decrement(i->second);
            decrement(n.fixed[0]);
        } else {
            for (int target : n.vector) decrement(target);
            for (int i = l.fixed_count; i-- != 0;) decrement(n.fixed[i]);
        }
    }

    // ---- collections ------------------------------------------------------------------------------

    void collect(int heap, int generation, bool by_itself) {
        const int found = find_garbage(heap, generation);
        if (!by_itself) expect(event_kind::collected, found);
    }

    int find_garbage(int heap, int generation) {
        model_heap& h = at(heaps_, heap);
        if (h.collecting) return 0;
        h.collecting = true;
        h.allocations = 0;
        for (int g = 1; g <= generation; ++g) h.younger[g] = 0;
        if (generation < 2) ++h.younger[generation + 1];

        const int oldest = generation == 2 ? 3 : generation;
        std::vector<int> set;
        for (int id : h.tracked) {
            if (node(id).age <= oldest) set.push_back(id);
        }
        if (outside_.size() < nodes_.size()) outside_.resize(nodes_.size(), 0);
        for (int id : set) at(outside_, id) = node(id).count;
        const auto in_set = [&](int id) { return id != none && node(id).heap == heap && node(id).age != none && node(id).age <= oldest; };
        for (int id : set) {
            node(id).for_each_place([&](int target) {
                if (in_set(target)) --at(outside_, target);
            });
        }
        // What something outside leads to is alive: it gets 1.
        std::vector<int> to_visit;
        for (int id : set) {
            if (at(outside_, id) > 0) to_visit.push_back(id);
        }
        while (!to_visit.empty()) {
            const int id = to_visit.back();
            to_visit.pop_back();
            node(id).for_each_place([&](int target) {
                if (!in_set(target) || at(outside_, target) != 0) return;
                at(outside_, target) = 1;
                to_visit.push_back(target);
            });
        }

        std::set<int> garbage;
        for (int id : set) {
            model_node& n = node(id);
            if (at(outside_, id) == 0) {
                garbage.insert(id);
                untrack(id);
            } else {
                --h.of_age[n.age];
                n.age = generation + 1;
                ++h.of_age[n.age];
            }
        }
        // Peers of the same garbage are null before the first destructor runs.
        for (int id : garbage) {
            node(id).for_each_place([&](int& target) {
                if (garbage.count(target) != 0) target = none;
            });
        }
        const auto found = garbage.size();
        // The order of destructors is the library's choice; all else is not.
        while (!garbage.empty() && error_.empty()) {
            if (position_ == trace_->size() || (*trace_)[position_].what != event_kind::died ||
                garbage.count((*trace_)[position_].value) == 0) {
                expect(event_kind::died, *garbage.begin());
                break;
            }
            const int next = (*trace_)[position_].value;
            garbage.erase(next);
            dispose(next);
        }
        h.allocations = std::max(0L, h.allocations - static_cast<long>(found));
        ++h.stats[generation].collections;
        h.stats[generation].collected += found;
        h.stats[generation].candidates += set.size();
        h.collecting = false;
        return static_cast<int>(found);
    }

    void collect_if_due(int heap) {
        model_heap& h = at(heaps_, heap);
        if (!h.enabled || h.threshold[0] == 0 || h.allocations <= h.threshold[0] || h.collecting) return;
        int generation = h.younger[1] > static_cast<std::size_t>(h.threshold[1]) ? 1 : 0;
        if (h.younger[2] > static_cast<std::size_t>(h.threshold[2]) && h.of_age[2] >= h.of_age[3] / 4) generation = 2;
        collect(heap, generation, true);
    }

    // ---- operations -------------------------------------------------------------------------------

    void new_heap(int place) {
        if (static_cast<int>(heap_in_.size()) <= place) heap_in_.resize(static_cast<std::size_t>(place) + 1);
        at(heap_in_, place) = static_cast<int>(heaps_.size());
        heaps_.emplace_back();
    }

    void make(int k, kind type, int heap) {
        const int id = nodes();
        nodes_.emplace_back();
        model_node& n = nodes_.back();
        n.type = type;
        n.heap = heap;
        n.count = 1;
        n.born_in_destructor = in_destructor_ != 0;
        ++alive_;
        model_heap& h = at(heaps_, heap);
        ++h.nodes;
        if (layout_of(type).container) {
            ++h.allocations;
            n.age = 0;
            ++h.of_age[0];
            h.tracked.insert(id);
            collect_if_due(heap);
        }
        int fresh = id;
        store_moved(at(roots_, k), fresh);
    }

    void drop_inner(model_node& n) {
        const int x = n.fixed[1], y = n.fixed[2];
        n.fixed[1] = n.fixed[2] = none;
        decrement(y);
        decrement(x);
    }

    void drop_vector(model_node& n) {
        std::vector<int> old;
        old.swap(n.vector);
        for (int target : old) decrement(target);
    }

    void execute(const operation& op) {
        if (!error_.empty()) return;
        switch (op.what) {
        case action::nothing: break;
        case action::make: make(op.a, static_cast<kind>(op.b), heap_number_in(op.c)); break;
        case action::make_throw: expect(event_kind::threw, 0); break;
        case action::copy_root: store(at(roots_, op.a), root(op.b)); break;
        case action::move_root:
            if (op.a != op.b) store_moved(at(roots_, op.a), at(roots_, op.b));
            break;
        case action::swap_roots: std::swap(at(roots_, op.a), at(roots_, op.b)); break;
        case action::drop_root: store(at(roots_, op.a), none); break;
        case action::link: store(node(op.a).fixed[op.b], root(op.c)); break;
        case action::move_in: store_moved(node(op.a).fixed[op.b], at(roots_, op.c)); break;
        case action::unlink: store(node(op.a).fixed[op.b], none); break;
        case action::load: store(at(roots_, op.c), node(op.a).fixed[op.b]); break;
        case action::take: store_moved(at(roots_, op.c), node(op.a).fixed[op.b]); break;
        case action::swap_places: std::swap(node(op.a).fixed[op.b], node(op.c).fixed[op.d]); break;
        case action::collect: collect(heap_number_in(op.a), op.b, false); break;
        case action::threshold: {
            model_heap& h = heap_in(op.a);
            h.threshold[0] = op.b;
            h.threshold[1] = op.c;
            h.threshold[2] = op.d;
            break;
        }
        case action::enable: heap_in(op.a).enabled = op.b != 0; break;
        case action::retire:
            collect(heap_number_in(op.a), 2, true);
            new_heap(op.a);
            break;
        default: // the program holds the node while it works on what the node owns
            increment(op.a);
            change_container(node(op.a), op);
            decrement(op.a);
        }
    }

    void change_container(model_node& n, const operation& op) {
        switch (op.what) {
        case action::push:
            if (op.c == 0) increment(root(op.b));
            n.vector.push_back(root(op.b));
            if (op.c != 0) at(roots_, op.b) = none;
            break;
        case action::vector_set: store(at(n.vector, op.b), root(op.c)); break;
        case action::vector_erase: {
            const int old = at(n.vector, op.b);
            n.vector.erase(n.vector.begin() + op.b);
            decrement(old);
            break;
        }
        case action::vector_clear: drop_vector(n); break;
        case action::map_set: store(n.map.try_emplace(op.b, none).first->second, root(op.c)); break;
        case action::map_erase: {
            const int old = n.map.at(op.b);
            n.map.erase(op.b);
            decrement(old);
            break;
        }
        case action::inner_make:
            n.inner = true;
            drop_inner(n);
            break;
        case action::inner_reset:
            n.inner = false;
            drop_inner(n);
            break;
        case action::clear: {
            const layout& l = layout_of(n.type);
            for (int i = 0; i != l.fixed_count; ++i) {
                if (i == 0 || !l.inner) store(n.fixed[i], none);
            }
            drop_vector(n);
            while (!n.map.empty()) {
                const int old = n.map.begin()->second;
                n.map.erase(n.map.begin());
                decrement(old);
            }
            n.inner = false;
            drop_inner(n);
            break;
        }
        default: error_ = "no such operation";
        }
    }

    const settings settings_;
    const int nesting_limit_;
    std::deque<model_node> nodes_;
    std::vector<int> roots_;
    std::deque<model_heap> heaps_; // all that ever were
    std::vector<int> heap_in_;     // place -> the heap that is there now
    std::vector<long> outside_;
    long alive_ = 0;
    int in_destructor_ = 0;
    const std::vector<event>* trace_ = nullptr;
    std::size_t position_ = 0;
    std::string error_;
};

} // namespace model
