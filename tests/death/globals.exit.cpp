// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 13 of 13$
// Globals of several kinds, made before and in main, hold cycles until the end.
#include "at_exit.hpp"

#include <map>
#include <string>
#include <vector>

pygc::py_ref<node> before_main = make_ring(2);
std::map<std::string, pygc::py_ref<node>> in_a_map;
std::vector<pygc::py_ref<node>> in_a_vector{make_ring(1)};
constinit pygc::py_ref<node> constant_initialised;
inline pygc::py_ref<node> inline_global;
static pygc::py_ref<int> leaf = pygc::make_ref<int>(3);

int main() {
    in_a_map["a"] = make_ring(2);
    in_a_map["b"] = in_a_map["a"];
    constant_initialised = make_ring(3);
    inline_global = make_ring(4);
    in_a_vector.push_back(pygc::make_ref<node>());
    in_a_vector.back()->next = before_main; // from one ring into another
    return *leaf - 3;
}
