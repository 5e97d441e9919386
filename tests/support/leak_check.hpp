// SPDX-License-Identifier: BSL-1.0
// What every test case has to leave behind: nothing.
#pragma once

#include <support/catch.hpp>

#include <pygc/pygc.hpp>

namespace support {

/// What a test case may count on, whichever ran before it in the same process.
inline void reset_settings() {
    pygc::enable();
    pygc::set_threshold(2000, 10, 10);
    pygc::collect();
}

// CHECK, not REQUIRE: main.cpp calls this from a Catch2 listener, which must not throw.
inline void check_nothing_left() {
    pygc::collect();
    INFO("objects left after the test case and a full collection");
    CHECK(pygc::get_objects().size() == 0); // tracked ones
    CHECK(pygc::get_memory().objects == 0); // and the others
}

} // namespace support
