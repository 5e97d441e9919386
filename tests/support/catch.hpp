// SPDX-License-Identifier: BSL-1.0
// The one place that knows which Catch2 is there: version 3 if installed, else version 2.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace support {
using listener_base = Catch::EventListenerBase;
}
#else
#ifdef SUPPORT_CATCH_MAIN // version 2 is header-only: its body goes into the one file with main()
#define CATCH_CONFIG_RUNNER
#endif
#include <catch2/catch.hpp>
#ifdef SUPPORT_CATCH_MAIN
namespace support {
using listener_base = Catch::TestEventListenerBase;
}
#endif
#endif
