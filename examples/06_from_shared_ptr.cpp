// SPDX-License-Identifier: BSL-1.0
// The same program before and after the move from std::shared_ptr to pygc. The first one leaks.
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

// Counts the living objects of either version.
struct counted {
    static inline int living = 0;
    counted() { ++living; }
    ~counted() { --living; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
};

namespace before {

struct person : counted, std::enable_shared_from_this<person> {
    explicit person(std::string n) : name(std::move(n)) {}
    void befriend(const std::shared_ptr<person>& other) {
        friends.push_back(other);
        other->friends.push_back(shared_from_this());
    }
    std::string name;
    std::vector<std::shared_ptr<person>> friends;
};

void party(const std::shared_ptr<person>& host) {
    auto bob = std::make_shared<person>("Bob");
    host->befriend(bob);
    bob->befriend(std::make_shared<person>("Eve"));
}

} // namespace before

namespace after {

struct person : counted, pygc::py_object {
    explicit person(std::string n) : name(std::move(n)) {}
    void befriend(const pygc::py_ref<person>& other) {
        friends.push_back(other);
        other->friends.push_back(pygc::ref_from_this(this));
    }
    void traverse(auto& visit) { visit(friends); }
    std::string name;
    std::vector<pygc::py_ref<person>> friends;
};

void party(const pygc::py_ref<person>& host) {
    auto bob = pygc::make_ref<person>("Bob");
    host->befriend(bob);
    bob->befriend(pygc::make_ref<person>("Eve"));
}

} // namespace after

int main() {
    std::weak_ptr<before::person> way_back;
    {
        auto ada = std::make_shared<before::person>("Ada");
        before::party(ada);
        way_back = ada;
    }
    std::cout << "before: all references are gone, and " << counted::living
              << " people live for ever\n";

    // Only so that this program itself doesn't leak: by hand, somebody must know where to cut.
    way_back.lock()->friends.front()->friends.clear();
    std::cout << "before: after cutting the right link by hand, " << counted::living << " live\n";

    {
        auto ada = pygc::make_ref<after::person>("Ada");
        after::party(ada);
    }
    std::cout << "after:  all references are gone, and " << counted::living << " people wait\n";
    pygc::collect();
    std::cout << "after:  after collect(), " << counted::living << " live\n";
}
