// SPDX-License-Identifier: BSL-1.0
// One contender's program: runs the workload that it is told and prints a line of JSON.
// usage: PROGRAM WORKLOAD NAME=VALUE...     threads=1: a thread has been started and joined before
#include <cstring>
#include <string>
#include <thread>

#include "loops.hpp"
#include "memory.hpp"
#include "workloads.hpp"

namespace {

struct entry {
    const char* name;
    bench::outcome (*run)(const bench::parameters&);
};

constexpr entry entries[] = {
    {"trees", bench::trees},
    {"parents", bench::parents},
    {"lists", bench::lists},
    {"pairs", bench::pairs},
    {"growth", bench::growth},
    {"full", bench::full},
    {"window", bench::window},
    {"hub", bench::hub_trap},
    {"chain", bench::chain},
    {"ring", bench::ring},
    {"gcbench", bench::gcbench},
    {"collect_rings", bench::collect_rings},
    {"traversal", bench::traversal},
    {"stress", bench::stress},
    {"lists_and_trees", bench::lists_and_trees},
    {"loops", bench::loops},
    {"lru", bench::lru},
    {"cyclotron", bench::cyclotron_rings},
    {"cyclotron_trees", bench::cyclotron_trees},
    {"bytes_of_node", bench::bytes_of<bench::node>},
    {"bytes_of_one_reference", bench::bytes_of<bench::one_reference>},
    {"bytes_of_int", bench::bytes_of<bench::sized<sizeof(int)>>},
    {"bytes_of_64", bench::bytes_of<bench::sized<64>>},
    {"swings", bench::swings},
};

int usage(const char* wrong) {
    std::fprintf(stderr, "error: %s\nusage: PROGRAM WORKLOAD NAME=VALUE...\n", wrong);
    return 2;
}

} // namespace

int main(int argc, char** argv) {
    bench::policy::start();
    if (argc < 2) return usage("which workload?");
    bench::parameters given;
    for (int i = 2; i < argc; ++i) {
        const std::string argument = argv[i];
        const std::size_t sign = argument.find('=');
        if (sign == std::string::npos) return usage("a parameter is NAME=VALUE");
        const std::string name = argument.substr(0, sign);
        if (name == "threads") {
            std::thread([] {}).join();
        } else {
            given.set(name, std::atoll(argument.c_str() + sign + 1));
        }
    }
    for (const entry& e : entries) {
        if (std::strcmp(e.name, argv[1]) == 0) {
            e.run(given).print();
            return 0;
        }
    }
    return usage("no such workload");
}
