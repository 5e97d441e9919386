// SPDX-License-Identifier: BSL-1.0
// The version of pygc, as numbers; CMakeLists.txt reads it from here so that it is written once.
#pragma once

#define PYGC_VERSION_MAJOR 0
#define PYGC_VERSION_MINOR 1
#define PYGC_VERSION_PATCH 0
