// SPDX-License-Identifier: BSL-1.0
// libFuzzer's way into re-entrant programs. With clang: cmake --preset fuzz, then
// build/fuzz/tests/reentry/pygc_fuzz_reentry FOLDER -max_len=600.
#include "interpreter.hpp"

#ifndef REENTRY_NOT_YET
#define REENTRY_NOT_YET ""
#endif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const reentry::feature_set without = [] {
        reentry::feature_set s;
        if (REENTRY_NOT_YET[0] != '\0') static_cast<void>(s.parse(REENTRY_NOT_YET));
        return s;
    }();
    static_cast<void>(reentry::run_program(bytes, size, without, true));
    return 0;
}
