// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 5 of 5$
// A heap that ends when there is no memory for its last collection is collected at the end of the program.
#include "at_exit.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

constinit bool refused = false;

extern "C" void* mmap(void* where, std::size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
    if (refused) return MAP_FAILED;
    return reinterpret_cast<void*>(::syscall(SYS_mmap, where, bytes, protection, flags, file, offset));
}
#else
bool refused = false;
#endif

int main() {
    {
        pygc::heap h;
        const pygc::heap::scope use(h);
        static_cast<void>(make_ring(5));
        refused = true;
    }
    refused = false;
#if defined(__linux__)
    if (destroyed != 0) std::puts("there was memory");
#endif
}
