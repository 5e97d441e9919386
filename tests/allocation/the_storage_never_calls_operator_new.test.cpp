// SPDX-License-Identifier: BSL-1.0
// Counts calls of the global operator new and delete: objects, collections and heaps need none.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

namespace {

constinit thread_local long news = 0, deletes = 0;

void* allocate(std::size_t bytes) noexcept {
    ++news;
    return std::malloc(bytes == 0 ? 1 : bytes);
}

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};
struct with_vector : pygc::py_object {
    std::vector<pygc::py_ref<with_vector>> all;
    void traverse(auto& visit) { visit(all); }
};

} // namespace

void* operator new(std::size_t bytes) {
    void* p = allocate(bytes);
    if (p == nullptr) std::abort();
    return p;
}
// AddressSanitizer wants each new to come from where its delete goes.
void* operator new(std::size_t bytes, std::nothrow_t const&) noexcept { return allocate(bytes); }
void operator delete(void* p) noexcept {
    if (p != nullptr) ++deletes;
    std::free(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }

TEST_CASE("objects and collections don't call operator new", "[allocation]") {
    auto const before_news = news, before_deletes = deletes;
    std::size_t collected = 0;
    {
        pygc::heap h;
        pygc::heap::scope const use(h);
        pygc::py_ref<node> chain;
        for (int i = 0; i != 20'000; ++i) {
            auto n = pygc::make_ref<node>();
            if (i % 2 == 0) {
                n->next = n;
            } else {
                n->next = chain;
                chain = n;
            }
        }
        static_cast<void>(pygc::make_ref<int>(1));
        auto const list = h.get_objects();
        collected = list.size();
        chain = nullptr;
    }
    CHECK((news == before_news));
    CHECK((deletes == before_deletes));
    CHECK(collected > 10'000);
}

TEST_CASE("what the user's members allocate is given back, each once", "[allocation]") {
    auto const before_news = news, before_deletes = deletes;
    long during = 0;
    std::size_t found = 0;
    {
        for (int i = 0; i != 1000; ++i) {
            auto a = pygc::make_ref<with_vector>(), b = pygc::make_ref<with_vector>();
            a->all.assign(3, b);
            b->all.assign(2, a);
            if (i % 2 == 0) b->all.clear();
        }
        during = news - before_news;
        found = pygc::collect();
    }
    auto const made = news - before_news, freed = deletes - before_deletes;
    CHECK(during == 2000);
    CHECK(found == 1000);
    CHECK(made == freed);
}
