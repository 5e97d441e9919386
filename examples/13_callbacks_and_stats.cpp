// SPDX-License-Identifier: BSL-1.0
// Who hears of collections: callbacks for a log of pauses, statistics, exceptions that nobody can catch.
#include <iostream>
#include <stdexcept>
#include <string_view>

#include <pygc/pygc.hpp>

using namespace pygc;

struct node : py_object {
    py_ref<node> other;
    void traverse(auto& visit) { visit(other); }
};

struct careless : py_object {
    py_ref<careless> self;
    void traverse(auto& visit) { visit(self); }
    void finalize() { throw std::runtime_error("the disk is full"); }
};

void make_garbage(int pairs) {
    for (int i = 0; i != pairs; ++i) {
        auto a = make_ref<node>(), b = make_ref<node>();
        a->other = b;
        b->other = a;
    }
}

int main() {
    double longest = 0;
    const auto log = callbacks().append([&longest](collection_phase phase, const collection_info& info) {
        if (phase == collection_phase::start) {
            std::cout << "  start of generation " << info.generation << "\n";
            return;
        }
        std::cout << "  stop: examined " << info.candidates << ", found " << info.collected << "\n";
        if (info.duration > longest) longest = info.duration;
    });

    std::cout << "Collections by hand:\n";
    make_garbage(3);
    const auto alive = make_ref<node>();
    collect(0);
    collect();

    std::cout << "An automatic one, after more than 10 new objects:\n";
    set_threshold(10);
    make_garbage(6);
    set_threshold(2'000);

    std::cout << "No automatic collection inside a no_collect, nor in another mode before safe_point():\n";
    set_threshold(10);
    {
        no_collect pause;
        make_garbage(10);
    }
    set_mode(mode::at_safe_point);
    make_garbage(10);
    std::cout << "  get_count()[0] is " << get_count()[0] << "\n";
    safe_point();
    set_mode(mode::at_allocation);

    std::cout << "append() gave a number to remove a callback by:\n";
    std::cout << "  removed: " << callbacks().remove(log) << ", left: " << callbacks().size() << "\n";
    std::cout << "longest pause: " << longest * 1e6 << " microseconds\n";

    std::cout << "get_stats(), per generation:\n";
    for (const auto& g : get_stats()) {
        std::cout << "  " << g.collections << " collections examined " << g.candidates << " objects and found "
                  << g.collected << "\n";
    }

    // A collection can't pass an exception on to anybody. Without a hook it is written to stderr.
    set_unraisable_hook([](const unraisable& u) {
        std::cout << "  " << u.what << " " << std::string_view(u.type_name, u.type_name_length) << ": ";
        try {
            std::rethrow_exception(u.exception);
        } catch (const std::exception& e) {
            std::cout << e.what() << "\n";
        }
    });
    collect(); // what is left from before
    std::cout << "A finalizer throws:\n";
    auto c = make_ref<careless>();
    c->self = c;
    c = nullptr;
    const auto found = collect();
    std::cout << "  found all the same: " << found << "\n";
}
