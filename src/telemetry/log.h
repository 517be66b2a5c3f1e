// telemetry/log.h: the program's own log: levels, fields, and a limit on repetition.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/mutex.h"
#include "base/time.h"
#include "telemetry/line_buffer.h"

namespace spillway::telemetry {

enum class LogLevel : uint8_t { error, warn, info, debug };
enum class LogFormat : uint8_t { json, human };

std::string_view to_string(LogLevel level);

// Where lines go. Called from any thread, with a whole line and its newline; must not block.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write_line(std::string_view line) = 0;
};

// One fact beside the message. A view: it lives for the call.
class LogField {
 public:
  LogField(std::string_view name, std::string_view value) : name_(name), text_(value) {}
  LogField(std::string_view name, const char* value) : name_(name), text_(value) {}
  LogField(std::string_view name, std::same_as<bool> auto value)
      : name_(name), text_(value ? "true" : "false"), kind_(Kind::bare) {}
  template <std::integral Integer>
    requires(!std::same_as<Integer, bool>)
  LogField(std::string_view name, Integer value)
      : name_(name),
        number_(static_cast<int64_t>(value)),
        kind_(std::is_signed_v<Integer> ? Kind::signed_number : Kind::unsigned_number) {}
  LogField(std::string_view name, Duration value)
      : name_(name), number_(value.count()), kind_(Kind::milliseconds) {}

 private:
  friend class Log;
  enum class Kind : uint8_t { text, bare, signed_number, unsigned_number, milliseconds };
  void append_value(LineBuffer& line, LogFormat format) const;
  std::string_view unit() const { return kind_ == Kind::milliseconds ? "_ms" : ""; }

  std::string_view name_;
  std::string_view text_;
  int64_t number_ = 0;
  Kind kind_ = Kind::text;
};

// Writes lines to a sink that outlives it. Any thread. Passed by reference to whoever logs.
//
//   log.warn("endpoint ejected", {{"endpoint", address}, {"errors", 5}, {"for", 30s}});
//
// A message is a constant; what varies goes into fields. Of the same message at most
// `repeats_max` lines are written in `repeats_window`; the next line says how many were
// suppressed. So a failing upstream cannot turn every request into a line.
class Log {
 public:
  static constexpr uint32_t repeats_max = 20;      // Enough to see which endpoints are concerned.
  static constexpr Duration repeats_window = 10s;  // Beginning with its first line.
  static constexpr size_t line_bytes_max = 4096;
  static constexpr size_t value_bytes_max = 1024;  // Longer values are cut and end in "...".

  using Fields = std::initializer_list<LogField>;
  // `clock` gives civil time; called from any thread.
  Log(LogSink& sink, std::function<WallTime()> clock, LogLevel level, LogFormat format)
      : sink_(sink), clock_(std::move(clock)), format_(format), level_(level) {}
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void error(std::string_view message, Fields fields = {}) {
    write(LogLevel::error, message, fields);
  }
  void warn(std::string_view message, Fields fields = {}) {
    write(LogLevel::warn, message, fields);
  }
  void info(std::string_view message, Fields fields = {}) {
    write(LogLevel::info, message, fields);
  }
  void debug(std::string_view message, Fields fields = {}) {
    write(LogLevel::debug, message, fields);
  }
  void write(LogLevel level, std::string_view message, Fields fields);

  bool is_on(LogLevel level) const { return level <= level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  // Lines written per level and lines suppressed as repetitions, for metrics.
  uint64_t lines_written(LogLevel level) const;
  uint64_t lines_suppressed() const;

 private:
  // One message's use of its window. Messages that share a slot take it from each other, which
  // lets a few more lines through; the program has far fewer messages than slots.
  struct Repeats {
    size_t message_hash = 0;
    WallTime since{};
    uint32_t written = 0;
    uint32_t suppressed = 0;
  };
  static constexpr size_t repeats_slots = 256;

  // Whether to write; if so, sets how many were suppressed before.
  bool admit(LogLevel level, std::string_view message, WallTime now, uint32_t& suppressed);

  LogSink& sink_;
  const std::function<WallTime()> clock_;
  const LogFormat format_;
  std::atomic<LogLevel> level_;
  mutable Mutex mutex_;
  std::array<Repeats, repeats_slots> repeats_ __attribute__((guarded_by(mutex_))){};
  std::array<uint64_t, 4> lines_written_ __attribute__((guarded_by(mutex_))){};
  uint64_t lines_suppressed_ __attribute__((guarded_by(mutex_))) = 0;
};

}  // namespace spillway::telemetry
