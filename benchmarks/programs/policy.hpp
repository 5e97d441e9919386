// SPDX-License-Identifier: BSL-1.0
// The memory policies: one of them, chosen by a macro, is what all workloads of a program are made with.
//
// A policy says what owns (ref), what leads back without owning where counting alone would leak (back),
// what a class derives from (object), how an object is made, how a way back is followed, and how an object is got
// rid of.
#pragma once

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../measure.hpp" // escape: or the compiler leaves new and delete out

#if defined(BENCH_PYGC)
#include <pygc/pygc.hpp>
#elif defined(BENCH_INTRUSIVE)
#include <boost/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#elif defined(BENCH_LIBGC)
#include <gc/gc.h>
#include <gc/gc_allocator.h>
#include <new>
#endif

namespace bench {

/// Every policy shows its new objects to escape().
template <class Ref>
Ref made(Ref r) {
    escape(std::to_address(r));
    return r;
}

#if defined(BENCH_PYGC)

/// Every reference owns; the collector finds the cycles.
struct policy {
    static constexpr bool collects = true, by_hand = false, destroys = true;
    template <class T>
    using object = pygc::py_object;
    template <class T>
    using ref = pygc::py_ref<T>;
    template <class T>
    using back = pygc::py_ref<T>;
    template <class T>
    using vector = std::vector<T>;
    template <class Key, class T>
    using map = std::unordered_map<Key, T>;

    template <class T>
    static ref<T> make() {
        return made(pygc::make_ref<T>());
    }
    template <class T>
    static const ref<T>& back_to(const ref<T>& r) {
        return r;
    }
    template <class T>
    static T* follow(const back<T>& r) {
        return r.get();
    }
    template <class T>
    static T* address(const ref<T>& r) {
        return r.get();
    }
    template <class T>
    static void drop(ref<T>& r) {
        r = nullptr;
    }
    static void start() {}
    static void collect() { pygc::collect(); }
    static void disable() { pygc::disable(); }
    static void enable() { pygc::enable(); }
};

#elif defined(BENCH_SHARED)

/// shared_ptr, and weak_ptr for what leads back.
struct policy {
    static constexpr bool collects = false, by_hand = false, destroys = true;
    template <class T>
    struct object {};
    template <class T>
    using ref = std::shared_ptr<T>;
    template <class T>
    using back = std::weak_ptr<T>;
    template <class T>
    using vector = std::vector<T>;
    template <class Key, class T>
    using map = std::unordered_map<Key, T>;

    template <class T>
    static ref<T> make() {
        return made(std::make_shared<T>());
    }
    template <class T>
    static const ref<T>& back_to(const ref<T>& r) {
        return r;
    }
    template <class T>
    static T* follow(const back<T>& r) {
        return r.lock().get();
    }
    template <class T>
    static T* address(const ref<T>& r) {
        return r.get();
    }
    template <class T>
    static void drop(ref<T>& r) {
        r = nullptr;
    }
    static void start() {}
    static void collect() {}
    static void disable() {}
    static void enable() {}
};

#elif defined(BENCH_INTRUSIVE)

/// boost::intrusive_ptr with a count that isn't atomic; plain pointers lead back.
struct policy {
    static constexpr bool collects = false, by_hand = false, destroys = true;
    template <class T>
    using object = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;
    template <class T>
    using ref = boost::intrusive_ptr<T>;
    template <class T>
    using back = T*;
    template <class T>
    using vector = std::vector<T>;
    template <class Key, class T>
    using map = std::unordered_map<Key, T>;

    template <class T>
    static ref<T> make() {
        return made(ref<T>(new T));
    }
    template <class T>
    static T* back_to(const ref<T>& r) {
        return r.get();
    }
    template <class T>
    static T* follow(T* r) {
        return r;
    }
    template <class T>
    static T* address(const ref<T>& r) {
        return r.get();
    }
    template <class T>
    static void drop(ref<T>& r) {
        r = nullptr;
    }
    static void start() {}
    static void collect() {}
    static void disable() {}
    static void enable() {}
};

#elif defined(BENCH_BY_HAND)

/// new and delete; each workload knows when. drop() deletes what an object owns, recursively.
struct policy {
    static constexpr bool collects = false, by_hand = true, destroys = true;
    template <class T>
    struct object {};
    template <class T>
    using ref = T*;
    template <class T>
    using back = T*;
    template <class T>
    using vector = std::vector<T>;
    template <class Key, class T>
    using map = std::unordered_map<Key, T>;

    template <class T>
    static T* make() {
        return made(new T);
    }
    template <class T>
    static T* back_to(T* r) {
        return r;
    }
    template <class T>
    static T* follow(T* r) {
        return r;
    }
    template <class T>
    static T* address(T* r) {
        return r;
    }
    template <class T>
    static void drop(T*& r) {
        T* dead = std::exchange(r, nullptr);
        if (dead == nullptr) return;
        dead->each_owned([](auto& owned) { policy::drop(owned); });
        delete dead;
    }
    static void start() {}
    static void collect() {}
    static void disable() {}
    static void enable() {}
};

#elif defined(BENCH_LIBGC)

/// Boehm's conservative collector: plain pointers, no counts, no destructors.
struct policy {
    static constexpr bool collects = true, by_hand = false, destroys = false;
    template <class T>
    struct object {};
    template <class T>
    using ref = T*;
    template <class T>
    using back = T*;
    template <class T>
    using vector = std::vector<T, gc_allocator<T>>;
    template <class Key, class T>
    using map = std::unordered_map<Key, T, std::hash<Key>, std::equal_to<Key>, gc_allocator<std::pair<const Key, T>>>;

    template <class T>
    static T* make() {
        return made(::new (GC_MALLOC(sizeof(T))) T);
    }
    template <class T>
    static T* back_to(T* r) {
        return r;
    }
    template <class T>
    static T* follow(T* r) {
        return r;
    }
    template <class T>
    static T* address(T* r) {
        return r;
    }
    template <class T>
    static void drop(T*& r) {
        r = nullptr;
    }
    static void start() { GC_INIT(); }
    static void collect() { GC_gcollect(); }
    static void disable() { GC_disable(); }
    static void enable() { GC_enable(); }
};

#else
#error "define one of BENCH_PYGC, BENCH_SHARED, BENCH_INTRUSIVE, BENCH_BY_HAND, BENCH_LIBGC"
#endif

template <class T>
using ref = policy::ref<T>;
template <class T>
using back = policy::back<T>;
template <class T>
using object = policy::object<T>;
using bytes = policy::vector<char>;

/// Bytes of an object that lie outside it. pygc is told how many they are; libgc sees them, and who only counts has no
/// use for the number.
class payload_bytes {
public:
    void assign(std::size_t count) {
        kept_.assign(count, 'x');
#if defined(BENCH_PYGC)
        size_ = kept_.capacity();
#endif
    }
    [[nodiscard]] std::size_t size() const { return kept_.size(); }

private:
    bytes kept_{};
#if defined(BENCH_PYGC)
    pygc::external_bytes size_{};
#endif
};

/// Takes a list or ring apart link by link where counting can't, or must not recurse that deep.
template <class T>
void unlink(ref<T>& head) {
    if constexpr (policy::collects) {
        policy::drop(head);
    } else if constexpr (policy::by_hand) {
        T* node = std::exchange(head, nullptr);
        T* const first = node;
        while (node != nullptr) {
            T* next = node->next;
            delete node;
            node = next == first ? nullptr : next;
        }
    } else {
        ref<T> node = std::move(head);
        while (node != nullptr) {
            ref<T> next = std::move(node->next);
            node = std::move(next);
        }
    }
}

} // namespace bench
