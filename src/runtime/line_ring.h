// runtime/line_ring.h: a bounded queue of text lines from one thread to another.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace spillway::runtime {

// One thread pushes, one thread peeks and pops; neither waits. Only whole lines become visible.
class LineRing {
 public:
  // `capacity` is a power of two.
  explicit LineRing(size_t capacity);

  // False, and counted, if there is no room for all of it.
  bool push(std::string_view line);
  bool is_half_full() const { return used() >= capacity_ / 2; }
  size_t used() const {
    const size_t tail = tail_.load(std::memory_order_acquire);  // First: it never passes the head.
    return head_.load(std::memory_order_acquire) - tail;
  }

  // All that is waiting, in one piece or, around the end of the memory, two.
  std::array<std::string_view, 2> peek() const;
  void pop(size_t bytes) {
    tail_.store(tail_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
  }

  uint64_t lines_dropped() const { return lines_dropped_.load(std::memory_order_relaxed); }

 private:
  const size_t capacity_;
  const std::unique_ptr<char[]> memory_;
  // Bytes ever pushed and popped; each is written by one side, on a cache line of its own.
  alignas(128) std::atomic<size_t> head_{0};
  std::atomic<uint64_t> lines_dropped_{0};
  alignas(128) std::atomic<size_t> tail_{0};
};

}  // namespace spillway::runtime
