// admin/log_ring.h: the last lines that the instance and its replicas wrote, and who follows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/intrusive_list.h"
#include "base/time.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "runtime/task.h"

namespace spillway::admin {

struct LogLine {
  uint64_t number = 0;  // From 1, without gaps.
  WallTime time{};
  std::string source;  // "spillway", or a replica's name: "web.1".
  bool is_error = false;
  std::string text;  // Without the line's end.
};

// Whose lines are wanted: empty for all; a service's name for all its replicas.
bool is_from(const LogLine& line, std::string_view source);

// Keeps the last lines, up to a count and a number of bytes: the oldest give way. One core.
class LogRing {
 public:
  static constexpr size_t lines_max = 2'000;
  static constexpr size_t bytes_max = size_t{1} << 20;  // Some minutes of a busy application.
  static constexpr size_t line_bytes_max = 16 << 10;    // What is longer is cut.

  explicit LogRing(runtime::Loop& loop) : loop_(loop) {}
  LogRing(const LogRing&) = delete;
  LogRing& operator=(const LogRing&) = delete;

  void append(std::string_view source, bool is_error, std::string_view text);

  // The last `count` lines from `source`, oldest first.
  std::vector<LogLine> last(size_t count, std::string_view source) const;
  // Lines of `source` after number `after`, at most `count`; `after` moves past what was looked at.
  // What was dropped meanwhile is missing.
  std::vector<LogLine> next(uint64_t& after, size_t count, std::string_view source) const;
  uint64_t newest() const { return number_; }

  // Waits for a line after number `after`, or for wake(). Error: deadline_exceeded.
  runtime::Task<Result<void>> wait(uint64_t after, Deadline deadline);
  void wake();

 private:
  // A follower's wait; lies in its frame.
  struct Follower : ListLink {
    explicit Follower(runtime::Loop& loop) : news(loop) {}
    runtime::Event news;
  };

  runtime::Loop& loop_;
  std::deque<LogLine> lines_;
  size_t bytes_ = 0;
  uint64_t number_ = 0;
  IntrusiveList<Follower> followers_;
};

}  // namespace spillway::admin
