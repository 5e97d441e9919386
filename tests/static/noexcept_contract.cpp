// SPDX-License-Identifier: BSL-1.0
// What must not throw is declared so.
#include <pygc/pygc.hpp>

#include <type_traits>
#include <utility>

namespace {

struct node : pygc::py_object {
    pygc::py_ref<node> next;
    void traverse(auto& visit) { visit(next); }
};
struct child : node {};
using ref = pygc::py_ref<node>;
using child_ref = pygc::py_ref<child>;

static_assert(std::is_nothrow_default_constructible_v<ref>);
static_assert(std::is_nothrow_constructible_v<ref, std::nullptr_t>);
static_assert(std::is_nothrow_copy_constructible_v<ref>);
static_assert(std::is_nothrow_move_constructible_v<ref>); // vectors move, not copy
static_assert(std::is_nothrow_copy_assignable_v<ref>);
static_assert(std::is_nothrow_move_assignable_v<ref>);
static_assert(std::is_nothrow_assignable_v<ref&, std::nullptr_t>);
static_assert(std::is_nothrow_destructible_v<ref>);
static_assert(std::is_nothrow_swappable_v<ref>);
static_assert(std::is_nothrow_constructible_v<ref, child_ref const&>);
static_assert(std::is_nothrow_constructible_v<ref, child_ref>);
static_assert(std::is_nothrow_assignable_v<ref&, child_ref const&>);
static_assert(std::is_nothrow_assignable_v<ref&, child_ref>);

static_assert(noexcept(std::declval<ref&>().get()));
static_assert(noexcept(*std::declval<ref&>()));
static_assert(noexcept(std::declval<ref&>()->next));
static_assert(noexcept(static_cast<bool>(std::declval<ref&>())));
static_assert(noexcept(std::declval<ref&>().reset()));
static_assert(noexcept(std::declval<ref&>().release()));
static_assert(noexcept(std::declval<ref&>().swap(std::declval<ref&>())));
static_assert(noexcept(std::declval<ref&>().use_count()));
static_assert(noexcept(ref::steal(nullptr)));
static_assert(noexcept(ref::borrow(nullptr)));
static_assert(noexcept(pygc::borrow(std::declval<node*>())));
static_assert(noexcept(pygc::ref_from_this(std::declval<node*>())));
static_assert(noexcept(std::declval<ref&>() == std::declval<child_ref&>()));
static_assert(noexcept(std::declval<ref&>() <=> std::declval<child_ref&>()));
static_assert(noexcept(std::declval<ref&>() == nullptr));
static_assert(noexcept(std::declval<ref&>() == std::declval<node*>()));
static_assert(noexcept(static_pointer_cast<child>(std::declval<ref&>())));
static_assert(noexcept(const_pointer_cast<node const>(std::declval<ref>())));
static_assert(noexcept(std::hash<ref>()(std::declval<ref&>())));
static_assert(noexcept(pygc::is_tracked(std::declval<ref&>())));

static_assert(std::is_nothrow_move_constructible_v<pygc::object_list>);
static_assert(std::is_nothrow_move_assignable_v<pygc::object_list>);
static_assert(std::is_nothrow_default_constructible_v<pygc::py_function<void()>>);
static_assert(std::is_nothrow_copy_constructible_v<pygc::py_function<void()>>);
static_assert(std::is_nothrow_move_constructible_v<pygc::py_function<void()>>);
static_assert(std::is_nothrow_move_assignable_v<pygc::py_function<void()>>);
static_assert(std::is_nothrow_swappable_v<pygc::py_function<void()>>);
static_assert(std::is_nothrow_default_constructible_v<pygc::weak_value_map<int, node>>);
static_assert(std::is_nothrow_move_constructible_v<pygc::weak_value_map<int, node>>);
static_assert(std::is_nothrow_move_assignable_v<pygc::weak_key_map<node, int>>);
static_assert(std::is_nothrow_move_constructible_v<pygc::weak_set<node>>);
static_assert(noexcept(std::declval<pygc::weak_set<node>&>().clear()));
static_assert(noexcept(std::declval<pygc::heap&>().enable()));
static_assert(noexcept(std::declval<pygc::heap&>().set_threshold(1, 2, 3)));
static_assert(noexcept(std::declval<pygc::heap const&>().get_count()));
static_assert(noexcept(std::declval<pygc::heap const&>().get_stats()));
static_assert(noexcept(std::declval<pygc::heap const&>().get_memory()));
static_assert(std::is_nothrow_constructible_v<pygc::heap::scope, pygc::heap&>);

} // namespace
