// SPDX-License-Identifier: BSL-1.0
// The version macros are the numbers that CMake gave to the package.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <string>

TEST_CASE("the header and the package have one version", "[version]") {
    std::string const version = std::to_string(PYGC_VERSION_MAJOR) + '.' +
                                std::to_string(PYGC_VERSION_MINOR) + '.' +
                                std::to_string(PYGC_VERSION_PATCH);
    CHECK(version == PYGC_TEST_PROJECT_VERSION);
}
