// SPDX-License-Identifier: BSL-1.0
// Random re-entrant programs without end, replay of one, and the search for a shorter one that fails too.
//
// usage: soak [--without NAME,NAME...] [--leaks] (--minutes N | --operations N) [--seed N] [--jobs N]
//        soak [--without NAME,NAME...] [--leaks] --seeds FIRST COUNT
//        soak [--without NAME,NAME...] [--trace] --replay HEX | --minimise HEX | --minimise-seed N
//
// --leaks: LeakSanitizer looks every thousand programs, which needs the permission to ptrace.
#include <chrono>
#include <cstring>
#include <string>

#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interpreter.hpp"
#include "seeds.hpp"

#if PYGC_ASAN
#include <sanitizer/lsan_interface.h>

/// Where memory was asked for is seldom of interest, and takes an eighth of the time.
extern "C" const char* __asan_default_options() { return "malloc_context_size=2"; }
#endif

namespace {

using namespace reentry;

struct options {
    feature_set without;
    std::string without_names;
    double minutes = 0;
    long operations = 0;
    std::uint64_t first = 0, count = 0;
    int jobs = 1;
    std::string replay, minimise;
    bool has_seed = false, trace = false, leaks = false;
};

/// Shared with the children.
struct totals {
    long operations, hooks, objects, programs;
    std::uint64_t seed; // that the child runs now
};

void add(totals& t, const result& r) {
    t.operations += r.operations;
    t.hooks += r.hooks;
    t.objects += r.objects;
    ++t.programs;
}

totals* shared_totals(int n) {
    void* p = mmap(nullptr, sizeof(totals) * static_cast<std::size_t>(n), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return static_cast<totals*>(p);
}

int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

/// Runs a program in a child. Returns: whether it fails.
bool fails(const std::vector<std::uint8_t>& bytes, feature_set without, bool silent) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        if (silent) {
            static_cast<void>(std::freopen("/dev/null", "w", stderr));
        }
        alarm(20);
        run_program(bytes.data(), bytes.size(), without, true);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return exit_code(status) != 0;
}

void minimise(std::vector<std::uint8_t> bytes, feature_set without) {
    if (!fails(bytes, without, true)) {
        std::puts("does not fail");
        return;
    }
    bool shorter = true;
    while (shorter) {
        shorter = false;
        for (std::size_t length = bytes.size() / 2; length != 0; length /= 2) {
            for (std::size_t at = 0; at + length <= bytes.size();) {
                std::vector<std::uint8_t> less(bytes);
                less.erase(less.begin() + static_cast<std::ptrdiff_t>(at),
                           less.begin() + static_cast<std::ptrdiff_t>(at + length));
                if (fails(less, without, true)) {
                    bytes = std::move(less);
                    shorter = true;
                } else {
                    at += length;
                }
            }
        }
        for (std::uint8_t& b : bytes) { // zeros say the least
            const std::uint8_t old = b;
            for (int smaller : {0, old % 16, old % 32}) {
                if (smaller >= old) continue;
                b = static_cast<std::uint8_t>(smaller);
                if (fails(bytes, without, true)) break;
                b = old;
            }
        }
    }
    std::printf("%s\n", to_hex(bytes).c_str());
    std::fflush(stdout);
    static_cast<void>(fails(bytes, without, false));
}

/// Longer than those of the tests: making the heaps and the last look cost as much as a hundred operations.
constexpr std::uint64_t program_length = 1200;

void look_for_leaks() {
#if PYGC_ASAN
    if (__lsan_do_recoverable_leak_check() != 0) std::abort();
#endif
}

/// The child's loop: seeds until told otherwise.
void run_seeds(std::uint64_t first, std::uint64_t step, std::uint64_t end, const options& o, totals& t) {
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint64_t seed = first; seed < end; seed += step) {
        t.seed = seed;
        const auto bytes = bytes_of_seed(seed, program_length);
        add(t, run_program(bytes.data(), bytes.size(), o.without, true));
        if (o.leaks && t.programs % 1000 == 0) look_for_leaks();
        if (o.operations > 0 && t.operations >= o.operations / o.jobs) break;
        if (o.minutes > 0 && t.programs % 64 == 0) {
            const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
            if (passed.count() > o.minutes * 60) break;
        }
    }
    if (o.leaks) look_for_leaks();
}

int soak(const options& o) {
    const int jobs = o.jobs;
    totals* const t = shared_totals(jobs);
    std::uint64_t first = o.first;
    if (!o.has_seed) {
        first = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) % 1000000007u *
                1000000u;
    }
    const std::uint64_t end = o.count != 0 ? first + o.count : UINT64_MAX;
    std::printf("seeds from %llu, in %d processes\n", static_cast<unsigned long long>(first), jobs);
    std::fflush(stdout);
    std::vector<pid_t> children;
    for (int j = 0; j != jobs; ++j) {
        const pid_t child = fork();
        if (child == 0) {
            run_seeds(first + static_cast<std::uint64_t>(j), static_cast<std::uint64_t>(jobs), end, o, t[j]);
            _exit(0);
        }
        children.push_back(child);
    }
    int failures = 0;
    totals sum{};
    for (int j = 0; j != jobs; ++j) {
        int status = 0;
        waitpid(children[static_cast<std::size_t>(j)], &status, 0);
        sum.operations += t[j].operations;
        sum.hooks += t[j].hooks;
        sum.objects += t[j].objects;
        sum.programs += t[j].programs;
        if (exit_code(status) == 0) continue;
        ++failures;
        const auto bytes = bytes_of_seed(t[j].seed, program_length);
        std::printf("FAILED: seed %llu\n--replay %s\n", static_cast<unsigned long long>(t[j].seed),
                    to_hex(bytes).c_str());
    }
    std::printf("%ld programs, %ld operations, %ld hooks called, %ld objects: %s\n", sum.programs, sum.operations,
                sum.hooks, sum.objects, failures == 0 ? "no fault" : "FAULTS");
    return failures == 0 ? 0 : 1;
}

int usage() {
    std::fputs("usage: soak [--without NAME,...] [--leaks] ((--minutes N | --operations N) [--seed N] [--jobs N] | "
               "--seeds FIRST COUNT | --replay HEX | --minimise HEX | --minimise-seed N)\n",
               stderr);
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    // Containers ordered by address behave alike in each run only where addresses are alike.
    if ((personality(0xffffffff) & ADDR_NO_RANDOMIZE) == 0 && std::getenv("REENTRY_RANDOM_ADDRESSES") == nullptr) {
        if (personality(ADDR_NO_RANDOMIZE | personality(0xffffffff)) != -1) {
            setenv("REENTRY_RANDOM_ADDRESSES", "once", 1);
            execv("/proc/self/exe", argv);
        }
    }
    options o;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const int left = argc - i - 1;
        if (word == "--without" && left >= 1) {
            if (!o.without.parse(argv[++i])) return usage();
        } else if (word == "--trace") {
            o.trace = true;
        } else if (word == "--minutes" && left >= 1) {
            o.minutes = std::atof(argv[++i]);
        } else if (word == "--operations" && left >= 1) {
            o.operations = std::atol(argv[++i]);
        } else if (word == "--leaks") {
            o.leaks = true;
        } else if (word == "--seed" && left >= 1) {
            o.first = std::strtoull(argv[++i], nullptr, 10);
            o.has_seed = true;
        } else if (word == "--seeds" && left >= 2) {
            o.first = std::strtoull(argv[++i], nullptr, 10);
            o.count = std::strtoull(argv[++i], nullptr, 10);
            o.has_seed = true;
        } else if (word == "--jobs" && left >= 1) {
            o.jobs = std::max(1, std::atoi(argv[++i]));
        } else if (word == "--replay" && left >= 1) {
            o.replay = argv[++i];
        } else if (word == "--minimise" && left >= 1) {
            o.minimise = argv[++i];
        } else if (word == "--minimise-seed" && left >= 1) {
            o.minimise = to_hex(bytes_of_seed(std::strtoull(argv[++i], nullptr, 10), program_length));
        } else {
            return usage();
        }
    }
    if (!o.replay.empty()) {
        const auto bytes = from_hex(o.replay);
        const result r = run_program(bytes.data(), bytes.size(), o.without, true, o.trace);
        std::printf("%ld operations, %ld hooks called, %ld objects: no fault\n", r.operations, r.hooks, r.objects);
        return 0;
    }
    if (!o.minimise.empty()) {
        minimise(from_hex(o.minimise), o.without);
        return 0;
    }
    if (o.minutes <= 0 && o.operations <= 0 && o.count == 0) return usage();
    return soak(o);
}
