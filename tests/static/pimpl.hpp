// SPDX-License-Identifier: BSL-1.0
// A class whose parts are incomplete for its users.
#pragma once

#include <pygc/pygc.hpp>

#include <map>
#include <vector>

class widget : public pygc::py_object {
public:
    widget();
    ~widget();
    void add(pygc::py_ref<widget> w);
    void traverse(pygc::visitor& visit);

    struct part;
    pygc::py_ref<part> first() const;

private:
    pygc::py_ref<part> first_;
    std::vector<pygc::py_ref<part>> all_;
    std::map<int, pygc::py_ref<part const>> by_number_;
};
