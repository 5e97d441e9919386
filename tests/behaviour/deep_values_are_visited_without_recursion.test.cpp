// SPDX-License-Identifier: BSL-1.0
// What is nested without an end through unique_ptrs and containers is visited without deep recursion.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

using pygc::make_ref;
using pygc::py_ref;

namespace {

constexpr int deep = 300'000; // a frame of 32 bytes each would not fit on a stack of 8 MiB

struct cell {
    std::unique_ptr<cell> next;
    py_ref<pygc::py_object> r;
};
struct list_owner : pygc::py_object {
    std::unique_ptr<cell> first;
    ~list_owner() {
        while (first) first = std::move(first->next);
    }
    void traverse(auto& visit) { visit(first); }
};

class chain_link { // a class with a traverse of its own
public:
    std::unique_ptr<chain_link> next;
    py_ref<pygc::py_object> r;
    void traverse(pygc::visitor& visit) { visit(r, next); }
};
struct link_owner : pygc::py_object {
    std::unique_ptr<chain_link> first;
    ~link_owner() {
        while (first) first = std::move(first->next);
    }
    void traverse(auto& visit) { visit(first); }
};

struct branch { // both sides lead on
    std::unique_ptr<branch> left, right;
    py_ref<pygc::py_object> r;
};
struct tree_owner : pygc::py_object {
    std::unique_ptr<branch> root;
    ~tree_owner() {
        while (root) {
            auto const leads_on = [](auto const& b) { return b && (b->left || b->right); };
            auto& deeper = leads_on(root->left) ? root->left : root->right;
            root = std::move(deeper);
        }
    }
    void traverse(auto& visit) { visit(root); }
};

struct nested {
    std::vector<nested> inner;
    py_ref<pygc::py_object> r;
};
struct nested_owner : pygc::py_object {
    std::vector<nested> outer;
    ~nested_owner() {
        while (!outer.empty()) {
            auto inner = std::move(outer.back().inner);
            outer = std::move(inner);
        }
    }
    void traverse(auto& visit) { visit(outer); }
};

} // namespace

TEST_CASE("a long list of unique_ptrs is visited without deep recursion", "[depth]") {
    auto owner = make_ref<list_owner>();
    for (int i = 0; i != deep; ++i) {
        owner->first = std::make_unique<cell>(cell{std::move(owner->first), i % 1000 == 0 ? owner : nullptr});
    }
    CHECK(pygc::get_referents(owner).size() == deep / 1000);
    CHECK(pygc::collect() == 0);
    owner = nullptr;
    CHECK(pygc::collect() == 1);
}

TEST_CASE("a long list of classes with a traverse is visited without deep recursion", "[depth]") {
    auto owner = make_ref<link_owner>();
    for (int i = 0; i != deep; ++i) {
        auto first = std::make_unique<chain_link>();
        first->next = std::move(owner->first);
        if (i % 1000 == 0) first->r = owner;
        owner->first = std::move(first);
    }
    CHECK(pygc::get_referents(owner).size() == deep / 1000);
    owner = nullptr;
    CHECK(pygc::collect() == 1);
}

TEST_CASE("a deep tree that turns left and right is visited without deep recursion", "[depth]") {
    auto owner = make_ref<tree_owner>();
    for (int i = 0; i != deep; ++i) {
        auto root = std::make_unique<branch>();
        root->r = owner;
        (i % 2 == 0 ? root->left : root->right) = std::move(owner->root);
        (i % 2 == 0 ? root->right : root->left) = std::make_unique<branch>();
        owner->root = std::move(root);
    }
    CHECK(owner.use_count() == deep + 1);
    CHECK(pygc::collect() == 0);
    owner = nullptr;
    CHECK(pygc::collect() == 1);
}

TEST_CASE("vectors inside vectors are visited without deep recursion", "[depth]") {
    auto owner = make_ref<nested_owner>();
    for (int i = 0; i != deep; ++i) {
        std::vector<nested> outer(1);
        outer[0].inner = std::move(owner->outer);
        outer[0].r = owner;
        owner->outer = std::move(outer);
    }
    CHECK(owner.use_count() == deep + 1);
    owner = nullptr;
    CHECK(pygc::collect() == 1);
}
