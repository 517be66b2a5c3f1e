// upstream/rolling_window.h: how often things happened in about the last ten seconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace spillway::upstream {

// Counts `Columns` kinds of events in ten slots of a second; what is older than 9 to 10 s is
// forgotten. An event of a core whose `now` lags behind falls into the newest slot. Fixed size, no
// allocation; constant time but for the slots that pass. Not thread-safe.
template <size_t Columns>
class RollingWindow {
 public:
  static constexpr Duration span = 10s;

  void add(size_t column, Instant now) {
    advance(now);
    ++slots_[newest_][column];
    ++sums_[column];
  }

  uint64_t sum(size_t column, Instant now) {
    advance(now);
    return sums_[column];
  }

  void clear() { *this = RollingWindow(); }

 private:
  static constexpr size_t slot_count = 10;
  static constexpr Duration slot_span = span / slot_count;
  using Counts = std::array<uint32_t, Columns>;

  void advance(Instant now) {
    if (now < newest_ends_) return;
    const int64_t passed = 1 + (now - newest_ends_) / slot_span;
    newest_ends_ = newest_ends_ + slot_span * passed;
    for (int64_t i = 0; i < passed && i < static_cast<int64_t>(slot_count); ++i) {
      newest_ = newest_ + 1 == slot_count ? 0 : newest_ + 1;
      for (size_t column = 0; column < Columns; ++column) sums_[column] -= slots_[newest_][column];
      slots_[newest_] = {};
    }
  }

  Instant newest_ends_;  // The end of slots_[newest_].
  size_t newest_ = 0;
  std::array<Counts, slot_count> slots_{};
  std::array<uint64_t, Columns> sums_{};  // Of all slots.
};

}  // namespace spillway::upstream
