// SPDX-License-Identifier: BSL-1.0
// expect-output: a generation is 0, 1 or 2
// A generation that doesn't exist ends a program that can't catch.
#include <pygc/pygc.hpp>

#include <cstdio>

#if PYGC_EXCEPTIONS
#include <exception>

int main() {
    try {
        pygc::collect(3);
    } catch (std::exception const& e) {
        std::puts(e.what());
        return 1;
    }
    return 0;
}
#else
int main() {
    pygc::collect(3);
    return 0;
}
#endif
