// SPDX-License-Identifier: BSL-1.0
// A program that loads a library, uses objects of both, and unloads it. With an argument it lets the library work in a
// heap of its own.
#include "node.hpp"

#include <cstdio>
#include <dlfcn.h>
#include <vector>

template <class F>
F* function(void* library, const char* name) {
    return reinterpret_cast<F*>(dlsym(library, name));
}

int main(int count, char**) {
    std::vector<pygc::py_ref<base>> kept;
    for (int i = 0; i != 10; ++i) kept.push_back(pygc::make_ref<base>());
    void* library = dlopen("./library.so", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        std::puts(dlerror());
        return 1;
    }
    if (count > 1) {
        pygc::heap h;
        function<void(pygc::heap*)>(library, "work_in")(&h);
        std::puts("worked in it");
        return 0;
    }
    int ended = 0;
    {
        pygc::py_ref<base> theirs;
        auto* const make = function<void(pygc::py_ref<base>*, int*)>(library, "make");
        make(&theirs, &ended);
        std::printf("number %d\n", theirs->number());
        theirs = nullptr; // by its count
        make(&theirs, &ended);
        theirs->next = theirs;
    }
    std::printf("program found %zu\n", pygc::collect());
    std::printf("library found %zu\n", function<std::size_t()>(library, "collect_in_library")());
    std::printf("ended %d\n", ended);

    auto* const watch = function<void(const pygc::py_ref<base>*)>(library, "watch");
    auto* const alive = function<bool()>(library, "is_watched_alive");
    auto seen = pygc::make_ref<base>();
    watch(&seen);
    for (int i = 0; i != 10; ++i) kept.push_back(pygc::make_ref<base>());
    pygc::collect();
    std::printf("alive %d", alive());
    seen = nullptr;
    std::printf(" %d\n", alive());
    watch(&kept[0]);
    watch(nullptr);

    dlclose(library);
    for (int i = 0; i != 1000; ++i) {
        auto n = pygc::make_ref<base>();
        n->next = n;
    }
    std::printf("found %zu\n", pygc::collect());
    int sum = 0;
    for (const auto& n : kept) sum += n->number();
    std::printf("kept %d, memory %zu\n", sum, pygc::get_memory().objects);
}
