// upstream/rate_config.h: how many requests in how much time, as a plan writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace spillway::upstream {

// "50 per 1m": a window that its first request opens, and never more than 50 in it. "50/s burst
// 10": GCRA (ITU-T I.371): one every 20 ms, and up to 10 ahead of that. Immutable value.
struct RateRule {
  enum class Kind : uint8_t { window, gcra };

  Kind kind = Kind::window;
  uint32_t count = 1;
  Duration per = 1s;
  uint32_t burst = 0;  // Of GCRA alone.

  // Bounds: a count of 1 to a thousand million, a time of 1 ms to 366 days, at most one in a
  // microsecond. Error: invalid.
  static Result<RateRule> parse(std::string_view text);
  // Between two requests of GCRA.
  constexpr Duration interval() const { return per / count; }
  // The most that pass at once.
  constexpr uint64_t quota() const { return kind == Kind::window ? count : uint64_t{burst} + 1; }
  bool operator==(const RateRule&) const = default;
};
std::string to_string(const RateRule& rule);

}  // namespace spillway::upstream
