// SPDX-License-Identifier: BSL-1.0
// Programs that re-enter: destructors, finalizers, callbacks, comparators, hashes, elements and allocators that make,
// drop, collect, freeze, switch heaps, throw and erase, over every standard container.
#include <support/catch.hpp>

#include <fstream>
#include <string>

#include <support/environment.hpp>

#include "interpreter.hpp"
#include "seeds.hpp"

namespace {

using namespace reentry;

/// What the engine can't do yet: each name that goes is a rule that holds from then on.
feature_set not_yet() {
    feature_set s;
    REQUIRE(s.parse(REENTRY_NOT_YET));
    return s;
}

void run_seeds(std::uint64_t first, std::uint64_t count) {
    const std::uint64_t end = first + (support::with_address_sanitizer ? count / 8 : count);
    for (std::uint64_t seed = first; seed != end; ++seed) {
        const auto bytes = bytes_of_seed(seed);
        const result r = run_program(bytes.data(), bytes.size(), not_yet());
        INFO("seed " << seed << ": build tests/reentry/soak.cpp, and run it with --minimise " << to_hex(bytes));
        REQUIRE(r.error == "");
    }
}

} // namespace

TEST_CASE("programs that re-enter agree with what is known without the library, seeds 1 to 5000", "[reentry]") {
    run_seeds(1, 5000);
}

TEST_CASE("programs that re-enter agree with what is known without the library, seeds 5001 to 10000", "[reentry]") {
    run_seeds(5001, 5000);
}

TEST_CASE("programs that re-enter agree with what is known without the library, seeds 10001 to 15000", "[reentry]") {
    run_seeds(10001, 5000);
}

TEST_CASE("programs that re-enter agree with what is known without the library, seeds 15001 to 20000", "[reentry]") {
    run_seeds(15001, 5000);
}

TEST_CASE("the corpus of the fuzzer runs without a fault", "[reentry]") {
    std::ifstream corpus(REENTRY_CORPUS);
    REQUIRE(corpus);
    int programs = 0;
    for (std::string line; std::getline(corpus, line);) {
        if (line.empty() || line[0] == '#') continue;
        const auto bytes = from_hex(line);
        const result r = run_program(bytes.data(), bytes.size(), not_yet());
        INFO("program " << line);
        REQUIRE(r.error == "");
        ++programs;
    }
    CHECK(programs >= 800);
}

TEST_CASE("the program of a seed is the same everywhere", "[reentry]") {
    CHECK(to_hex(bytes_of_seed(7)).substr(0, 16) == "e1a2a3526c519f50");
    CHECK(from_hex(to_hex(bytes_of_seed(7))) == bytes_of_seed(7));
}
