// SPDX-License-Identifier: BSL-1.0
// Lets each half of the program collect what the other half made: they share one heap.
#include "parts.hpp"

#include <cstdio>

namespace {

int failures = 0;

void expect(unsigned long long got, unsigned long long wanted, char const* what) {
    if (got == wanted) return;
    std::fprintf(stderr, "%s: %llu, not %llu\n", what, got, wanted);
    ++failures;
}

} // namespace

int main(int argc, char**) {
    if (argc > 1) {
#ifdef PYGC_ODR_HAS_PYTHON
        expect(python_make_and_collect(), 2, "made and collected beside Python.h");
#endif
        return failures;
    }
    split_makes();
    expect(single_collects(), 0, "single header collects while the split half holds the cycle");
    split_drops();
    expect(single_collects(), 2, "single header collects what the split half dropped");

    single_makes();
    expect(split_collects(), 0, "split headers collect while the single half holds the cycle");
    single_drops();
    expect(split_collects(), 2, "split headers collect what the single half dropped");

    expect(macros_make_and_collect(), 2, "made and collected under min and max macros");
    return failures;
}
