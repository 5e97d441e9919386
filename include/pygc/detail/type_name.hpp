// SPDX-License-Identifier: BSL-1.0
// The name of a type as the compiler spells it, without RTTI.
#pragma once

#include <cstddef>

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI::detail {

struct name_range {
    const char* begin;
    std::size_t length;
};

template <class T>
constexpr name_range type_name() noexcept {
#if defined(__clang__) || defined(__GNUC__)
    // "... type_name() [T = person]" or "... type_name() [with T = person]"
    const char* text = __PRETTY_FUNCTION__;
    const std::size_t length = sizeof(__PRETTY_FUNCTION__) - 1;
    std::size_t begin = 0;
    while (!(text[begin] == 'T' && text[begin + 1] == ' ' && text[begin + 2] == '=')) ++begin;
    return {text + begin + 4, length - begin - 5};
#elif defined(_MSC_VER)
    // "struct pygc::...::name_range __cdecl pygc::...::type_name<struct person>(void) noexcept"
    const char* text = __FUNCSIG__;
    const std::size_t length = sizeof(__FUNCSIG__) - 1;
    std::size_t end = length;
    while (text[end - 1] != '(') --end;
    end -= 2;
    std::size_t begin = 0;
    while (!(text[begin] == 'n' && text[begin + 1] == 'a' && text[begin + 2] == 'm' && text[begin + 3] == 'e' &&
             text[begin + 4] == '<')) {
        ++begin;
    }
    return {text + begin + 5, end - begin - 5};
#else
    return {"object", 6};
#endif
}

/// What follows `"TT = "` in the compiler's spelling of a function template, up to its last character.
constexpr name_range spelled_template(const char* text, std::size_t length) noexcept {
#if defined(__clang__) || defined(__GNUC__)
    // "... template_name() [TT = std::vector]" or "... template_name() [with TT = std::vector]"
    std::size_t begin = 0;
    while (!(text[begin] == 'T' && text[begin + 1] == 'T' && text[begin + 2] == ' ' && text[begin + 3] == '=')) ++begin;
    return {text + begin + 5, length - begin - 6};
#else
    // "... template_name<std::vector>(void) noexcept"
    std::size_t end = length;
    while (text[end - 1] != '(') --end;
    end -= 2;
    std::size_t begin = end;
    while (text[begin - 1] != '<') --begin;
    while (text[begin] != ':' && begin != end) {
        if (text[begin] == ' ') return {text + begin + 1, end - begin - 1}; // "class std::vector"
        ++begin;
    }
    while (text[begin - 1] != '<') --begin;
    return {text + begin, end - begin};
#endif
}

#if defined(_MSC_VER) && !defined(__clang__)
#define PYGC_THIS_FUNCTION __FUNCSIG__
#else
#define PYGC_THIS_FUNCTION __PRETTY_FUNCTION__
#endif

/// The name of a class template whose parameters are types.
template <template <class...> class TT>
constexpr name_range template_name() noexcept {
    return spelled_template(PYGC_THIS_FUNCTION, sizeof(PYGC_THIS_FUNCTION) - 1);
}

/// The name of a class template whose parameters are a type, a size, and types, as std::array.
template <template <class, std::size_t, class...> class TT>
constexpr name_range sized_template_name() noexcept {
    return spelled_template(PYGC_THIS_FUNCTION, sizeof(PYGC_THIS_FUNCTION) - 1);
}

#undef PYGC_THIS_FUNCTION

} // namespace pygc::inline PYGC_ABI::detail
