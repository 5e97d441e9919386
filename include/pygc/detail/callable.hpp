// SPDX-License-Identifier: BSL-1.0
// callable<Args...>: a function object behind one pointer. <functional> would double the time to include us.
#pragma once

#include <cstddef>

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// Copies share the function object, which goes with the last of them. Thread-confined.
template <class... Args>
class callable {
public:
    constexpr callable() noexcept = default;

    /// Throws: std::bad_alloc, and what copying `f` throws.
    template <class F>
    static callable make(F f) {
        static_assert(noexcept(f.~F()), "pygc: a function object's destructor must not throw: nobody could catch it");
        callable c;
        c.held_ = new holder_of<F>(static_cast<F&&>(f));
        return c;
    }

    callable(const callable& other) noexcept : held_(other.held_) {
        if (held_ != nullptr) ++held_->owners;
    }
    callable(callable&& other) noexcept : held_(other.held_) { other.held_ = nullptr; }
    callable& operator=(callable other) noexcept {
        swap(other);
        return *this;
    }
    ~callable() {
        if (held_ != nullptr && --held_->owners == 0) delete held_;
    }

    void swap(callable& other) noexcept {
        holder* mine = held_;
        held_ = other.held_;
        other.held_ = mine;
    }

    explicit operator bool() const noexcept { return held_ != nullptr; }

    /// Preconditions: holds a function.
    void operator()(Args... args) const { held_->call(args...); }

private:
    struct holder {
        holder() noexcept = default;
        holder(const holder&) = delete;
        holder& operator=(const holder&) = delete;
        virtual ~holder() = default;
        virtual void call(Args... args) = 0;
        std::size_t owners = 1;
    };
    template <class F>
    struct holder_of final : holder {
        explicit holder_of(F&& f) : function(static_cast<F&&>(f)) {}
        void call(Args... args) override { static_cast<void>(function(args...)); }
        F function;
    };

    holder* held_ = nullptr;
};

} // namespace pygc::inline PYGC_ABI::detail
