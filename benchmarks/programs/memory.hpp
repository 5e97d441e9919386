// SPDX-License-Identifier: BSL-1.0
// What objects take of the machine's memory: bytes an object, what a changing program wastes, what a type costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "workloads.hpp"

namespace bench {

/// The largest number of bytes that the process has had in memory so far.
[[nodiscard]] inline std::int64_t most_resident_bytes() {
    long kib = 0;
    if (std::FILE* file = std::fopen("/proc/self/status", "r")) {
        char line[256];
        while (std::fgets(line, sizeof line, file) != nullptr && std::sscanf(line, "VmHWM: %ld", &kib) != 1) {
        }
        std::fclose(file);
    }
    return kib * std::int64_t{1024};
}

/// Ends the process: what goes wrong or is slow while objects die is the business of other workloads.
[[noreturn]] inline void print_and_exit(const outcome& result) {
    result.print();
    std::fflush(stdout);
    std::_Exit(0);
}

struct one_reference : object<one_reference> {
    ref<one_reference> next{};

    void each_owned(auto&& f) { f(next); }
    void traverse(auto& visit) { visit(next); }
};

template <std::size_t N>
struct sized : object<sized<N>> {
    std::array<char, N> text{};

    void each_owned(auto&&) {}
};

/// Resident bytes an object: of `count` in a chain, of which only the head is held from outside, or, of those
/// without a reference, in an array that was there before. With a collector also the peak of a full collection and
/// what stays of it.
template <class T>
outcome bytes_of(const parameters& p) {
    outcome result;
    const std::int64_t count = p["count"];
    constexpr bool chained = requires(T t) { t.next; };
    policy::disable();
    policy::vector<ref<T>> kept(static_cast<std::size_t>(chained ? 1 : count));
    const std::int64_t before = resident_bytes();
    const auto each = [&](std::int64_t bytes) {
        return static_cast<double>(bytes - before) / static_cast<double>(count);
    };
    const processor_time watch;
    for (std::int64_t i = 0; i != count; ++i) {
        auto added = policy::make<T>();
        if constexpr (chained) {
            added->next = std::move(kept[0]);
            kept[0] = std::move(added);
        } else {
            kept[static_cast<std::size_t>(i)] = std::move(added);
        }
    }
    result.nanoseconds = watch.elapsed();
    result.more["bytes_each"] = each(resident_bytes());
    if constexpr (policy::collects) {
        policy::enable();
        policy::collect();
        result.more["bytes_collecting"] = each(most_resident_bytes());
        result.more["bytes_after"] = each(resident_bytes());
    }
    escape(kept.data());
    result.items = result.checksum = count;
    print_and_exit(result);
}

/// Objects of one size that come and go in no order.
template <std::size_t N>
class shelf {
public:
    explicit shelf(std::size_t most) : kept_(most) {}

    [[nodiscard]] bool is_empty() const { return used_ == 0; }
    std::int64_t add() {
        kept_[used_++] = policy::make<sized<N>>();
        return static_cast<std::int64_t>(N);
    }
    std::int64_t drop(random_numbers& random) {
        auto& chosen = kept_[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(used_)))];
        policy::drop(chosen);
        chosen = std::move(kept_[--used_]);
        kept_[used_] = ref<sized<N>>{};
        return static_cast<std::int64_t>(N);
    }

private:
    policy::vector<ref<sized<N>>> kept_;
    std::size_t used_ = 0;
};

/// Sixteen types of 16 to 512 bytes; the living ones grow to `most` objects and shrink to a tenth, `swings` times,
/// with others coming and going all the time. Resident bytes for each byte of a living object, at both ends.
inline outcome swings(const parameters& p) {
    outcome result;
    const std::int64_t most = p["most"];
    const auto room = static_cast<std::size_t>(most / 4);
    std::tuple<shelf<16>, shelf<32>, shelf<48>, shelf<64>, shelf<80>, shelf<96>, shelf<128>, shelf<160>, shelf<192>,
               shelf<224>, shelf<256>, shelf<320>, shelf<384>, shelf<448>, shelf<480>, shelf<512>>
        shelves{room, room, room, room, room, room, room, room, room, room, room, room, room, room, room, room};
    random_numbers random;
    std::int64_t objects = 0, bytes = 0;
    const auto with_any = [&](auto&& f) {
        const std::int64_t chosen = random.below(16);
        std::int64_t i = 0;
        std::apply([&](auto&... s) { ((i++ == chosen ? f(s) : void()), ...); }, shelves);
    };
    const auto add = [&](auto& s) { bytes += s.add(), ++objects, ++result.items; };
    const auto drop = [&](auto& s) {
        if (!s.is_empty()) bytes -= s.drop(random), --objects;
    };
    const auto move_to = [&](std::int64_t target) {
        while (objects != target) { // two steps forward, one back
            with_any(add);
            with_any(drop);
            objects < target ? with_any(add) : with_any(drop);
        }
    };
    const std::int64_t before = resident_bytes();
    const auto for_each_live = [&](std::int64_t resident) {
        return static_cast<double>(resident - before) / static_cast<double>(bytes);
    };
    const processor_time watch;
    for (std::int64_t i = p["swings"]; i != 0; --i) {
        move_to(most);
        if (i == 1) result.more["resident_at_most"] = for_each_live(resident_bytes());
        move_to(most / 10);
    }
    result.nanoseconds = watch.elapsed();
    result.more["resident_at_tenth"] = for_each_live(resident_bytes());
    policy::collect();
    result.more["resident_after"] = for_each_live(resident_bytes());
    result.checksum = bytes;
    print_and_exit(result);
}

} // namespace bench
