// runtime/shared_limit.h: an exact count that all cores share, such as open client connections.
#pragma once

#include <atomic>
#include <cstdint>

namespace spillway::runtime {

// Any thread. One locked instruction to take and to give back, so for things that live longer than
// a request.
class SharedLimit {
 public:
  explicit SharedLimit(uint64_t maximum) : maximum_(maximum) {}

  // False: the limit is reached, and nothing was taken.
  bool try_take() {
    if (taken_.fetch_add(1, std::memory_order_relaxed) < maximum_.load(std::memory_order_relaxed)) {
      return true;
    }
    taken_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void give_back() { taken_.fetch_sub(1, std::memory_order_relaxed); }

  // A lower maximum holds for what is taken from now on.
  void set_maximum(uint64_t maximum) { maximum_.store(maximum, std::memory_order_relaxed); }
  uint64_t maximum() const { return maximum_.load(std::memory_order_relaxed); }
  uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> maximum_;
  std::atomic<uint64_t> taken_{0};
};

}  // namespace spillway::runtime
