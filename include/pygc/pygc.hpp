// SPDX-License-Identifier: BSL-1.0
// pygc: CPython's memory management for C++. Includes the whole core.
#pragma once

#include <pygc/callbacks.hpp>
#include <pygc/external_bytes.hpp>
#include <pygc/finalizer.hpp>
#include <pygc/function.hpp>
#include <pygc/fwd.hpp>
#include <pygc/gc.hpp>
#include <pygc/heap.hpp>
#include <pygc/make.hpp>
#include <pygc/object.hpp>
#include <pygc/object_list.hpp>
#include <pygc/ref.hpp>
#include <pygc/unraisable.hpp>
#include <pygc/version.hpp>
#include <pygc/visitor.hpp>
#include <pygc/weak_map.hpp>
#include <pygc/weakref.hpp>
