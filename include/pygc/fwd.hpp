// SPDX-License-Identifier: BSL-1.0
// Forward declarations of the public names: enough for a header that only mentions references.
#pragma once

#include <pygc/config.hpp>

namespace pygc::inline PYGC_ABI {

class py_object;
template <class T>
class py_ref;
template <class T>
class py_weakref;
template <class Signature>
class py_function;
class visitor;
class heap;
class object_list;
class external_bytes;

/// Befriend this struct to let the library reach a private constructor, destructor or `traverse`.
struct access;

/// How to visit the references inside a type that can't be given a `traverse` member. Specialise
/// with `template <class V> static void traverse(X& x, V& visit)`.
template <class T>
struct traverse_traits;

namespace detail {
struct page;
struct chunk;
struct heap_state;
struct type_info;
} // namespace detail

} // namespace pygc::inline PYGC_ABI
