// runtime/sequence.h: numbers in rising order for events that all cores see.
#pragma once

#include <atomic>
#include <cstdint>

namespace spillway::runtime {

// Any thread.
class Sequence {
 public:
  // The number of a new event, larger than any before it.
  uint64_t next() { return last_.fetch_add(1, std::memory_order_acq_rel) + 1; }
  // Of the latest event; 0: there was none.
  uint64_t last() const { return last_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint64_t> last_{0};
};

}  // namespace spillway::runtime
