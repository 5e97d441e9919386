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

} // namespace pygc::inline PYGC_ABI::detail
