// SPDX-License-Identifier: BSL-1.0
// A child process has the heap of the thread that forked; nothing that other threads were in the middle of is touched.
#include <support/catch.hpp>
#include <support/environment.hpp>

#include <pygc/pygc.hpp>

#include <atomic>
#include <cstdlib>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};

pygc::py_ref<node> loop() {
    auto n = pygc::make_ref<node>();
    n->next = n;
    return n;
}

#if defined(__SANITIZE_THREAD__)
constexpr bool may_start_threads = false; // ThreadSanitizer allows none in such a child
#else
constexpr bool may_start_threads = true;
#endif

/// LeakSanitizer would take for lost what threads hold that the child doesn't have.
[[noreturn]] void end_child(int status) {
    if (support::with_address_sanitizer) std::_Exit(status);
    std::exit(status);
}

/// Returns: the child's exit status, -1 if it didn't end by itself within a while.
template <class F>
int status_of_child(F f) {
    pid_t const child = ::fork();
    if (child == 0) {
        ::alarm(20); // a lock that nobody gives back
        end_child(f());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace

TEST_CASE("a child of a program with threads makes, collects and ends", "[threads][fork]") {
    if (support::with_address_sanitizer) {
        WARN("skipped: in the child another thread may hold the lock of AddressSanitizer's own malloc, for ever");
        return;
    }
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t != 2; ++t) {
        threads.emplace_back([&stop] {
            while (!stop) { // heaps begin and end all the time
                pygc::heap h;
                pygc::heap::scope const use(h);
                auto n = loop();
                std::thread([] { loop().reset(); }).join();
            }
        });
    }
    auto kept = loop();
    int ended_well = 0;
    for (int i = 0; i != 20; ++i) {
        ended_well += status_of_child([] {
                          for (int k = 0; k != 100; ++k) loop().reset();
                          pygc::heap h;
                          if (may_start_threads) std::thread([] { loop().reset(); }).join();
                          return pygc::collect() == 100 ? 0 : 1;
                      }) == 0;
    }
    stop = true;
    for (auto& t : threads) t.join();
    CHECK(ended_well == 20);
    kept->next = nullptr;
}

TEST_CASE("a child leaves alone what other threads may have been using", "[threads][fork]") {
    pygc::py_ref<node> left;
    std::thread([&] { left = loop(); }).join();
    left = nullptr;
    CHECK(status_of_child([] { return pygc::collect() == 1 ? 0 : 1; }) == 0); // its only thread's to free
    {
        std::atomic<bool> stop{false};
        std::thread other([&stop] {
            while (!stop) std::this_thread::yield();
        });
        CHECK(status_of_child([] { return pygc::collect() == 0 ? 0 : 1; }) == 0);
        stop = true;
        other.join();
    }
    CHECK(pygc::collect() == 1);
}
