// telemetry/line_buffer.h: builds one log line in fixed memory.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/json_text.h"
#include "base/time.h"

namespace spillway::telemetry {

// Appends to memory that it does not own and never allocates. What does not fit is left out, whole
// for numbers and timestamps; writers size their lines so that this does not happen. One thread.
class LineBuffer {
 public:
  explicit LineBuffer(std::span<char> memory) : memory_(memory) {}

  void append(std::string_view text) {
    const size_t size = text.size() < left() ? text.size() : left();
    std::memcpy(memory_.data() + size_, text.data(), size);
    size_ += size;
  }
  template <class Integer>
  void append_integer(Integer value) {
    char* end = memory_.data() + memory_.size();
    const auto done = std::to_chars(memory_.data() + size_, end, value);
    if (done.ec == std::errc{}) size_ = static_cast<size_t>(done.ptr - memory_.data());
  }
  // The inside of a JSON string, at most `bytes_max` long; "..." shows that more was left out.
  void append_escaped(std::string_view text, size_t bytes_max);
  // "2025-03-01T12:00:00.123Z" (RFC 3339), UTC; years 0000 to 9999.
  void append_timestamp(WallTime when);
  // Milliseconds with three decimals: "12.345". Never negative.
  void append_milliseconds(Duration duration);

  size_t left() const { return memory_.size() - size_; }
  std::string_view text() const { return {memory_.data(), size_}; }

 private:
  std::span<char> memory_;
  size_t size_ = 0;
};

}  // namespace spillway::telemetry
