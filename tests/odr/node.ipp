// SPDX-License-Identifier: BSL-1.0
// The type that all files of the program share; each includes pygc in its own way before this.

struct node : pygc::py_object {
    pygc::py_ref<node> other;
    void traverse(auto& visit) { visit(other); }
};

// Makes a cycle of two objects and keeps it alive by what it returns.
inline pygc::py_ref<node> make_pair_cycle() {
    auto a = pygc::make_ref<node>(), b = pygc::make_ref<node>();
    a->other = b;
    b->other = a;
    return a;
}
