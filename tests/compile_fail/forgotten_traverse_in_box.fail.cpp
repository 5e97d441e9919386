// SPDX-License-Identifier: BSL-1.0
// expect: pygc: this class has a destructor and neither a traverse nor a promise
// A box is asked as well: its class hides what it owns.
#define PYGC_REQUIRE_TRAVERSE 1
#include <pygc/pygc.hpp>

class text {
public:
    ~text() { delete content_; }

private:
    int* content_ = nullptr;
};

void make() { static_cast<void>(pygc::make_ref<text>()); }
