// SPDX-License-Identifier: BSL-1.0
// expect: pygc: a py_function can't see what a captured value owns
// Nor can what others share.
#include <pygc/pygc.hpp>

#include <memory>

void make() { pygc::py_function<void()> f([](std::shared_ptr<int>&) {}, std::make_shared<int>(1)); }
