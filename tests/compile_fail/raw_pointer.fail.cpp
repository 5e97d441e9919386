// SPDX-License-Identifier: BSL-1.0
// expect: use_make_ref_for_new_objects_or_borrow_for_existing_ones
// A raw pointer does not say whether a count comes with it, so it takes steal() or borrow().
#include <pygc/pygc.hpp>

struct node : pygc::py_object {};

void adopt(node* raw) { pygc::py_ref<node> ref(raw); }
