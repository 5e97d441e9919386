// SPDX-License-Identifier: BSL-1.0
// Runs a program: the operations of the main loop and of every hook, and the comparison with what must be so.
#pragma once

#include "fields.hpp"

namespace reentry {

// ---- making ---------------------------------------------------------------------------------------------

template <class T>
ref make_one(int content) {
    ref r;
    static_cast<void>(guarded([&] { r = pygc::make_ref<T>(content); }));
    current->trace("object %d made", r == nullptr ? none : r->id);
    return r;
}

/// Null if there are too many, or a hook threw.
inline ref make_object(int kind_byte) {
    machine& m = *current;
    if (m.alive >= most_alive || m.failed()) return nullptr;
    const int content = kind_byte % 5;
    switch (kind_byte % 16) {
    case 0:
    case 1: return make_one<sequences>(content);
    case 2: return m.has(feature::keys) ? make_one<ordered>(content) : make_one<sequences>(content);
    case 3: return m.has(feature::keys) ? make_one<unordered>(content) : make_one<sequences>(content);
    case 4: return make_one<ordered>(content);
    case 5: return make_one<unordered>(content);
    case 6:
    case 7: return make_one<sums>(content);
    case 8: return make_one<watching>(content);
    case 9: return make_one<weak_maps>(content);
    case 10: return make_one<noisy_kind>(content);
    case 11: return make_one<leaf>(content);
    case 12: return kind_byte >= 0xd0 ? make_one<large>(content) : make_one<rude>(content);
    case 13: return make_one<last_will>(content);
    case 14: return make_one<last_weak>(content);
    default: return make_one<leaf>(content);
    }
}

/// Both parts change before the old value dies: its death may assign to the same variable.
template <class Handle>
void assign(Handle& place, Handle value) {
    std::swap(place, value);
}

/// So many in a row that not all destructors nest: once the first goes, the last wait while those before them run.
inline ref make_chain(int b) {
    machine& m = *current;
    if (m.alive >= most_alive || m.failed()) return nullptr;
    ref chain;
    for (int n = 26 + b % 16; n != 0; --n) {
        ref link = n % 3 == 0 ? make_one<last_link>(n % 5) : make_one<chain_link>(n % 5);
        if (link == nullptr) break;
        std::get<0>(static_cast<chain_link*>(link.get())->all).set(std::move(chain));
        if (n % 8 == 4 && m.has(feature::weakrefs)) {
            weak_handle& w = vars->weak[static_cast<std::size_t>(n / 8) % vars->weak.size()];
            assign(w, b % 2 == 0 && m.has(feature::callbacks) ? watch(link, some_root()) : watch(link));
        }
        chain = std::move(link);
    }
    return chain;
}

// ---- checks ---------------------------------------------------------------------------------------------

inline void look_at_variables(edges& e) {
    for (const ref& r : vars->roots) look(e, r);
    for (const box_ref& b : vars->boxes) look(e, b);
    for (const weak_handle& w : vars->weak) look(e, w);
    for (const function_handle& f : vars->functions) look(e, f);
    if (current->has(feature::weak_maps)) look(e, vars->map);
}

inline edges edges_of(int id) {
    edges e;
    node& n = current->at(id);
    switch (n.what) {
    case node_kind::object:
        for (int i = 0; i != n.object->fields(); ++i) {
            if (!n.object->field_at(i)->busy) n.object->field_at(i)->look_into(e);
        }
        break;
    case node_kind::box:
        look(e, n.boxed->first);
        look(e, n.boxed->more);
        look(e, n.boxed->next);
        break;
    case node_kind::capture: look(e, n.capture->held); break;
    }
    return e;
}

/// Which nodes lead where: from the variables, or from a set of nodes.
class reachable {
public:
    reachable() : seen_(current->nodes.size(), false) {}
    void add(const edges& e) {
        for (int target : e.targets) add(target);
        for (int capture : e.captures) add(capture);
        for (const edges::entry& x : e.entries) add_link(none, x.key, x.value);
    }
    /// `target` is reached once both others are, where they aren't `none`.
    void add_link(int from, int also_from, int target) { links_.push_back({from, also_from, target}); }
    void add(int id) {
        if (id == none || seen_[static_cast<std::size_t>(id)]) return;
        seen_[static_cast<std::size_t>(id)] = true;
        stack_.push_back(id);
    }
    void close() {
        for (bool more = true; more;) {
            more = false;
            while (!stack_.empty() && !current->failed()) {
                const int id = stack_.back();
                stack_.pop_back();
                add(edges_of(id));
            }
            for (std::size_t i = 0; i != links_.size(); ++i) {
                const link x = links_[i];
                if (has(x.target) || (x.from != none && !has(x.from)) || (x.also_from != none && !has(x.also_from))) {
                    continue;
                }
                add(x.target);
                more = true;
            }
        }
    }
    [[nodiscard]] bool has(int id) const { return seen_[static_cast<std::size_t>(id)]; }

private:
    struct link {
        int from, also_from, target;
    };
    std::vector<bool> seen_;
    std::vector<int> stack_;
    std::vector<link> links_;
};

inline void check_weak(const weak_handle& w) {
    if (w.weak == nullptr || w.target == none) return;
    current->require(w.weak.expired() != current->at(w.target).alive,
                     "a weak reference and its object don't end together", w.target);
}

/// What may be asked in the middle of everything: nothing that the variables lead to has died.
inline void check_living() {
    if (current->failed()) return;
    reachable live;
    edges e;
    for (const ref& r : vars->roots) look(e, r);
    for (const box_ref& b : vars->boxes) look(e, b);
    live.add(e);
    live.close();
}

/// Between the operations of the main loop: every reference, every count.
inline void check_all() {
    machine& m = *current;
    if (m.failed()) return;
    std::vector<long> counts(m.nodes.size(), 0);
    const auto count = [&](const edges& e) {
        for (int target : e.targets) {
            if (target != none) ++counts[static_cast<std::size_t>(target)];
        }
        for (const edges::entry& x : e.entries) ++counts[static_cast<std::size_t>(x.value)];
    };
    edges e;
    look_at_variables(e);
    count(e);
    for (const weak_handle& w : vars->weak) check_weak(w);
    for (std::size_t i = 0; i != m.nodes.size() && !m.failed(); ++i) {
        const int id = static_cast<int>(i);
        const node n = m.nodes[i];
        if (!n.alive) continue;
        count(edges_of(id));
        if (n.what == node_kind::object) {
            for (int k = 0; k != n.object->fields(); ++k) n.object->field_at(k)->check(id);
        } else if (n.what == node_kind::box) {
            edges b = edges_of(id);
            std::sort(b.targets.begin(), b.targets.end());
            m.require(b.targets == n.boxed->sign.shadow, "a reference of a box has changed by itself", id);
        }
    }
    for (std::size_t i = 0; i != m.nodes.size() && !m.failed(); ++i) {
        const node& n = m.nodes[i];
        if (!n.alive || n.what == node_kind::capture) continue;
        const int id = static_cast<int>(i);
        const long found = n.what == node_kind::object ? pygc::borrow(n.object).use_count() - 1
                                                       : pygc::borrow(n.boxed).use_count() - 1;
        m.require(found == counts[i], "a count is wrong", id);
        m.require(found != 0, "an object without references lives", id);
    }
}

// ---- boxes ----------------------------------------------------------------------------------------------

inline void note_box(const box_ref& b) {
    edges e = edges_of(b->sign.id);
    std::sort(e.targets.begin(), e.targets.end());
    b->sign.shadow = e.targets;
}

inline void make_box(box_ref& into) {
    machine& m = *current;
    if (m.alive >= most_alive) return;
    std::vector<ref> more = element<std::vector<ref>>::make();
    ref first = some_root();
    box_ref next = vars->boxes[static_cast<std::size_t>(m.below(2))];
    // The tag's number exists before the box: making it may collect.
    const int id = m.new_node(node_kind::box, m.serial_of_current());
    m.at(id).alive = false;
    box_ref b = pygc::make_ref<box>(std::move(first), std::move(more), std::move(next), id);
    m.at(id).boxed = b.get();
    m.at(id).alive = true;
    note_box(b);
    into = std::move(b);
}

inline void operate_box(box_ref b) {
    machine& m = *current;
    if (b == nullptr) return;
    ref old;
    std::vector<ref> old_more;
    box_ref old_next;
    switch (m.below(5)) {
    case 0: old = std::exchange(b->first, some_root()); break;
    case 1:
        if (ref r = some_ref()) b->more.push_back(std::move(r));
        break;
    case 2: old_more.swap(b->more); break;
    case 3: old_next = std::exchange(b->next, vars->boxes[static_cast<std::size_t>(m.below(2))]); break;
    default: old = std::move(b->first);
    }
    note_box(b);
}

// ---- heaps ----------------------------------------------------------------------------------------------

inline heap_slot& some_heap() { return current->heaps[static_cast<std::size_t>(current->next()) % current->heaps.size()]; }

inline void prepare_heap(heap_slot& h) {
    h.serial = current->next_serial++;
    h.callbacks.clear();
    h.heap->callbacks().append([](pygc::collection_phase phase, const pygc::collection_info&) {
        current->collecting += phase == pygc::collection_phase::start ? 1 : -1;
    });
#if defined(__cpp_exceptions)
    h.heap->set_unraisable_hook([](const pygc::unraisable&) {
        if (current->hook(feature::unraisable)) {
            // What the hook itself would throw is outside of the rules.
        }
    });
#endif
}

inline void retire(heap_slot& h) {
    machine& m = *current;
    if (!m.has(feature::retire) || !h.owned || h.users != 0 || m.busy != 0 || m.plain != 0 || m.dying != 0) return;
    if (m.alive >= most_alive) return;
    ++h.users; // nobody else ends it meanwhile, or uses it
    pygc::heap* const old = h.heap;
    h.heap = new pygc::heap;
    prepare_heap(h);
    --h.users;
    ++m.collecting; // the last collection of a heap tells nobody
    delete old;
    --m.collecting;
}

/// The next operations in another heap.
inline void in_heap(std::size_t i, int steps) {
    machine& m = *current;
    if (!m.has(feature::heaps)) return;
    const int before = m.current_heap;
    ++m.heaps[i].users;
    {
        const pygc::heap::scope scope(*m.heaps[i].heap);
        m.current_heap = static_cast<int>(i);
        for (; steps != 0; --steps) m.step();
        m.current_heap = before;
    }
    --m.heaps[i].users;
}

inline void add_gc_callback(heap_slot& h) {
    machine& m = *current;
    if (!m.has(feature::gc_callbacks) || h.callbacks.size() >= 3) return;
    h.callbacks.push_back(
        h.heap->callbacks().append([](pygc::collection_phase, const pygc::collection_info&) {
            if (current->hook(feature::gc_callbacks)) throw_test_error();
        }));
}

// ---- the operations -------------------------------------------------------------------------------------

inline void operate_object(thing* target) {
    const int n = target->fields();
    if (n == 0) return;
    const int b = current->next();
    current->trace("object %d, container %d:", target->id, b % n);
    field_base* const f = target->field_at(b % n);
    if (b >= 0xa0) {
        f->add_some();
    } else {
        f->operate();
    }
}

inline void collect_in(heap_slot& h, int generation) {
    machine& m = *current;
    if (m.plain != 0) return; // no_collect stops automatic collections only; the program keeps to the rule by itself
    if (m.depth != 0 && !m.has(feature::collect)) return;
    const bool refused = m.dying != 0 && m.collecting == 0 && m.has(feature::deferral);
    ++h.users;
    const std::size_t found = h.heap->collect(generation);
    --h.users;
    m.trace("collect(%d) in heap %d: %d", generation, h.serial, static_cast<int>(found));
    m.require(!refused || found == 0, "a collection runs while an object dies");
}

inline void use_weak() {
    machine& m = *current;
    if (!m.has(feature::weakrefs)) return;
    weak_handle& w = vars->weak[static_cast<std::size_t>(m.next()) % vars->weak.size()];
    switch (m.below(6)) {
    case 0:
    case 1: assign(w, element<weak_handle>::make()); break;
    case 2: assign(w, weak_handle(vars->weak[static_cast<std::size_t>(m.next()) % vars->weak.size()])); break;
    case 3: assign(w, {}); break;
    default: some_root() = w.weak.lock();
    }
}

inline void use_function() {
    machine& m = *current;
    if (!m.has(feature::functions)) return;
    function_handle& f = vars->functions[static_cast<std::size_t>(m.below(2))];
    switch (m.below(4)) {
    case 0: assign(f, element<function_handle>::make()); break;
    case 1: assign(f, function_handle(vars->functions[static_cast<std::size_t>(m.below(2))])); break;
    case 2: assign(f, {}); break;
    default:
        if (f.function) static_cast<void>(guarded([&] { f.function(); }));
    }
}

inline void use_map() {
    if (!current->has(feature::weak_maps)) return;
    const int code = current->below(16);
    // A variable of the program is moved from and ended by nobody else.
    if (code == 6 || code == 8 || code == 9) return;
    static_cast<void>(guarded([&] { change(vars->map, code); }));
}

/// A new reference to any object whose destructor hasn't begun, from a plain pointer; gone at once.
inline void borrow_one() {
    machine& m = *current;
    if (!m.has(feature::borrow) || m.collecting != 0 || m.nodes.empty()) return;
    const std::size_t i = static_cast<std::size_t>(m.next()) % m.nodes.size();
    if (!m.nodes[i].alive || m.nodes[i].what != node_kind::object) return;
    const ref r = pygc::borrow(m.nodes[i].object);
    m.require(r->canary == thing::whole, "a borrowed object is destroyed", r->id);
    if (m.has(feature::weakrefs)) {
        const pygc::py_weakref<thing> w(r);
        if (!w.expired()) m.require(w.lock() == r, "a weak reference leads to another object", r->id);
    }
}

/// The object whose finalizer runs is made reachable again. One whose destructor runs is borrowed for a moment, or one
/// that was made shortly before it: in a chain that waits for its own destructor, and may be saved.
inline void use_self() {
    machine& m = *current;
    if (m.self == nullptr) return;
    if (m.at(m.self->id).alive) {
        some_root() = pygc::borrow(m.self);
        return;
    }
    if (!m.has(feature::borrow)) return;
    const int b = m.next();
    const int id = m.self->id - b % 32;
    if (b < 0x40 || id < 0 || m.collecting != 0 || !m.at(id).alive || m.at(id).what != node_kind::object) {
        const ref r = pygc::borrow(m.self);
        return;
    }
    m.trace("object %d is borrowed", id);
    ref other = pygc::borrow(m.at(id).object);
    m.require(other->canary == thing::whole, "a borrowed object is destroyed", id);
    const pygc::py_weakref<thing> w(other);
    if (w.expired()) return; // its callbacks are called, its destructor is the next
    m.require(w.lock() == other, "a weak reference to a borrowed object leads elsewhere", id);
    if (b >= 0xa0) some_root() = std::move(other);
}

inline void query() {
    machine& m = *current;
    if (!m.has(feature::queries) || m.busy != 0 || m.dying != 0 || m.collecting != 0 || m.plain != 0) return;
    heap_slot& h = some_heap();
    ++h.users;
    switch (m.below(4)) {
    case 0: static_cast<void>(h.heap->get_objects(m.below(3)).size()); break;
    case 1: static_cast<void>(h.heap->get_referrers(some_root()).size()); break;
    case 2: static_cast<void>(h.heap->get_referents(some_root()).size()); break;
    default:
        static_cast<void>(guarded([&] {
            h.heap->visit_objects([&](const pygc::py_ref<pygc::py_object>&) {
                if (m.hook(feature::callbacks)) throw_test_error();
                return !m.done();
            });
        }));
    }
    --h.users;
}

inline void machine::step() {
    if (done() || failed()) return;
    count_operation();
    const int b = next();
    trace("operation %d", b % 32);
    switch (b % 32) {
    case 0: {
        const int kind = next();
        ref made = kind >= 0xe0 ? make_chain(kind) : make_object(kind);
        if (made != nullptr) some_root() = std::move(made);
        break;
    }
    case 1:
    case 2: {
        ref made = make_object(next());
        if (made != nullptr) some_root() = std::move(made);
        break;
    }
    case 3: some_root() = some_root(); break;
    case 4: some_root() = std::move(some_root()); break;
    case 5: {
        ref& a = some_root();
        a.swap(some_root());
        break;
    }
    case 6:
    case 7: some_root() = nullptr; break;
    case 8:
        if (self != nullptr) {
            operate_object(self);
            break;
        }
        [[fallthrough]];
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
    case 14: {
        const ref target = some_root();
        if (target != nullptr) operate_object(target.get());
        break;
    }
    case 15: make_box(vars->boxes[static_cast<std::size_t>(below(2))]); break;
    case 16:
        if (below(3) == 0) {
            vars->boxes[static_cast<std::size_t>(below(2))] = nullptr;
        } else {
            operate_box(vars->boxes[static_cast<std::size_t>(below(2))]);
        }
        break;
    case 17:
    case 18: collect_in(some_heap(), below(3)); break;
    case 19: {
        if (plain != 0) break;
        heap_slot& h = some_heap();
        h.heap->safe_point();
        break;
    }
    case 20:
        if (has(feature::freeze)) {
            heap_slot& h = some_heap();
            if (below(2) == 0) {
                h.heap->freeze();
            } else {
                h.heap->unfreeze();
            }
        }
        break;
    case 21: in_heap(static_cast<std::size_t>(next()) % heaps.size(), 1 + below(3)); break;
    case 22: {
        constexpr std::size_t young[] = {1, 1, 2, 3, 7, 50, 0, 2000};
        const int t = next();
        some_heap().heap->set_threshold(young[t % 8], static_cast<std::size_t>(t / 8 % 3),
                                        static_cast<std::size_t>(t / 24 % 3));
        break;
    }
    case 23: {
        heap_slot& h = some_heap();
        switch (below(6)) {
        case 0: h.heap->disable(); break;
        case 1: h.heap->set_mode(pygc::mode::at_safe_point); break;
        case 2: h.heap->set_mode(pygc::mode::at_allocation); break;
        default: h.heap->enable();
        }
        break;
    }
    case 24:
    case 25: use_weak(); break;
    case 26: use_function(); break;
    case 27: use_map(); break;
    case 28: borrow_one(); break;
    case 29: use_self(); break;
    case 30:
        switch (below(4)) {
        case 0: add_gc_callback(some_heap()); break;
        case 1: {
            heap_slot& h = some_heap();
            if (!h.callbacks.empty()) {
                const auto last = h.callbacks.back();
                h.callbacks.pop_back();
                h.heap->callbacks().remove(last);
            }
            break;
        }
        case 2: retire(some_heap()); break;
        default: query();
        }
        break;
    case 31: {
        const no_collect_anywhere guard;
        for (int n = below(4); n != 0; --n) step();
        break;
    }
    }
    if (depth != 0 && b >= 0xf0) check_living();
}

// ---- the whole ------------------------------------------------------------------------------------------

/// What a collection of the value's heap knows of an entry: the key if that is in the heap and tracked, the map's owner
/// if that is. An object elsewhere counts as reached; where both are elsewhere, the value is held from outside.
inline void add_entry(reachable& kept, int owner, const edges::entry& x) {
    const int heap = current->at(x.value).heap;
    const node& key = current->at(x.key);
    const bool knows_key = key.heap == heap && pygc::is_tracked(pygc::borrow(key.object));
    const bool knows_owner = owner != none && current->at(owner).heap == heap;
    if (!knows_key && !knows_owner) return kept.add(x.value);
    kept.add_link(knows_owner ? owner : none, knows_key ? x.key : none, x.value);
}

/// Collects till nothing more is found; then exactly that lives which something leads to.
inline void settle(bool at_end) {
    machine& m = *current;
    const bool was_quiet = std::exchange(m.quiet, true);
    for (heap_slot& h : m.heaps) h.heap->unfreeze();
    int rounds = 0;
    for (bool again = true; again && rounds != 100; ++rounds) {
        again = false;
        for (heap_slot& h : m.heaps) again |= h.heap->collect() != 0;
    }
    m.quiet = was_quiet || m.failed();
    m.require(rounds != 100, "collections never end");
    check_all();
    if (m.failed()) return;

    reachable kept;
    edges e;
    look_at_variables(e);
    kept.add(e);
    for (const edges::entry& x : e.entries) add_entry(kept, none, x);
    // References between heaps count as references from outside, and nobody collects a heap that has ended.
    std::vector<bool> running(static_cast<std::size_t>(m.next_serial), false);
    for (const heap_slot& h : m.heaps) running[static_cast<std::size_t>(h.serial)] = true;
    for (std::size_t i = 0; i != m.nodes.size() && !m.failed(); ++i) {
        if (!m.nodes[i].alive) continue;
        const int id = static_cast<int>(i);
        if (!running[static_cast<std::size_t>(m.nodes[i].heap)]) kept.add(id);
        const edges own = edges_of(id);
        for (int target : own.targets) {
            if (target != none && m.at(target).heap != m.nodes[i].heap) kept.add(target);
        }
        for (int capture : own.captures) {
            if (m.at(capture).heap != m.nodes[i].heap) kept.add(capture);
        }
        for (const edges::entry& x : own.entries) add_entry(kept, id, x);
    }
    kept.close();
    for (std::size_t i = 0; i != m.nodes.size() && !m.failed(); ++i) {
        const int id = static_cast<int>(i);
        if (m.nodes[i].alive) m.require(kept.has(id), "garbage is not collected", id);
    }
    if (!at_end || m.failed()) return;

    // What is left goes by hand.
    std::vector<ref> objects;
    std::vector<box_ref> boxes;
    for (const node& n : m.nodes) {
        if (n.alive && n.what == node_kind::object) objects.push_back(pygc::borrow(n.object));
        if (n.alive && n.what == node_kind::box) boxes.push_back(pygc::borrow(n.boxed));
    }
    for (const ref& r : objects) {
        for (int i = 0; i != r->fields(); ++i) r->field_at(i)->empty();
    }
    for (const box_ref& b : boxes) {
        box_ref next = std::move(b->next);
        ref first = std::move(b->first);
        b->more.clear();
    }
    objects.clear();
    boxes.clear();
    for (heap_slot& h : m.heaps) h.heap->collect();
    for (std::size_t i = 0; i != m.nodes.size(); ++i) {
        m.require(!m.nodes[i].alive, "an object lives on although nothing refers to it", static_cast<int>(i));
    }
    for (heap_slot& h : m.heaps) {
        m.require(h.heap->get_memory().objects == 0, "a heap has an object that nobody made");
    }
}

/// Runs the program that the bytes are. `stop_at_once`: the first fault ends the process.
inline result run_program(const std::uint8_t* bytes, std::size_t size, feature_set without = {},
                          bool stop_at_once = false, bool trace = false) {
    machine m(bytes, size, without, stop_at_once);
    m.traces = trace;
    variables v;
    current = &m;
    vars = &v;
    const int settings = m.next();
    const int heaps = m.has(feature::heaps) ? 1 + settings % 3 : 1;
    // What is known is compared often, to tell the operation that was at fault, or seldom, for the sake of their number.
    const bool often = (settings & 0x10) == 0;
    const int check_every = often ? 1 + settings / 4 % 4 * 3 : 40;
    const int settle_every = often ? 64 : 400;
    std::vector<std::unique_ptr<pygc::heap>> spare;
    for (int i = 0; i != heaps; ++i) {
        m.heaps.emplace_back();
        m.heaps.back().heap = new pygc::heap;
        m.heaps.back().owned = true;
        prepare_heap(m.heaps.back());
        if (settings >= 0x60) m.heaps.back().heap->set_threshold(1 + static_cast<std::size_t>(settings) % 4, 1, 1);
    }
    ++m.heaps[0].users;
    {
        const pygc::heap::scope scope(*m.heaps[0].heap);
        for (int i = 0; !m.done() && !m.failed(); ++i) {
            m.step();
            if (i % check_every == 0) check_all();
            if (i % settle_every == settle_every - 1) settle(false);
        }
        m.quiet = true;
        if (!m.failed()) check_all();
        if (!m.failed()) settle(false);
        for (ref& r : v.roots) r = nullptr;
        for (box_ref& b : v.boxes) b = nullptr;
        for (weak_handle& w : v.weak) w = {};
        for (function_handle& f : v.functions) f = {};
        v.map.clear();
        if (!m.failed()) settle(true);
    }
    for (heap_slot& h : m.heaps) delete h.heap; // silent: the programs' bytes are at their end
    result r = m.finish();
    vars = nullptr;
    current = nullptr;
    return r;
}

} // namespace reentry
