// SPDX-License-Identifier: BSL-1.0
// A doubly linked list whose links are all alike: no weak_ptr for one direction, no raw pointer.
#include <iostream>
#include <string>
#include <utility>

#include <pygc/pygc.hpp>

using namespace pygc;

// A plain struct: pygc finds its references by itself.
struct node {
    std::string word;
    py_ref<node> previous;
    py_ref<node> next;
};

class sentence {
public:
    void push_back(std::string word) {
        auto n = make_ref<node>(std::move(word), last_);
        (last_ ? last_->next : first_) = n;
        last_ = n;
    }

    void erase(const py_ref<node>& n) {
        (n->previous ? n->previous->next : first_) = n->next;
        (n->next ? n->next->previous : last_) = n->previous;
    }

    [[nodiscard]] py_ref<node> find(const std::string& word) const {
        auto n = first_;
        while (n && n->word != word) n = n->next;
        return n;
    }

    void print() const {
        std::cout << "  forward: ";
        for (auto n = first_; n; n = n->next) std::cout << ' ' << n->word;
        std::cout << "\n  backward:";
        for (auto n = last_; n; n = n->previous) std::cout << ' ' << n->word;
        std::cout << "\n";
    }

private:
    py_ref<node> first_;
    py_ref<node> last_;
};

int main() {
    {
        sentence s;
        for (const char* word : {"cycles", "are", "not", "a", "problem"}) s.push_back(word);
        s.print();

        std::cout << "Erasing a node frees it at once, by counting: ";
        s.erase(s.find("not"));
        std::cout << get_memory().objects << " nodes live.\n";
        s.print();
    }
    std::cout << "The list is gone, but neighbours hold each other: " << get_memory().objects
              << " nodes live.\n";
    std::cout << "collect() frees " << collect() << "; " << get_memory().objects
              << " nodes live.\n";
}
