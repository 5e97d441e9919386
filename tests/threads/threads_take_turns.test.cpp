// SPDX-License-Identifier: BSL-1.0
// Several threads may use one heap, one at a time, each within a heap::scope and a lock.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    std::vector<pygc::py_ref<node>> more;
    void traverse(auto& visit) { visit(next, more); }
};

} // namespace

TEST_CASE("threads that take turns under a lock share a heap", "[threads]") {
    pygc::heap shared;
    std::mutex turn;
    pygc::py_ref<node> root;
    int made = 0;
    {
        pygc::heap::scope const use(shared);
        root = pygc::make_ref<node>();
    }
    std::vector<std::thread> threads;
    for (int t = 0; t != 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i != 300; ++i) {
                std::lock_guard const lock(turn);
                pygc::heap::scope const use(shared);
                auto n = pygc::make_ref<node>();
                n->next = root; // whoever came before
                n->more.push_back(n);
                root->more.push_back(n);
                if (root->more.size() == 50) root->more.clear(); // garbage of all threads
                if (i % 100 == 0) pygc::collect();
                ++made;
            }
        });
    }
    for (auto& t : threads) t.join();
    CHECK(made == 1200);
    pygc::heap::scope const use(shared);
    root = nullptr;
    shared.collect();
    CHECK(shared.get_objects().empty());
}
