// SPDX-License-Identifier: BSL-1.0
// What a program and its libraries agree on.
#pragma once

#include <pygc/pygc.hpp>

#include <cstddef>

struct __attribute__((visibility("default"))) base : pygc::py_object {
    pygc::py_ref<base> next;
    virtual ~base() = default;
    virtual int number() const { return 1; }
    void traverse(auto& visit) { visit(next); }
};
