// SPDX-License-Identifier: BSL-1.0
// What a file does whose first lines include somebody else's header: a cycle and a weak reference.
namespace {

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

} // namespace

int make_and_collect() {
    auto first = pygc::make_ref<node>();
    first->next = first;
    const pygc::py_weakref<node> watch(first);
    first = nullptr;
    return pygc::collect() == 1 && watch.expired() ? 0 : 1;
}

int main() { return make_and_collect(); }
