// SPDX-License-Identifier: BSL-1.0
// expect-output: ^destroyed 5 of 5$
// A heap that ends when there is no memory for its last collection is collected at the end of the program.
#include "at_exit.hpp"

// ThreadSanitizer must know of each mapping, so that its mmap can't be replaced.
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
#define REFUSES_MEMORY 1
#else
#define REFUSES_MEMORY 0
#endif

#if REFUSES_MEMORY
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
#if REFUSES_MEMORY
    if (destroyed != 0) std::puts("there was memory");
#endif
}
