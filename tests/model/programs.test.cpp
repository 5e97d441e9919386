// SPDX-License-Identifier: BSL-1.0
// Random programs over graphs of nodes: after every step the library has to agree with the model.
//
// To see one program: PYGC_MODEL_SEED=17 pygc_model "[program]" (and PYGC_MODEL_STEPS=80; PYGC_MODEL_FAREWELLS=1 for
// those with finalizers and weak references).
#include <support/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "plain_model.hpp"
#include "world.hpp"

namespace {

using namespace model;

// ---- the limit of nesting -----------------------------------------------------------------------------

int probe_depth = 0;
int deepest_probe = 0;

/// The destructor of `inside` ends the node's destruction, its own body begins it.
struct probe : pygc::py_object {
    struct end {
        ~end() { --probe_depth; }
    };
    end inside;
    pygc::py_ref<probe> next;
    ~probe() { deepest_probe = std::max(deepest_probe, ++probe_depth); }
    void traverse(auto& visit) { visit(next); }
};

/// How deep destructors nest before the library lets the next ones wait.
int nesting_limit() {
    static const int limit = [] {
        auto first = pygc::make_ref<probe>();
        for (int i = 0; i != 10'000; ++i) {
            auto next = pygc::make_ref<probe>();
            next->next = std::move(first);
            first = std::move(next);
        }
        first = nullptr;
        return deepest_probe;
    }();
    return limit;
}

// ---- one program --------------------------------------------------------------------------------------

class program {
public:
    explicit program(const settings& s, bool verbose = false)
        : settings_(s), random_(s.seed), verbose_(verbose), model_(s, nesting_limit()), world_(s) {}

    /// Returns: what went wrong, or an empty text.
    std::string run() {
        begin();
        for (int i = 0; i != settings_.nodes_at_first && ok(); ++i) grow();
        for (int i = 0; i != settings_.chain_at_first && ok(); ++i) grow_chain();
        if (settings_.nodes_at_first != 0 && model_.alive() < settings_.nodes_at_first / 2) fail("the graph is too small");
        for (int i = 0; i != settings_.steps && ok(); ++i) step(choose());
        finish();
        return error_.empty() ? "" : "seed " + std::to_string(settings_.seed) + ", step " + std::to_string(steps_) + ", " + to_string(last_) + ": " + error_;
    }

private:
    [[nodiscard]] bool ok() const { return error_.empty(); }

    void fail(const std::string& what) {
        if (error_.empty()) error_ = what;
    }

    // The thread's heap has a history, and other tests' settings.
    void begin() {
        pygc::heap& h = world_.heap_in(0);
        h.enable();
        h.set_threshold(static_cast<std::size_t>(settings_.paced ? paced_threshold : first_threshold), 10, 10);
        h.collect();
        const auto stats = h.get_stats();
        model_heap& m = model_.heap_in(0);
        for (int g = 0; g != 3; ++g) {
            m.stats[g] = {at(stats, g).collections, at(stats, g).collected, at(stats, g).candidates};
        }
        if (settings_.tiny_thresholds) {
            for (int heap = 0; heap != settings_.heaps; ++heap) step(random_threshold(heap));
        }
    }

    /// Everything is dropped; what cycles through several heaps, or in heaps that ended, is taken apart.
    void finish() {
        for (int round = 0; ok() && round != 1000; ++round) {
            for (int k = 0; k != settings_.roots && ok(); ++k) {
                if (model_.root(k) != none) step({action::drop_root, k});
            }
            for (int k = 0; k != settings_.weak_table && ok(); ++k) {
                if (model_.weak_entry(k) != none) step({action::weak_drop, k});
            }
            for (int h = 0; h != settings_.heaps && ok(); ++h) step({action::collect, h, 2});
            bool roots = false;
            for (int k = 0; k != settings_.roots; ++k) roots |= model_.root(k) != none;
            for (int k = 0; k != settings_.weak_table; ++k) roots |= model_.weak_entry(k) != none;
            if (roots) continue;
            if (model_.alive() == 0) break;
            for (int id = 0; id != model_.nodes() && ok(); ++id) {
                if (model_.node(id).alive) step({action::clear, id});
            }
        }
        if (!ok()) return;
        if (model_.alive() != 0) fail("nodes stay alive at the end");
        for (int h = 0; h != settings_.heaps; ++h) {
            if (!world_.heap_in(h).get_objects().empty()) fail("objects are tracked at the end");
        }
        world_.heap_in(0).enable();
        world_.heap_in(0).set_threshold(2000, 10, 10);
    }

    void step(const operation& op) {
        last_ = op;
        ++steps_;
        if (verbose_) std::fprintf(stderr, "%5d  %s\n", steps_, to_string(op).c_str());
        const std::vector<event>& trace = world_.run(op);
        if (verbose_) {
            for (const event& e : trace) std::fprintf(stderr, "           %s\n", to_string(e).c_str());
        }
        model_.run(op, trace);
        if (!model_.error().empty()) return fail(model_.error());
        if (steps_ % settings_.check_every == 0) compare();
    }

    // ---- comparison -------------------------------------------------------------------------------

    template <class A, class B>
    void same(A of_library, B of_model, const char* what, int where) {
        if (static_cast<long>(of_library) != static_cast<long>(of_model)) {
            fail(std::string(what) + " of " + std::to_string(where) + " is " + std::to_string(of_library) + ", not " + std::to_string(of_model));
        }
    }

    void compare() {
        same(world_.nodes(), model_.nodes(), "number", 0);
        if (const int wrong = model_.recount(); wrong != none) fail("the model has lost count of " + std::to_string(wrong));
        for (int id = 0; id != model_.nodes() && ok(); ++id) {
            same(world_.is_alive(id), model_.node(id).alive, "life", id);
            if (ok() && model_.node(id).alive) same(world_.use_count(id), model_.node(id).count, "use_count", id);
            if (ok() && settings_.weak_table != 0 && model_.node(id).alive) compare_farewell(id);
        }
        for (int k = 0; k != settings_.weak_table && ok(); ++k) {
            same(world_.weak_target(k), model_.locked(model_.weak_entry(k)), "target of weak reference", k);
            same(world_.has_callback(k), model_.has_callback(model_.weak_entry(k)), "callback of weak reference", k);
        }
        for (int h = 0; h != settings_.heaps && ok(); ++h) compare_heap(h);
    }

    void compare_farewell(int id) {
        model_node& n = model_.node(id);
        if (n.type == kind::boxed) return;
        same(world_.is_finalized(id), n.finalized, "is_finalized", id);
        same(world_.weak_references(id), n.records.size(), "number of weak references", id);
    }

    void compare_heap(int place) {
        const pygc::heap& h = world_.heap_in(place);
        model_heap& m = model_.heap_in(place);
        const auto count = h.get_count();
        if (!settings_.paced) {
            same(count[0], m.allocations, "get_count()[0]", place);
        } else if (settings_.acting_destructors == 0 && settings_.weak_table == 0 && static_cast<long>(count[0]) > m.allocations) {
            // Less may be right: deaths from before a birth and after it are told apart only where each is counted.
            same(count[0], m.allocations, "get_count()[0]", place);
        }
        same(count[1], m.younger[1], "get_count()[1]", place);
        same(count[2], m.younger[2], "get_count()[2]", place);
        const auto stats = h.get_stats();
        for (int g = 0; g != 3; ++g) {
            same(at(stats, g).collections, m.stats[g].collections, "collections", g);
            same(at(stats, g).collected, m.stats[g].collected, "collected", g);
            same(at(stats, g).candidates, m.stats[g].candidates, "candidates", g);
            same(at(stats, g).uncollectable, 0, "uncollectable", g);
            same(at(stats, g).given_up, 0, "given_up", g);
            // A list costs more than most steps; collections are what changes generations.
            if (last_.what != action::collect && steps_ % 12 != 0) continue;
            const pygc::object_list list = h.get_objects(g);
            same(list.size(), g == 2 ? m.of_age[2] + m.of_age[3] : m.of_age[g], "size of generation", g);
            std::size_t records = 0;
            for (const auto& object : list) {
                const int id = world_.node_at(object.get());
                if (id == none && settings_.weak_table != 0) { // a weak reference with a callback
                    ++records;
                    continue;
                }
                if (id == none) {
                    fail("an unknown object is tracked");
                    break;
                }
                same(g, std::min(model_.node(id).age, 2), "generation", id);
                same(model_.heap_number_in(place), model_.node(id).heap, "heap", id);
            }
            if (settings_.weak_table != 0) same(records, model_.records_in(place, g), "weak references of generation", g);
        }
        same(h.get_memory().objects, m.nodes, "get_memory().objects", place);
    }

    // ---- choosing ---------------------------------------------------------------------------------

    int any_root() { return random_.below(settings_.roots); }
    int any_heap() { return random_.below(settings_.heaps); }

    int filled_root() {
        for (int tries = 0; tries != 6; ++tries) {
            const int k = any_root();
            if (model_.root(k) != none) return k;
        }
        return none;
    }

    /// A node that the program can reach: some steps from a root.
    int any_node() {
        const int k = filled_root();
        if (k == none) return none;
        int id = model_.root(k);
        for (int left = random_.below(5); left != 0; --left) {
            int next = none, seen = 0;
            model_.node(id).for_each_place([&](int target) {
                if (target != none && random_.below(++seen) == 0) next = target;
            });
            if (next == none) break;
            id = next;
        }
        return id;
    }

    int any_place(int id) {
        const model_node& n = model_.node(id);
        const int count = layout_of(n.type).inner && !n.inner ? 1 : layout_of(n.type).fixed_count;
        return count == 0 ? none : random_.below(count);
    }

    [[nodiscard]] reference type_of(int id, int place) { return layout_of(model_.node(id).type).fixed[place]; }

    bool fits(reference r, int root) { return model_.root(root) == none || accepts(r, model_.node(model_.root(root)).type); }

    int any_vector() {
        const int id = any_node();
        return id != none && layout_of(model_.node(id).type).vector ? id : none;
    }
    int any_holder() {
        const int id = any_node();
        return id != none && model_.node(id).type == kind::holder ? id : none;
    }

    operation random_threshold(int heap) {
        static constexpr int first[] = {0, 1, 1, 2, 3, 5, 8, 20, 2000};
        return {action::threshold, heap, first[random_.below(9)], random_.below(4), random_.below(4)};
    }

    /// In large graphs: a node more, owned by one of the nodes below the first half of the roots.
    void grow() {
        const int half = settings_.roots / 2;
        const int anchor = random_.below(half);
        if (model_.root(anchor) == none) return step({action::make, anchor, static_cast<int>(kind::pair), any_heap()});
        const int k = half + random_.below(half);
        step({action::make, k, random_.chance(70) ? static_cast<int>(kind::pair) : random_kind(), any_heap()});
        if (!ok() || model_.root(k) == none || !fits(reference::to_any, k)) return;
        const int fresh = model_.root(k);
        // Every third leads back, so that dropped roots leave cycles.
        if (model_.node(fresh).type == kind::pair && random_.chance(30)) {
            const int back = random_.below(half);
            if (fits(reference::to_any, back)) step({action::push, fresh, back, 0});
        }
        int owner = none, id = model_.root(anchor);
        for (int left = random_.below(12); left != 0 && id != none; --left) {
            if (layout_of(model_.node(id).type).vector) owner = id;
            int next = none, seen = 0;
            model_.node(id).for_each_place([&](int target) {
                if (target != none && random_.below(++seen) == 0) next = target;
            });
            id = next;
        }
        if (ok() && owner != none && model_.root(k) != none && fits(reference::to_any, k)) step({action::push, owner, k, 1});
    }

    /// A node in front of the chain that root 0 holds, if there is room for one there.
    void grow_chain() {
        step({action::make, 1, static_cast<int>(random_.chance(70) ? kind::keeper : kind::watcher), 0});
        if (!ok() || model_.root(1) == none || !fits(reference::to_any, 0)) return;
        const int fresh = model_.root(1);
        if (random_.chance(40)) step({action::watch_call, random_.below(settings_.weak_table), 1, random_.chance(30) ? 0 : none});
        if (ok() && model_.root(1) == fresh && fits(reference::to_any, 0)) step({action::move_in, fresh, 0, 0});
        if (ok()) step({action::move_root, 0, 1});
    }

    // Large ones seldom: they cost time.
    int random_kind() {
        if (settings_.weak_table != 0 && random_.chance(50)) {
            return static_cast<int>(random_.chance(60) ? kind::keeper : kind::watcher);
        }
        const int type = random_.below(kinds_without_farewell);
        const bool is_large = type == static_cast<int>(kind::large) || type == static_cast<int>(kind::huge);
        return is_large && !random_.chance(25) ? 0 : type;
    }

    operation choose() {
        for (;;) {
            const operation op = suggest();
            if (op.what != action::nothing) return op;
        }
    }

    /// An operation that is possible now, or nothing.
    operation suggest() {
        if (settings_.weak_table != 0 && random_.chance(20)) return suggest_weak();
        int dice = random_.below(200);
        const auto is = [&dice](int weight) { return (dice -= weight) < 0; };
        const int k = any_root();
        if (is(30)) {
            if (model_.alive() >= settings_.most_alive) return {action::drop_root, k};
            return {action::make, k, random_kind(), any_heap()};
        }
        if (is(1)) return {action::make_throw, any_heap()};
        if (is(7)) return {action::copy_root, k, any_root()};
        if (is(5)) return {action::move_root, k, any_root()};
        if (is(2)) return {action::swap_roots, k, any_root()};
        if (is(20)) return model_.root(k) == none ? operation{} : operation{action::drop_root, k};
        if (is(45)) {
            const bool moved = dice < -25;
            const int from = filled_root();
            if (from == none) return {};
            // A moved root often goes into its own object.
            const int id = moved && random_.chance(40) ? model_.root(from) : any_node();
            if (id == none) return {};
            const int place = any_place(id);
            if (place == none || !fits(type_of(id, place), from)) return {};
            return {moved ? action::move_in : action::link, id, place, from};
        }
        if (is(24)) {
            const int id = any_node();
            const int place = id == none ? none : any_place(id);
            if (place == none) return {};
            if (dice < -14) return {action::unlink, id, place};
            if (dice < -6) return {action::load, id, place, k};
            return {action::take, id, place, k};
        }
        if (is(8)) {
            const int id = any_node(), other = any_node();
            if (id == none || other == none) return {};
            const int i = any_place(id), j = any_place(other);
            if (i == none || j == none || type_of(id, i) != type_of(other, j)) return {};
            return {action::swap_places, id, i, other, j};
        }
        if (is(24)) {
            const int id = any_vector();
            if (id == none) return {};
            const auto size = static_cast<int>(model_.node(id).vector.size());
            if (dice < -14) return fits(reference::to_any, k) ? operation{action::push, id, k, random_.below(2)} : operation{};
            if (size == 0) return {};
            if (dice < -8) return fits(reference::to_any, k) ? operation{action::vector_set, id, random_.below(size), k} : operation{};
            if (dice < -2) return {action::vector_erase, id, random_.below(size)};
            return {action::vector_clear, id};
        }
        if (is(10)) {
            const int id = any_holder();
            if (id == none) return {};
            if (dice < -6) return fits(reference::to_any, k) ? operation{action::map_set, id, random_.below(5), k} : operation{};
            if (dice < -3) {
                const auto& m = model_.node(id).map;
                return m.empty() ? operation{} : operation{action::map_erase, id, m.begin()->first};
            }
            return {random_.chance(70) ? action::inner_make : action::inner_reset, id};
        }
        if (is(18)) return {action::collect, any_heap(), random_.below(3)};
        if (is(2)) return settings_.tiny_thresholds ? random_threshold(any_heap()) : operation{};
        if (is(2)) return {action::enable, any_heap(), random_.below(2)};
        if (is(2)) return settings_.heaps == 1 ? operation{} : operation{action::retire, 1 + random_.below(settings_.heaps - 1)};
        return {};
    }

    operation suggest_weak() {
        const int entry = random_.below(settings_.weak_table), other = random_.below(settings_.weak_table);
        int dice = random_.below(100);
        const auto is = [&dice](int weight) { return (dice -= weight) < 0; };
        if (is(40)) {
            const int k = filled_root();
            if (k == none) return {};
            if (dice < -25) return {action::watch, entry, k};
            return {action::watch_call, entry, k, random_.chance(40) ? any_root() : none};
        }
        if (is(10)) return {action::weak_drop, entry};
        if (is(5)) return {action::weak_copy, entry, other};
        if (is(10)) return {action::weak_lock, any_root(), entry};
        const int id = any_node();
        if (id == none || !layout_of(model_.node(id).type).weak) return {};
        return {dice < 25 ? action::weak_put : action::weak_get, dice < 25 ? id : entry, dice < 25 ? entry : id};
    }

    const settings settings_;
    random_source random_;
    const bool verbose_;
    plain_model model_;
    world world_;
    int steps_ = 0;
    operation last_;
    std::string error_;
};

settings short_program(std::uint64_t seed) {
    random_source r(seed ^ 0x517cc1b727220a95u);
    settings s;
    s.seed = seed;
    s.steps = 60 + r.below(141);
    s.roots = 2 + r.below(12);
    s.heaps = r.chance(60) ? 1 : 2 + r.below(3);
    constexpr int shares[] = {0, 0, 10, 40, 90};
    s.acting_destructors = shares[r.below(5)];
    s.most_alive = 5 + r.below(80);
    s.tiny_thresholds = r.chance(40);
    s.paced = !s.tiny_thresholds && r.chance(60);
    s.own_first_heap = r.chance(30);
    // What destructors do is compared after every step in any case.
    s.check_every = seed % 4 == 0 ? 1 : 6;
    return s;
}

settings program_with_farewells(std::uint64_t seed) {
    settings s = short_program(seed);
    s.weak_table = 2 + random_source(seed).below(8);
    if (seed % 8 == 0) {
        s.weak_table = 40;
        s.chain_at_first = 60;
        s.most_alive = 100;
        s.check_every = 6;
    }
    return s;
}

settings long_program(std::uint64_t seed) {
    settings s = short_program(seed);
    s.steps = 1000;
    s.roots = 60;
    s.most_alive = 14'000;
    s.nodes_at_first = 15'000; // of which some die young
    s.acting_destructors = s.acting_destructors != 0 ? 1 : 0; // each may collect all of it
    s.check_every = 500;
    s.tiny_thresholds = s.paced = false;
    return s;
}

long setting(const char* name, long otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? std::strtol(text, nullptr, 10) : otherwise;
}

void run_programs(std::uint64_t first, std::uint64_t last, settings (*shape_of)(std::uint64_t)) {
    for (std::uint64_t seed = first; seed != last; ++seed) {
        const std::string wrong = program(shape_of(seed)).run();
        INFO("run again with PYGC_MODEL_SEED=" << seed);
        REQUIRE(wrong == "");
    }
}

} // namespace

TEST_CASE("random programs agree with the model, seeds 1 to 1000", "[program]") {
    if (const long seed = setting("PYGC_MODEL_SEED", 0); seed != 0) {
        const bool farewells = setting("PYGC_MODEL_FAREWELLS", 0) != 0;
        settings s = (farewells ? program_with_farewells : short_program)(static_cast<std::uint64_t>(seed));
        s.steps = static_cast<int>(setting("PYGC_MODEL_STEPS", s.steps));
        s.check_every = 1;
        std::fprintf(stderr, "seed %ld: %d steps, %d roots, %d heaps, %d %% of the destructors act\n", seed, s.steps,
                     s.roots, s.heaps, s.acting_destructors);
        REQUIRE(program(s, true).run() == "");
        return;
    }
    run_programs(1, 1001, short_program);
}

TEST_CASE("random programs agree with the model, seeds 1001 to 2000", "[programs]") {
    run_programs(1001, 2001, short_program);
}

TEST_CASE("random programs agree with the model, seeds 2001 to 3000", "[programs]") {
    run_programs(2001, 3001, short_program);
}

TEST_CASE("random programs with finalizers and weak references agree with the model", "[programs][farewell]") {
    run_programs(6001, 6801, program_with_farewells);
}

TEST_CASE("random programs over ten thousand nodes agree with the model", "[programs]") {
    run_programs(1, 5, long_program);
}

TEST_CASE("random programs on two threads at once agree with the model", "[programs]") {
    static_cast<void>(nesting_limit());
    // Whether a thread's own heap also collects those that have ended depends on what the other thread does.
    static auto const of_heaps = [](std::uint64_t seed) {
        settings s = short_program(seed);
        s.own_first_heap = true;
        return s;
    };
    std::string wrong;
    std::thread other([&wrong] {
        for (std::uint64_t seed = 4000; seed != 4100 && wrong.empty(); ++seed) wrong = program(of_heaps(seed)).run();
    });
    std::string wrong_here;
    for (std::uint64_t seed = 5000; seed != 5100 && wrong_here.empty(); ++seed) {
        wrong_here = program(of_heaps(seed)).run();
    }
    other.join();
    CHECK(wrong == "");
    CHECK(wrong_here == "");
}
