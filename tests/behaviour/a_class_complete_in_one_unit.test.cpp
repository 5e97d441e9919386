// SPDX-License-Identifier: BSL-1.0
// The unit in which the class is complete: see types_are_tracked_alike_in_all_units.
#include "half_known.hpp"

#include <string>

namespace half_known {

struct part { // leads nowhere, as this unit knows
    std::string name;
};

pygc::py_ref<refers> make_where_complete() { return pygc::make_ref<refers>(); }
bool is_tracked_where_complete(const pygc::py_ref<refers>& r) { return pygc::is_tracked(r); }
pygc::py_ref<part> make_part() { return pygc::make_ref<part>("part"); }

} // namespace half_known
