// SPDX-License-Identifier: BSL-1.0
// Which types are tracked is decided at compile time: those whose objects can be part of a cycle.
#include <support/catch.hpp>

#include <pygc/pygc.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

using pygc::is_tracked;
using pygc::make_ref;
using pygc::py_ref;

namespace {

struct leaf : pygc::py_object {
    using pygc_acyclic = void;
    int x = 0;
    std::string s;
};
struct final_leaf final : pygc::py_object {
    int x = 0;
};
struct derived_leaf : leaf {};
struct container : pygc::py_object {
    py_ref<container> next;
    void traverse(auto& visit) { visit(next); }
};
struct derived_container : container {}; // inherits traverse
struct empty_traverse : pygc::py_object {
    void traverse(auto&) {}
};
struct promised : pygc::py_object {
    using pygc_acyclic = void;
    py_ref<leaf> l;
    void traverse(auto& visit) { visit(l); }
};
struct out_of_line : pygc::py_object {
    py_ref<container> c;
    void traverse(pygc::visitor& visit) { visit(c); }
};

struct point {
    double x, y;
};
struct list_node { // leads back to itself
    int value;
    py_ref<list_node> next;
};
struct there;
struct back { // leads back by way of another
    std::vector<py_ref<there>> all;
};
struct there {
    std::optional<py_ref<back>> one;
};
enum class colour { red, green };
struct refers_to_numbers { // leads nowhere
    py_ref<int> a;
    std::vector<py_ref<std::string>> b;
    std::map<int, py_ref<colour>> c;
    py_ref<std::vector<py_ref<std::variant<int, double>>>> d;
};
struct refers_to_point { // which need not be complete here, and so could lead anywhere
    py_ref<point> p;
};
struct refers_to_final_leaf {
    py_ref<final_leaf> l;
};
struct refers_to_open_class { // a class derived from leaf may have references
    py_ref<leaf> l;
};
struct refers_to_promised {
    using pygc_acyclic = void;
    py_ref<promised> p;
};
struct value_promises {
    using pygc_acyclic = void;
    py_ref<value_promises> parent;
};
struct hidden { // std::function can't be seen into: nothing to visit, nothing to track
    using pygc_acyclic = void;
    std::function<void()> f;
};
struct json;
struct json {
    std::variant<std::monostate, double, std::string, std::vector<py_ref<json>>, std::map<std::string, py_ref<json>>>
        value;
};

template <class T, class... Args>
bool tracked(Args&&... args) {
    return is_tracked(make_ref<T>(std::forward<Args>(args)...));
}

} // namespace

TEST_CASE("row 40: numbers and types without references are not tracked", "[acyclic]") {
    CHECK_FALSE(tracked<int>(1));
    CHECK_FALSE(tracked<std::string>("x"));
    CHECK_FALSE(tracked<point>(1.0, 2.0));
    CHECK_FALSE(tracked<std::vector<int>>());
    CHECK_FALSE(tracked<leaf>());
    CHECK_FALSE(tracked<final_leaf>());
    CHECK_FALSE(tracked<derived_leaf>());
    CHECK_FALSE(tracked<std::unique_ptr<int>>());
    CHECK_FALSE(tracked<hidden>());
}

TEST_CASE("row 41: classes with a traverse are tracked, even if it shows nothing", "[acyclic]") {
    CHECK(tracked<container>());
    CHECK(tracked<container const>());
    CHECK(tracked<derived_container>());
    CHECK(tracked<empty_traverse>());
    CHECK(tracked<out_of_line>());
}

TEST_CASE("row 42: is_tracked of null and of what can't be tracked is false", "[acyclic]") {
    CHECK_FALSE(is_tracked(py_ref<container>()));
    CHECK_FALSE(is_tracked(make_ref<int*>(nullptr)));
    py_ref<pygc::py_object> const base = make_ref<container>();
    CHECK(is_tracked(base)); // the object decides, not the reference's type
}

TEST_CASE("plain structs and boxes are tracked if they lead back to themselves", "[acyclic]") {
    CHECK(tracked<list_node>());
    CHECK(tracked<back>());
    CHECK(tracked<there>());
    CHECK(tracked<json>());
    CHECK(tracked<std::vector<py_ref<container>>>());
    CHECK(tracked<refers_to_open_class>());
}

TEST_CASE("what refers to a class of the user is tracked, whether or not the class is complete", "[acyclic]") {
    CHECK(tracked<std::vector<py_ref<list_node>>>()); // a list_node knows no vector, but that is not asked
    CHECK(tracked<refers_to_point>());
    CHECK(tracked<refers_to_final_leaf>());
    CHECK(tracked<std::pair<py_ref<int>, py_ref<point>>>());
    CHECK(tracked<std::vector<py_ref<std::vector<py_ref<struct never_defined>>>>>());
}

TEST_CASE("row 43: what leads to no container is not tracked", "[acyclic]") {
    CHECK_FALSE(tracked<refers_to_numbers>());
    CHECK_FALSE(tracked<std::vector<py_ref<int>>>());
    CHECK_FALSE(tracked<std::pair<py_ref<int>, py_ref<std::string>>>());
    CHECK(tracked<std::pair<int, py_ref<container>>>());
}

TEST_CASE("row 44: nested values that lead to no container are not tracked", "[acyclic]") {
    CHECK_FALSE(tracked<std::vector<py_ref<std::vector<py_ref<int>>>>>());
    CHECK_FALSE(tracked<std::map<std::string, std::vector<std::optional<py_ref<double>>>>>());
    CHECK(tracked<std::map<std::string, std::vector<std::optional<py_ref<container>>>>>());
}

TEST_CASE("an author's promise is believed", "[acyclic]") {
    CHECK_FALSE(tracked<promised>());
    CHECK_FALSE(tracked<refers_to_promised>());
    CHECK_FALSE(tracked<value_promises>());
    auto const child = make_ref<value_promises>();
    child->parent = make_ref<value_promises>();
    CHECK(child->parent.use_count() == 1);
}

namespace {
template <class T>
struct list_of : pygc::py_object {
    using pygc_acyclic = std::bool_constant<std::is_arithmetic_v<T>>;
    std::vector<py_ref<T>> all;
    void traverse(auto& visit) { visit(all); }
};
template <bool Promise>
struct with_constant : pygc::py_object {
    static constexpr bool pygc_acyclic = Promise;
    py_ref<with_constant> self;
    void traverse(auto& visit) { visit(self); }
};
class with_private_promise : public pygc::py_object {
    friend struct pygc::access;
    using pygc_acyclic = std::true_type;
    py_ref<with_private_promise> other_;

public:
    void traverse(auto& visit) { visit(other_); }
};
struct plain_promise {
    using pygc_acyclic = std::false_type;
    py_ref<plain_promise> self;
};
} // namespace

TEST_CASE("a promise may be a constant that depends on a template parameter", "[acyclic]") {
    CHECK_FALSE(tracked<list_of<int>>());
    CHECK(tracked<list_of<container>>());
    CHECK_FALSE(tracked<with_constant<true>>());
    CHECK(tracked<with_constant<false>>());
    CHECK_FALSE(tracked<with_private_promise>());
}

TEST_CASE("a promise that is false promises nothing", "[acyclic]") {
    auto a = make_ref<with_constant<false>>();
    a->self = a;
    a = nullptr;
    auto b = make_ref<plain_promise>();
    b->self = b;
    b = nullptr;
    CHECK(pygc::collect() == 2);
}

TEST_CASE("get_referents shows what objects hold that can't be cyclic", "[acyclic]") {
    auto const text = make_ref<std::string>("abc");
    auto const list = make_ref<std::vector<py_ref<std::string>>>();
    list->assign(2, text);
    CHECK_FALSE(is_tracked(list));
    CHECK(pygc::get_referents(list).size() == 2);
    CHECK(pygc::get_referents(list)[0] == text);

    auto const numbers = make_ref<refers_to_numbers>();
    CHECK(pygc::get_referents(numbers).empty());
    numbers->a = make_ref<int>(1);
    numbers->c[3] = make_ref<colour>(colour::red);
    CHECK(pygc::get_referents(numbers).size() == 2);

    auto const parent = make_ref<value_promises>(), child = make_ref<value_promises>();
    child->parent = parent;
    CHECK(pygc::get_referents(child).size() == 1);

    auto const kept = make_ref<promised>();
    kept->l = make_ref<leaf>();
    CHECK_FALSE(is_tracked(kept));
    CHECK(pygc::get_referents(kept).size() == 1);
}

TEST_CASE("objects that are not tracked die by their count alone", "[acyclic]") {
    auto const before = pygc::get_count();
    auto text = make_ref<std::string>("abc");
    auto list = make_ref<std::vector<py_ref<std::string>>>();
    list->assign(3, text);
    CHECK(text.use_count() == 4);
    CHECK(pygc::get_count() == before);
    CHECK(pygc::get_objects().empty());
    list = nullptr;
    CHECK(text.use_count() == 1);
}
