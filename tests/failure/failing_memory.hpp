// SPDX-License-Identifier: BSL-1.0
// Memory that is refused when a test says so: the library's mappings and the global operator new.
#pragma once

#include <support/catch.hpp>

#include <new>

#include <pygc/pygc.hpp>

namespace failing_memory {

/// What this thread has been given and has not given back.
struct ledger {
    long blocks = 0; // of operator new
    long mapped = 0; // bytes
    friend bool operator==(const ledger&, const ledger&) = default;
};
inline constinit thread_local ledger outstanding{};

/// While one lives, this thread's allocation number `first` fails, and those after it too if that is `lasting`.
class refusal {
public:
    refusal(int first, bool lasting) : first_(first), lasting_(lasting) { current_ = this; }
    refusal(const refusal&) = delete;
    refusal& operator=(const refusal&) = delete;
    ~refusal() { current_ = nullptr; }

    [[nodiscard]] int asked() const { return asked_; }
    [[nodiscard]] int refused() const { return refused_; }

    /// For the allocation functions. Returns: whether the one that asks has to fail.
    static bool refuse() {
        if (current_ == nullptr) return false;
        const int number = ++current_->asked_;
        const bool fails = number == current_->first_ || (current_->lasting_ && number > current_->first_);
        current_->refused_ += fails;
        return fails;
    }

private:
    inline static constinit thread_local refusal* current_ = nullptr;
    int first_;
    bool lasting_;
    int asked_ = 0;
    int refused_ = 0;
};

/// A heap of its own and the first expectation that wasn't met: Catch2 allocates, and so is told later.
///
/// A scene derived from it has `bool operate()`, which does what is tested and returns true, or returns false or throws
/// std::bad_alloc and has changed nothing; `expect_unchanged()` for then; and `expect_done()`.
struct scene {
    pygc::heap heap;
    pygc::heap::scope use{heap};
    const char* wrong = nullptr;

    void expect(bool fulfilled, const char* what) {
        if (!fulfilled && wrong == nullptr) wrong = what;
    }
    [[nodiscard]] std::size_t objects() const { return heap.get_memory().objects; }
    [[nodiscard]] std::size_t given_up() const {
        std::size_t sum = 0;
        for (const auto& s : heap.get_stats()) sum += s.given_up;
        return sum;
    }
    /// Returns: false if the collection gave up.
    bool collect(int generation, std::size_t& found) {
        const auto before = given_up();
        found += heap.collect(generation);
        return given_up() == before;
    }
};

struct report {
    int refused;
    const char* wrong;
};

/// One performance, with one failure or a lasting one; after it, a second try has to work.
template <class Scene>
report play(int first, bool lasting) {
    Scene s;
    bool done = false;
    int refused = 0;
    {
        const refusal memory(first, lasting);
#if defined(__cpp_exceptions)
        try {
            done = s.operate();
        } catch (const std::bad_alloc&) {
        }
#else
        done = s.operate();
#endif
        refused = memory.refused();
    }
    if (!done) {
        s.expect(refused != 0, "failed although there was memory");
        s.expect_unchanged();
        s.expect(s.operate(), "failed again although there was memory");
    }
    s.expect_done();
    return {refused, s.wrong};
}

/// Fails the first allocation, the second, and so on until the operation has had all it asks for. Returns: how many
/// that were.
template <class Scene>
int survives_every_failure() {
    int asked = 0;
    for (bool lasting : {false, true}) {
        for (int first = 1;; ++first) {
            pygc::detail::release_spare_heaps();
            const auto before = outstanding;
            const auto r = play<Scene>(first, lasting);
            pygc::detail::release_spare_heaps(); // those of scenes with heaps of their own
            const auto after = outstanding;
            INFO("allocation " << first << (lasting ? " and all later ones" : "")
                               << " refused: " << (r.wrong != nullptr ? r.wrong : "all as expected"));
            REQUIRE(r.wrong == nullptr);
            REQUIRE(after.blocks == before.blocks);
            REQUIRE(after.mapped == before.mapped);
            if (r.refused == 0) {
                asked = first - 1;
                break;
            }
        }
    }
    return asked;
}

} // namespace failing_memory
