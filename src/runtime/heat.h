// runtime/heat.h: how often something was used of late, counted by all cores without a lock.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace spillway::runtime {

// Any thread. A count that two cores raise at the same moment may be raised once: it is a hint.
class Heat {
 public:
  static constexpr uint8_t maximum = 7;

  // What is at its maximum is only read, so that cores share it without contention.
  void touch() {
    const uint8_t value = value_.load(std::memory_order_relaxed);
    if (value < maximum) value_.store(static_cast<uint8_t>(value + 1), std::memory_order_relaxed);
  }
  uint8_t value() const { return value_.load(std::memory_order_relaxed); }
  void set(uint8_t value) { value_.store(std::min(value, maximum), std::memory_order_relaxed); }

 private:
  std::atomic<uint8_t> value_{0};
};

}  // namespace spillway::runtime
