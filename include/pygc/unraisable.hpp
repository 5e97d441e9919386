// SPDX-License-Identifier: BSL-1.0
// What an exception becomes that nobody can catch: Python's sys.unraisablehook.
#pragma once

#include <cstddef>
#include <exception> // exception_ptr

#include <pygc/detail/callable.hpp>

namespace pygc::inline PYGC_ABI {

/// An exception that left a finalizer, a callback or a destructor which the library called.
struct unraisable {
    std::exception_ptr exception; ///< what was thrown
    const char* what;      ///< where: "the finalizer of", "the destructor of", "a callback of a weak reference to"
    const char* type_name; ///< the type as the compiler spells it; not terminated by a zero
    std::size_t type_name_length;
    const void* object; ///< its address; the object may be dead
};

} // namespace pygc::inline PYGC_ABI
