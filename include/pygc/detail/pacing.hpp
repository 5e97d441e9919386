// SPDX-License-Identifier: BSL-1.0
// When automatic collections run and how far they look, as long as the thresholds are the default ones.
// Numbers only: what a collection found goes in, when the next one is due comes out.
//
//   containers   0 . . . . . alive after the last full one . . . . . . . . full_limit
//                                                         | young | 2 * young |
//
// A full collection is due when the containers that none has seen exceed a share of those that the last one left
// alive, plus a constant; the same for bytes. So there are never more than twice as many containers as were alive
// then, and 34,816 more, whatever the program does: `few`, and what fits the page that make_ref takes slots from.
//
// Between them, young collections look at what is new. They are worth their time where they find garbage: one
// that finds little doubles the limit for the next, and leaves its survivors where they are as long as they are
// few, so that a structure under construction is examined whole once it is done. All yields are of collections
// that were due; `collect()` changes none.
#pragma once

#include <cstddef>

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

inline constexpr std::size_t default_threshold[3] = {2000, 10, 10};

/// `benchmarks/pacing.py` measures other constants: docs/pacing-table.md.
struct pacing {
    /// Containers that fit the second-level cache and are examined in half a millisecond: as long as there are no
    /// more, generations cost more than they save.
    static constexpr std::size_t few = 32'768;
    /// Containers that leave room for others in that cache.
    static constexpr std::size_t cached = 8192;
    static constexpr std::size_t few_bytes = std::size_t{8} << 20;

    std::size_t young_limit = default_threshold[0]; // containers made from one young collection to the next
    std::size_t kept_young = 0;                     // survivors of the last one that stayed in generation 0
    std::size_t share = most_share;                 // of what is alive, in quarters
    std::size_t bytes_limit = static_cast<std::size_t>(-1);

    /// Containers that no full collection has seen, until one is due.
    [[nodiscard]] std::size_t full_limit(std::size_t old) const noexcept { return few + old / 4 * share; }

    /// Containers to be made until a collection is due. Preconditions: `pending` of them no full one has seen.
    [[nodiscard]] std::size_t next(std::size_t pending, std::size_t old) const noexcept {
        const std::size_t limit = full_limit(old);
        const std::size_t left = limit > pending ? limit - pending : 0;
        // The first after a full one comes early, whatever earlier ones found: the program may do something else by
        // now. A young collection shortly before a full one is wasted.
        const std::size_t young = pending == 0 && left / 8 < young_limit ? left / 8 : young_limit;
        const std::size_t due = young != 0 && young <= left / 2 ? young : left;
        // Without memory each collection gives up, and the next has to wait as well.
        return due != 0 ? due : default_threshold[0];
    }

    /// After a young collection that was due. `kept`: survivors that the next one will look at again.
    void learn_from_young(std::size_t examined, std::size_t freed, std::size_t kept) noexcept {
        if (freed < examined / 8) {
            if (young_limit < static_cast<std::size_t>(-1) / 2) young_limit *= 2;
            return;
        }
        // Survivors are looked at again each time: rarely, if that is cheap.
        young_limit = default_threshold[0];
        if (kept > young_limit / 4) young_limit = 4 * kept < cached ? 4 * kept : cached;
        if (kept > young_limit) young_limit = kept;
    }

    /// After a full collection that was due.
    void learn_from_full(std::size_t examined, std::size_t freed) noexcept {
        if (freed < examined / 8) {
            if (share < most_share) share *= 2;
        } else if (freed > examined / 4) {
            if (share > least_share) share /= 2;
        }
    }

    /// So much a heap of `bytes` may grow until the next full collection.
    [[nodiscard]] std::size_t growth(std::size_t bytes) const noexcept { return few_bytes + bytes / 4 * share; }

    /// After any full collection: `bytes` are in use.
    void limit_bytes(std::size_t bytes) noexcept { bytes_limit = bytes + growth(bytes); }

private:
    static constexpr std::size_t least_share = 2;
    static constexpr std::size_t most_share = 4;
};

} // namespace pygc::inline PYGC_ABI::detail
