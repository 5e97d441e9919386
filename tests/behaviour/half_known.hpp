// SPDX-License-Identifier: BSL-1.0
// A plain struct that refers to a class which is complete in one translation unit only.
#pragma once

#include <pygc/pygc.hpp>

#include <vector>

namespace half_known {

struct part; // complete in a_class_complete_in_one_unit.test.cpp
struct refers {
    std::vector<pygc::py_ref<part>> parts;
};

pygc::py_ref<refers> make_where_complete();
bool is_tracked_where_complete(const pygc::py_ref<refers>& r);
pygc::py_ref<part> make_part();

} // namespace half_known
