// SPDX-License-Identifier: BSL-1.0
// The workloads, each written once for all memory policies; the other languages do the same steps.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "policy.hpp"
#include "run.hpp"

namespace bench {

// A class lists what it owns in each_owned; traverse, which only pygc calls, shows that and what leads back.

struct tree : object<tree> {
    ref<tree> left{}, right{};

    void each_owned(auto&& f) { f(left), f(right); }
    void traverse(auto& visit) { visit(left, right); }
};

struct parent_tree : object<parent_tree> {
    ref<parent_tree> left{}, right{};
    back<parent_tree> parent{};

    void each_owned(auto&& f) { f(left), f(right); }
    void traverse(auto& visit) { visit(left, right, parent); }
};

/// A link of lists and rings.
struct link : object<link> {
    ref<link> next{};
    back<link> before{};
    std::int64_t value = 0;

    void each_owned(auto&& f) { f(next); }
    void traverse(auto& visit) { visit(next, before); }
};

/// Two references and a 64-bit value.
struct node : object<node> {
    ref<node> next{}, other{};
    std::int64_t value = 0;

    void each_owned(auto&& f) { f(next), f(other); }
    void traverse(auto& visit) { visit(next, other); }
};

template <class Tree>
ref<Tree> make_tree(std::int64_t depth) {
    auto t = policy::make<Tree>();
    if (depth > 0) {
        t->left = make_tree<Tree>(depth - 1);
        t->right = make_tree<Tree>(depth - 1);
        if constexpr (requires { t->parent; }) {
            t->left->parent = policy::back_to(t);
            t->right->parent = policy::back_to(t);
        }
    }
    return t;
}

template <class Tree>
std::int64_t count_nodes(const ref<Tree>& t) {
    return t->left == nullptr ? 1 : 1 + count_nodes<Tree>(t->left) + count_nodes<Tree>(t->right);
}

// Binary trees, without and with parents.

inline outcome trees(const parameters& p) {
    const std::int64_t deepest = p["depth"];
    outcome result;
    const processor_time watch;
    const auto count_and_drop = [&result](ref<tree>& t) {
        const std::int64_t nodes = count_nodes<tree>(t);
        result.items += nodes;
        policy::drop(t);
        return nodes;
    };
    auto stretch = make_tree<tree>(deepest + 1);
    result.checksum = count_and_drop(stretch);
    auto long_lived = make_tree<tree>(deepest);
    for (std::int64_t depth = 4; depth <= deepest; depth += 2) {
        std::int64_t nodes = 0;
        for (std::int64_t left = std::int64_t{1} << (deepest - depth + 4); left != 0; --left) {
            auto t = make_tree<tree>(depth);
            nodes += count_and_drop(t);
        }
        result.checksum += nodes * depth;
    }
    result.checksum += count_and_drop(long_lived);
    result.nanoseconds = watch.elapsed();
    return result;
}

inline outcome parents(const parameters& p) {
    outcome result;
    const processor_time watch;
    for (std::int64_t i = p["trees"]; i != 0; --i) {
        auto t = make_tree<parent_tree>(p["depth"]);
        result.items += count_nodes<parent_tree>(t);
        policy::drop(t);
    }
    result.nanoseconds = watch.elapsed();
    result.checksum = result.items;
    return result;
}

// Lists, pairs, rings, a chain.

/// A doubly linked list of `count` links; the last one is left in `last`.
inline ref<link> make_list(std::int64_t count, ref<link>& last) {
    auto head = policy::make<link>();
    last = head;
    for (std::int64_t i = 1; i != count; ++i) {
        auto added = policy::make<link>();
        added->value = i;
        added->before = policy::back_to(last);
        last->next = added;
        last = std::move(added);
    }
    return head;
}

inline std::int64_t sum_of(link* l) {
    std::int64_t sum = 0;
    for (; l != nullptr; l = policy::address<link>(l->next)) sum += l->value;
    return sum;
}

inline outcome lists(const parameters& p) {
    outcome result;
    const processor_time watch;
    for (std::int64_t i = p["lists"]; i != 0; --i) {
        ref<link> last{};
        auto head = make_list(p["length"], last);
        last = nullptr;
        result.checksum += sum_of(policy::address<link>(head));
        if constexpr (policy::by_hand) {
            unlink<link>(head);
        } else {
            policy::drop(head);
        }
    }
    result.nanoseconds = watch.elapsed();
    result.items = p["lists"] * p["length"];
    return result;
}

inline outcome pairs(const parameters& p) {
    outcome result;
    const processor_time watch;
    for (std::int64_t i = p["pairs"]; i != 0; --i) {
        auto first = policy::make<link>();
        auto second = policy::make<link>();
        second->value = i % 7;
        second->before = policy::back_to(first);
        first->next = std::move(second);
        result.checksum += first->next->value;
        policy::drop(first);
    }
    result.nanoseconds = watch.elapsed();
    result.items = 2 * p["pairs"];
    return result;
}

/// One chain made and dropped. Nothing helps those who drop it recursively.
inline outcome chain(const parameters& p) {
    outcome result;
    const std::int64_t length = p["length"];
    const processor_time watch;
    ref<node> head{};
    for (std::int64_t i = 0; i != length; ++i) {
        auto added = policy::make<node>();
        added->value = i;
        added->next = std::move(head);
        head = std::move(added);
    }
    result.checksum = head->value;
    const processor_time drop_watch;
    if constexpr (policy::by_hand) {
        unlink<node>(head);
    } else {
        policy::drop(head);
        if constexpr (!policy::destroys) policy::collect();
    }
    result.more["drop_ns_each"] = drop_watch.elapsed() / static_cast<double>(length);
    result.nanoseconds = watch.elapsed();
    result.items = length;
    return result;
}

/// Rings whose every link owns the next one; those who only count cut them by hand.
inline outcome ring(const parameters& p) {
    outcome result;
    const std::int64_t length = p["length"];
    const processor_time watch;
    for (std::int64_t i = p["rings"]; i != 0; --i) {
        auto first = policy::make<node>();
        first->value = i;
        ref<node> head = first;
        for (std::int64_t j = 1; j != length; ++j) {
            auto added = policy::make<node>();
            added->value = j % 7;
            added->next = std::move(head);
            head = std::move(added);
        }
        result.checksum += head->value;
        first->next = head;
        first = nullptr;
        unlink<node>(head);
    }
    policy::collect();
    result.nanoseconds = watch.elapsed();
    result.items = p["rings"] * length;
    return result;
}

// A live heap: growing, and collected in full.

inline outcome growth(const parameters& p) {
    outcome result;
    const std::int64_t count = p["nodes"];
    if (p["collect"] == 0) policy::disable();
    const std::int64_t before = resident_bytes();
    const processor_time watch;
    ref<node> head{};
    for (std::int64_t i = 0; i != count; ++i) {
        auto added = policy::make<node>();
        added->value = i % 7;
        added->next = std::move(head);
        head = std::move(added);
    }
    result.nanoseconds = watch.elapsed();
    result.more["bytes_each"] = static_cast<double>(resident_bytes() - before) / static_cast<double>(count);
    result.items = count;
    for (node* n = policy::address<node>(head); n != nullptr; n = policy::address<node>(n->next))
        result.checksum += n->value;
    result.print();
    std::fflush(stdout);
    std::_Exit(0); // to drop the list is the business of another workload
}

/// Copies a reference and drops the copy: collectors that start from candidates have one then.
template <class Ref>
void touch(const Ref& r) {
    const Ref copy = r;
    escape(&copy);
}

/// Marks all nodes, depth first, as a program would that only wants to visit them.
inline void walk(const policy::vector<ref<node>>& roots, std::vector<node*>& pending, std::int64_t mark) {
    for (const auto& root : roots) {
        pending.push_back(policy::address<node>(root));
        while (!pending.empty()) {
            node* n = pending.back();
            pending.pop_back();
            if (n->value == mark) continue;
            n->value = mark;
            pending.push_back(policy::address<node>(n->next));
            pending.push_back(policy::address<node>(n->other));
        }
    }
}

/// Nodes that refer to two random ones each, all held by an array, collected in full several times. By hand
/// there is nothing to collect: that one walks over all nodes.
inline outcome full(const parameters& p) {
    outcome result;
    const std::int64_t count = p["nodes"];
    policy::disable();
    policy::vector<ref<node>> nodes(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i != count; ++i) {
        nodes[static_cast<std::size_t>(i)] = policy::make<node>();
        nodes[static_cast<std::size_t>(i)]->value = i;
    }
    random_numbers random;
    for (auto& n : nodes) {
        n->next = nodes[static_cast<std::size_t>(random.below(count))];
        n->other = nodes[static_cast<std::size_t>(random.below(count))];
        result.checksum = (result.checksum + n->next->value * 3 + n->other->value) % 1000003;
    }
    policy::enable(); // libgc would refuse to collect
    std::vector<node*> pending;
    std::int64_t mark = count;
    const processor_time watch;
    for (std::int64_t i = p["collections"]; i != 0; --i) {
        if constexpr (policy::by_hand) {
            walk(nodes, pending, ++mark);
        } else {
            touch(nodes[static_cast<std::size_t>(i)]);
            policy::collect();
        }
    }
    result.nanoseconds = watch.elapsed();
    result.items = count * p["collections"];
    escape(nodes.data()); // alive until here
    result.print();
    std::fflush(stdout);
    std::_Exit(0);
}

// Pauses.

struct message;

struct content : object<content> {
    back<message> owner{};
    std::array<char, 1024> text;

    void each_owned(auto&&) {}
    void traverse(auto& visit) { visit(owner); }
};

struct message : object<message> {
    ref<content> body{};

    void each_owned(auto&& f) { f(body); }
    void traverse(auto& visit) { visit(body); }
};

/// A window of messages over a long stream: each push makes a cycle of two and lets the oldest go.
inline outcome window(const parameters& p) {
    outcome result;
    const std::int64_t size = p["window"], count = p["pushes"];
    policy::vector<ref<message>> kept(static_cast<std::size_t>(size));
    pauses times(count);
    const processor_time watch;
    times.begin();
    for (std::int64_t i = 0; i != count; ++i) {
        auto& slot = kept[static_cast<std::size_t>(i % size)];
        if (slot != nullptr) result.checksum += slot->body->text[512];
        auto pushed = policy::make<message>();
        pushed->body = policy::make<content>();
        pushed->body->text.fill(static_cast<char>(i % 100));
        pushed->body->owner = policy::back_to(pushed);
        if constexpr (policy::by_hand) policy::drop(slot);
        slot = std::move(pushed);
        times.step();
    }
    result.nanoseconds = watch.elapsed();
    result.items = count;
    result.add(times);
    for (auto& slot : kept) policy::drop(slot);
    return result;
}

struct hub;

struct spoke : object<spoke> {
    back<hub> center{};

    void each_owned(auto&&) {}
    void traverse(auto& visit) { visit(center); }
};

struct hub : object<hub> {
    policy::vector<ref<spoke>> spokes;

    void each_owned(auto&& f) {
        for (auto& s : spokes) f(s);
    }
    void traverse(auto& visit) { visit(spokes); }
};

struct visitor_pair : object<visitor_pair> {
    ref<visitor_pair> other{};
    back<visitor_pair> before{};
    ref<hub> visited{};

    void each_owned(auto&& f) { f(other); } // the hub is not theirs
    void traverse(auto& visit) { visit(other, before, visited); }
};

/// Small cyclic garbage that refers to a hub of many living objects, tick by tick.
inline outcome hub_trap(const parameters& p) {
    outcome result;
    auto center = policy::make<hub>();
    for (std::int64_t i = p["spokes"]; i != 0; --i) {
        auto s = policy::make<spoke>();
        s->center = policy::back_to(center);
        center->spokes.push_back(std::move(s));
    }
    policy::collect();
    pauses times(p["ticks"]);
    const processor_time watch;
    times.begin();
    for (std::int64_t i = p["ticks"]; i != 0; --i) {
        auto first = policy::make<visitor_pair>();
        auto second = policy::make<visitor_pair>();
        first->visited = center;
        second->before = policy::back_to(first);
        first->other = std::move(second);
        result.checksum += static_cast<std::int64_t>(first->visited->spokes.size()) % 997;
        policy::drop(first);
        times.step();
    }
    result.nanoseconds = watch.elapsed();
    result.items = p["ticks"];
    result.add(times);
    policy::drop(center);
    return result;
}

// GCBench: long-lived structures beside trees built from the top and from the bottom.

inline void populate(const ref<tree>& t, std::int64_t depth) {
    if (depth <= 0) return;
    t->left = policy::make<tree>();
    t->right = policy::make<tree>();
    populate(t->left, depth - 1);
    populate(t->right, depth - 1);
}

inline outcome gcbench(const parameters& p) {
    outcome result;
    const std::int64_t stretch_depth = p["stretch"], deepest = p["deepest"];
    const auto size_of = [](std::int64_t depth) { return (std::int64_t{2} << depth) - 1; };
    const processor_time watch;
    auto stretch = make_tree<tree>(stretch_depth);
    policy::drop(stretch);
    auto long_lived = policy::make<tree>();
    populate(long_lived, p["long_lived"]);
    policy::vector<double> numbers(static_cast<std::size_t>(p["array"]));
    for (std::size_t i = 0; i != numbers.size(); ++i) numbers[i] = 1.0 / static_cast<double>(i + 1);
    result.items = size_of(stretch_depth) + size_of(p["long_lived"]);
    for (std::int64_t depth = 4; depth <= deepest; depth += 2) {
        const std::int64_t times = 2 * size_of(stretch_depth) / size_of(depth);
        for (std::int64_t i = 0; i != times; ++i) {
            auto from_top = policy::make<tree>();
            populate(from_top, depth);
            policy::drop(from_top);
        }
        for (std::int64_t i = 0; i != times; ++i) {
            auto from_bottom = make_tree<tree>(depth);
            policy::drop(from_bottom);
        }
        result.items += 2 * times * size_of(depth);
    }
    result.nanoseconds = watch.elapsed();
    result.checksum = count_nodes<tree>(long_lived) + std::lround(1.0 / numbers[999]);
    policy::drop(long_lived);
    return result;
}

// The shapes of pyperformance's gc_collect and gc_traversal.

/// Many rings of links that know both neighbours, garbage at once, then an explicit collection.
inline outcome collect_rings(const parameters& p) {
    outcome result;
    double collecting = 0;
    const std::int64_t links = p["links"];
    policy::vector<ref<link>> rings(static_cast<std::size_t>(p["cycles"]));
    const processor_time watch;
    for (std::int64_t i = p["loops"]; i != 0; --i) {
        for (auto& head : rings) {
            ref<link> last{};
            head = make_list(links, last);
            head->before = policy::back_to(last);
            last->next = head;
            result.checksum += head->next->value;
        }
        const processor_time collect_watch;
        for (auto& head : rings) unlink<link>(head);
        policy::collect();
        collecting += collect_watch.elapsed();
    }
    result.nanoseconds = watch.elapsed();
    result.items = p["loops"] * p["cycles"] * p["links"];
    result.more["collect_ns_each"] = collecting / static_cast<double>(result.items);
    return result;
}

struct container : object<container> {
    policy::vector<ref<container>> items;

    void each_owned(auto&& f) {
        for (auto& i : items) f(i);
    }
    void traverse(auto& visit) { visit(items); }
};

/// Level n is a container that refers n times to level n - 1: few objects, many references, all alive.
inline outcome traversal(const parameters& p) {
    outcome result;
    const std::int64_t levels = p["levels"];
    ref<container> current = policy::make<container>();
    for (std::int64_t n = 0; n != levels; ++n) {
        auto added = policy::make<container>();
        added->items.assign(static_cast<std::size_t>(n), current);
        result.checksum += static_cast<std::int64_t>(added->items.size());
        current = std::move(added);
    }
    const processor_time watch;
    for (std::int64_t i = p["collections"]; i != 0; --i) {
        touch(current);
        policy::collect();
    }
    result.nanoseconds = watch.elapsed();
    result.items = p["collections"] * result.checksum;
    result.checksum += static_cast<std::int64_t>(current->items.size()); // alive until here
    return result;
}

// A random graph that changes all the time.

struct crossing : object<crossing> {
    std::array<ref<crossing>, 4> to{};
    std::int64_t value = 0;

    void each_owned(auto&&) {}
    void traverse(auto& visit) { visit(to); }
};

/// Only for those who find cycles themselves: a table of references, and operations drawn at random: put a new
/// node, connect two, follow an edge.
inline outcome stress(const parameters& p) {
    outcome result;
    const std::int64_t slots = p["slots"];
    policy::vector<ref<crossing>> table(static_cast<std::size_t>(slots));
    for (auto& slot : table) slot = policy::make<crossing>();
    random_numbers random;
    const auto any = [&]() -> ref<crossing>& { return table[static_cast<std::size_t>(random.below(slots))]; };
    const processor_time watch;
    for (std::int64_t i = p["operations"]; i != 0; --i) {
        const std::int64_t what = random.below(8);
        if (what < 2) {
            auto& slot = any();
            slot = policy::make<crossing>();
            slot->value = i % 1000;
        } else if (what < 6) {
            auto& from = any();
            auto& edge = from->to[static_cast<std::size_t>(random.below(4))];
            edge = any();
        } else {
            auto& slot = any();
            const auto& edge = slot->to[static_cast<std::size_t>(random.below(4))];
            if (edge != nullptr) {
                ref<crossing> target = edge;
                slot = std::move(target);
            }
        }
    }
    result.nanoseconds = watch.elapsed();
    result.items = p["operations"];
    for (auto& slot : table) {
        result.checksum += slot->value;
        for (auto& edge : slot->to)
            if (edge != nullptr) result.checksum += edge->value;
    }
    return result;
}

// Nim's torcbench: a list of strings beside many trees that know their parents.

struct text_link : object<text_link> {
    ref<text_link> next{};
    back<text_link> before{};
    bytes text{};

    void each_owned(auto&& f) { f(next); }
    void traverse(auto& visit) { visit(next, before); }
};

inline outcome lists_and_trees(const parameters& p) {
    outcome result;
    const std::int64_t length = p["length"], trees = p["trees"], depth = p["depth"];
    const processor_time watch;
    for (std::int64_t i = p["rounds"]; i != 0; --i) {
        auto head = policy::make<text_link>();
        ref<text_link> current = head;
        for (std::int64_t j = 1; j != length; ++j) {
            auto added = policy::make<text_link>();
            added->text = bytes(200, 'x');
            added->before = policy::back_to(current);
            current->next = added;
            result.checksum += static_cast<std::int64_t>(added->text.size());
            current = std::move(added);
        }
        current = nullptr;
        for (std::int64_t j = trees; j != 0; --j) {
            auto t = make_tree<parent_tree>(depth);
            result.items += count_nodes<parent_tree>(t);
            policy::drop(t);
        }
        if constexpr (policy::by_hand) {
            unlink<text_link>(head);
        } else {
            policy::drop(head);
        }
    }
    result.nanoseconds = watch.elapsed();
    result.checksum += result.items;
    result.items += p["rounds"] * length;
    return result;
}

// A cache: a hash map that owns its entries, which also know their neighbours in the order of use.

struct cached;

/// What is kept for a key; it knows its entry, and so each evicted entry is a cycle.
struct cached_value : object<cached_value> {
    back<cached> owner{};
    std::array<char, 64> text{};

    void each_owned(auto&&) {}
    void traverse(auto& visit) { visit(owner); }
};

struct cached : object<cached> {
    std::int64_t key = 0;
    ref<cached_value> value{};
    back<cached> older{}, newer{};

    void each_owned(auto&& f) { f(value); }
    void traverse(auto& visit) { visit(value, older, newer); }
};

struct cache : object<cache> {
    policy::map<std::int64_t, ref<cached>> entries;
    back<cached> oldest{}, newest{};

    void each_owned(auto&& f) {
        for (auto& [key, entry] : entries) f(entry);
    }
    void traverse(auto& visit) { visit(entries, oldest, newest); }

    void unlink(cached& e) {
        cached* const before = policy::follow<cached>(e.older);
        cached* const after = policy::follow<cached>(e.newer);
        (before != nullptr ? before->newer : oldest) = e.newer;
        (after != nullptr ? after->older : newest) = e.older;
    }
    void link_newest(const ref<cached>& e) {
        e->older = newest;
        e->newer = {};
        cached* const before = policy::follow<cached>(newest);
        (before != nullptr ? before->newer : oldest) = policy::back_to(e);
        newest = policy::back_to(e);
    }
    void evict() {
        cached* const dying = policy::follow<cached>(oldest);
        unlink(*dying);
        const auto found = entries.find(dying->key);
        if constexpr (policy::by_hand) policy::drop(found->second);
        entries.erase(found);
    }
};

/// Keys drawn such that small ones come more often; what is missing is put, and the entry that wasn't used for
/// longest makes room.
inline outcome lru(const parameters& p) {
    outcome result;
    const std::int64_t capacity = p["capacity"], keys = p["keys"], count = p["operations"];
    auto kept = policy::make<cache>();
    kept->entries.reserve(static_cast<std::size_t>(capacity) + 1);
    random_numbers random;
    pauses times(count);
    const processor_time watch;
    times.begin();
    for (std::int64_t i = 0; i != count; ++i) {
        const std::int64_t key = random.below(random.below(keys) + 1);
        auto& entry = kept->entries[key];
        if (entry != nullptr) {
            result.checksum += entry->value->text[7];
            kept->unlink(*entry);
        } else {
            entry = policy::make<cached>();
            entry->key = key;
            entry->value = policy::make<cached_value>();
            entry->value->text.fill(static_cast<char>(i % 100));
            entry->value->owner = policy::back_to(entry);
        }
        kept->link_newest(entry);
        if (static_cast<std::int64_t>(kept->entries.size()) > capacity) kept->evict();
        times.step();
    }
    result.nanoseconds = watch.elapsed();
    result.items = count;
    result.checksum += static_cast<std::int64_t>(kept->entries.size());
    result.add(times);
    policy::drop(kept);
    return result;
}

// Cyclotron's grid: cycles of one size, a payload each, a number of objects kept alive.

/// How many objects there are, dead ones that aren't destroyed yet included.
struct counted {
    inline static std::int64_t alive = 0;
    counted() { ++alive; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
    ~counted() { --alive; }
};

struct loaded : object<loaded>, counted {
    ref<loaded> next{};
    back<loaded> closing{};
    payload_bytes payload{};

    void each_owned(auto&& f) { f(next); }
    void traverse(auto& visit) { visit(next, closing); }
};

struct loaded_tree : object<loaded_tree>, counted {
    ref<loaded_tree> left{}, right{};
    back<loaded_tree> parent{};
    payload_bytes payload{};

    void each_owned(auto&& f) { f(left), f(right); }
    void traverse(auto& visit) { visit(left, right, parent); }
};

template <class T>
ref<T> make_loaded(std::size_t payload) {
    auto added = policy::make<T>();
    if (payload != 0) added->payload.assign(payload);
    return added;
}

inline ref<loaded> make_loaded_ring(std::int64_t size, std::size_t payload) {
    ref<loaded> head{};
    ref<loaded> last{};
    for (std::int64_t j = 0; j != size; ++j) {
        auto added = make_loaded<loaded>(payload);
        if (j == 0) last = added;
        added->next = std::move(head);
        head = std::move(added);
    }
    last->closing = policy::back_to(head);
    return head;
}

inline ref<loaded_tree> make_loaded_tree(std::int64_t size, std::size_t payload) {
    auto root = make_loaded<loaded_tree>(payload);
    const auto grow = [payload, &root](ref<loaded_tree>& child, std::int64_t nodes) {
        if (nodes == 0) return;
        child = make_loaded_tree(nodes, payload);
        child->parent = policy::back_to(root);
    };
    grow(root->left, size / 2);
    grow(root->right, (size - 1) / 2);
    return root;
}

template <class T>
outcome cyclotron(const parameters& p, ref<T> (*make)(std::int64_t, std::size_t)) {
    outcome result;
    const std::int64_t size = p["size"], kept_cycles = std::max<std::int64_t>(1, p["live"] / size);
    const std::int64_t cycles = p["objects"] / size;
    const auto payload = static_cast<std::size_t>(p["payload"]);
    policy::vector<ref<T>> kept(static_cast<std::size_t>(kept_cycles));
    std::int64_t most = 0;
    pauses times(cycles);
    const processor_time watch;
    times.begin();
    for (std::int64_t i = 0; i != cycles; ++i) {
        auto made = make(size, payload);
        auto& slot = kept[static_cast<std::size_t>(i % kept_cycles)];
        if (slot != nullptr) result.checksum += static_cast<std::int64_t>(slot->payload.size()) + 1;
        if constexpr (policy::by_hand) policy::drop(slot);
        slot = std::move(made);
        most = std::max(most, counted::alive - std::min(i + 1, kept_cycles) * size);
        times.step();
    }
    result.nanoseconds = watch.elapsed();
    result.items = cycles * size;
    result.add(times);
    if constexpr (policy::destroys) result.more["most_garbage"] = static_cast<double>(most);
    for (auto& slot : kept) policy::drop(slot);
    return result;
}

inline outcome cyclotron_rings(const parameters& p) { return cyclotron<loaded>(p, make_loaded_ring); }
inline outcome cyclotron_trees(const parameters& p) { return cyclotron<loaded_tree>(p, make_loaded_tree); }

} // namespace bench
