// SPDX-License-Identifier: BSL-1.0
// Sizes, and which conversions exist and which must not.
#include <pygc/pygc.hpp>

#include <compare>
#include <concepts>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

struct animal : pygc::py_object {};
struct dog : animal {};
struct cat : animal {};
struct with_fields : pygc::py_object {
    int a, b;
};

using pygc::py_ref;

static_assert(sizeof(py_ref<animal>) == sizeof(void*));
static_assert(sizeof(py_ref<std::string>) == sizeof(void*));
static_assert(alignof(py_ref<animal>) == alignof(void*));
static_assert(sizeof(pygc::py_function<int(int)>) == sizeof(void*));
static_assert(std::is_convertible_v<int (*)(int), pygc::py_function<long(short)>>);
static_assert(!std::is_convertible_v<int (*)(int), pygc::py_function<int()>>);
static_assert(!std::is_convertible_v<pygc::py_function<int(std::string)>, pygc::py_function<int(int)>>);
static_assert(sizeof(pygc::py_object) == 8);
static_assert(sizeof(animal) == 8);
static_assert(sizeof(with_fields) == 16);
static_assert(!std::is_polymorphic_v<pygc::py_object>);

// To bool only where a condition is; never to a raw pointer; from a raw pointer never.
static_assert(!std::is_convertible_v<py_ref<animal>, bool>);
static_assert(std::is_constructible_v<bool, py_ref<animal>>);
static_assert(!std::is_convertible_v<py_ref<animal>, int>);
static_assert(!std::is_convertible_v<py_ref<animal>, animal*>);
static_assert(!std::is_constructible_v<animal*, py_ref<animal>>);
static_assert(!std::is_constructible_v<void*, py_ref<animal>>);
static_assert(!std::is_convertible_v<animal*, py_ref<animal>>);
static_assert(!std::is_constructible_v<py_ref<animal>, animal*>);
static_assert(!std::is_assignable_v<py_ref<animal>&, animal*>);
static_assert(!std::is_constructible_v<py_ref<animal>, int>);

static_assert(std::is_convertible_v<py_ref<dog>, py_ref<animal>>);
static_assert(std::is_convertible_v<py_ref<dog>, py_ref<animal const>>);
static_assert(std::is_convertible_v<py_ref<dog const>, py_ref<animal const>>);
static_assert(std::is_convertible_v<py_ref<animal>, py_ref<pygc::py_object>>);
static_assert(!std::is_convertible_v<py_ref<animal>, py_ref<dog>>);
static_assert(!std::is_constructible_v<py_ref<dog>, py_ref<animal>>);
static_assert(!std::is_convertible_v<py_ref<dog>, py_ref<cat>>);
static_assert(!std::is_convertible_v<py_ref<animal const>, py_ref<animal>>);
static_assert(!std::is_assignable_v<py_ref<animal>&, py_ref<animal const>>);
static_assert(!std::is_convertible_v<py_ref<int>, py_ref<long>>);

static_assert(std::same_as<py_ref<animal>::element_type, animal>);
static_assert(std::same_as<decltype(*std::declval<py_ref<animal const>&>()), animal const&>);
static_assert(std::same_as<decltype(pygc::make_ref<dog>()), py_ref<dog>>);

static_assert(std::regular<py_ref<animal>>);
static_assert(std::totally_ordered<py_ref<animal>>);
static_assert(std::three_way_comparable<py_ref<animal>, std::strong_ordering>);
static_assert(std::equality_comparable_with<py_ref<animal>, std::nullptr_t>);
static_assert(std::three_way_comparable_with<py_ref<dog>, py_ref<animal>>);
template <class T, class U>
concept comparable = requires(T const& t, U const& u) { t == u; };
static_assert(comparable<py_ref<animal>, dog*>);
static_assert(comparable<py_ref<dog>, animal const*>);
static_assert(!comparable<py_ref<animal>, std::string*>);
static_assert(!comparable<py_ref<animal>, int>);

// py_object is a base only.
static_assert(!std::is_constructible_v<pygc::py_object>);
static_assert(!std::is_destructible_v<pygc::py_object>);
static_assert(std::is_copy_constructible_v<animal>);
static_assert(std::is_nothrow_default_constructible_v<animal>);

static_assert(!std::is_copy_constructible_v<pygc::heap>);
static_assert(!std::is_copy_constructible_v<pygc::heap::scope>);
static_assert(!std::is_copy_constructible_v<pygc::visitor>);
static_assert(!std::is_copy_constructible_v<pygc::object_list>);
static_assert(std::is_base_of_v<std::exception, pygc::value_error>);
static_assert(std::convertible_to<decltype(*std::declval<pygc::object_list&>().begin()), py_ref<pygc::py_object>>);

constexpr py_ref<animal> none;
static_assert(!none && none == nullptr);
constinit py_ref<dog> global = nullptr;

} // namespace

void use_global() { global = nullptr; }
