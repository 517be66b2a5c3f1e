// base/check.h: assertions about our own logic; never about input, peers, disks or clocks.
#pragma once

#include <cstdint>

namespace spillway {

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

// Counts and logs one failed CHECK_SOFT. `soft_check_failures()` is exported as a metric.
void soft_check_failed(const char* expression, const char* file, int line);
uint64_t soft_check_failures();

}  // namespace spillway

// Always on; aborts. For what must hold if going on could corrupt data or mix up clients.
#define CHECK(...)                                     \
  (__builtin_expect(static_cast<bool>(__VA_ARGS__), 1) \
       ? static_cast<void>(0)                          \
       : ::spillway::check_failed(#__VA_ARGS__, __FILE__, __LINE__))

// Counts and logs in production; aborts in debug, fuzz and simulation builds.
#ifdef SPILLWAY_SLOW_CHECKS
#define CHECK_SOFT(...) CHECK(__VA_ARGS__)
#else
#define CHECK_SOFT(...)                                \
  (__builtin_expect(static_cast<bool>(__VA_ARGS__), 1) \
       ? static_cast<void>(0)                          \
       : ::spillway::soft_check_failed(#__VA_ARGS__, __FILE__, __LINE__))
#endif

// Only in debug, fuzz and simulation builds: too slow for a hot path.
#ifdef SPILLWAY_SLOW_CHECKS
#define CHECK_SLOW(...) CHECK(__VA_ARGS__)
#else
#define CHECK_SLOW(...) static_cast<void>(0)
#endif
