// SPDX-License-Identifier: BSL-1.0
// Uses the class and references to its parts without ever seeing what a part is.
#include "pimpl.hpp"

#include <utility>

pygc::py_ref<widget> use_pimpl();

pygc::py_ref<widget> use_pimpl() {
    auto w = pygc::make_ref<widget>();
    w->add(w);
    auto part = w->first();
    auto copy = part;
    auto moved = std::move(copy);
    copy = part;
    copy = std::move(moved);
    swap(copy, part);
    part.reset();
    bool const same = copy == part || copy < part || copy == nullptr || !copy || copy.use_count() == 1;
    std::vector<pygc::py_ref<widget::part>> many(3, copy);
    many.erase(many.begin());
    return same ? nullptr : w;
}
