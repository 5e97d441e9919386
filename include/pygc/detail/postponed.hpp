// SPDX-License-Identifier: BSL-1.0
// The list of dead objects whose destructors wait, so that no structure is too deep for the stack.
#pragma once

#include <pygc/detail/heap_state.hpp>
#include <pygc/object.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// A dead object joins the list of those whose destructors wait, behind what the destructor that runs
/// now added before it: they will be destroyed in the order in which recursion would have reached them. `kept`: what of
/// its state its destructor must find.
inline void postpone(py_object* p, std::uint32_t kept) noexcept {
    thread_state& t = this_thread;
    if (t.postponed == nullptr) { // as in a chain, where each waits alone
        link_postponed(header_of(p), nullptr, kept);
        t.postponed = p;
    } else if (t.last_postponed == nullptr) {
        link_postponed(header_of(p), t.postponed, kept);
        t.postponed = p;
    } else {
        header& last = header_of(t.last_postponed);
        link_postponed(header_of(p), next_postponed(last), kept);
        link_postponed(last, p, last.state & state_mask);
    }
    t.last_postponed = p;
}

/// The same for one whose destructor was about to run, one level too deep.
PYGC_NOINLINE inline void postpone_instead(py_object* p, std::uint32_t kept) noexcept {
    ++this_thread.nesting_left;
    postpone(p, kept);
}

} // namespace pygc::inline PYGC_ABI::detail
