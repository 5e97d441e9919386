// SPDX-License-Identifier: BSL-1.0
// The three generations, step by step: who is in which bucket before and after each collection.
#include <algorithm>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

using namespace pygc;

struct thing : py_object {
    std::string name;
    py_ref<thing> other;

    explicit thing(std::string n) : name(std::move(n)) {}
    void traverse(auto& visit) { visit(other); }
};

void show_buckets(const std::string& after) {
    std::cout << after << "\n";
    for (int generation = 0; generation <= 2; ++generation) {
        std::vector<std::string> names;
        for (const auto& object : get_objects(generation))
            names.push_back(static_pointer_cast<thing>(object)->name);
        std::sort(names.begin(), names.end()); // get_objects promises no order
        std::cout << "    " << generation << ":";
        for (const auto& name : names) std::cout << ' ' << name;
        std::cout << "\n";
    }
}

void make_garbage(const std::string& a, const std::string& b) {
    auto x = make_ref<thing>(a), y = make_ref<thing>(b);
    x->other = y;
    y->other = x;
}

int main() {
    disable(); // no automatic collection until we ask for it
    auto anna = make_ref<thing>("anna");
    make_garbage("ping", "pong");
    show_buckets("new objects are in generation 0, garbage or not");

    collect(0);
    show_buckets("collect(0) freed ping and pong and promoted anna");

    auto ben = make_ref<thing>("ben");
    collect(0);
    make_garbage("tick", "tock");
    show_buckets("ben followed; tick and tock are new");

    collect(1);
    show_buckets("collect(1) examined 0 and 1, freed two, promoted all others to 2");

    anna->other = ben;
    ben->other = std::move(anna); // a cycle in generation 2, and no name leads to it
    ben = nullptr;
    collect(1);
    show_buckets("garbage in generation 2 survives collect(1)");
    collect(2);
    show_buckets("and is found by collect(2)");

    enable();
    set_threshold(5, 2, 2);
    std::cout << "automatic: more than " << get_threshold()[0]
              << " new objects start a collection\n";
    const auto before = get_stats()[0].collections;
    for (int i = 1; i != 5; ++i) {
        make_garbage("lost" + std::to_string(i), "found" + std::to_string(i));
        std::cout << "    get_count() " << get_count()[0] << ", automatic collections "
                  << get_stats()[0].collections - before << "\n";
    }
    show_buckets("the third pair was half made when a collection ran: that half was promoted");
    collect();
    show_buckets("collect() examines all three generations");
}
