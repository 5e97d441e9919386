// SPDX-License-Identifier: BSL-1.0
// With the friend, and with a finalize that a base has.
#include <pygc/pygc.hpp>

class node : public pygc::py_object {
    friend struct pygc::access;
    void finalize() {}
};
struct base : pygc::py_object {
    virtual ~base() = default;
    virtual void finalize() {}
};
struct derived final : base {};

void make() {
    static_cast<void>(pygc::make_ref<node>());
    static_cast<void>(pygc::make_ref<derived>());
}
