// SPDX-License-Identifier: BSL-1.0
// Runs a program and writes what the system says it used: processor seconds, wall seconds, peak KiB, exit status.
// usage: measure FILE SECONDS PROGRAM ARGUMENT...     after SECONDS the program is stopped: status -14
//
// A process inherits its peak from whom it was forked from; this one is small, a Python interpreter isn't.
#include <cstdio>
#include <cstdlib>

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; }

double now() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: measure FILE SECONDS PROGRAM ARGUMENT...\n");
        return 2;
    }
    const double start = now();
    const pid_t child = fork();
    if (child == 0) {
        alarm(static_cast<unsigned>(std::atoi(argv[2])));
        execvp(argv[3], argv + 3);
        std::perror(argv[3]);
        _exit(127);
    }
    int status = 0;
    rusage used{};
    if (child < 0 || wait4(child, &status, 0, &used) != child) {
        std::perror("measure");
        return 1;
    }
    const double wall = now() - start;
    std::FILE* file = std::fopen(argv[1], "w");
    if (file == nullptr) {
        std::perror(argv[1]);
        return 1;
    }
    std::fprintf(file, "%.6f %.6f %ld %d\n", seconds(used.ru_utime) + seconds(used.ru_stime), wall, used.ru_maxrss,
                 WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
    std::fclose(file);
    return 0;
}
