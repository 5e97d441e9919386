// SPDX-License-Identifier: BSL-1.0
// A tree in which a child holds its parent as firmly as the parent holds the child.
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

using namespace pygc;

class folder : public py_object {
public:
    explicit folder(std::string name) : name_(std::move(name)) {}
    ~folder() {
        std::cout << "  " << name_ << " is gone; its parent is " << (parent_ ? "alive" : "null")
                  << "\n";
    }

    py_ref<folder> add(std::string name) {
        auto child = make_ref<folder>(std::move(name));
        child->parent_ = borrow(this); // a new reference to an object that somebody else owns
        children_.push_back(child);
        return child;
    }

    void remove_all() { children_.clear(); }

    [[nodiscard]] std::string path() const {
        return (parent_ ? parent_->path() : "") + "/" + name_;
    }

    void traverse(auto& visit) { visit(parent_, children_); }

private:
    std::string name_;
    py_ref<folder> parent_;
    std::vector<py_ref<folder>> children_;
};

int main() {
    auto root = make_ref<folder>("usr");
    auto library = root->add("lib");
    auto python = library->add("python3");
    root->add("share");
    std::cout << python->path() << "\n";

    std::cout
        << "With a weak parent, this path would lose its beginning. Here the leaf holds it all:\n";
    root = nullptr;
    library = nullptr;
    std::cout << "  collect() frees " << collect() << ", " << python->path() << " is intact\n";

    std::cout << "Removing a child breaks the cycle, and counting frees it at once:\n";
    python->add("gc");
    python->remove_all();

    std::cout << "Dropping the leaf, the last outside reference, drops the tree:\n";
    python = nullptr;
    const auto found = collect();
    std::cout << found << " folders were collected\n";
}
