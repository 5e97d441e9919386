// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a std::unique_ptr with a deleter of its own may not own what it points to
// A deleter that does nothing: somebody else owns the slot.
#include <pygc/pygc.hpp>

#include <memory>

struct node;
struct keep {
    void operator()(pygc::py_ref<node>*) const noexcept {}
};
struct node : pygc::py_object {
    std::unique_ptr<pygc::py_ref<node>, keep> borrowed;
    void traverse(auto& visit) { visit(borrowed); }
};

void make() { static_cast<void>(pygc::make_ref<node>()); }
