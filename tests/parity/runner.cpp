// SPDX-License-Identifier: BSL-1.0
// Runs parity scenarios with pygc and prints what can be observed after each operation, as runner.py does with Python.
//
// usage: runner [--lie collect|event|generation|alive|weak|referrers|count|stats] < scenarios > observations
//
// With --lie it says one thing that isn't so, once: the comparison must notice.
#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

namespace {

using words = std::vector<std::string>;

struct world;
world* current = nullptr;
std::string lie;

/// Whether now is the time for the lie that was asked for.
bool lies(std::string_view about) {
    if (lie != about) return false;
    lie.clear();
    return true;
}

struct node : pygc::py_object {
    explicit node(int n) : number(n) {}
    ~node();

    void traverse(auto& visit) { visit(links, w); }

    int number;
    std::array<pygc::py_ref<node>, 4> links;
    pygc::py_weakref<node> w;
};

struct finalized_node : node {
    finalized_node(int n, words what) : node(n), action(std::move(what)) {}

    void finalize();

    words action;
};

using node_ref = pygc::py_ref<node>;
using weak_ref = pygc::py_weakref<node>;

int number_of(const std::string& name) { return std::stoi(name.substr(1)); }

words split(const std::string& text, char at) {
    words parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, at);) {
        if (!part.empty()) parts.push_back(part);
    }
    return parts;
}

/// Puts a value somewhere; what was there dies when the place is in order already.
template <class T>
void replace(T& place, T value) {
    std::swap(place, value);
}

struct world {
    std::map<std::string, node_ref> roots;
    std::map<std::string, weak_ref> weak;
    std::map<int, node*> alive;
    std::map<int, words> events;
    std::set<std::pair<std::string, int>> kinds; // of the finalizers that ran
    std::array<pygc::generation_stats, 3> stats = pygc::get_stats();
    bool records_are_objects = false;
    std::string phases; // what the collector's callbacks were told

    void event(int number, std::string what) {
        if (!lies("event")) events[number].push_back(std::move(what));
    }

    node_ref make(int number, words action) {
        node_ref made = action.empty() ? pygc::make_ref<node>(number)
                                       : node_ref(pygc::make_ref<finalized_node>(number, std::move(action)));
        alive[number] = made.get();
        return made;
    }

    void finalize(finalized_node& self) {
        const words& action = self.action;
        const std::string& kind = action[0];
        event(self.number, kind == "look" ? "del" + look(action[1]) : "del");
        kinds.emplace(kind, self.number);
        if (kind == "save") {
            replace(roots[action[1]], node_ref::borrow(&self));
        } else if (kind == "break") {
            for (node_ref& link : self.links) link = nullptr;
        } else if (kind == "new") {
            replace(roots[action[2]], make(number_of(action[1]), {}));
        } else if (kind == "cycle") {
            node_ref made = make(number_of(action[1]), {});
            made->links[0] = made;
        } else if (kind == "drop") {
            replace(roots[action[1]], node_ref());
        }
    }

    std::string look(const std::string& name) const {
        const auto found = weak.find(name);
        const char* seen = found == weak.end() ? "none" : found->second.lock() ? "alive" : "dead";
        return "(" + name + "=" + seen + ")";
    }

    void called(const weak_ref& self, int target, const std::string& name, const words& action) {
        std::string what = name;
        if (self.lock() != nullptr || !self.expired()) what += "!alive";
        if (!action.empty() && action[0] == "look") what += look(action[1]);
        event(target, what);
        if (!action.empty() && action[0] == "forget") put_weak_in_table(action[1], weak_ref());
    }

    // Paths: a root, or a slot of a node that is reached from a root. Null if that node doesn't exist.
    node_ref* place(const words& path) {
        node_ref* at = &roots[path[0]];
        for (std::size_t i = 1; i != path.size(); ++i) {
            if (*at == nullptr) return nullptr;
            at = &(*at)->links[static_cast<std::size_t>(path[i][0] - 'a')];
        }
        return at;
    }

    node_ref get(const std::string& path) {
        const node_ref* at = place(split(path, '.'));
        return at == nullptr ? node_ref() : *at;
    }

    /// The slot for a weak reference in a node, for a path that ends in `.w`.
    weak_ref* weak_place(words path) {
        path.pop_back();
        const node_ref* owner = place(path);
        return owner == nullptr || *owner == nullptr ? nullptr : &(*owner)->w;
    }

    void put_weak_in_table(const std::string& name, weak_ref value) {
        const auto found = weak.find(name);
        if (found == weak.end()) {
            if (value != nullptr) weak.emplace(name, std::move(value));
            return;
        }
        replace(found->second, value);
        if (value == nullptr) weak.erase(name);
    }

    static const char* said(bool done) { return done ? "" : "null"; }

    bool put_weak(const std::string& name, weak_ref value) {
        const words path = split(name, '.');
        if (path.size() == 1) {
            if (value == nullptr && weak.find(name) == weak.end()) return false;
            put_weak_in_table(name, std::move(value));
            return true;
        }
        weak_ref* at = weak_place(path);
        if (at == nullptr) return false;
        replace(*at, std::move(value));
        return true;
    }

    weak_ref get_weak(const std::string& name) {
        const words path = split(name, '.');
        if (path.size() == 1) {
            const auto found = weak.find(name);
            return found == weak.end() ? weak_ref() : found->second;
        }
        const weak_ref* at = weak_place(path);
        return at == nullptr ? weak_ref() : *at;
    }

    std::string link(const words& op) {
        node_ref value = get(op[2]);
        node_ref* to = place(split(op[1], '.'));
        if (to == nullptr) return "null";
        *to = std::move(value);
        return "";
    }

    std::string unlink(const words& op) {
        node_ref* to = place(split(op[1], '.'));
        if (to == nullptr) return "null";
        *to = nullptr;
        return "";
    }

    std::string move(const words& op) {
        if (op[1] == op[2]) return "same";
        node_ref* to = place(split(op[1], '.'));
        node_ref* from = place(split(op[2], '.'));
        if (to == nullptr || from == nullptr) return "null";
        if (to == from) return "same";
        *to = std::move(*from);
        return "";
    }

    std::string make_weak(const words& op) {
        const node_ref target = get(op[2]);
        if (target == nullptr) return "null";
        const words path = split(op[1], '.');
        if (path.size() > 1 && weak_place(path) == nullptr) return "null";
        weak_ref made;
        if (op.size() < 4) {
            made = weak_ref(target);
        } else {
            const words action(op.begin() + 5, op.end());
            auto call = [number = target->number, name = op[4], action](const weak_ref& self) {
                current->called(self, number, name, action);
            };
            if (!action.empty() && action[0] == "holds") {
                // What is named beside the callback is visible to the collector.
                auto ignore_held = [call](const weak_ref& self, const node_ref&) { call(self); };
                made = weak_ref(target, ignore_held, get(action[1]));
            } else {
                made = weak_ref(target, call);
            }
        }
        put_weak(op[1], std::move(made));
        return "";
    }

    std::string lock(const words& op) {
        const weak_ref from = get_weak(op[2]);
        if (from == nullptr) return "null";
        node_ref seen = from.lock();
        std::string said = seen == nullptr ? "dead" : "n" + std::to_string(seen->number);
        replace(roots[op[1]], std::move(seen));
        return said;
    }

    std::string collect(const words& op) {
        std::size_t found = pygc::collect(op.size() > 1 ? std::stoi(op[1]) : 2);
        if (found != 0 && lies("collect")) ++found;
        return std::to_string(found) + " (" + std::exchange(phases, "") + ")";
    }

    void note_phase(pygc::collection_phase phase, const pygc::collection_info& info) {
        const std::string generation = std::to_string(info.generation);
        if (phase == pygc::collection_phase::start) {
            phases += "start " + generation + ", ";
        } else {
            phases +=
                "stop " + generation + ": " + std::to_string(info.collected) + " " + std::to_string(info.uncollectable);
        }
    }

    std::string run(const words& op) {
        const std::string& what = op[0];
        if (what == "make") {
            replace(roots[op[1]], make(number_of(op[2]), words(op.begin() + 3, op.end())));
            return "";
        }
        if (what == "link" || what == "copy") return link(op);
        if (what == "unlink" || what == "drop") return unlink(op);
        if (what == "move") return move(op);
        if (what == "weak") return make_weak(op);
        if (what == "weakcopy") {
            weak_ref value = get_weak(op[2]);
            return said(value != nullptr && put_weak(op[1], std::move(value)));
        }
        if (what == "dropweak") return said(put_weak(op[1], weak_ref()));
        if (what == "lock") return lock(op);
        if (what == "freeze") pygc::freeze();
        if (what == "unfreeze") pygc::unfreeze();
        if (what == "collect") return collect(op);
        return "";
    }

    // What can be observed.
    static std::string weak_text(const weak_ref& w) {
        const node_ref seen = w.lock();
        if ((seen == nullptr) != w.expired()) return "inconsistent";
        return seen == nullptr || lies("weak") ? "-" : "n" + std::to_string(seen->number);
    }

    std::string numbers(const pygc::object_list& objects) const {
        std::vector<int> found;
        for (const auto& o : objects) {
            for (const auto& [number, n] : alive) {
                if (o.get() == n) found.push_back(number);
            }
        }
        std::sort(found.begin(), found.end());
        if (!found.empty() && lies("referrers")) found.pop_back();
        std::string text = "[";
        for (int number : found) text += (text.size() > 1 ? "," : "") + std::to_string(number);
        return text + "]";
    }

    std::string node_text(const node& n, std::string generation, bool thorough) {
        const node_ref r = node_ref::borrow(alive[n.number]);
        if (lies("generation")) generation = "F";
        std::string text = "n" + std::to_string(n.number) + ":" + generation;
        if (pygc::is_finalized(r)) text += "f";
        if (!pygc::is_tracked(r)) text += "u";
        if (n.w != nullptr) text += "(w=" + weak_text(n.w) + ")";
        if (thorough) {
            text += "[to" + numbers(pygc::get_referents(r));
            text += "by" + numbers(pygc::get_referrers(r));
            text += "weak" + std::to_string(pygc::get_weakref_count(r)) + "]";
        }
        return text;
    }

    std::string state(bool thorough, bool unsettled) {
        std::map<const pygc::py_object*, int> generation;
        for (int g = 0; g != 3; ++g) {
            for (const auto& o : pygc::get_objects(g)) generation[o.get()] = g;
        }
        std::string text;
        std::size_t frozen = 0;
        for (const auto& [number, n] : alive) {
            if (number == alive.rbegin()->first && lies("alive")) break;
            const auto found = generation.find(n);
            std::string where = found == generation.end() ? "F" : std::to_string(found->second);
            frozen += where == "F";
            text += (text.empty() ? "" : " ") + node_text(*n, unsettled ? "?" : where, thorough);
        }
        // Frozen records of weak references are counted too, where there are any.
        if (!records_are_objects) frozen = pygc::get_freeze_count();
        const auto count = pygc::get_count();
        text += " | " + std::to_string(frozen) + " " + std::to_string(count[1] + (lies("count") ? 1 : 0)) + "," +
                std::to_string(count[2]) + " |";
        for (const auto& [name, w] : weak) text += " " + name + "=" + weak_text(w);
        return weak.empty() ? text + " " : text;
    }

    std::string stats_text() const {
        const auto now = pygc::get_stats();
        std::string text;
        for (std::size_t g = 0; g != 3; ++g) {
            text += (g == 0 ? "" : " ") + std::to_string(now[g].collections - stats[g].collections) + ":" +
                    std::to_string(now[g].collected - stats[g].collected + (lies("stats") ? 1 : 0)) + ":" +
                    std::to_string(now[g].uncollectable - stats[g].uncollectable);
        }
        return text;
    }

    std::string events_text() const {
        std::string text;
        for (const auto& [number, list] : events) {
            text += (text.empty() ? "n" : " n") + std::to_string(number) + ":";
            for (const std::string& what : list) text += (text.back() == ':' ? "" : ",") + what;
        }
        return text;
    }

    /// The rule "order of finalizers": see README.md.
    bool order_matters() const {
        for (const auto& [kind, number] : kinds) {
            if (kind != "save") continue;
            for (const auto& [other, its_number] : kinds) {
                if ((other == "break" || other == "drop") && its_number != number) return true;
            }
        }
        return false;
    }

    void let_go() {
        for (auto& [name, r] : roots) r = nullptr;
        while (!weak.empty()) put_weak_in_table(weak.begin()->first, weak_ref());
    }
};

node::~node() {
    current->alive.erase(number);
    // As Python: slot by slot, the weak reference last.
    for (node_ref& link : links) link = nullptr;
}
void finalized_node::finalize() { current->finalize(*this); }

void run(const std::string& name, std::vector<words> ops) {
    pygc::heap objects;
    const pygc::heap::scope use(objects);
    pygc::disable();
    world w;
    current = &w;
    pygc::callbacks().append([&w](pygc::collection_phase p, const pygc::collection_info& i) { w.note_phase(p, i); });
    for (const words& op : ops) {
        w.records_are_objects |= std::find(op.begin(), op.end(), "cb") != op.end();
    }
    std::cout << "scenario " << name << '\n';
    for (std::size_t line = 0; line != ops.size();) {
        const words op = ops[line++];
        w.events.clear();
        w.kinds.clear();
        const std::string result = w.run(op);
        const bool unsettled = op[0] == "collect" && w.order_matters();
        std::cout << line;
        for (const std::string& word : op) std::cout << ' ' << word;
        std::cout << " -> " << result << " | " << w.events_text() << " | " << w.state(op[0] == "check", unsettled);
        if (op[0] == "collect") std::cout << " | " << w.stats_text();
        std::cout << '\n';
        if (unsettled) ops.insert(ops.begin() + static_cast<std::ptrdiff_t>(line), {"collect", "2"});
    }
    pygc::unfreeze();
    // Whatever the scenario left behind must go, though finalizers may save one after the other.
    for (int i = 0; i != 20 && (i == 0 || !w.alive.empty()); ++i) {
        w.let_go();
        pygc::collect();
    }
    std::cout << "end " << w.alive.size() << std::endl; // a crash must not take the output with it
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::string_view(argv[1]) == "--lie") lie = argv[2];
    std::ios::sync_with_stdio(false);
    std::string name;
    std::vector<words> ops;
    for (std::string line; std::getline(std::cin, line);) {
        const words op = split(line.substr(0, line.find('#')), ' ');
        if (op.empty()) continue;
        if (op[0] == "scenario") {
            if (!ops.empty()) run(name, std::move(ops));
            ops.clear();
            name = op.size() > 1 ? op[1] : "";
        } else {
            ops.push_back(op);
        }
    }
    if (!ops.empty()) run(name, ops);
}
