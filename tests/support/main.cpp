// SPDX-License-Identifier: BSL-1.0
// Catch2's main for all test executables, with a listener that fails a test case which leaks.
#define SUPPORT_CATCH_MAIN
#include <support/catch.hpp>

#include <support/leak_check.hpp>

namespace {

// The outermost section is the test case itself. Its end is the last moment at which a failed
// assertion still counts for the test case, and by then all its locals are destroyed.
struct leak_listener : support::listener_base {
    using base = support::listener_base;
    using base::base;

    void sectionStarting(Catch::SectionInfo const& info) override {
        base::sectionStarting(info);
        if (depth_++ == 0) support::reset_settings();
    }

    void sectionEnded(Catch::SectionStats const& stats) override {
        base::sectionEnded(stats);
        if (--depth_ == 0) support::check_nothing_left();
    }

private:
    int depth_ = 0;
};

} // namespace

CATCH_REGISTER_LISTENER(leak_listener)

int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
