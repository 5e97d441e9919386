// SPDX-License-Identifier: BSL-1.0
// The same programs with the library: nodes of many shapes whose destructors report and act.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <pygc/pygc.hpp>

#include "program.hpp"

namespace model {

class world;
inline thread_local world* current_world = nullptr;

/// Base of all intrusive nodes.
struct named : pygc::py_object {
    explicit named(int i) : id(i) {}
    int id;
};
struct boxed;
struct shape;

using any_ref = pygc::py_ref<named>;
using box_ref = pygc::py_ref<boxed>;
using shape_ref = pygc::py_ref<shape>;
using either_ref = std::variant<std::monostate, any_ref, box_ref>;

template <class... Field>
void report_death(int id, const Field&... fields);

struct pair_node : named {
    using named::named;
    ~pair_node() { report_death(id, a, b, many); }
    void traverse(auto& visit) { visit(a, b, many); }
    any_ref a, b;
    std::vector<any_ref> many;
};

struct payload {
    std::string text = "a text that is too long for the small string optimisation";
    double numbers[3] = {1, 2, 3};
};

/// py_object is not the first base.
struct second_node : payload, named {
    explicit second_node(int i) : named(i) {}
    ~second_node() { report_death(id, a, s, b); }
    void traverse(auto& visit) { visit(a, s, b); }
    any_ref a;
    shape_ref s;
    box_ref b;
};

/// With virtual functions, held through references to the base.
struct shape : named {
    explicit shape(int i) : named(i) {}
    shape(const shape&) = delete;
    shape& operator=(const shape&) = delete;
    virtual ~shape() {
        if (!reported) report_death(id, next);
    }
    virtual int corners() const { return -1; }
    void traverse(auto& visit) { visit(next); }
    bool reported = false;
    shape_ref next;
};

struct circle : shape {
    using shape::shape;
    ~circle() override {
        reported = true;
        report_death(id, next, centre);
    }
    int corners() const override { return 0; }
    void traverse(auto& visit) {
        shape::traverse(visit);
        visit(centre);
    }
    any_ref centre;
};

/// The last member of a plain struct: its destructor, which runs first, speaks for the whole.
struct mark {
    using pygc_acyclic = void;
    mark(int i) : id(i) {}
    mark(const mark&) = delete;
    mark& operator=(const mark&) = delete;
    inline ~mark();
    int id;
    const boxed* whole = nullptr;
};

/// A plain struct: not one line for the collector.
struct boxed {
    box_ref ring[3];
    std::optional<any_ref> maybe;
    mark sign;
};

inline mark::~mark() {
    if (whole != nullptr) report_death(id, whole->ring[0], whole->ring[1], whole->ring[2], whole->maybe);
}

struct leaf_node : named {
    using pygc_acyclic = void;
    using named::named;
    ~leaf_node() { report_death(id); }
};

struct holder_node : named {
    using named::named;
    ~holder_node() { report_death(id, v, u, m); }
    void traverse(auto& visit) { visit(v, m, u); }
    struct inner {
        any_ref x;
        box_ref y;
    };
    either_ref v;
    std::map<int, any_ref> m; // libstdc++ destroys it from the last key to the first, and so does the model
    std::unique_ptr<inner> u;
};

struct outline_node : named {
    using named::named;
    ~outline_node() { report_death(id, a, many); }
    void traverse(pygc::visitor& visit);
    any_ref a;
    std::vector<any_ref> many;
};

inline void outline_node::traverse(pygc::visitor& visit) {
    visit(a);
    visit(many);
}

/// Too large to share a page.
struct large_node : named {
    using named::named;
    ~large_node() { report_death(id, a, b); }
    void traverse(auto& visit) { visit(a, b); }
    any_ref a;
    char ballast[9000] = {};
    box_ref b;
};

/// Larger than a page.
struct huge_node : named {
    explicit huge_node(int i) : named(i) { ballast[0] = ballast[69999] = 1; }
    ~huge_node() { report_death(id, a); }
    void traverse(auto& visit) { visit(a); }
    char ballast[70000];
    any_ref a;
};

struct alignas(256) wide_node : named {
    using named::named;
    ~wide_node() { report_death(id, a, s, b[0], b[1]); }
    void traverse(auto& visit) { visit(a, s, b); }
    any_ref a;
    shape_ref s;
    std::array<box_ref, 2> b;
};

#if defined(__cpp_exceptions)
struct refuses : named {
    explicit refuses(int i) : named(i) { throw 1; }
    void traverse(auto& visit) { visit(a); }
    any_ref a;
};
#endif

/// A weak reference without a word about it elsewhere.
struct watcher_node : named {
    using named::named;
    ~watcher_node() { report_death(id, a, b, w); }
    void traverse(auto& visit) { visit(a, b, w); }
    any_ref a, b;
    pygc::py_weakref<named> w;
};

template <class... Field>
void report_finalizer(int id, const Field&... fields);

struct keeper_node : named {
    using named::named;
    ~keeper_node() { report_death(id, a, b, w); }
    void traverse(auto& visit) { visit(a, b, w); }
    void finalize() { report_finalizer(id, a, b, w); }
    any_ref a, b;
    pygc::py_weakref<named> w;
};

inline void report_call(int name);

/// What the callback with a number holds; says when it lets go.
struct captured {
    captured(int n, any_ref r) : name(n), held(std::move(r)) {}
    captured(captured&& other) noexcept : name(std::exchange(other.name, none)), held(std::move(other.held)) {}
    captured& operator=(captured&&) = delete;
    inline ~captured();
    void traverse(auto& visit) { visit(held); }
    int name;
    any_ref held;
};

/// One of the two is null.
struct root {
    any_ref r;
    box_ref b;
};

class world {
public:
    explicit world(const settings& s)
        : settings_(s), threads_own_(pygc::heap::current()), roots_(static_cast<std::size_t>(s.roots)),
          weak_(static_cast<std::size_t>(s.weak_table)) {
        current_world = this;
        for (int h = 0; h != s.heaps; ++h) {
            heaps_.push_back(h == 0 && !s.own_first_heap ? &pygc::heap::current() : new_heap());
        }
    }
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    ~world() {
        quiet_ = true; // after a failure: the nodes go without a word
        roots_.clear();
        weak_.clear();
        for (int h = settings_.own_first_heap ? 0 : 1; h != settings_.heaps; ++h) delete at(heaps_, h);
        current_world = nullptr;
    }

    const std::vector<event>& run(const operation& op) {
        trace_.clear();
        execute(op);
        return trace_;
    }

    /// What node `id` is, by its address.
    [[nodiscard]] int node_at(const void* p) const {
        auto i = id_at_.find(p);
        // The value in a box stands behind the py_object that a list of objects shows.
        if (i == id_at_.end()) i = id_at_.find(static_cast<const char*>(p) + sizeof(pygc::py_object));
        return i == id_at_.end() ? none : i->second;
    }
    [[nodiscard]] bool is_alive(int id) const { return at(places_, id).where != nullptr; }
    [[nodiscard]] long use_count(int id) {
        const place& p = at(places_, id);
        if (p.type == kind::boxed) return box_ref::borrow(box_at(id)).use_count() - 1;
        return any_ref::borrow(at_id<named>(id)).use_count() - 1;
    }
    [[nodiscard]] int nodes() const { return static_cast<int>(places_.size()); }
    [[nodiscard]] bool is_finalized(int id) { return pygc::is_finalized(any_ref::borrow(at_id<named>(id))); }
    [[nodiscard]] std::size_t weak_references(int id) {
        return pygc::get_weakref_count(any_ref::borrow(at_id<named>(id)));
    }
    [[nodiscard]] int weak_target(int entry) const { return id_of(at(weak_, entry)); }
    [[nodiscard]] bool has_callback(int entry) const { return at(weak_, entry).has_callback(); }
    [[nodiscard]] pygc::heap& heap_in(int h) { return *at(heaps_, h); }

    template <class... Field>
    void died(int id, const Field&... fields) {
        note(event_kind::died, id);
        place& p = at(places_, id);
        id_at_.erase(p.key);
        p.where = nullptr;
        (look(fields), ...);
        if (quiet_) return;
        ++in_destructor_;
        execute(plan_of(settings_, id, p.born_in_destructor));
        --in_destructor_;
    }

    template <class... Field>
    void finalized(int id, const Field&... fields) {
        note(event_kind::finalized, id);
        (look(fields), ...);
        if (quiet_) return;
        ++in_destructor_;
        execute(finalizer_plan_of(settings_, id, at(places_, id).born_in_destructor));
        --in_destructor_;
    }

    void called(int name) {
        note(event_kind::called, name);
        if (quiet_) return;
        ++in_destructor_;
        execute(callback_plan_of(settings_, name, at(callback_born_in_destructor_, name)));
        --in_destructor_;
    }

    void released(const captured& c) {
        note(event_kind::released, c.name);
        look(c.held);
    }

private:
    struct place {
        void* where = nullptr;     // a named* or a boxed*; null once its destructor has begun
        const void* key = nullptr; // in `id_at_`
        kind type = kind::leaf;
        bool born_in_destructor = false;
    };

    void note(event_kind what, int value) { trace_.push_back({what, value}); }

    // ---- what a destructor sees -------------------------------------------------------------------

    void sees(int id) {
        // A living peer, intact, or null; never a dead one.
        note(event_kind::sees, id == none || is_alive(id) ? id : -1000 - id);
    }
    void look(const any_ref& r) { sees(r ? r->id : none); }
    void look(const box_ref& r) { sees(r ? r->sign.id : none); }
    void look(const shape_ref& r) {
        sees(r && r->corners() == (at(places_, r->id).type == kind::circle ? 0 : -1) ? r->id : none);
    }
    [[nodiscard]] static int id_of(const pygc::py_weakref<named>& w) {
        const any_ref r = w.lock();
        return r ? r->id : none;
    }
    void look(const pygc::py_weakref<named>& w) { sees(id_of(w)); }
    void look(const std::optional<any_ref>& r) { look(r.value_or(nullptr)); }
    void look(const either_ref& v) {
        if (v.index() == 1) return look(std::get<1>(v));
        if (v.index() == 2) return look(std::get<2>(v));
        sees(none);
    }
    void look(const std::unique_ptr<holder_node::inner>& u) {
        look(u ? u->x : any_ref());
        look(u ? u->y : box_ref());
    }
    void look(const std::vector<any_ref>& v) {
        for (const any_ref& r : v) look(r);
    }
    void look(const std::map<int, any_ref>& m) {
        for (const auto& [key, r] : m) look(r);
    }

    // ---- roots ------------------------------------------------------------------------------------

    // As one assignment: the new reference is there before the old one, of whatever type, goes.
    template <class R>
    void set(root& k, R&& r) {
        if constexpr (std::is_same_v<std::remove_cvref_t<R>, box_ref>) {
            const any_ref old = std::move(k.r);
            k.b = std::forward<R>(r);
        } else {
            const box_ref old = std::move(k.b);
            k.r = std::forward<R>(r);
        }
    }

    template <class T>
    static pygc::py_ref<T> copied(const root& k) {
        if constexpr (std::is_same_v<T, boxed>) {
            return k.b;
        } else {
            return static_pointer_cast<T>(k.r);
        }
    }
    template <class T>
    static pygc::py_ref<T> moved(root& k) {
        if constexpr (std::is_same_v<T, boxed>) {
            return std::move(k.b);
        } else {
            return static_pointer_cast<T>(std::move(k.r));
        }
    }

    // ---- places -----------------------------------------------------------------------------------

    template <class T>
    [[nodiscard]] T* at_id(int id) {
        return static_cast<T*>(static_cast<named*>(at(places_, id).where));
    }
    [[nodiscard]] boxed* box_at(int id) { return static_cast<boxed*>(at(places_, id).where); }

    /// Calls `f` with the member that is place `i` of node `id`.
    template <class F>
    void with_place(int id, int i, F f) {
        switch (at(places_, id).type) {
        case kind::pair: return f(i == 0 ? at_id<pair_node>(id)->a : at_id<pair_node>(id)->b);
        case kind::second:
            if (i == 0) return f(at_id<second_node>(id)->a);
            if (i == 1) return f(at_id<second_node>(id)->s);
            return f(at_id<second_node>(id)->b);
        case kind::shape: return f(at_id<shape>(id)->next);
        case kind::circle:
            if (i == 0) return f(at_id<circle>(id)->next);
            return f(at_id<circle>(id)->centre);
        case kind::boxed:
            if (i == 3) return f(box_at(id)->maybe);
            return f(box_at(id)->ring[i]);
        case kind::leaf: return;
        case kind::holder:
            if (i == 0) return f(at_id<holder_node>(id)->v);
            if (i == 1) return f(at_id<holder_node>(id)->u->x);
            return f(at_id<holder_node>(id)->u->y);
        case kind::outline: return f(at_id<outline_node>(id)->a);
        case kind::large:
            if (i == 0) return f(at_id<large_node>(id)->a);
            return f(at_id<large_node>(id)->b);
        case kind::huge: return f(at_id<huge_node>(id)->a);
        case kind::wide:
            if (i == 0) return f(at_id<wide_node>(id)->a);
            if (i == 1) return f(at_id<wide_node>(id)->s);
            return f(at(at_id<wide_node>(id)->b, i - 2));
        case kind::watcher: return f(i == 0 ? at_id<watcher_node>(id)->a : at_id<watcher_node>(id)->b);
        case kind::keeper: return f(i == 0 ? at_id<keeper_node>(id)->a : at_id<keeper_node>(id)->b);
        }
    }

    pygc::py_weakref<named>& weak_of(int id) {
        return at(places_, id).type == kind::watcher ? at_id<watcher_node>(id)->w : at_id<keeper_node>(id)->w;
    }

    /// With a callback if `call`, which captures root `c` unless that is none.
    pygc::py_weakref<named> weak_reference(const any_ref& r, bool call, int c) {
        const pygc::heap::scope use(threads_own_); // the one heap in which a weak reference may start a collection
        if (!call || !r) return r;
        const int name = static_cast<int>(callback_born_in_destructor_.size());
        callback_born_in_destructor_.push_back(in_destructor_ != 0);
        if (c == none) return {r, [name] { report_call(name); }};
        return {r, [name](captured&) { report_call(name); }, captured(name, at(roots_, c).r)};
    }

    std::vector<any_ref>& vector_of(int id) {
        return at(places_, id).type == kind::pair ? at_id<pair_node>(id)->many : at_id<outline_node>(id)->many;
    }

    // Assigning to a variant destroys what was in it before the new value is there; what a destructor
    // called from there would see is std::variant's affair. So the old value is moved out first.
    template <class T>
    static void put(pygc::py_ref<T>& p, pygc::py_ref<T> value) {
        p = std::move(value);
    }
    static void put(std::optional<any_ref>& p, any_ref value) { p = std::move(value); }
    static void put(either_ref& p, either_ref value) { p.swap(value); }

    void link(int id, int i, const root& k) {
        with_place(id, i, [&k]<class P>(P& p) {
            if constexpr (std::is_same_v<P, either_ref>) {
                put(p, k.b ? either_ref(k.b) : k.r ? either_ref(k.r) : either_ref());
            } else if constexpr (std::is_same_v<P, any_ref>) {
                p = k.r;
            } else if constexpr (std::is_same_v<P, box_ref>) {
                p = k.b;
            } else if constexpr (std::is_same_v<P, shape_ref>) {
                p = copied<shape>(k);
            } else {
                p = k.r;
            }
        });
    }
    void move_in(int id, int i, root& k) {
        with_place(id, i, [&k]<class P>(P& p) {
            if constexpr (std::is_same_v<P, either_ref>) {
                put(p, k.b ? either_ref(std::move(k.b)) : k.r ? either_ref(std::move(k.r)) : either_ref());
            } else if constexpr (std::is_same_v<P, any_ref>) {
                p = std::move(k.r);
            } else if constexpr (std::is_same_v<P, box_ref>) {
                p = std::move(k.b);
            } else if constexpr (std::is_same_v<P, shape_ref>) {
                p = moved<shape>(k);
            } else {
                p = std::move(k.r);
            }
        });
    }
    void unlink(int id, int i) {
        with_place(id, i, [id]<class P>(P& p) {
            if constexpr (std::is_same_v<P, either_ref>) {
                put(p, {});
            } else if constexpr (std::is_same_v<P, std::optional<any_ref>>) {
                p.reset();
            } else {
                if (id % 2 == 0) {
                    p = nullptr;
                } else {
                    p.reset();
                }
            }
        });
    }
    void load(int id, int i, root& k) {
        with_place(id, i, [&]<class P>(P& p) {
            if constexpr (std::is_same_v<P, either_ref>) {
                if (p.index() == 2) {
                    set(k, std::get<2>(p));
                } else {
                    set(k, p.index() == 1 ? std::get<1>(p) : any_ref());
                }
            } else if constexpr (std::is_same_v<P, std::optional<any_ref>>) {
                set(k, p ? *p : any_ref());
            } else {
                set(k, p);
            }
        });
    }
    void take(int id, int i, root& k) {
        with_place(id, i, [&]<class P>(P& p) {
            if constexpr (std::is_same_v<P, either_ref>) {
                either_ref old;
                old.swap(p);
                if (old.index() == 2) {
                    set(k, std::get<2>(std::move(old)));
                } else {
                    set(k, old.index() == 1 ? std::get<1>(std::move(old)) : any_ref());
                }
            } else if constexpr (std::is_same_v<P, std::optional<any_ref>>) {
                set(k, p ? std::move(*p) : any_ref());
            } else {
                set(k, std::move(p));
            }
        });
    }
    template <class P>
    static void swap_values(P& p, P& q) {
        using std::swap;
        swap(p, q);
    }
    static void swap_values(any_ref& p, std::optional<any_ref>& q) {
        if (!q) q.emplace();
        swap(p, *q);
    }
    static void swap_values(std::optional<any_ref>& p, any_ref& q) { swap_values(q, p); }
    template <class P, class Q>
    static void swap_values(P&, Q&) {} // of different types: such a program isn't made

    void swap_places(int id, int i, int other, int j) {
        with_place(id, i, [&](auto& p) { with_place(other, j, [&p](auto& q) { swap_values(p, q); }); });
    }

    // ---- operations -------------------------------------------------------------------------------

    int new_place(kind type) {
        place& p = places_.emplace_back();
        p.type = type;
        p.born_in_destructor = in_destructor_ != 0;
        return nodes() - 1;
    }

    template <class T>
    void make(int k, kind type, int h) {
        const int id = new_place(type);
        any_ref r;
        {
            pygc::heap::scope use(heap_in(h));
            r = pygc::make_ref<T>(id);
        }
        place& p = at(places_, id);
        p.where = r.get();
        p.key = static_cast<const pygc::py_object*>(r.get());
        id_at_[p.key] = id;
        set(at(roots_, k), std::move(r));
    }

    void make_box(int k, int h) {
        const int id = new_place(kind::boxed);
        box_ref b;
        {
            pygc::heap::scope use(heap_in(h));
            b = pygc::make_ref<boxed>(box_ref(), box_ref(), box_ref(), std::nullopt, id);
        }
        place& p = at(places_, id);
        p.where = b.get();
        b->sign.whole = b.get();
        p.key = b.get();
        id_at_[p.key] = id;
        set(at(roots_, k), std::move(b));
    }

    void make(int k, kind type, int h) {
        switch (type) {
        case kind::pair: return make<pair_node>(k, type, h);
        case kind::second: return make<second_node>(k, type, h);
        case kind::shape: return make<shape>(k, type, h);
        case kind::circle: return make<circle>(k, type, h);
        case kind::boxed: return make_box(k, h);
        case kind::leaf: return make<leaf_node>(k, type, h);
        case kind::holder: return make<holder_node>(k, type, h);
        case kind::outline: return make<outline_node>(k, type, h);
        case kind::large: return make<large_node>(k, type, h);
        case kind::huge: return make<huge_node>(k, type, h);
        case kind::wide: return make<wide_node>(k, type, h);
        case kind::watcher: return make<watcher_node>(k, type, h);
        case kind::keeper: return make<keeper_node>(k, type, h);
        }
    }

    void execute(const operation& op) {
        switch (op.what) {
        case action::nothing: break;
        case action::make: make(op.a, static_cast<kind>(op.b), op.c); break;
        case action::make_throw:
#if defined(__cpp_exceptions)
            try {
                pygc::heap::scope use(heap_in(op.a));
                static_cast<void>(pygc::make_ref<refuses>(1));
            } catch (int) {
                note(event_kind::threw, 0);
            }
#else
            note(event_kind::threw, 0);
#endif
            break;
        case action::copy_root:
            if (at(roots_, op.b).b) {
                set(at(roots_, op.a), at(roots_, op.b).b);
            } else {
                set(at(roots_, op.a), at(roots_, op.b).r);
            }
            break;
        case action::move_root:
            if (at(roots_, op.b).b) {
                set(at(roots_, op.a), std::move(at(roots_, op.b).b));
            } else {
                set(at(roots_, op.a), std::move(at(roots_, op.b).r));
            }
            break;
        case action::swap_roots: std::swap(at(roots_, op.a), at(roots_, op.b)); break;
        case action::drop_root:
            // One after the other, and the second only if it is the one: the death may fill the root anew.
            if (at(roots_, op.a).r) {
                at(roots_, op.a).r = nullptr;
            } else {
                at(roots_, op.a).b.reset();
            }
            break;
        case action::link: link(op.a, op.b, at(roots_, op.c)); break;
        case action::move_in: move_in(op.a, op.b, at(roots_, op.c)); break;
        case action::unlink: unlink(op.a, op.b); break;
        case action::load: load(op.a, op.b, at(roots_, op.c)); break;
        case action::take: take(op.a, op.b, at(roots_, op.c)); break;
        case action::swap_places: swap_places(op.a, op.b, op.c, op.d); break;
        case action::collect: {
            const auto found = heap_in(op.a).collect(op.b);
            note(event_kind::collected, static_cast<int>(found));
            break;
        }
        case action::threshold:
            heap_in(op.a).set_threshold(static_cast<std::size_t>(op.b), static_cast<std::size_t>(op.c),
                                        static_cast<std::size_t>(op.d));
            break;
        case action::enable:
            if (op.b != 0) {
                heap_in(op.a).enable();
            } else {
                heap_in(op.a).disable();
            }
            break;
        case action::retire:
            delete at(heaps_, op.a); // destructors that run now may still use it
            at(heaps_, op.a) = new_heap();
            break;
        case action::save: set(at(roots_, op.a), pygc::borrow(at_id<named>(op.b))); break;
        case action::watch: at(weak_, op.a) = weak_reference(any_ref(at(roots_, op.b).r), false, none); break;
        case action::watch_call: at(weak_, op.a) = weak_reference(any_ref(at(roots_, op.b).r), true, op.c); break;
        case action::weak_copy: at(weak_, op.a) = at(weak_, op.b); break;
        case action::weak_drop: at(weak_, op.a).reset(); break;
        case action::weak_lock: set(at(roots_, op.a), at(weak_, op.b).lock()); break;
        case action::weak_put: weak_of(op.a) = at(weak_, op.b); break;
        case action::weak_get: at(weak_, op.a) = weak_of(op.b); break;
        default:
            if (at(places_, op.a).type == kind::boxed) {
                const box_ref hold = box_ref::borrow(box_at(op.a));
                change_container(op);
            } else {
                const any_ref hold = pygc::borrow(at_id<named>(op.a));
                change_container(op);
            }
        }
    }

    void change_container(const operation& op) {
        switch (op.what) {
        case action::push:
            if (op.c == 0) {
                vector_of(op.a).push_back(at(roots_, op.b).r);
            } else {
                vector_of(op.a).push_back(std::move(at(roots_, op.b).r));
            }
            break;
        case action::vector_set: at(vector_of(op.a), op.b) = at(roots_, op.c).r; break;
        case action::vector_erase: vector_of(op.a).erase(vector_of(op.a).begin() + op.b); break;
        case action::vector_clear: drop_vector(op.a); break;
        case action::map_set: at_id<holder_node>(op.a)->m[op.b] = at(roots_, op.c).r; break;
        case action::map_erase: at_id<holder_node>(op.a)->m.erase(op.b); break;
        case action::inner_make: at_id<holder_node>(op.a)->u = std::make_unique<holder_node::inner>(); break;
        case action::inner_reset: at_id<holder_node>(op.a)->u.reset(); break;
        case action::clear: {
            const layout& l = layout_of(at(places_, op.a).type);
            for (int i = 0; i != l.fixed_count; ++i) {
                if (i == 0 || !l.inner) unlink(op.a, i);
            }
            if (l.vector) drop_vector(op.a);
            if (l.map) {
                auto& m = at_id<holder_node>(op.a)->m;
                while (!m.empty()) m.erase(m.begin());
            }
            if (l.inner) at_id<holder_node>(op.a)->u.reset();
            if (l.weak) weak_of(op.a).reset();
            break;
        }
        default: break;
        }
    }

    // Not clear(): std::vector destroys its elements while they still count as elements.
    void drop_vector(int id) {
        std::vector<any_ref> old;
        old.swap(vector_of(id));
    }

    pygc::heap* new_heap() const {
        auto* h = new pygc::heap();
        if (!settings_.paced) h->set_threshold(std::size_t{first_threshold}, 10, 10);
        return h;
    }

    const settings settings_;
    pygc::heap& threads_own_;
    std::vector<root> roots_;
    std::vector<pygc::py_weakref<named>> weak_;
    std::deque<bool> callback_born_in_destructor_; // by the number of the callback
    std::vector<pygc::heap*> heaps_; // the first may be the thread's own
    std::vector<place> places_;
    std::unordered_map<const void*, int> id_at_;
    std::vector<event> trace_;
    int in_destructor_ = 0;
    bool quiet_ = false;
};

template <class... Field>
void report_death(int id, const Field&... fields) {
    if (current_world != nullptr) current_world->died(id, fields...);
}

template <class... Field>
void report_finalizer(int id, const Field&... fields) {
    if (current_world != nullptr) current_world->finalized(id, fields...);
}

inline void report_call(int name) {
    if (current_world != nullptr) current_world->called(name);
}

inline captured::~captured() {
    if (name != none && current_world != nullptr) current_world->released(*this);
}

} // namespace model
