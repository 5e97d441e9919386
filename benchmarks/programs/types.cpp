// SPDX-License-Identifier: BSL-1.0
// What a type costs: one object each of many types that differ in nothing but their name, code and tables included.
// usage: PROGRAM types     compiled with -DBENCH_TYPES=NUMBER
#include <cstdio>
#include <utility>

#include "memory.hpp"

namespace {

using namespace bench;

template <int I>
struct numbered : object<numbered<I>> {
    ref<numbered> next{};
    std::int64_t value = I;

    void each_owned(auto&& f) { f(next); }
    void traverse(auto& visit) { visit(next); }
};

template <int I>
void keep() {
    static ref<numbered<I>> kept;
    kept = policy::make<numbered<I>>();
}

/// Bytes in memory that come from no file: without code, which is read in steps of 64 KiB.
std::int64_t own_bytes() {
    long total = 0, resident = 0, shared = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%ld %ld %ld", &total, &resident, &shared) != 3) resident = shared = 0;
        std::fclose(file);
    }
    return static_cast<std::int64_t>(resident - shared) * sysconf(_SC_PAGESIZE);
}

template <int... I>
outcome make_all(std::integer_sequence<int, I...>) {
    constexpr double types = sizeof...(I);
    outcome result;
    const std::int64_t before = own_bytes(), with_code = resident_bytes();
    const processor_time watch;
    (keep<I>(), ...);
    result.nanoseconds = watch.elapsed();
    result.items = result.checksum = sizeof...(I);
    result.more["bytes_each"] = static_cast<double>(own_bytes() - before) / types;
    policy::collect();
    result.more["bytes_after"] = static_cast<double>(own_bytes() - before) / types;
    result.more["bytes_with_code"] = static_cast<double>(resident_bytes() - with_code) / types;
    return result;
}

} // namespace

int main() {
    policy::start();
    { const auto first = policy::make<numbered<-1>>(); } // what the first object of all costs is no type's
    print_and_exit(make_all(std::make_integer_sequence<int, BENCH_TYPES>()));
}
