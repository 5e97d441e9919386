// SPDX-License-Identifier: BSL-1.0
// A server loads its data and forks workers: with freeze() they share its memory even when they collect.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <pygc/pygc.hpp>

using namespace pygc;

struct row : py_object {
    long value = 0;
    py_ref<row> next;
    void traverse(auto& visit) { visit(next); }
};

/// KiB of memory that belong to this process alone; 0 if the system doesn't say.
long private_dirty() {
    std::ifstream file("/proc/self/smaps_rollup");
    for (std::string word; file >> word;) {
        long kib = 0;
        if (word == "Private_Dirty:" && file >> kib) return kib;
    }
    return 0;
}

/// Reads without touching a count: `const T&` and raw pointers write nothing, copies of a py_ref do.
long sum(const std::vector<py_ref<row>>& table) {
    long total = 0;
    for (const auto& r : table) total += r->value;
    return total;
}

/// A worker: reads the table, makes garbage of its own and collects it.
void work(const std::vector<py_ref<row>>& table) {
    std::cout << std::flush;
    const pid_t child = fork();
    if (child == 0) {
        const long before = private_dirty();
        for (int i = 0; i != 100; ++i) {
            auto own = make_ref<row>();
            own->next = own;
        }
        const auto examined = get_stats()[2].candidates;
        const auto found = collect();
        std::cout << "  the child sums " << sum(table) << ", examines " << get_stats()[2].candidates - examined
                  << " objects and finds " << found << "\n";
        std::cout << "  memory copied for it: " << private_dirty() - before << " KiB\n" << std::flush;
        std::_Exit(0); // the end of the program is the parent's business
    }
    int status = 0;
    waitpid(child, &status, 0);
}

int main() {
    disable(); // in the parent: a collection while loading is wasted time, and would leave holes in the pages
    std::vector<py_ref<row>> table;
    for (long i = 0; i != 200'000; ++i) {
        table.push_back(make_ref<row>());
        table.back()->value = i % 10;
        if (i != 0) table.back()->next = table[static_cast<std::size_t>(i - 1)];
    }

    std::cout << "Without freeze, a collection in a child writes to every object:\n";
    work(table);

    std::cout << "freeze() moves all objects to the permanent generation:\n";
    collect(); // freeze() keeps garbage too
    freeze();
    std::cout << "  frozen: " << get_freeze_count() << ", in get_objects(): " << get_objects().size() << "\n";
    work(table);

    std::cout << "unfreeze() moves them to generation 2:\n";
    unfreeze();
    std::cout << "  frozen: " << get_freeze_count() << ", in get_objects(2): " << get_objects(2).size() << "\n";
}
