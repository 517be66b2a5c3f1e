// base/check.cc: what a failed check prints and counts.
#include "base/check.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace spillway {
namespace {

// The one mutable global of the program: a check can fail where nothing else is reachable.
std::atomic<uint64_t> soft_failures{0};
constexpr uint64_t soft_failures_logged_max = 100;  // Then only counted: stderr is not a queue.

}  // namespace

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "CHECK failed: %s at %s:%d\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}

void soft_check_failed(const char* expression, const char* file, int line) {
  if (soft_failures.fetch_add(1, std::memory_order_relaxed) < soft_failures_logged_max) {
    std::fprintf(stderr, "CHECK_SOFT failed: %s at %s:%d\n", expression, file, line);
  }
}

uint64_t soft_check_failures() { return soft_failures.load(std::memory_order_relaxed); }

}  // namespace spillway
