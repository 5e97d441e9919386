// SPDX-License-Identifier: BSL-1.0
// Counts constructions and destructions, so that a test can say that everything died, and once only.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// What became of the probes that were given it.
struct lifetimes {
    int constructed = 0;
    int destroyed = 0;

    [[nodiscard]] int alive() const { return constructed - destroyed; }
};

/// A member that reports its owner's life to a `lifetimes`. Destroyed twice, it ends the process: a
/// destructor can't throw, and what follows would not be worth reading.
class probe {
public:
    using pygc_acyclic = void;
    explicit probe(lifetimes& counts) : counts_(&counts) { begin(); }
    probe(probe const& other) : counts_(other.counts_) { begin(); }
    probe& operator=(probe const&) { return *this; }
    ~probe() {
        if (state_ != living) {
            std::fputs("support::probe: destroyed twice, or never constructed\n", stderr);
            std::abort();
        }
        state_ = dead;
        ++counts_->destroyed;
    }

    [[nodiscard]] bool is_alive() const { return state_ == living; }

private:
    static constexpr unsigned living = 0x600d600du, dead = 0xdeaddeadu;
    void begin() {
        state_ = living;
        ++counts_->constructed;
    }

    lifetimes* counts_;
    unsigned volatile state_ = dead; // volatile: the destructor's store must not be optimised away
};

/// What happened, in order.
using trace = std::vector<std::string>;

/// Adds its name to a trace when it is destroyed.
class farewell {
public:
    using pygc_acyclic = void;
    farewell(trace& to, std::string name) : to_(&to), name_(std::move(name)) {}
    farewell(farewell const&) = delete;
    farewell& operator=(farewell const&) = delete;
    ~farewell() { to_->push_back(name_); }

    [[nodiscard]] std::string const& name() const { return name_; }

private:
    trace* to_;
    std::string name_;
};

} // namespace support
