// SPDX-License-Identifier: BSL-1.0
// Class templates of the standard library and of Boost, recognised by their names: who owns what is known then, and no
// header of theirs is included here. The name is that of the template, which no class can have by looking like it.
#pragma once

#include <cstddef>

#include <pygc/detail/type_name.hpp>

namespace pygc::inline PYGC_ABI::detail {

enum class known : unsigned char {
    no,       // a class of the user, or one that isn't in the lists below
    nothing,  // owns no reference, whatever its arguments are
    hidden,   // may own references that nobody can see, or shares them
    sequence, // vector, list: elements of the first argument
    set,      // associative: keys of the first argument
    map,      // associative: keys of the first argument, values of the second
    adaptor,  // stack, queue, priority_queue: the second argument
    optional,
    variant,
    expected,
    tuple, // pair and tuple
    owner, // unique_ptr
    deleter,
};

struct known_name {
    const char* name;
    known kind;
};

/// Templates in namespace std. Those whose objects are always trivially destructible need no line.
inline constexpr known_name standard_templates[] = {
    {"vector", known::sequence},
    {"array", known::sequence},
    {"deque", known::sequence},
    {"list", known::sequence},
    {"forward_list", known::sequence},
    {"basic_string", known::nothing},
    {"basic_string_view", known::nothing},
    {"map", known::map},
    {"multimap", known::map},
    {"unordered_map", known::map},
    {"unordered_multimap", known::map},
    {"flat_map", known::map},
    {"flat_multimap", known::map},
    {"set", known::set},
    {"multiset", known::set},
    {"unordered_set", known::set},
    {"unordered_multiset", known::set},
    {"flat_set", known::set},
    {"flat_multiset", known::set},
    {"stack", known::adaptor},
    {"queue", known::adaptor},
    {"priority_queue", known::adaptor},
    {"optional", known::optional},
    {"variant", known::variant},
    {"expected", known::expected},
    {"pair", known::tuple},
    {"tuple", known::tuple},
    {"unique_ptr", known::owner},
    {"default_delete", known::deleter},
    {"function", known::hidden},
    {"move_only_function", known::hidden},
    {"packaged_task", known::hidden},
    {"shared_ptr", known::hidden},
    {"weak_ptr", known::hidden},
    {"future", known::hidden},
    {"shared_future", known::hidden},
    {"promise", known::hidden},
    {"complex", known::nothing},
    {"chrono::duration", known::nothing},
    {"chrono::time_point", known::nothing},
    {"unique_lock", known::nothing},
    {"shared_lock", known::nothing},
    {"lock_guard", known::nothing},
    {"scoped_lock", known::nothing},
    {"barrier", known::nothing},
    {"basic_regex", known::nothing},
    {"match_results", known::nothing},
    {"regex_iterator", known::nothing},
    {"regex_token_iterator", known::nothing},
    {"basic_ios", known::nothing},
    {"basic_streambuf", known::nothing},
    {"basic_istream", known::nothing},
    {"basic_ostream", known::nothing},
    {"basic_iostream", known::nothing},
    {"basic_filebuf", known::nothing},
    {"basic_ifstream", known::nothing},
    {"basic_ofstream", known::nothing},
    {"basic_fstream", known::nothing},
    {"basic_stringbuf", known::nothing},
    {"basic_istringstream", known::nothing},
    {"basic_ostringstream", known::nothing},
    {"basic_stringstream", known::nothing},
    {"basic_syncbuf", known::nothing},
    {"basic_osyncstream", known::nothing},
    {"discrete_distribution", known::nothing},
    {"piecewise_constant_distribution", known::nothing},
    {"piecewise_linear_distribution", known::nothing},
};

/// Templates in namespace boost.
inline constexpr known_name boost_templates[] = {
    {"container::vector", known::sequence},        {"container::stable_vector", known::sequence},
    {"container::small_vector", known::sequence},  {"container::static_vector", known::sequence},
    {"container::devector", known::sequence},      {"container::deque", known::sequence},
    {"container::list", known::sequence},          {"container::slist", known::sequence},
    {"circular_buffer", known::sequence},          {"array", known::sequence},
    {"container::basic_string", known::nothing},   {"container::map", known::map},
    {"container::multimap", known::map},           {"container::flat_map", known::map},
    {"container::flat_multimap", known::map},      {"container::set", known::set},
    {"container::multiset", known::set},           {"container::flat_set", known::set},
    {"container::flat_multiset", known::set},      {"unordered::unordered_map", known::map},
    {"unordered::unordered_multimap", known::map}, {"unordered::unordered_flat_map", known::map},
    {"unordered::unordered_node_map", known::map}, {"unordered::unordered_set", known::set},
    {"unordered::unordered_multiset", known::set}, {"unordered::unordered_flat_set", known::set},
    {"unordered::unordered_node_set", known::set}, {"optional", known::optional},
    {"variant2::variant", known::variant},
};

/// Classes in namespace std that are no templates and own no reference.
inline constexpr known_name standard_classes[] = {
    {"thread", known::nothing},
    {"jthread", known::nothing},
    {"mutex", known::nothing},
    {"recursive_mutex", known::nothing},
    {"timed_mutex", known::nothing},
    {"recursive_timed_mutex", known::nothing},
    {"shared_mutex", known::nothing},
    {"shared_timed_mutex", known::nothing},
    {"condition_variable", known::nothing},
    {"condition_variable_any", known::nothing},
    {"stop_token", known::nothing},
    {"stop_source", known::nothing},
    {"latch", known::nothing},
    {"locale", known::nothing},
    {"random_device", known::nothing},
    {"error_code", known::nothing},
    {"error_condition", known::nothing},
    {"monostate", known::nothing},
    {"exception", known::nothing},
    {"bad_alloc", known::nothing},
    {"logic_error", known::nothing},
    {"invalid_argument", known::nothing},
    {"domain_error", known::nothing},
    {"length_error", known::nothing},
    {"out_of_range", known::nothing},
    {"runtime_error", known::nothing},
    {"range_error", known::nothing},
    {"overflow_error", known::nothing},
    {"underflow_error", known::nothing},
    {"system_error", known::nothing},
    {"ios_base::failure", known::nothing},
    {"filesystem::path", known::nothing},
    {"filesystem::directory_entry", known::nothing},
    {"filesystem::directory_iterator", known::nothing},
    {"filesystem::recursive_directory_iterator", known::nothing},
    {"filesystem::filesystem_error", known::nothing},
    {"pmr::monotonic_buffer_resource", known::nothing},
    {"pmr::unsynchronized_pool_resource", known::nothing},
    {"pmr::synchronized_pool_resource", known::nothing},
    {"any", known::hidden},
    {"exception_ptr", known::hidden},
};

/// Whether `text` begins with `word`, which ends with a null.
constexpr bool begins_with(name_range text, const char* word) noexcept {
    std::size_t i = 0;
    while (word[i] != '\0') {
        if (i == text.length || text.begin[i] != word[i]) return false;
        ++i;
    }
    return true;
}

constexpr name_range without_first(name_range text, std::size_t count) noexcept {
    return {text.begin + count, text.length - count};
}

/// Without the namespaces that libraries hide behind others: __1, __cxx11, __debug, __fs.
constexpr name_range without_inner_namespaces(name_range text) noexcept {
    while (begins_with(text, "__") || begins_with(text, "_V2::")) {
        std::size_t i = 0;
        while (i != text.length && text.begin[i] != ':') ++i;
        if (text.length - i < 3) return text;
        text = without_first(text, i + 2);
    }
    return text;
}

/// Whether the texts are the same, but for inner namespaces further on: filesystem::__cxx11::path.
constexpr bool is_name(name_range text, const char* word) noexcept {
    std::size_t i = 0;
    while (true) {
        if (word[i] == '\0') return i == text.length;
        if (i == text.length || text.begin[i] != word[i]) return false;
        ++i;
        if (word[i - 1] == ':' && word[i] != ':') {
            const name_range rest = without_inner_namespaces(without_first(text, i));
            text = rest;
            word += i;
            i = 0;
        }
    }
}

template <std::size_t N>
constexpr known look_up(name_range name, const known_name (&list)[N]) noexcept {
    for (const known_name& each : list) {
        if (is_name(name, each.name)) return each.kind;
    }
    return known::no;
}

constexpr known classify_template(name_range name) noexcept {
    if (begins_with(name, "std::")) {
        return look_up(without_inner_namespaces(without_first(name, 5)), standard_templates);
    }
    if (begins_with(name, "boost::")) return look_up(without_first(name, 7), boost_templates);
    return known::no;
}

constexpr known classify_class(name_range name) noexcept {
    if (begins_with(name, "std::")) {
        return look_up(without_inner_namespaces(without_first(name, 5)), standard_classes);
    }
    return known::no;
}

template <template <class...> class Template>
inline constexpr known kind_of_template = classify_template(template_name<Template>());
template <template <class, std::size_t, class...> class Template>
inline constexpr known kind_of_sized_template = classify_template(sized_template_name<Template>());

template <class... X>
struct types {};

/// What is known about the class `X`, which may be incomplete, and the arguments of its template.
template <class X>
struct known_class {
    static constexpr known kind = classify_class(type_name<X>());
    using arguments = types<>;
};
template <template <class...> class Template, class... X>
struct known_class<Template<X...>> {
    static constexpr known kind = kind_of_template<Template>;
    using arguments = types<X...>;
};
template <template <class, std::size_t, class...> class Template, class X, std::size_t N, class... More>
struct known_class<Template<X, N, More...>> {
    static constexpr known kind = kind_of_sized_template<Template>;
    using arguments = types<X>;
};

} // namespace pygc::inline PYGC_ABI::detail
