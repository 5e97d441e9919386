// SPDX-License-Identifier: BSL-1.0
// expect: use_make_ref_for_new_objects_or_borrow_for_existing_ones
// As with the constructor: reset takes no raw pointer.
#include <pygc/pygc.hpp>

struct node : pygc::py_object {};

void adopt(pygc::py_ref<node> ref) { ref.reset(new node); }
