// SPDX-License-Identifier: BSL-1.0
// Deep structures on small stacks, churn, and no memory.
#include <support/catch.hpp>

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <pygc/pygc.hpp>

#if defined(__unix__)
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool address_sanitizer = true;
#elif defined(__has_feature)
constexpr bool address_sanitizer = __has_feature(address_sanitizer);
#else
constexpr bool address_sanitizer = false;
#endif

constexpr int deep = address_sanitizer ? 1'000'000 : 10'000'000;
constexpr int deep_enough = 300'000; // recursion would need tens of megabytes

long deaths = 0;

struct chain_link : pygc::py_object {
    pygc::py_ref<chain_link> next;
    ~chain_link() { ++deaths; }
    void traverse(auto& visit) { visit(next); }
};

/// Its references are in a vector: the recursion would lead through the standard library.
struct tree : pygc::py_object {
    std::vector<pygc::py_ref<tree>> children;
    ~tree() { ++deaths; }
    void traverse(auto& visit) { visit(children); }
};

/// Its destructor drops the reference itself and has a frame of some size.
struct user_link : pygc::py_object {
    pygc::py_ref<user_link> next;
    ~user_link() {
        volatile char frame[128] = {};
        frame[0] = 1;
        ++deaths;
        next.reset();
        frame[1] = frame[0];
    }
    void traverse(auto& visit) { visit(next); }
};

/// Its second reference counts as one from outside, so what it leads to dies by count.
struct hides : pygc::py_object {
    pygc::py_ref<hides> self;
    pygc::py_ref<chain_link> unseen;
    void traverse(auto& visit) { visit(self); }
};

/// No `traverse` and no base: a chain of boxes.
struct box_link {
    pygc::py_ref<box_link> next;
    std::unique_ptr<int> something;
};

template <class T>
void append(pygc::py_ref<T>& from, pygc::py_ref<T> to) {
    from->next = std::move(to);
}
void append(pygc::py_ref<tree>& from, pygc::py_ref<tree> to) { from->children.push_back(std::move(to)); }

template <class T>
pygc::py_ref<T> chain(int length) {
    pygc::py_ref<T> first = pygc::make_ref<T>();
    for (int i = 1; i != length; ++i) {
        pygc::py_ref<T> next = pygc::make_ref<T>();
        append(next, std::move(first));
        first = std::move(next);
    }
    return first;
}

template <class T>
void chain_dies(int length) {
    auto first = chain<T>(length);
    deaths = 0;
    first = nullptr;
    CHECK((deaths == length || (std::is_same_v<T, box_link>)));
    CHECK(pygc::get_objects().empty());
}

void ring_dies(int length) {
    auto last = pygc::make_ref<chain_link>();
    {
        auto first = last;
        for (int i = 1; i != length; ++i) {
            auto next = pygc::make_ref<chain_link>();
            next->next = std::move(first);
            first = std::move(next);
        }
        last->next = first;
    }
    deaths = 0;
    pygc::collect(); // all alive
    CHECK(deaths == 0);
    last = nullptr;
    CHECK(pygc::collect() == static_cast<std::size_t>(length));
    CHECK(deaths == length);
}

} // namespace

TEST_CASE("a chain as long as memory allows dies on the ordinary stack", "[deep]") { chain_dies<chain_link>(deep); }

TEST_CASE("a ring as long as memory allows is collected on the ordinary stack", "[deep]") { ring_dies(deep); }

#if defined(__unix__)

namespace {

template <class F>
void on_small_stack(F f) {
    // AddressSanitizer gives every frame red zones.
    std::size_t bytes = std::size_t{address_sanitizer ? 256 : 64} << 10;
    const auto fewest = static_cast<std::size_t>(PTHREAD_STACK_MIN);
    if (bytes < fewest) bytes = fewest;
    pthread_attr_t attributes;
    REQUIRE(pthread_attr_init(&attributes) == 0);
    REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
    pthread_t thread;
    const auto body = [](void* function) -> void* {
        (*static_cast<F*>(function))();
        return nullptr;
    };
    REQUIRE(pthread_create(&thread, &attributes, body, &f) == 0);
    pthread_attr_destroy(&attributes);
    pthread_join(thread, nullptr);
}

// Catch2's assertions belong to the main thread: what happened there is told here.
template <class T>
void chain_dies_on_small_stack() {
    long died = 0;
    std::size_t left = 1;
    on_small_stack([&] {
        auto first = chain<T>(deep_enough);
        deaths = 0;
        first = nullptr;
        died = deaths;
        left = pygc::get_objects().size();
    });
    if constexpr (!std::is_same_v<T, box_link>) CHECK(died == deep_enough);
    CHECK(left == 0);
}

} // namespace

TEST_CASE("a chain dies on a stack of 64 KiB", "[deep]") { chain_dies_on_small_stack<chain_link>(); }
TEST_CASE("a chain through vectors dies on a stack of 64 KiB", "[deep]") { chain_dies_on_small_stack<tree>(); }
TEST_CASE("a chain through user destructors dies on a stack of 64 KiB", "[deep]") {
    chain_dies_on_small_stack<user_link>();
}
TEST_CASE("a chain of plain structs dies on a stack of 64 KiB", "[deep]") { chain_dies_on_small_stack<box_link>(); }

TEST_CASE("a ring is collected on a stack of 64 KiB", "[deep]") {
    std::size_t found = 0;
    on_small_stack([&found] {
        {
            auto first = chain<chain_link>(deep_enough);
            chain_link* last = first.get();
            while (last->next) last = last->next.get();
            last->next = std::move(first);
        }
        found = pygc::collect();
    });
    // Automatic collections saw it alive.
    CHECK(found == static_cast<std::size_t>(deep_enough));
}

TEST_CASE("a chain that hangs on garbage dies with it on a stack of 64 KiB", "[deep]") {
    std::size_t found = 0;
    long died = 0;
    on_small_stack([&] {
        {
            auto first = chain<chain_link>(deep_enough);
            auto h = pygc::make_ref<hides>();
            h->self = h;
            h->unseen = std::move(first);
        }
        deaths = 0;
        found = pygc::collect();
        died = deaths;
    });
    CHECK(found == 1);
    CHECK(died == deep_enough);
}

#endif

// ---- churn --------------------------------------------------------------------------------------------

namespace {

template <std::size_t Bytes>
struct sized : pygc::py_object {
    pygc::py_ref<pygc::py_object> other;
    char ballast[Bytes];
    void traverse(auto& visit) { visit(other); }
};

template <std::size_t Bytes>
pygc::py_ref<pygc::py_object> make_pair_of() {
    auto a = pygc::make_ref<sized<Bytes>>();
    auto b = pygc::make_ref<sized<Bytes>>();
    a->other = b;
    b->other = a;
    return a;
}

pygc::py_ref<pygc::py_object> make_pair_of(int size) {
    switch (size) {
    case 0: return make_pair_of<8>();
    case 1: return make_pair_of<56>();
    case 2: return make_pair_of<1000>();
    case 3: return make_pair_of<9000>();
    case 4: return make_pair_of<50'000>();
    default: return make_pair_of<600'000>();
    }
}

} // namespace

// Under AddressSanitizer pages that went back rest before they are used again.
constexpr std::size_t resting = PYGC_ASAN ? std::size_t{64} << 20 : 0;

TEST_CASE("memory goes back to the system after churn with mixed sizes", "[memory]") {
    pygc::heap h;
    pygc::heap::scope use(h);
    const std::size_t before = h.get_memory().mapped;
    std::size_t most = 0;
    std::vector<pygc::py_ref<pygc::py_object>> kept;
    for (int round = 0; round != 3; ++round) {
        for (int i = 0; i != 4000; ++i) {
            kept.push_back(make_pair_of(i % 200 == 0 ? 5 : i % 20 == 0 ? 4 : i % 4));
            if (i % 3 != 0) kept[static_cast<std::size_t>(i) * 7919 % kept.size()] = nullptr; // leaves a cycle behind
        }
        const auto full = h.get_memory();
        CHECK(full.mapped >= full.live);
        if (full.mapped > most) most = full.mapped;
        kept.clear();
        h.collect();
        const auto empty = h.get_memory();
        CHECK(empty.objects == 0);
        CHECK(empty.live == 0);
    }
    // Each of the six types may keep a page for its next object, and with it a chunk; one is in reserve.
    constexpr std::size_t chunk = std::size_t{4} << 20;
    CHECK(most > before + 16 * chunk);
    CHECK(h.get_memory().mapped <= before + 7 * chunk + resting);
}

TEST_CASE("a heap that is used over and over does not grow", "[memory]") {
    pygc::heap h;
    pygc::heap::scope use(h);
    std::size_t after_first = 0;
    for (int round = 0; round != 20; ++round) {
        for (int i = 0; i != 3000; ++i) static_cast<void>(make_pair_of(i % 3));
        h.collect();
        if (round == 0) after_first = h.get_memory().mapped;
    }
    CHECK(h.get_memory().objects == 0);
    CHECK(h.get_memory().mapped <= after_first + (std::size_t{4} << 20) + resting);
}

// ---- no memory ----------------------------------------------------------------------------------------

// AddressSanitizer maps memory of its own and dies when it can't.
#if defined(__linux__) && defined(__cpp_exceptions)

namespace {

struct large_ring : pygc::py_object {
    pygc::py_ref<large_ring> self;
    char ballast[9000];
    ~large_ring() { ++deaths; }
    void traverse(auto& visit) { visit(self); }
};

pygc::py_ref<large_ring> make_large() {
    auto r = pygc::make_ref<large_ring>();
    r->self = r;
    return r;
}

/// Runs `f` in a child process; it returns the number of the check that failed, or 0.
template <class F>
int in_child(F f) {
    const pid_t child = fork();
    if (child == 0) _exit(f());
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/// Not one mapping more from now on.
void forbid_memory() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_AS, &none);
}

/// As `forbid_memory`, but it can be taken back.
void forbid_memory_for_now(bool forbidden) {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = forbidden ? 0 : limit.rlim_max;
    setrlimit(RLIMIT_AS, &limit);
}

} // namespace

TEST_CASE("a collection without memory for all frees what it finds in portions and loses nothing", "[memory]") {
    if (address_sanitizer) {
        WARN("skipped: AddressSanitizer needs memory of its own");
        return;
    }
    const int failed_check = in_child([] {
        pygc::heap h; // without any working memory yet
        pygc::heap::scope use(h);
        pygc::disable();
        auto root = chain<chain_link>(200'000);
        auto ring = pygc::make_ref<chain_link>();
        ring->next = ring;
        ring = nullptr;
        deaths = 0;
        const auto objects = pygc::get_memory().objects;
        forbid_memory_for_now(true);
        for (int g = 0; g != 3; ++g) {
            if (pygc::collect(g) != (g == 0 ? 1u : 0u)) return 1; // the ring, in what the heap keeps for this
            const auto stats = pygc::get_stats()[static_cast<std::size_t>(g)];
            if (stats.given_up != 1 || stats.collections != 1) return 2;
        }
        if (deaths != 1 || pygc::get_memory().objects != objects - 1) return 3;
        int length = 0;
        for (const chain_link* p = root.get(); p != nullptr; p = p->next.get()) ++length;
        if (length != 200'000 || root.use_count() != 1) return 4;
        forbid_memory_for_now(false);
        if (pygc::collect() != 0) return 6;
        if (pygc::get_stats()[2].given_up != 1 || deaths != 1) return 7;
        root = nullptr;
        if (deaths != 200'001 || !pygc::get_objects().empty()) return 8;
        return 0;
    });
    CHECK(failed_check == 0);
}

TEST_CASE("make_ref without memory throws bad_alloc and loses nothing", "[memory]") {
    if (address_sanitizer) {
        WARN("skipped: AddressSanitizer needs memory of its own");
        return;
    }
    const int failed_check = in_child([] {
        pygc::heap h;
        pygc::heap::scope use(h);
        auto root = pygc::make_ref<chain_link>();
        deaths = 0;
        forbid_memory();
        long made = 0;
        bool thrown = false;
        try {
            for (; made != 10'000'000; ++made) {
                auto next = pygc::make_ref<chain_link>();
                next->next = std::move(root);
                root = std::move(next);
            }
        } catch (const std::bad_alloc&) {
            thrown = true;
        }
        if (!thrown) return 1;
        long length = 0;
        for (const chain_link* p = root.get(); p != nullptr; p = p->next.get()) ++length;
        if (length != made + 1) return 2;
        if (deaths != 0) return 3;
        if (pygc::get_memory().objects != static_cast<std::size_t>(length)) return 4;
        root = nullptr;
        if (deaths != length || pygc::get_memory().objects != 0) return 5;
        auto again = pygc::make_ref<chain_link>(); // in memory that is there
        return again.use_count() == 1 ? 0 : 6;
    });
    CHECK(failed_check == 0);
}

TEST_CASE("make_ref without memory collects before it gives up", "[memory]") {
    if (address_sanitizer) {
        WARN("skipped: AddressSanitizer needs memory of its own");
        return;
    }
    const int failed_check = in_child([] {
        pygc::heap h;
        pygc::heap::scope use(h);
        pygc::disable();
        for (int i = 0; i != 300; ++i) static_cast<void>(make_large());
        pygc::collect(); // its working memory is there now, for as many as still fit
        forbid_memory();
        deaths = 0;
        try {
            for (int made = 0; made != 100'000; ++made) {
                static_cast<void>(make_large());
                if (deaths != 0) return 0; // room was found by freeing garbage
            }
        } catch (const std::bad_alloc&) {
            return 1;
        }
        return 2;
    });
    CHECK(failed_check == 0);
}

#endif
