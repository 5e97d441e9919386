// SPDX-License-Identifier: BSL-1.0
// What threads the process has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <pygc/config.hpp>

#if defined(__linux__)
#include <sys/syscall.h> // numbers only

// <unistd.h> would bring names such as link, access and pause into every program.
extern "C" long syscall(long number, ...)
#if defined(__GLIBC__)
    noexcept
#endif
    ;
#endif

namespace pygc::inline PYGC_ABI::detail {

#if defined(__linux__)

inline constexpr long current_folder = -100;            // AT_FDCWD
inline constexpr long read_only_and_private = 02000000; // O_RDONLY | O_CLOEXEC

/// Whether a thread has begun to end: no code of the program runs there any more. One that was joined may still be
/// listed for a while.
inline bool is_ending_thread(long task_folder, const char* thread) noexcept {
    constexpr unsigned long exiting = 4; // PF_EXITING of the kernel
    const long folder = ::syscall(SYS_openat, task_folder, thread, read_only_and_private);
    if (folder < 0) return true;
    const long file = ::syscall(SYS_openat, folder, "stat", read_only_and_private);
    ::syscall(SYS_close, folder);
    if (file < 0) return true;
    char text[512];
    const long length = ::syscall(SYS_read, file, text, sizeof(text) - 1);
    ::syscall(SYS_close, file);
    if (length <= 0) return true;
    text[length] = 0;
    const char* at = text + length; // number (name) state parent group session terminal foreground flags
    while (at != text && *at != ')') --at;
    for (int fields = 0; *at != 0 && fields != 7; ++at) fields += *at == ' ';
    unsigned long flags = 0;
    for (; *at >= '0' && *at <= '9'; ++at) flags = flags * 10 + static_cast<unsigned long>(*at - '0');
    return (flags & exiting) != 0;
}

/// Whether other threads of the process may run, as far as can be seen. Complexity: some system calls for each.
PYGC_NOINLINE inline bool other_threads_run() noexcept {
#if defined(__SANITIZE_THREAD__)
    constexpr int own = 2; // ThreadSanitizer has one, too
#else
    constexpr int own = 1;
#endif
    const long tasks = ::syscall(SYS_openat, current_folder, "/proc/self/task", read_only_and_private);
    if (tasks < 0) return true;
    // What the kernel writes for each thread: two numbers, the length of the entry, a kind, and the name.
    constexpr std::size_t length_at = 16, name_at = 19;
    alignas(8) char entries[1024];
    int running = 0;
    bool failed = false;
    for (;;) {
        const long bytes = ::syscall(SYS_getdents64, tasks, entries, sizeof(entries));
        failed |= bytes < 0;
        if (bytes <= 0 || running > own) break;
        for (const char* at = entries; at < entries + bytes && running <= own;) {
            if (at[name_at] != '.' && !is_ending_thread(tasks, at + name_at)) ++running;
            std::uint16_t length;
            std::memcpy(&length, at + length_at, sizeof(length));
            at += length;
        }
    }
    ::syscall(SYS_close, tasks);
    return failed || running > own;
}

/// Whether this is the process's first thread, whose end is that of the program.
inline bool is_main_thread() noexcept { return ::syscall(SYS_gettid) == ::syscall(SYS_getpid); }

/// Whether a page is mapped.
inline bool is_mapped(const void* page) noexcept {
    unsigned char present = 0;
    return ::syscall(SYS_mincore, page, std::size_t{1}, &present) == 0;
}

#else

inline bool other_threads_run() noexcept { return true; }
inline bool is_main_thread() noexcept { return false; }

#endif

} // namespace pygc::inline PYGC_ABI::detail
