// base/time.h: instants, durations and deadlines; nothing here reads a clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>

namespace spillway {

using Duration = std::chrono::nanoseconds;
using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

// A point on the monotonic clock of this run. Only differences mean anything. The loop that owns
// the clock hands out `now`; a simulated world hands out its own.
class Instant {
 public:
  constexpr Instant() = default;
  static constexpr Instant from_nanoseconds(int64_t value) { return Instant(value); }
  static constexpr Instant max() { return Instant(INT64_MAX); }

  constexpr int64_t nanoseconds() const { return nanoseconds_; }
  constexpr auto operator<=>(const Instant&) const = default;

  // Saturates instead of wrapping: `now + forever` is Instant::max().
  constexpr Instant operator+(Duration d) const {
    const int64_t count = d.count();
    if (count > 0 && nanoseconds_ > INT64_MAX - count) return max();
    return Instant(nanoseconds_ + count);
  }
  constexpr Instant operator-(Duration d) const { return Instant(nanoseconds_ - d.count()); }
  constexpr Duration operator-(Instant other) const {
    return Duration(nanoseconds_ - other.nanoseconds_);
  }

 private:
  constexpr explicit Instant(int64_t value) : nanoseconds_(value) {}
  int64_t nanoseconds_ = 0;
};

// Civil time in UTC, for logs and the Date field. Never used to measure.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// The moment after which an await gives up with Error::Code::deadline_exceeded. Every await on the
// outside world takes one.
class Deadline {
 public:
  static constexpr Deadline at(Instant when) { return Deadline(when); }
  static constexpr Deadline after(Instant now, Duration d) { return Deadline(now + d); }
  // For waits that another bound already ends (a gate that closes, a child that exits).
  static constexpr Deadline never() { return Deadline(Instant::max()); }

  constexpr Instant when() const { return when_; }
  constexpr bool has_passed(Instant now) const { return when_ <= now; }
  constexpr Duration left(Instant now) const { return std::max(when_ - now, Duration::zero()); }
  constexpr Deadline no_later_than(Instant other) const { return Deadline(std::min(when_, other)); }
  constexpr Deadline no_later_than(Deadline other) const { return no_later_than(other.when_); }
  constexpr auto operator<=>(const Deadline&) const = default;

 private:
  constexpr explicit Deadline(Instant when) : when_(when) {}
  Instant when_;
};

}  // namespace spillway
