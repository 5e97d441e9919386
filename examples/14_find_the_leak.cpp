// SPDX-License-Identifier: BSL-1.0
// Two leaks and how to find them: one object is held by a forgotten reference, others by cycles.
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

using namespace pygc;

struct thing : py_object {
    std::string name;
    std::vector<py_ref<thing>> parts;

    explicit thing(std::string n) : name(std::move(n)) {}
    void traverse(auto& visit) { visit(parts); }
};

std::string names(const object_list& list) {
    std::vector<std::string> sorted;
    for (const auto& object : list) sorted.push_back(static_pointer_cast<thing>(object)->name);
    std::sort(sorted.begin(), sorted.end()); // the lists promise no order
    std::string text;
    for (const auto& name : sorted) text += " " + name;
    return text;
}

int main() {
    auto server = make_ref<thing>("server");
    auto log = make_ref<thing>("log");
    auto session = make_ref<thing>("session");
    server->parts = {log, session};
    log->parts = {session}; // "for the error message": forgotten below

    std::cout << "A session is closed, but does not die:\n";
    py_weakref<thing> closed = session;
    server->parts.pop_back();
    session = nullptr;
    std::cout << "  expired: " << closed.expired() << ", references: " << closed.use_count() << "\n";

    std::cout << "Who holds it, and who holds that?\n";
    auto suspect = closed.lock();
    const auto holders = get_referrers(suspect);
    std::cout << "  get_referrers(session):" << names(holders) << "\n";
    std::cout << "  get_referrers(log):" << names(get_referrers(log)) << "\n";
    std::cout << "  get_referents(log):" << names(get_referents(log)) << "\n";

    std::cout << "The log forgets it:\n";
    log->parts.clear();
    suspect = nullptr;
    std::cout << "  expired: " << closed.expired() << "\n";

    // A cycle is no leak to pygc, but costs a collection. Where do they come from? With save_all a
    // collection keeps what it finds, intact, for us to look at.
    std::cout << "Which objects do collections have to free?\n";
    for (int i = 0; i != 3; ++i) {
        auto request = make_ref<thing>("request"), answer = make_ref<thing>("answer");
        request->parts = {answer};
        answer->parts = {request};
    }
    set_debug(debug::save_all);
    std::cout << "  collect() finds " << collect() << ":" << names(garbage()) << "\n";
    const auto& first = garbage()[0];
    std::cout << "  in the list, " << static_pointer_cast<thing>(first)->name << " refers to"
              << names(get_referents(first)) << "\n";

    std::cout << "They live as long as they are in the list:\n";
    set_debug(debug::none);
    garbage().clear();
    std::cout << "  collect() frees " << collect() << "\n";
    std::cout << "  left in get_objects():" << names(get_objects()) << "\n";
}
