// SPDX-License-Identifier: BSL-1.0
// What the entries of all weak containers have in common, whatever their types.
#pragma once

#include <pygc/detail/weak_record.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// A record that tells an entry's owner of the death. Untracked: it owns nothing, and its only owner is the entry. One
/// type for all containers, so that they share its pages.
struct entry_record final : weak_record {
    using pygc_acyclic = void;

    entry_record(py_object* object, void* c, void* e, void (*f)(weak_record&) noexcept) noexcept
        : weak_record(object), core(c), entry(e) {
        call = f;
    }

    void* core;
    void* entry;
};

/// A place in a circular list.
struct weak_link {
    weak_link() noexcept = default;
    weak_link(const weak_link&) = delete;
    weak_link& operator=(const weak_link&) = delete;

    void link_before(weak_link& where) noexcept {
        next = &where;
        previous = where.previous;
        previous->next = this;
        where.previous = this;
    }
    void unlink() noexcept {
        previous->next = next;
        next->previous = previous;
        next = previous = this;
    }

    weak_link* next = this;
    weak_link* previous = this;
};

/// For entries that hold nothing beside their key.
struct nothing_strong {};

} // namespace pygc::inline PYGC_ABI::detail
