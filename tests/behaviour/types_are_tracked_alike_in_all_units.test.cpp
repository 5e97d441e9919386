// SPDX-License-Identifier: BSL-1.0
// Whether a type is tracked doesn't depend on what is complete where its objects are made.
#include <support/catch.hpp>

#include "half_known.hpp"

TEST_CASE("a type that refers to a class incomplete in one unit is tracked alike in all", "[acyclic]") {
    auto const there = half_known::make_where_complete();
    auto const here = pygc::make_ref<half_known::refers>();
    CHECK(pygc::is_tracked(here));
    CHECK(pygc::is_tracked(there));
    CHECK(half_known::is_tracked_where_complete(here));
    here->parts.push_back(half_known::make_part());
    CHECK(pygc::get_referents(here).size() == 1);
    CHECK(pygc::get_objects().size() == 2);
}
