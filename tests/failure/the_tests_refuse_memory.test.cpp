// SPDX-License-Identifier: BSL-1.0
// What refuses memory here: mmap in front of the C library's, and the global operator new.
#include "failing_memory.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdlib>

using failing_memory::outstanding;
using failing_memory::refusal;

#if defined(__linux__)
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" void* mmap(void* where, std::size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
    if (refusal::refuse()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    const long result = ::syscall(SYS_mmap, where, bytes, protection, flags, file, offset);
    if (result == -1) return MAP_FAILED;
    outstanding.mapped += static_cast<long>(bytes);
    return reinterpret_cast<void*>(result);
}

/// Moves of mappings can be refused as well. The place of a move replaces what was mapped there.
extern "C" void* mremap(void* where, std::size_t bytes, std::size_t more, int flags, ...) noexcept {
    void* place = nullptr;
    if ((flags & MREMAP_FIXED) != 0) {
        va_list rest;
        va_start(rest, flags);
        place = va_arg(rest, void*);
        va_end(rest);
    }
    if (refusal::refuse()) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    const long result = ::syscall(SYS_mremap, where, bytes, more, flags, place);
    if (result == -1) return MAP_FAILED;
    outstanding.mapped -= static_cast<long>(bytes);
    if (place == nullptr) outstanding.mapped += static_cast<long>(more);
    return reinterpret_cast<void*>(result);
}

extern "C" int munmap(void* where, std::size_t bytes) noexcept {
    outstanding.mapped -= static_cast<long>(bytes);
    return static_cast<int>(::syscall(SYS_munmap, where, bytes));
}
#endif

namespace {

void* allocate(std::size_t bytes) noexcept {
#if defined(__cpp_exceptions)
    if (refusal::refuse()) return nullptr;
#endif
    void* p = std::malloc(bytes == 0 ? 1 : bytes);
    outstanding.blocks += p != nullptr;
    return p;
}

} // namespace

void* operator new(std::size_t bytes) {
    void* p = allocate(bytes);
    if (p == nullptr) {
#if defined(__cpp_exceptions)
        throw std::bad_alloc();
#else
        std::abort();
#endif
    }
    return p;
}
// AddressSanitizer wants each new to come from where its delete goes.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
// Not inlined: g++ 12 would take the free in it for one of memory from new.
[[gnu::noinline]] void operator delete(void* p) noexcept {
    outstanding.blocks -= p != nullptr;
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }

#if defined(__linux__)
TEST_CASE("mappings can be refused, once or for good", "[failure]") {
    constexpr std::size_t bytes = std::size_t{1} << 16;
    const auto before = outstanding;
    void* places[4] = {};
    int asked = 0;
    {
        const refusal memory(2, false);
        for (void*& p : places) p = pygc::detail::map_memory(bytes, bytes);
        asked = memory.asked();
    }
    CHECK(asked == 4);
    CHECK((places[0] != nullptr && places[1] == nullptr && places[2] != nullptr && places[3] != nullptr));
    CHECK(outstanding.mapped == before.mapped + 3 * long{bytes});
    for (void* p : places) {
        if (p != nullptr) pygc::detail::unmap_memory(p, bytes);
    }
    {
        const refusal memory(2, true);
        for (void*& p : places) p = pygc::detail::map_memory(bytes, bytes);
    }
    CHECK((places[0] != nullptr && places[1] == nullptr && places[2] == nullptr && places[3] == nullptr));
    pygc::detail::unmap_memory(places[0], bytes);
    CHECK(outstanding.mapped == before.mapped);
}
#endif

#if defined(__cpp_exceptions)
TEST_CASE("operator new can be refused", "[failure]") {
    bool threw = false;
    int* p = nullptr;
    {
        const refusal memory(1, false);
        try {
            p = new int(1);
        } catch (const std::bad_alloc&) {
            threw = true;
        }
        p = new int(2);
    }
    CHECK(threw);
    CHECK(*p == 2);
    delete p;
}
#endif
