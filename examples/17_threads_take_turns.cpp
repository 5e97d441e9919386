// SPDX-License-Identifier: BSL-1.0
// One graph for several threads. Counts are plain integers, so only one thread at a time may use the objects of a heap;
// that is what a lock is for, as Python's global interpreter lock. Whoever holds it enters the heap by a scope.
#include <pygc/pygc.hpp>

#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct room : pygc::py_object {
    explicit room(std::string n) : name(std::move(n)) {}
    std::string name;
    std::vector<pygc::py_ref<room>> doors; // in both directions: cycles everywhere
    void traverse(auto& visit) { visit(doors); }
};

class house {
public:
    house() {
        const turn mine(*this);
        hall_ = pygc::make_ref<room>("hall");
    }
    ~house() {
        const turn mine(*this);
        hall_ = nullptr;
    }

    /// The lock and the scope. References to rooms live and die within one.
    class turn {
    public:
        explicit turn(house& h) : lock_(h.mutex_), use_(h.rooms_) {}

    private:
        std::lock_guard<std::mutex> lock_; // first taken, last given back
        pygc::heap::scope use_;
    };

    void add(const std::string& name) {
        const turn mine(*this);
        auto r = pygc::make_ref<room>(name);
        r->doors.push_back(hall_);
        if (!hall_->doors.empty()) { // and one to the room beside it
            const auto beside = hall_->doors.back();
            r->doors.push_back(beside);
            beside->doors.push_back(r);
        }
        hall_->doors.push_back(r);
    }

    std::size_t close_all_doors() {
        const turn mine(*this);
        hall_->doors.clear();
        return pygc::collect(); // of the heap in whose scope we are
    }

    std::size_t size() {
        const turn mine(*this);
        return pygc::get_objects().size();
    }

private:
    std::mutex mutex_;
    pygc::heap rooms_;
    pygc::py_ref<room> hall_;
};

int main() {
    house h;
    std::vector<std::thread> builders;
    for (int b = 0; b != 4; ++b) {
        builders.emplace_back([&h, b] {
            for (int i = 0; i != 250; ++i) h.add("room " + std::to_string(b) + "." + std::to_string(i));
        });
    }
    for (auto& b : builders) b.join();
    std::printf("four threads built a house of %zu rooms\n", h.size());

    std::size_t freed = 0;
    std::thread([&] { freed = h.close_all_doors(); }).join();
    std::printf("without doors from the hall %zu of them were freed, %zu is left\n", freed, h.size());
}
