// SPDX-License-Identifier: BSL-1.0
// A program and a library that it is linked with: one heap for both, whatever is visible.
#include "node.hpp"

#include <cstdio>

extern "C" void make(pygc::py_ref<base>* out, int* ended);
extern "C" std::size_t collect_in_library();
extern "C" void work_in(pygc::heap* h);

int main() {
    int ended = 0;
    pygc::py_ref<base> theirs;
    make(&theirs, &ended);
    auto mine = pygc::make_ref<base>();
    mine->next = theirs;
    theirs->next = mine;
    std::printf("objects %zu\n", pygc::get_objects().size());
    mine = theirs = nullptr;
    std::printf("library found %zu\n", collect_in_library());
    make(&theirs, &ended);
    theirs->next = theirs;
    theirs = nullptr;
    std::printf("program found %zu\n", pygc::collect());
    pygc::heap h;
    work_in(&h);
    std::printf("ended %d\n", ended);
}
