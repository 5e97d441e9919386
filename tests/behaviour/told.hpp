// SPDX-License-Identifier: BSL-1.0
// A node that writes down its finalizer and its destructor, and does in its finalizer what a test wants.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <support/probe.hpp>

#include <pygc/pygc.hpp>

namespace support {

struct told : pygc::py_object {
    told(trace& t, std::string n) : name(std::move(n)), to(&t) {}
    ~told() { to->push_back("~" + name); }
    void finalize() {
        to->push_back("finalize " + name);
        if (in_finalizer) in_finalizer(*this);
    }
    void traverse(auto& visit) { visit(next, other, weak); }

    std::string name;
    trace* to;
    pygc::py_ref<told> next, other;
    pygc::py_weakref<told> weak;
    std::function<void(told&)> in_finalizer; // owns no reference
};

using told_ref = pygc::py_ref<told>;

inline told_ref make_told(trace& t, std::string name) { return pygc::make_ref<told>(t, std::move(name)); }

/// A ring of one node for each name; returns all of them.
inline std::vector<told_ref> told_ring(trace& t, std::vector<std::string> const& names) {
    std::vector<told_ref> ring;
    for (auto const& name : names) ring.push_back(make_told(t, name));
    for (std::size_t i = 0; i != ring.size(); ++i) ring[i]->next = ring[(i + 1) % ring.size()];
    return ring;
}

inline int count_in(trace const& t, std::string const& what) {
    int n = 0;
    for (auto const& entry : t) n += entry == what;
    return n;
}

} // namespace support
