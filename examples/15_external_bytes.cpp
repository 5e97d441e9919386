// SPDX-License-Identifier: BSL-1.0
// Buffers that the collector can't see: without a word about them a thousand large pictures are a few small
// objects, and nobody collects.
#include <cstddef>
#include <iostream>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

using namespace pygc;

std::size_t most = 0; // bytes in pictures
std::size_t now = 0;

struct picture : py_object {
    std::vector<char> pixels;
    external_bytes size; // all that is needed
    py_ref<picture> next, previous;

    explicit picture(std::size_t n, bool tell) : pixels(n), size(tell ? n : 0) {
        now += n;
        if (now > most) most = now;
    }
    ~picture() { now -= pixels.size(); }
    void traverse(auto& visit) { visit(next, previous); }
};

constexpr std::size_t bytes = std::size_t{128} << 10;

void make_pairs(bool tell) {
    heap own; // with a pacing that knows nothing yet
    heap::scope use(own);
    most = 0;
    for (int i = 0; i != 500; ++i) { // each pair is garbage as soon as it is made
        auto a = make_ref<picture>(bytes, tell), b = make_ref<picture>(bytes, tell);
        a->next = b;
        b->previous = std::move(a);
    }
    std::cout << (tell ? "told" : "not told") << ": at most " << (most >> 20) << " MiB at a time, "
              << own.get_stats()[2].collections << " full collections\n";
}

int main() {
    std::cout << "A thousand pictures of 128 KiB, in pairs that refer to each other:\n";
    make_pairs(false);
    make_pairs(true);
}
