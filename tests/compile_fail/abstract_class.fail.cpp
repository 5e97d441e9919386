// SPDX-License-Identifier: BSL-1.0
// expect: pygc: an abstract class has no objects; make one of a derived class
#include <pygc/pygc.hpp>

struct shape : pygc::py_object {
    virtual ~shape() = default;
    virtual int sides() const = 0;
};

void make() { static_cast<void>(pygc::make_ref<shape>()); }
