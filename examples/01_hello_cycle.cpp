// SPDX-License-Identifier: BSL-1.0
// Two friends refer to each other: the cycle that counting alone would leak.
#include <iostream>
#include <string>
#include <utility>

#include <pygc/pygc.hpp>

using namespace pygc;

struct person : py_object {
    std::string name;
    py_ref<person> best_friend;

    explicit person(std::string n) : name(std::move(n)) {}
    ~person() { std::cout << "  " << name << " is gone\n"; }

    // The only line pygc asks for: which references does this object own?
    void traverse(auto& visit) { visit(best_friend); }
};

int main() {
    std::cout << "Alone, Eve dies with her last reference, as with std::shared_ptr:\n";
    auto eve = make_ref<person>("Eve");
    eve = nullptr;

    auto ada = make_ref<person>("Ada");
    auto bob = make_ref<person>("Bob");
    ada->best_friend = bob;
    bob->best_friend = ada;
    std::cout << "Ada and Bob are friends, with " << ada.use_count() << " references each.\n";

    ada = nullptr;
    bob = nullptr;
    std::cout << "Nobody else knows them now, but each still keeps the other alive.\n";

    std::cout << "collect():\n";
    const auto found = collect();
    std::cout << "It found " << found << " unreachable objects and freed them.\n";
}
