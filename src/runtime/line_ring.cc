// runtime/line_ring.cc: copies lines into and around the ring.
#include "runtime/line_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"

namespace spillway::runtime {

LineRing::LineRing(size_t capacity)
    : capacity_(capacity), memory_(std::make_unique_for_overwrite<char[]>(capacity)) {
  CHECK(std::has_single_bit(capacity));
}

bool LineRing::push(std::string_view line) {
  const size_t head = head_.load(std::memory_order_relaxed);
  const size_t free = capacity_ - (head - tail_.load(std::memory_order_acquire));
  if (line.size() > free) {
    lines_dropped_.store(lines_dropped() + 1, std::memory_order_relaxed);
    return false;
  }
  const size_t begin = head & (capacity_ - 1);
  const size_t first = std::min(line.size(), capacity_ - begin);
  std::memcpy(memory_.get() + begin, line.data(), first);
  std::memcpy(memory_.get(), line.data() + first, line.size() - first);
  head_.store(head + line.size(), std::memory_order_release);
  return true;
}

std::array<std::string_view, 2> LineRing::peek() const {
  const size_t tail = tail_.load(std::memory_order_relaxed);
  const size_t size = head_.load(std::memory_order_acquire) - tail;
  const size_t begin = tail & (capacity_ - 1);
  const size_t first = std::min(size, capacity_ - begin);
  return {std::string_view(memory_.get() + begin, first),
          std::string_view(memory_.get(), size - first)};
}

}  // namespace spillway::runtime
