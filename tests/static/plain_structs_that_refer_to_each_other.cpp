// SPDX-License-Identifier: BSL-1.0
// Fifty plain structs that refer to each other, by references and by ownership, and one with a large array: whether they
// are tracked is found out in the time of one look at each, not at each path between them.
#include <pygc/pygc.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t structs = 50;

template <std::size_t I>
struct plain {
    pygc::py_ref<plain<(I + 1) % structs>> next;
    std::vector<pygc::py_ref<plain<(I + 7) % structs>>> some;
    pygc::py_ref<plain<(I + 13) % structs>> others[2];
    pygc::py_ref<plain<(I * 3 + 1) % structs>> more;
};

template <std::size_t I>
struct owning { // eight of them own each other
    std::unique_ptr<owning<(I + 1) % 8>> a;
    std::unique_ptr<owning<(I + 2) % 8>> b;
    std::vector<owning<(I + 3) % 8>> c;
    pygc::py_ref<int> r;
    pygc::py_weakref<owning> w;
};

struct large {
    pygc::py_ref<large> r;
    char bytes[3 << 20];
};

template <std::size_t... I>
void make(std::index_sequence<I...>) {
    (static_cast<void>(pygc::make_ref<plain<I>>()), ...);
}

} // namespace

void make_all();
void make_all() {
    make(std::make_index_sequence<structs>());
    static_cast<void>(pygc::make_ref<owning<0>>());
    static_cast<void>(pygc::make_ref<large>());
}
