// SPDX-License-Identifier: BSL-1.0
// The same node, two references and one 64-bit value, for every contender, and how each makes one.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <pygc/pygc.hpp>

#if __has_include(<boost/intrusive_ptr.hpp>)
#define PYGC_BENCH_BOOST 1
#include <boost/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#else
#define PYGC_BENCH_BOOST 0
#endif

namespace bench {

/// pygc, a class with a traverse.
struct pygc_node : pygc::py_object {
    pygc::py_ref<pygc_node> a, b;
    std::uint64_t value = 0;
    void traverse(auto& visit) { visit(a, b); }

    static pygc::py_ref<pygc_node> make() { return pygc::make_ref<pygc_node>(); }
};

/// pygc, a plain struct, which lives in a box.
struct pygc_plain {
    pygc::py_ref<pygc_plain> a, b;
    std::uint64_t value = 0;

    static pygc::py_ref<pygc_plain> make() { return pygc::make_ref<pygc_plain>(); }
};

/// pygc, as large, but without references: never tracked.
struct pygc_leaf {
    std::uint64_t value[3] = {};

    static pygc::py_ref<pygc_leaf> make() { return pygc::make_ref<pygc_leaf>(); }
};

/// The lower bound of counting: a 32-bit count that only one thread touches, and nothing else.
template <class T>
class hand_ref {
public:
    hand_ref() noexcept = default;
    hand_ref(const hand_ref& other) noexcept : p_(other.p_) {
        if (p_ != nullptr) ++p_->count;
    }
    hand_ref(hand_ref&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
    hand_ref& operator=(hand_ref other) noexcept {
        std::swap(p_, other.p_);
        return *this;
    }
    ~hand_ref() {
        if (p_ != nullptr && --p_->count == 0) delete p_;
    }

    /// Takes over the reference that a new object starts with.
    static hand_ref adopt(T* p) noexcept {
        hand_ref r;
        r.p_ = p;
        return r;
    }

    T* get() const noexcept { return p_; }
    T* operator->() const noexcept { return p_; }

private:
    T* p_ = nullptr;
};

struct hand_node {
    std::uint32_t count = 1;
    hand_ref<hand_node> a, b;
    std::uint64_t value = 0;

    static hand_ref<hand_node> make() { return hand_ref<hand_node>::adopt(new hand_node); }
};

#if PYGC_BENCH_BOOST
struct boost_node : boost::intrusive_ref_counter<boost_node, boost::thread_unsafe_counter> {
    boost::intrusive_ptr<boost_node> a, b;
    std::uint64_t value = 0;

    static boost::intrusive_ptr<boost_node> make() {
        return boost::intrusive_ptr<boost_node>(new boost_node);
    }
};
#endif

struct shared_node {
    std::shared_ptr<shared_node> a, b;
    std::uint64_t value = 0;

    static std::shared_ptr<shared_node> make() { return std::make_shared<shared_node>(); }
};

struct unique_node {
    std::unique_ptr<unique_node> a, b;
    std::uint64_t value = 0;

    static std::unique_ptr<unique_node> make() { return std::make_unique<unique_node>(); }
};

/// Nobody owns anything: new and delete by hand.
struct raw_node {
    raw_node *a = nullptr, *b = nullptr;
    std::uint64_t value = 0;
};

static_assert(sizeof(pygc_node) == sizeof(hand_node));
static_assert(sizeof(raw_node) == sizeof(pygc_node) - sizeof(pygc::py_object));

} // namespace bench
