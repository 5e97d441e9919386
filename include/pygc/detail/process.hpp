// SPDX-License-Identifier: BSL-1.0
// What threads the process has.
#pragma once

#include <pygc/config.hpp>

#if defined(__linux__)
#include <dirent.h>      // opendir
#include <fcntl.h>       // open
#include <sys/stat.h>    // stat
#include <sys/syscall.h> // gettid
#include <unistd.h>      // read
#endif

namespace pygc::inline PYGC_ABI::detail {

#if defined(__linux__)

/// Whether a thread has begun to end: no code of the program runs there any more. One that was joined may still be
/// listed for a while.
inline bool is_ending_thread(int task_folder, const char* thread) noexcept {
    constexpr unsigned long exiting = 4; // PF_EXITING of the kernel
    const int folder = ::openat(task_folder, thread, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return true;
    const int file = ::openat(folder, "stat", O_RDONLY | O_CLOEXEC);
    ::close(folder);
    if (file < 0) return true;
    char text[512];
    const auto length = ::read(file, text, sizeof(text) - 1);
    ::close(file);
    if (length <= 0) return true;
    text[length] = 0;
    const char* at = text + length; // number (name) state parent group session terminal foreground flags
    while (at != text && *at != ')') --at;
    for (int fields = 0; *at != 0 && fields != 7; ++at) fields += *at == ' ';
    unsigned long flags = 0;
    for (; *at >= '0' && *at <= '9'; ++at) flags = flags * 10 + static_cast<unsigned long>(*at - '0');
    return (flags & exiting) != 0;
}

/// Whether other threads of the process may run, as far as can be seen. Complexity: a few system calls.
PYGC_NOINLINE inline bool other_threads_run() noexcept {
#if defined(__SANITIZE_THREAD__)
    constexpr unsigned long own = 2; // ThreadSanitizer has one, too
#else
    constexpr unsigned long own = 1;
#endif
    struct ::stat status;
    if (::stat("/proc/self/task", &status) != 0) return true;
    if (status.st_nlink == 2 + own) return false; // a folder for each
    ::DIR* const tasks = ::opendir("/proc/self/task");
    if (tasks == nullptr) return true;
    unsigned long running = 0;
    while (const ::dirent* entry = ::readdir(tasks)) {
        if (entry->d_name[0] != '.' && !is_ending_thread(::dirfd(tasks), entry->d_name) && ++running > own) break;
    }
    ::closedir(tasks);
    return running > own;
}

/// Whether this is the process's first thread, whose end is that of the program.
inline bool is_main_thread() noexcept { return ::syscall(SYS_gettid) == ::getpid(); }

#else

inline bool other_threads_run() noexcept { return true; }
inline bool is_main_thread() noexcept { return false; }

#endif

} // namespace pygc::inline PYGC_ABI::detail
