// SPDX-License-Identifier: BSL-1.0
// Says which `traverse` shows what its object doesn't own, and where that stands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

#include <pygc/detail/check.hpp>
#include <pygc/detail/snapshot.hpp>
#include <pygc/visitor.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Where in an object a place is, as the user sees the object. False: it isn't inside.
inline bool offset_in_object(const type_info& t, const void* slot, const void* place, std::size_t& offset) noexcept {
    const auto in_slot = reinterpret_cast<std::uintptr_t>(place) - reinterpret_cast<std::uintptr_t>(slot);
    offset = in_slot - t.value_offset;
    return in_slot < t.slot_bytes;
}

/// Writes `pygc: the traverse of <type> at <address> shows <what>`, where `%s` in `what` is the place.
PYGC_NOINLINE inline void report_shown(const type_info& t, const void* slot, const char* before, const void* place,
                                       const char* after) noexcept {
    const auto length = static_cast<int>(t.name_length);
    std::size_t offset = 0;
    if (offset_in_object(t, slot, place, offset)) {
        std::fprintf(stderr, "pygc: the traverse of %.*s at %p shows %s at offset %zu%s\n", length, t.name, slot,
                     before, offset, after);
    } else {
        std::fprintf(stderr, "pygc: the traverse of %.*s at %p shows %s at %p%s\n", length, t.name, slot, before, place,
                     after);
    }
}

/// The reference isn't part of the object that shows it.
PYGC_NOINLINE inline void report_place(place_kind kind, const type_info& t, const void* slot,
                                       const void* place) noexcept {
    if (kind == place_kind::stack) {
        return report_shown(t, slot, "a copy of a reference, or one of somebody else:", place, ", on the stack");
    }
    if (kind == place_kind::statics) {
        return report_shown(t, slot, "a reference of somebody else:", place, ", a static variable");
    }
    const page& p = page_of(place);
    if (page_index_of(place) == 0 || p.type == nullptr) {
        return report_shown(t, slot, "a reference of somebody else:", place, "");
    }
    const type_info& other = *p.type;
    const auto offset = (reinterpret_cast<std::uintptr_t>(place) % page_bytes) % other.slot_bytes - other.value_offset;
    std::fprintf(stderr, "pygc: the traverse of %.*s at %p shows a reference of somebody else: at offset %zu of %.*s\n",
                 static_cast<int>(t.name_length), t.name, slot, static_cast<std::size_t>(offset),
                 static_cast<int>(other.name_length), other.name);
}

/// Looks twice at what objects show, and reports what can't be: once a type, and for few types. Of each object the
/// first references only are compared.
class lie_report {
public:
    lie_report(snapshot& s) noexcept : snapshot_(s) {}

    /// Whether a reference was shown twice.
    [[nodiscard]] bool found_twice() const noexcept { return found_twice_; }

    void examine(const type_info& t, py_object* object) noexcept {
        if (type_count_ == most) return;
        for (std::size_t i = 0; i != type_count_; ++i) {
            if (types_[i] == &t) return;
        }
        void* const slot = reinterpret_cast<char*>(object) - t.header_offset;
        if (explain(t, slot, object)) types_[type_count_++] = &t;
    }

private:
    static constexpr std::size_t most = 8;
    static constexpr std::size_t compared = 64;

    struct shown {
        py_object** place;
        py_object* target;
        std::int32_t count;
    };
    struct list {
        std::size_t size = 0;
        shown first[compared];
        const void* twice = nullptr;

        [[nodiscard]] std::size_t kept() const noexcept { return size < compared ? size : compared; }
    };

    static void take(const type_info& t, py_object* object, list& into) noexcept {
        place_visitor visit(
            [](void* context, py_object*& place, bool) noexcept {
                if (place == nullptr) return;
                list& l = *static_cast<list*>(context);
                for (std::size_t i = 0; i != l.kept(); ++i) {
                    if (l.first[i].place == &place && l.twice == nullptr) l.twice = &place;
                }
                if (l.size < compared) l.first[l.size] = {&place, place, header_of(place).count};
                ++l.size;
            },
            &into);
        t.traverse(object, visit);
    }

    bool explain(const type_info& t, void* slot, py_object* object) noexcept {
        list now, again;
        take(t, object, now);
        for (std::size_t i = 0; i != now.kept(); ++i) {
            if (header_of(now.first[i].target).count >= now.first[i].count) continue;
            report_shown(t, slot, "a copy of a reference, which was", now.first[i].place, "");
            return true;
        }
        if (now.twice != nullptr) {
            found_twice_ = true;
            report_shown(t, slot, "the reference", now.twice, " twice");
            return true;
        }
        for (std::size_t i = 0; i != now.kept(); ++i) {
            std::size_t offset = 0;
            if (offset_in_object(t, slot, now.first[i].place, offset)) continue;
            const place_kind kind = snapshot_.places.kind_of(snapshot_.heap, now.first[i].place, snapshot_.frame);
            if (kind == place_kind::unknown) continue;
            report_place(kind, t, slot, now.first[i].place);
            return true;
        }
        take(t, object, again);
        const std::size_t both = now.kept() < again.kept() ? now.kept() : again.kept();
        std::size_t same = 0;
        while (same != both && now.first[same].place == again.first[same].place) ++same;
        if (now.size == again.size && same == both) return false;
        const list& longer = same == again.kept() ? now : again;
        const void* const place = same < longer.kept() ? static_cast<const void*>(longer.first[same].place) : slot;
        report_shown(t, slot, "other references each time, or in another order, the first", place, "");
        return true;
    }

    snapshot& snapshot_;
    const type_info* types_[most] = {};
    std::size_t type_count_ = 0;
    bool found_twice_ = false;
};

} // namespace pygc::inline PYGC_ABI::detail
