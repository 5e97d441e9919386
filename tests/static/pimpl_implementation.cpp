// SPDX-License-Identifier: BSL-1.0
// Where the parts of the class are complete.
#include "pimpl.hpp"

struct widget::part : pygc::py_object {
    pygc::py_ref<widget> back;
    void traverse(auto& visit) { visit(back); }
};

widget::widget() : first_(pygc::make_ref<part>()) {}
widget::~widget() = default;

void widget::add(pygc::py_ref<widget> w) {
    all_.push_back(pygc::make_ref<part>());
    all_.back()->back = w;
    by_number_[static_cast<int>(all_.size())] = all_.back();
}

pygc::py_ref<widget::part> widget::first() const { return first_; }

void widget::traverse(pygc::visitor& visit) { visit(first_, all_, by_number_); }
