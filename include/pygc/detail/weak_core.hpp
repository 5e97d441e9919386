// SPDX-License-Identifier: BSL-1.0
// What the weak containers share: entries that vanish with an object.
//
//   map ---> core ---> table of entries, by hash         entry: a key, its hash, what it holds, and a record that leads
//             |  ^           |                                  to the object and back
//             |  +-----------+--- record's callback
//             +--- list of entries, in order of their coming
//
// User code that is called here (hash, comparison, copies, moves and destructors of keys and values, and all that dies
// with them) finds a whole table and may do to the container whatever it likes. For that
//   - a core lives as long as its container, a running operation or an iterator needs it;
//   - so does an entry; taken out of the table, it keeps its place in the list as long as somebody stands at it;
//   - what goes is taken out first, and destroyed last;
//   - a search that called a comparison looks again from the start if the table has changed, at entries that it hasn't
//     compared yet: among entries of one hash the numbers only grow.
// An entry is taken out by its record and the hash it came with: that needs no memory and no code of the user.
#pragma once

#include <cstddef>

#include <pygc/detail/weak_entry.hpp>
#include <pygc/weakref.hpp>

namespace pygc::inline PYGC_ABI::detail {

/// `Keys` says what an entry stores of its key and how that is looked for: `stored`, `wanted`, `store`, `hash`,
/// `is_same`. `Strong`: what an entry holds beside.
template <class Keys, class Strong>
class weak_core : public ephemeron_map {
public:
    using stored = typename Keys::stored;
    using wanted = typename Keys::wanted;

    struct entry : weak_link {
        entry(const wanted& k, std::size_t h, Strong&& s)
            : key(Keys::store(k)), hash(h), strong(static_cast<Strong&&>(s)) {}

        [[no_unique_address]] stored key;
        std::size_t hash;
        std::size_t number = 0; // in order of coming; what replaces an entry has its number
        std::size_t uses = 1;   // by the table, and by each that stands at it
        bool listed = false;    // in the table
        entry* next_removed = nullptr;
        py_ref<entry_record> record;
        [[no_unique_address]] Strong strong;

        /// Null once its object is dead, or waits for its end.
        [[nodiscard]] py_object* object() const noexcept { return live_target(*record); }
    };

    /// Keeps a core.
    class core_hold {
    public:
        explicit core_hold(weak_core& c) noexcept : core_(c) { ++core_.uses_; }
        core_hold(const core_hold&) = delete;
        core_hold& operator=(const core_hold&) = delete;
        ~core_hold() { core_.release(); }

    private:
        weak_core& core_;
    };

    /// Stands at an entry, or at none, and keeps it and its core.
    class place {
    public:
        place() noexcept = default;
        place(weak_core& c, entry& e) noexcept : core_(&c), entry_(&e) {
            ++c.uses_;
            ++e.uses;
        }
        place(const place& other) noexcept : core_(other.core_), entry_(other.entry_) {
            if (entry_ == nullptr) return;
            ++core_->uses_;
            ++entry_->uses;
        }
        place(place&& other) noexcept { swap(other); }
        place& operator=(place other) noexcept { // who stood here goes when `other` does, last
            swap(other);
            return *this;
        }
        ~place() { reset(); }

        void reset() noexcept {
            if (entry_ == nullptr) return;
            entry* const e = entry_;
            weak_core& core = *core_;
            entry_ = nullptr;
            release(e);
            core.release();
        }
        void swap(place& other) noexcept {
            weak_core* const c = core_;
            core_ = other.core_;
            other.core_ = c;
            entry* const e = entry_;
            entry_ = other.entry_;
            other.entry_ = e;
        }
        [[nodiscard]] weak_core& core() const noexcept { return *core_; }
        [[nodiscard]] entry* get() const noexcept { return entry_; }
        [[nodiscard]] entry* operator->() const noexcept { return entry_; }
        [[nodiscard]] entry& operator*() const noexcept { return *entry_; }
        explicit operator bool() const noexcept { return entry_ != nullptr; }

        /// The next entry in the table with a living object, from here.
        [[nodiscard]] place next() const noexcept { return entry_ == nullptr ? place() : core_->first_after(*entry_); }

    private:
        weak_core* core_ = nullptr;
        entry* entry_ = nullptr;
    };

    weak_core() noexcept {
        if constexpr (holds_references<Strong>()) {
            count_values = [](ephemeron_map& self, ephemeron_table& table) {
                static_cast<weak_core&>(self).for_each([&table](entry& e) {
                    py_object* const key = e.object();
                    if (key == nullptr) return; // on its way out, and held from outside until then
                    table.count_value(&e, key, [&e](count_visitor& visit) { visit_value(visit, e.strong); });
                });
            };
            visit_value_of = [](void* e, visitor& visit) { visit_value(visit, static_cast<entry*>(e)->strong); };
        }
    }

    /// The container has gone. Effects: as `clear`; then there is nothing to be put in any more.
    void end() noexcept {
        owned_ = false;
        clear();
        release();
    }

    /// Complexity: constant.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// The entry of a key, none if there isn't one or its object is dead. Throws: what hash and comparison throw.
    [[nodiscard]] place find(const wanted& asked) {
        const core_hold self(*this);
        if (size_ == 0 || !Keys::can_be_there(asked)) return {};
        if constexpr (Keys::by_identity) {
            return find(asked, Keys::hash(asked));
        } else {
            decltype(auto) key = Keys::hold(asked);
            return find(key, Keys::hash(key));
        }
    }

    struct put_result {
        place there; // none: the object is about to end, or the container has
        bool is_new;
    };

    /// Puts an entry in, or replaces the one that is there if so wanted: what that held is dropped last. An entry for
    /// an object whose destructor runs is gone at once. Throws: std::bad_alloc, and what hash, comparison and copies
    /// throw; then nothing has changed.
    put_result put(const wanted& asked, py_object* object, Strong&& strong, bool replace) {
        if (object == nullptr) report_and_abort("null put into a weak container", nullptr, this);
        const core_hold self(*this);
        const auto hold = to_ref<py_object>(object); // the caller's references may go in code of the user
        decltype(auto) key = Keys::hold(asked);
        const std::size_t hash = Keys::hash(key);
        place there = find(key, hash);
        if (there && !replace) return {there, false};
        if (is_ending(object)) {
            if (there) take_out_and_release(*there);
            return {place(), false};
        }
        if constexpr (__is_same(Strong, nothing_strong)) { // nothing to replace but the object
            if (there) {
                auto record =
                    make_record<entry_record>(*chunk_of(object).heap, object, this, there.get(), &remove_dead);
                disarm(*there);
                record.swap(there->record);
                return {there, false};
            }
        }
        const std::size_t before = changes_;
        fresh_entry fresh(new entry(key, hash, static_cast<Strong&&>(strong)));
        // Copies and moves were code of the user, which may have adopted the object's heap.
        fresh->record = make_record<entry_record>(*chunk_of(object).heap, object, this, fresh.get(), &remove_dead);
        if (changes_ != before) {
            there.reset();
            there = find(key, hash);
            if (there && !replace) return {there, false};
        }
        if (!owned_) return {place(), false};
        if (!there) reserve_one();
        enter(heap_of(*fresh));
        if (there) {
            take_place_of(*there, *fresh);
            entry* const made = fresh.release();
            release(there.get()); // by the table; `there` is the last to stand at it
            return {place(*this, *made), false};
        }
        entry* const made = fresh.release();
        made->number = ++last_number_;
        made->listed = true;
        made->link_before(*this_link());
        table_[free_slot(hash)] = made;
        ++size_;
        ++changes_;
        return {place(*this, *made), true};
    }

    /// Preconditions: in the table, or was.
    void erase(place& p) noexcept {
        if (p->listed) take_out_and_release(*p);
    }

    /// Effects: first there is nothing in it any more, then all that was there is destroyed, in order.
    void clear() noexcept {
        erase_entries_if([](const stored&) noexcept { return true; });
    }

    /// For a collection, too: takes out all entries whose key fulfils `f`, then destroys them. `f` is no code of the
    /// user.
    template <class F>
    void erase_entries_if(F f) noexcept {
        const core_hold self(*this);
        entry* removed = nullptr;
        entry** last = &removed;
        for_each([&](entry& e) noexcept {
            if (!f(e.key)) return;
            take_out(e);
            *last = &e;
            last = &e.next_removed;
        });
        while (removed != nullptr) {
            entry* const e = removed;
            removed = e->next_removed;
            release(e);
        }
    }

    /// Calls `f(entry&)` for all in the table, those of dead objects that wait to be told too; `f` may take it out.
    template <class F>
    void for_each(F f) {
        for (weak_link* l = this_link()->next; l != this_link();) {
            auto& e = static_cast<entry&>(*l);
            l = l->next;
            if (e.listed) f(e);
        }
    }

    /// The first entry behind a place in the list that is in the table and has a living object.
    [[nodiscard]] place first_after(weak_link& from) noexcept {
        for (weak_link* l = from.next; l != this_link(); l = l->next) {
            auto& e = static_cast<entry&>(*l);
            if (e.listed && e.object() != nullptr) return place(*this, e);
        }
        return {};
    }
    [[nodiscard]] place first() noexcept { return first_after(*this_link()); }

private:
    /// An entry that isn't in the table yet.
    class fresh_entry {
    public:
        explicit fresh_entry(entry* e) noexcept : entry_(e) {}
        fresh_entry(const fresh_entry&) = delete;
        fresh_entry& operator=(const fresh_entry&) = delete;
        ~fresh_entry() {
            if (entry_ == nullptr) return;
            disarm(*entry_);
            destroy(entry_);
        }
        [[nodiscard]] entry* get() const noexcept { return entry_; }
        [[nodiscard]] entry* operator->() const noexcept { return entry_; }
        [[nodiscard]] entry& operator*() const noexcept { return *entry_; }
        entry* release() noexcept {
            entry* const e = entry_;
            entry_ = nullptr;
            return e;
        }

    private:
        entry* entry_;
    };

    ~weak_core() { delete[] table_; }

    void release() noexcept {
        if (--uses_ == 0) destroy(this);
    }

    // Not inlined, both: g++ doesn't see that a use after the end is after the last of several holds, and warns.
    PYGC_NOINLINE static void destroy(weak_core* core) noexcept { delete core; }

    static void release(entry* e) noexcept {
        if (--e->uses != 0) return;
        e->unlink();
        destroy(e);
    }

    PYGC_NOINLINE static void destroy(entry* e) noexcept {
#if PYGC_EXCEPTIONS
        if constexpr (!noexcept(e->~entry())) {
            const auto record = e->record; // its heap's hook is told
            heap_state& h = record != nullptr ? *chunk_of(record.get()).heap : *this_thread.heap;
            try {
                e->~entry();
            } catch (...) {
                report_unraisable(h, "the destructor of an entry of a weak container, of",
                                  type_name<typename Keys::template names<Strong>>(), e);
            }
            if constexpr (alignof(entry) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
                ::operator delete (e, std::align_val_t{alignof(entry)});
            } else {
                ::operator delete(e);
            }
            return;
        }
#endif
        delete e;
    }

    [[nodiscard]] weak_link* this_link() noexcept { return &list_; }

    [[nodiscard]] std::size_t next_slot(std::size_t slot) const noexcept { return (slot + 1) & (capacity_ - 1); }
    [[nodiscard]] std::size_t home_of(std::size_t hash) const noexcept {
        return static_cast<std::size_t>((std::uint64_t{hash} * 0x9e3779b97f4a7c15u) >> 32) & (capacity_ - 1);
    }
    /// Preconditions: there is room.
    [[nodiscard]] std::size_t free_slot(std::size_t hash) const noexcept {
        std::size_t i = home_of(hash);
        while (table_[i] != nullptr) i = next_slot(i);
        return i;
    }
    [[nodiscard]] std::size_t slot_of(const entry& e) const noexcept {
        std::size_t i = home_of(e.hash);
        while (table_[i] != &e) i = next_slot(i);
        return i;
    }

    /// Open addressing with linear probing, at most three quarters full. Throws: std::bad_alloc.
    void reserve_one() {
        if (4 * (size_ + 1) <= 3 * capacity_) return;
        const std::size_t capacity = capacity_ == 0 ? 8 : 2 * capacity_;
        entry** const larger = new entry* [capacity] {};
        delete[] table_;
        table_ = larger;
        capacity_ = capacity;
        for_each([this](entry& e) noexcept { table_[free_slot(e.hash)] = &e; }); // in order of their numbers
        ++changes_;
    }

    [[nodiscard]] place find(const wanted& key, std::size_t hash) {
        if (capacity_ == 0) return {};
        std::size_t compared = 0; // the highest number
        for (std::size_t i = home_of(hash); table_[i] != nullptr;) {
            entry& e = *table_[i];
            i = next_slot(i);
            if (e.hash != hash || e.number <= compared) continue;
            py_object* const object = e.object();
            if (object == nullptr) continue;
            if constexpr (Keys::by_identity) {
                if (object == Keys::object(key)) return place(*this, e);
            } else {
                compared = e.number;
                const std::size_t before = changes_;
                place here(*this, e);
                if (Keys::is_same(e.key, object, key)) {
                    if (e.listed && e.object() != nullptr) return here;
                    if (entry* const other = successor_of(e)) return place(*this, *other);
                }
                here.reset();
                if (changes_ != before) i = home_of(hash);
            }
        }
        return {};
    }

    /// The entry that has replaced `e` while it was compared.
    [[nodiscard]] entry* successor_of(const entry& e) const noexcept {
        for (std::size_t i = home_of(e.hash); table_[i] != nullptr; i = next_slot(i)) {
            if (table_[i]->number == e.number && table_[i]->object() != nullptr) return table_[i];
        }
        return nullptr;
    }

    /// Its object's; this thread's for an object of another copy of the library.
    static heap_state& heap_of(const entry& e) noexcept { return *chunk_of(e.record.get()).heap; }

    /// No longer told of the death.
    static void disarm(entry& e) noexcept {
        if (e.record == nullptr) return;
        detach(*e.record);
        e.record->call = nullptr;
    }

    /// Preconditions: `old` is in the table.
    void take_place_of(entry& old, entry& fresh) noexcept {
        fresh.number = old.number;
        fresh.listed = true;
        fresh.link_before(old); // so that who iterates doesn't meet it again
        table_[slot_of(old)] = &fresh;
        old.listed = false;
        disarm(old);
        leave(heap_of(old));
        ++changes_;
    }

    /// Out of the table. Its use by the table is the caller's then.
    void take_out(entry& e) noexcept {
        std::size_t hole = slot_of(e);
        // What was pushed past the hole moves back, so that no search ends too early.
        for (std::size_t i = next_slot(hole); table_[i] != nullptr; i = next_slot(i)) {
            const std::size_t begin = home_of(table_[i]->hash);
            if (((i - begin) & (capacity_ - 1)) < ((i - hole) & (capacity_ - 1))) continue;
            table_[hole] = table_[i];
            hole = i;
        }
        table_[hole] = nullptr;
        e.listed = false;
        disarm(e);
        leave(heap_of(e));
        --size_;
        ++changes_;
    }

    void take_out_and_release(entry& e) noexcept {
        const core_hold self(*this);
        take_out(e);
        release(&e);
    }

    /// The object of an entry has died.
    static void remove_dead(weak_record& r) noexcept {
        const auto& record = static_cast<entry_record&>(r);
        static_cast<weak_core*>(record.core)->take_out_and_release(*static_cast<entry*>(record.entry));
    }

    weak_link list_;
    entry** table_ = nullptr;
    std::size_t capacity_ = 0; // a power of two, or none
    std::size_t size_ = 0;
    std::size_t changes_ = 0;
    std::size_t last_number_ = 0;
    std::size_t uses_ = 1; // by the container, and by all that run or stand in it
    bool owned_ = true;    // the container is there
};

} // namespace pygc::inline PYGC_ABI::detail
