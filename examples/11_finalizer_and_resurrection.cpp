// SPDX-License-Identifier: BSL-1.0
// Three ways to hear of an end, in their order, and an object that makes itself reachable again.
#include <iostream>
#include <string>
#include <utility>

#include <pygc/pygc.hpp>

using namespace pygc;

struct phoenix : py_object {
    std::string name;
    py_ref<phoenix> friend_;
    static inline py_ref<phoenix> nest; // where one that rises again is found

    explicit phoenix(std::string n) : name(std::move(n)) {}
    ~phoenix() { std::cout << "  ~phoenix:  " << name << ", its friend is " << (friend_ ? "there" : "null") << "\n"; }
    void traverse(auto& visit) { visit(friend_); }

    // Python's __del__. The object is whole, and so is all it refers to, also in a cycle: in a destructor
    // friends from the same garbage are null.
    void finalize() {
        std::cout << "  finalize:  " << name;
        if (friend_) std::cout << ", friend of " << friend_->name;
        std::cout << "\n";
        if (name == "Fawkes") nest = borrow(this);
    }
};

int main() {
    std::cout << "An object dies with its last reference:\n";
    auto ash = make_ref<phoenix>("Ash");
    py_weakref<phoenix> watch(ash, [](const py_weakref<phoenix>& w) {
        std::cout << "  callback:  the weak reference is " << (w.expired() ? "dead" : "alive") << "\n";
    });
    // Nobody need keep a finalizer: the heap does. Its function must not own the object.
    finalizer(
        ash, [](const std::string& what) { std::cout << "  finalizer: " << what << "\n"; }, "clean up");
    ash = nullptr;

    std::cout << "Fawkes and Ember are a cycle. Fawkes makes himself reachable in finalize():\n";
    auto fawkes = make_ref<phoenix>("Fawkes");
    auto ember = make_ref<phoenix>("Ember");
    fawkes->friend_ = ember;
    ember->friend_ = fawkes;
    py_weakref<phoenix> f = fawkes;
    py_weakref<phoenix> e = ember;
    fawkes = ember = nullptr;
    auto freed = collect();
    std::cout << "  freed: " << freed << "\n";
    std::cout << "  Both live, Ember because Fawkes leads to her: " << (f.lock() == phoenix::nest) << !e.expired()
              << "\n";
    std::cout << "  is_finalized: " << is_finalized(phoenix::nest) << "\n";

    std::cout << "Let go again, they die; a finalizer is never called twice:\n";
    phoenix::nest = nullptr;
    freed = collect();
    std::cout << "  freed: " << freed << "\n";
    std::cout << "  weak references dead: " << f.expired() << e.expired() << "\n";

    std::cout << "A finalizer may be called by hand, or be sent away, once:\n";
    auto file = make_ref<int>(42);
    finalizer close(file, [] { std::cout << "  closed\n"; });
    std::cout << "  alive: " << close.alive() << "\n";
    close();
    std::cout << "  alive: " << close.alive() << "; calling it again does nothing: " << close() << "\n";
    finalizer(file, [] { std::cout << "  never printed\n"; }).detach();

    std::cout << "What is left is called at the end of the thread's heap, as Python does at exit:\n";
    static auto last = make_ref<int>(1); // outlives main
    finalizer(last, [] { std::cout << "  good night\n"; });
}
