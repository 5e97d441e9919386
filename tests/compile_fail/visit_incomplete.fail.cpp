// SPDX-License-Identifier: BSL-1.0
// expect: pygc: the type visited here is incomplete; define traverse where it is complete
// The references inside an incomplete type are unknown.
#include <pygc/pygc.hpp>

#include <memory>

struct part;
struct node : pygc::py_object {
    std::unique_ptr<part> p;
    node();
    ~node();
    void traverse(auto& visit) { visit(p); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
