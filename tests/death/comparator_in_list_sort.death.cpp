// SPDX-License-Identifier: BSL-1.0
// expect-output: pygc: a traverse shows one reference again and again, .*\n.*in the middle of a container's operation
// The links of a forward_list are a circle while it is sorted: a collection in the comparator needs a no_collect around it.
#define PYGC_DEBUG 1
#include <pygc/pygc.hpp>

#include <forward_list>

struct node : pygc::py_object {
    int rank;
    pygc::py_ref<node> next;
    explicit node(int r) : rank(r) {}
    void traverse(auto& visit) { visit(next); }
};

struct owner : pygc::py_object {
    std::forward_list<pygc::py_ref<node>> list;
    void traverse(auto& visit) { visit(list); }
};

int main() {
    auto o = pygc::make_ref<owner>();
    for (int i = 0; i != 50; ++i) o->list.push_front(pygc::make_ref<node>(i * 7 % 50));
    o->list.sort([](auto const& a, auto const& b) {
        pygc::collect();
        return a->rank < b->rank;
    });
    return 0;
}
