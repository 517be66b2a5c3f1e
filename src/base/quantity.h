// base/quantity.h: the units of the plan file as types: sizes, shares, rates and durations.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace spillway {

// A number of bytes. Written "2048B", "64KB", "10MB", "4GB", "1TB"; K, M, G and T are powers of
// 1,024, as nginx and Redis read them; "KiB" and so on are accepted and mean the same.
struct ByteSize {
  uint64_t bytes = 0;
  constexpr auto operator<=>(const ByteSize&) const = default;
  static constexpr ByteSize kib(uint64_t n) { return {n << 10}; }
  static constexpr ByteSize mib(uint64_t n) { return {n << 20}; }
};

// A part of a whole, 0 to 1. Written "20%" or "0.1%".
struct Share {
  double of_one = 0;
  constexpr auto operator<=>(const Share&) const = default;
  static constexpr Share percent(double n) { return {n / 100}; }
};

// So many events in a stretch of time. Written "10/s", "100/m", "50 per 1m", "10000 per 15m".
struct Rate {
  uint64_t count = 0;
  Duration per = 1s;
  constexpr bool operator==(const Rate&) const = default;
  constexpr double each_second() const {
    return static_cast<double>(count) * 1e9 / static_cast<double>(per.count());
  }
};

// Errors: Error::Code::invalid, saying what was expected with an example. `text` is the whole
// value; spaces around it are an error.
Result<ByteSize> parse_byte_size(std::string_view text);
Result<Share> parse_share(std::string_view text);
Result<Rate> parse_rate(std::string_view text);
// "250ms", "1.5s", "30s", "5m", "1h30m", "365d"; a number needs a unit, except 0.
Result<Duration> parse_duration(std::string_view text);

// The shortest form that parses back to the same value.
std::string to_string(ByteSize size);
std::string to_string(Share share);
std::string to_string(Rate rate);
std::string to_string(Duration duration);

}  // namespace spillway
