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
    bool finalized = false;
    bool condemned = false; // found by a collection that now runs finalizers and callbacks
    bool postponed = false;
    int fixed[4] = {none, none, none, none};
    int weak = none; // the record of its weak reference
    std::vector<int> vector;
    std::map<int, int> map;
    std::vector<int> records; // of the weak references to it, in their order
    long outside = 0;         // references from outside the set that a collection examines

    /// The places that refer to nodes.
    template <class F>
    void for_each_place(F f) {
        for (int& target : fixed) f(target);
        for (int& target : vector) f(target);
        for (auto& [key, target] : map) f(target);
    }
    /// Those and the one that refers to a record.
    template <class F>
    void for_each_owned(F f) {
        for_each_place(f);
        f(weak);
    }
};

/// What weak references share: a node among nodes, with negative numbers, below `none`. `fixed[0]` is what
/// its callback captured.
struct model_record : model_node {
    int target = none; // none: it is dead
    bool calls = false;
    bool captures = false;
    int name = none; // of the callback
};

struct model_stats {
    std::size_t collections = 0, collected = 0, candidates = 0;
};

struct model_heap {
    bool collecting = false;
    bool enabled = true;
    int requested = -1; // a collect that waits until nothing is dying
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
        : settings_(s), nesting_limit_(nesting_limit), roots_(static_cast<std::size_t>(s.roots), none),
          weak_(static_cast<std::size_t>(s.weak_table), none) {
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
    [[nodiscard]] model_node& node(int id) {
        if (id < none) return record(id);
        return at(nodes_, id);
    }
    [[nodiscard]] model_record& record(int id) { return at(records_, none - 1 - id); }
    [[nodiscard]] int root(int k) const { return at(roots_, k); }
    [[nodiscard]] model_heap& heap_in(int place) { return at(heaps_, at(heap_in_, place)); }
    [[nodiscard]] int heap_number_in(int place) const { return at(heap_in_, place); }
    [[nodiscard]] long alive() const { return alive_; }
    [[nodiscard]] int weak_entry(int k) const { return at(weak_, k); }
    /// What a weak reference gives: the node, none if it is dead or waits for its end.
    [[nodiscard]] int locked(int record_id) {
        if (record_id == none) return none;
        const int target = record(record_id).target;
        return target == none || node(target).postponed ? none : target;
    }
    [[nodiscard]] bool has_callback(int record_id) {
        return record_id != none && record(record_id).target != none && record(record_id).calls;
    }
    /// Whether it has lost its last owner.
    [[nodiscard]] bool is_ending(int record_id) { return record(record_id).count == 0; }

    /// The weak references with a callback in a generation of the heap.
    [[nodiscard]] long records_in(int place, int generation) {
        long n = 0;
        for (int id : heap_in(place).tracked) n += id < none && std::min(node(id).age, 2) == generation;
        return n;
    }

    /// The counts again, from nothing but the references. Returns: a node whose count is wrong, or none.
    [[nodiscard]] int recount() {
        std::vector<long> counts(nodes_.size(), 0), record_counts(records_.size(), 0);
        const auto see = [&](int target) {
            if (target > none) ++at(counts, target);
            if (target < none) ++at(record_counts, none - 1 - target);
        };
        for (int target : roots_) see(target);
        for (int target : weak_) see(target);
        for (model_node& n : nodes_) {
            if (n.alive) n.for_each_owned(see);
        }
        for (model_record& r : records_) {
            if (r.alive) r.for_each_owned(see);
        }
        for (std::size_t i = 0; i != records_.size(); ++i) {
            if (records_[i].alive && (records_[i].count != record_counts[i] || record_counts[i] == 0)) {
                return none - 1 - static_cast<int>(i);
            }
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

    [[nodiscard]] bool is_container(int id) {
        return id < none ? record(id).calls : layout_of(node(id).type).container;
    }
    /// Whether somebody wants to know of its death first.
    [[nodiscard]] bool has_farewell(int id) {
        const model_node& n = node(id);
        return id > none && ((layout_of(n.type).finalizer && !n.finalized) || !n.records.empty());
    }
    /// Its memory is there for others.
    void note_freed(int id) {
        model_heap& h = at(heaps_, node(id).heap);
        if (is_container(id) && h.allocations > 0) --h.allocations;
    }

    void fell_to_zero(int id) {
        model_node& n = node(id);
        if (has_farewell(id) && nesting_ < nesting_limit_) {
            ++nesting_;
            const bool dead = say_farewell(id);
            end_postponed();
            --nesting_;
            if (!dead) return;
        } else {
            untrack(id);
        }
        if (nesting_ >= nesting_limit_) {
            n.postponed = true;
            postponed_.insert(postponed_.begin() + static_cast<std::ptrdiff_t>(added_by_running_++), id);
        } else {
            dispose_by_count(id);
        }
    }

    /// The memory of what a collection examines stays its own until it has seen to it.
    void dispose_by_count(int id) {
        const bool condemned = node(id).condemned;
        dispose(id);
        if (!condemned) note_freed(id);
    }

    void dispose(int id) {
        ++nesting_;
        run_destructor(id);
        end_postponed();
        --nesting_;
    }

    /// At the depth where ends must wait, they come now.
    void end_postponed() {
        if (nesting_ != nesting_limit_) return;
        while (!postponed_.empty()) {
            const int next = postponed_.front();
            postponed_.pop_front();
            added_by_running_ = 0;
            node(next).postponed = false;
            if (has_farewell(next)) {
                ++nesting_;
                const bool dead = say_farewell(next);
                --nesting_;
                if (!dead) continue;
            }
            dispose_by_count(next);
        }
        added_by_running_ = 0;
    }

    /// Out of its generation, if it is in one.
    void untrack(int id) {
        model_node& n = node(id);
        if (n.age == none) return;
        model_heap& h = at(heaps_, n.heap);
        --h.of_age[n.age];
        n.age = none;
        h.tracked.erase(id);
    }
    void track(int id, int age) {
        if (!is_container(id)) return;
        model_node& n = node(id);
        model_heap& h = at(heaps_, n.heap);
        n.age = age;
        ++h.of_age[age];
        h.tracked.insert(id);
    }

    /// Its finalizer, then weak references and callbacks. Returns: false if the node lives on.
    bool say_farewell(int id) {
        model_node& n = node(id);
        if (layout_of(n.type).finalizer && !n.finalized) {
            n.count = 1;
            if (!n.condemned) {
                untrack(id);
                track(id, 0);
            }
            finalize(id);
            if (--n.count != 0) {
                if (n.condemned) track(id, 0);
                n.condemned = false;
                return false;
            }
        }
        untrack(id);
        if (!n.records.empty()) {
            std::vector<int> pending = sever(id);
            for (int r : pending) call(r);
        }
        return true;
    }

    void finalize(int id) {
        model_node& n = node(id);
        n.finalized = true;
        expect(event_kind::finalized, id);
        expect_places(id);
        if (!error_.empty()) return;
        ++in_destructor_;
        execute(finalizer_plan_of(settings_, id, n.born_in_destructor));
        --in_destructor_;
    }

    void expect_places(int id) {
        const model_node& n = node(id);
        const layout& l = layout_of(n.type);
        for (int i = 0; i != l.fixed_count; ++i) expect(event_kind::sees, n.fixed[i]);
        for (int target : n.vector) expect(event_kind::sees, target);
        for (const auto& [key, target] : n.map) expect(event_kind::sees, target);
        if (l.weak) expect(event_kind::sees, locked(n.weak));
    }

    // ---- weak references --------------------------------------------------------------------------

    /// Returns: the record, with a reference for the caller; none for none.
    int make_record(int target, bool calls, int captures) {
        if (target == none) return none;
        model_node& n = node(target);
        if (!calls && !n.records.empty() && !record(n.records[0]).calls && !is_ending(n.records[0])) {
            increment(n.records[0]);
            return n.records[0];
        }
        const int id = none - 1 - static_cast<int>(records_.size());
        model_record& r = records_.emplace_back();
        r.heap = n.heap;
        r.count = 1;
        r.born_in_destructor = in_destructor_ != 0;
        r.target = target;
        r.calls = calls;
        ++at(heaps_, r.heap).nodes;
        // The one without a callback comes first, then the newest.
        const bool second = calls && !n.records.empty() && !record(n.records[0]).calls;
        n.records.insert(n.records.begin() + (second ? 1 : 0), id);
        if (!calls) return id;
        r.name = next_callback_++;
        if (captures != none) {
            r.captures = true;
            r.fixed[0] = watched(captures);
            increment(r.fixed[0]);
        }
        ++at(heaps_, r.heap).allocations;
        track(id, 0);
        if (!settings_.own_first_heap && r.heap == heap_number_in(0)) collect_if_due(r.heap);
        return id;
    }

    /// Weak references are to intrusive nodes.
    [[nodiscard]] int watched(int k) {
        return root(k) != none && node(root(k)).type != kind::boxed ? root(k) : none;
    }

    void detach(int record_id) {
        model_record& r = record(record_id);
        if (r.target == none) return;
        auto& list = node(r.target).records;
        list.erase(std::find(list.begin(), list.end(), record_id));
        r.target = none;
    }

    /// All weak references to a node are dead. Returns: those whose callbacks are to be called, held by a reference.
    std::vector<int> sever(int id) {
        std::vector<int> pending;
        for (int r : node(id).records) {
            record(r).target = none;
            if (!record(r).calls || record(r).condemned || is_ending(r)) continue;
            increment(r);
            pending.push_back(r);
        }
        node(id).records.clear();
        return pending;
    }

    /// Returns: whether the record went with its callback.
    bool call(int record_id) {
        model_record& r = record(record_id);
        expect(event_kind::called, r.name);
        if (!error_.empty()) return false;
        ++in_destructor_;
        execute(callback_plan_of(settings_, r.name, r.born_in_destructor));
        --in_destructor_;
        release(record_id);
        const bool gone = r.count == 1;
        decrement(record_id);
        return gone;
    }

    /// The callback lets go of what it captured.
    void release(int record_id) {
        model_record& r = record(record_id);
        if (!r.captures) return;
        r.captures = false;
        expect(event_kind::released, r.name);
        expect(event_kind::sees, r.fixed[0]);
        const int held = r.fixed[0];
        r.fixed[0] = none;
        decrement(held);
    }

    // ---- destructors ------------------------------------------------------------------------------

    void run_destructor(int id) {
        model_node& n = node(id);
        n.alive = false;
        --at(heaps_, n.heap).nodes;
        if (id < none) {
            release(id);
            detach(id);
            return;
        }
        --alive_;
        expect(event_kind::died, id);
        expect_places(id);
        if (!error_.empty()) return;
        const layout& l = layout_of(n.type);
        ++in_destructor_;
        execute(plan_of(settings_, id, n.born_in_destructor));
        --in_destructor_;
        // The members, last declared first.
        decrement(n.weak);
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
        model_heap& h = at(heaps_, heap);
        if (!by_itself && is_dying()) {
            if (!h.collecting) h.requested = std::max(h.requested, generation);
            expect(event_kind::collected, 0);
            return;
        }
        const bool all = !by_itself && generation == 2 && is_threads_own(heap) && !at(heaps_, heap).collecting;
        int found = find_garbage(heap, generation);
        if (all) found += collect_ended();
        if (!by_itself) expect(event_kind::collected, found);
    }

    [[nodiscard]] bool is_threads_own(int heap) const {
        return !settings_.own_first_heap && heap == heap_number_in(0);
    }

    /// What heaps that have ended still hold, those that ended last first; again if that let go of something in others.
    int collect_ended() {
        int found = 0;
        if (collecting_ended_) return 0; // a destructor of theirs
        collecting_ended_ = true;
        for (bool more = true; more && error_.empty();) {
            more = false;
            for (std::size_t i = ended_.size(); i-- != 0;) {
                const int now = find_garbage(ended_[i], 2);
                found += now;
                more |= now != 0;
            }
        }
        collecting_ended_ = false;
        return found;
    }

    int find_garbage(int heap, int generation) {
        model_heap& h = at(heaps_, heap);
        if (h.collecting) return 0;
        h.collecting = true;
        const int resting = resting_;
        resting_ = nesting_;
        if (h.requested <= generation) h.requested = -1;
        h.allocations = 0;
        for (int g = 1; g <= generation; ++g) h.younger[g] = 0;
        if (generation < 2) ++h.younger[generation + 1];

        const int oldest = generation == 2 ? 3 : generation;
        std::vector<int> set;
        for (int id : h.tracked) {
            if (node(id).age <= oldest) set.push_back(id);
        }
        const auto in_set = [&](int id) {
            return id != none && node(id).heap == heap && node(id).age != none && node(id).age <= oldest;
        };
        std::set<int> garbage = unreachable(set, in_set);
        for (int id : set) {
            if (garbage.count(id) != 0) {
                untrack(id);
            } else {
                --h.of_age[node(id).age];
                node(id).age = generation + 1;
                ++h.of_age[node(id).age];
            }
        }
        std::size_t found = 0;
        if (std::any_of(garbage.begin(), garbage.end(), [this](int id) { return id < none || has_farewell(id); })) {
            for (int id : garbage) node(id).condemned = true;
            if (run_finalizers(garbage)) reprieve(garbage, generation + 1);
            found = end_weak_references(garbage);
        }
        // Peers of the same garbage are null before the first destructor runs.
        for (int id : garbage) {
            node(id).for_each_owned([&](int& target) {
                if (garbage.count(target) != 0) target = none;
            });
        }
        const std::size_t dead = garbage.size();
        found += dead;
        ++resting_; // their destructors nest, but in no container's operation
        dispose_all(garbage);
        resting_ = resting;
        h.allocations = std::max(0L, h.allocations - static_cast<long>(dead));
        ++h.stats[generation].collections;
        h.stats[generation].collected += found;
        h.stats[generation].candidates += set.size();
        h.collecting = false;
        return static_cast<int>(found);
    }

    /// The members of a set that nothing outside the set leads to.
    template <class InSet>
    std::set<int> unreachable(const std::vector<int>& set, InSet in_set) {
        for (int id : set) node(id).outside = node(id).count;
        for (int id : set) {
            node(id).for_each_owned([&](int target) {
                if (in_set(target)) --node(target).outside;
            });
        }
        // What something outside leads to is alive: it gets 1.
        std::vector<int> to_visit;
        for (int id : set) {
            if (node(id).outside > 0) to_visit.push_back(id);
        }
        while (!to_visit.empty()) {
            const int id = to_visit.back();
            to_visit.pop_back();
            node(id).for_each_owned([&](int target) {
                if (!in_set(target) || node(target).outside != 0) return;
                node(target).outside = 1;
                to_visit.push_back(target);
            });
        }
        std::set<int> result;
        for (int id : set) {
            if (node(id).outside == 0) result.insert(id);
        }
        return result;
    }

    /// In an order that is the library's choice. Returns: whether there was one.
    bool run_finalizers(const std::set<int>& garbage) {
        const auto waits = [this](int id) {
            const model_node& n = node(id);
            return id > none && n.alive && n.condemned && !n.postponed && layout_of(n.type).finalizer && !n.finalized;
        };
        bool any = false;
        while (std::any_of(garbage.begin(), garbage.end(), waits) && error_.empty()) {
            const int next = next_event(event_kind::finalized);
            if (garbage.count(next) == 0 || !waits(next)) {
                expect(event_kind::finalized, *std::find_if(garbage.begin(), garbage.end(), waits));
                break;
            }
            any = true;
            increment(next);
            finalize(next);
            decrement(next);
        }
        if (!postponed_.empty()) { // they belong to this phase
            const int nesting = nesting_;
            nesting_ = nesting_limit_;
            end_postponed();
            nesting_ = nesting;
        }
        return any;
    }

    /// Who can be reached again lives on, and what it leads to. Those that died are no longer among the garbage.
    void reprieve(std::set<int>& garbage, int age) {
        std::vector<int> set;
        for (int id : garbage) {
            if (node(id).alive && node(id).condemned) {
                set.push_back(id);
            } else if (node(id).condemned) {
                note_freed(id);
            }
        }
        const auto in_set = [this](int id) { return id != none && node(id).alive && node(id).condemned; };
        garbage = unreachable(set, in_set);
        for (int id : set) {
            if (garbage.count(id) != 0) continue;
            node(id).condemned = false;
            track(id, age);
        }
    }

    /// Of what is garbage. Returns: how many records went with their callbacks.
    std::size_t end_weak_references(const std::set<int>& garbage) {
        for (int id : garbage) {
            if (id < none) detach(id);
        }
        std::vector<std::vector<int>> pending;
        for (int id : garbage) {
            if (std::vector<int> calls = sever(id); !calls.empty()) pending.push_back(std::move(calls));
        }
        // Those to one node newest first; which node's come first is the library's choice.
        std::size_t gone = 0;
        while (!pending.empty() && error_.empty()) {
            const int next = next_event(event_kind::called);
            auto i = std::find_if(pending.begin(), pending.end(),
                                  [&](const std::vector<int>& calls) { return record(calls[0]).name == next; });
            if (i == pending.end()) i = pending.begin();
            const std::vector<int> calls = std::move(*i);
            pending.erase(i);
            for (int r : calls) gone += call(r);
        }
        return gone;
    }

    /// In an order that is the library's choice; records that captured nothing go without a word.
    void dispose_all(std::set<int>& garbage) {
        while (!garbage.empty() && error_.empty()) {
            int next = next_event(event_kind::died);
            if (const int name = next_event(event_kind::released); name != none) {
                for (int id : garbage) {
                    if (id < none && record(id).captures && record(id).name == name) next = id;
                }
            }
            if (garbage.count(next) == 0) {
                const auto silent = std::find_if(garbage.begin(), garbage.end(),
                                                 [this](int id) { return id < none && !record(id).captures; });
                if (silent == garbage.end()) {
                    expect(event_kind::died, *garbage.rbegin());
                    break;
                }
                next = *silent;
            }
            garbage.erase(next);
            dispose(next);
        }
    }

    /// What the library reported next, if it is of that kind; else none.
    [[nodiscard]] int next_event(event_kind what) const {
        return position_ < trace_->size() && (*trace_)[position_].what == what ? (*trace_)[position_].value : none;
    }

    /// Whether the last reference of something went further up, so that a container may be in the midst of an operation.
    [[nodiscard]] bool is_dying() const { return nesting_ > resting_; }

    void collect_if_due(int heap) {
        model_heap& h = at(heaps_, heap);
        if (h.collecting || is_dying()) return;
        const bool due = h.enabled && h.threshold[0] != 0 && h.allocations > h.threshold[0];
        if (!due && h.requested < 0) return;
        int generation = h.younger[1] > static_cast<std::size_t>(h.threshold[1]) ? 1 : 0;
        if (h.younger[2] > static_cast<std::size_t>(h.threshold[2]) && h.of_age[2] >= h.of_age[3] / 4) generation = 2;
        if (!due) generation = 0;
        collect(heap, std::max(generation, h.requested), true);
    }

    // ---- operations -------------------------------------------------------------------------------

    void new_heap(int place) {
        if (static_cast<int>(heap_in_.size()) <= place) heap_in_.resize(static_cast<std::size_t>(place) + 1);
        at(heap_in_, place) = static_cast<int>(heaps_.size());
        heaps_.emplace_back();
    }

    void make(int k, kind type, int heap) {
        const int id = nodes();
        model_node& n = nodes_.emplace_back();
        if (layout_of(type).container) {
            ++at(heaps_, heap).allocations;
            collect_if_due(heap); // it isn't there yet
        }
        n.type = type;
        n.heap = heap;
        n.count = 1;
        n.born_in_destructor = in_destructor_ != 0;
        ++alive_;
        ++at(heaps_, heap).nodes;
        track(id, 0);
        int fresh = id;
        store_moved(at(roots_, k), fresh);
    }

    /// The object comes to nothing, but a collection was due for it. Without exceptions nothing is made.
    void make_throw([[maybe_unused]] int heap) {
#if defined(__cpp_exceptions)
        ++at(heaps_, heap).allocations;
        collect_if_due(heap);
        if (at(heaps_, heap).allocations > 0) --at(heaps_, heap).allocations;
#endif
        expect(event_kind::threw, 0);
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
        case action::make_throw: make_throw(heap_number_in(op.a)); break;
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
            ended_.push_back(heap_number_in(op.a));
            new_heap(op.a);
            break;
        case action::save: store(at(roots_, op.a), op.b); break;
        case action::watch: watch(op.a, watched(op.b), false, none); break;
        case action::watch_call: watch(op.a, watched(op.b), true, op.c); break;
        case action::weak_copy: store(at(weak_, op.a), weak_entry(op.b)); break;
        case action::weak_drop: store(at(weak_, op.a), none); break;
        case action::weak_lock: store(at(roots_, op.a), locked(weak_entry(op.b))); break;
        case action::weak_put: store(node(op.a).weak, weak_entry(op.b)); break;
        case action::weak_get: store(at(weak_, op.a), node(op.b).weak); break;
        default: // the program holds the node while it works on what the node owns
            increment(op.a);
            change_container(node(op.a), op);
            decrement(op.a);
        }
    }

    void watch(int entry, int target, bool calls, int captures) {
        increment(target); // held as long as its weak reference is being made
        int made = make_record(target, calls, captures);
        store_moved(at(weak_, entry), made);
        decrement(target);
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
            store(n.weak, none);
            break;
        }
        default: error_ = "no such operation";
        }
    }

    const settings settings_;
    const int nesting_limit_;
    int nesting_ = 0;
    int resting_ = 0; // what it is where nothing dies by its count
    std::deque<int> postponed_;
    std::size_t added_by_running_ = 0; // how many of the first of them the running destructor added
    std::deque<model_node> nodes_;
    std::deque<model_record> records_;
    std::vector<int> roots_;
    std::vector<int> weak_; // records
    int next_callback_ = 0;
    std::deque<model_heap> heaps_; // all that ever were
    std::vector<int> ended_;
    bool collecting_ended_ = false;
    std::vector<int> heap_in_;     // place -> the heap that is there now
    long alive_ = 0;
    int in_destructor_ = 0;
    const std::vector<event>* trace_ = nullptr;
    std::size_t position_ = 0;
    std::string error_;
};

} // namespace model
