// telemetry/log.cc: formats a log line and decides whether it is one too many.
#include "telemetry/log.h"

#include <algorithm>

#include "base/ascii.h"

namespace spillway::telemetry {
namespace {

constexpr size_t message_bytes_max = 1024;
constexpr size_t ending_bytes_max = 64;  // Kept free for the suppressed count and the brace.

// Without quotes in the human format: a word that cannot be mistaken for two.
bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alpha(c) || is_digit(c) || std::string_view("-_./:@%+[]").contains(c);
  });
}

void append_quoted(LineBuffer& line, std::string_view text, size_t bytes_max) {
  line.append("\"");
  line.append_escaped(text, bytes_max);
  line.append("\"");
}

void begin_line(LineBuffer& line, LogFormat format, WallTime now, LogLevel level,
                std::string_view message) {
  if (format == LogFormat::json) {
    line.append("{\"time\":\"");
    line.append_timestamp(now);
    line.append("\",\"level\":\"");
    line.append(to_string(level));
    line.append("\",\"message\":");
    append_quoted(line, message, message_bytes_max);
    return;
  }
  line.append_timestamp(now);
  line.append(" ");
  line.append(to_string(level));
  line.append(level == LogLevel::warn || level == LogLevel::info ? "  " : " ");
  line.append_escaped(message, message_bytes_max);
}

// A bare number in JSON carries its unit in its name.
void append_name(LineBuffer& line, LogFormat format, std::string_view name,
                 std::string_view unit = {}) {
  line.append(format == LogFormat::json ? ",\"" : " ");
  line.append(name);
  if (format == LogFormat::json) line.append(unit);
  line.append(format == LogFormat::json ? "\":" : "=");
}

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::error: return "error";
    case LogLevel::warn: return "warn";
    case LogLevel::info: return "info";
    case LogLevel::debug: return "debug";
  }
  return "unknown";
}

void LogField::append_value(LineBuffer& line, LogFormat format) const {
  switch (kind_) {
    case Kind::bare: line.append(text_); return;
    case Kind::signed_number: line.append_integer(number_); return;
    case Kind::unsigned_number: line.append_integer(static_cast<uint64_t>(number_)); return;
    case Kind::milliseconds:
      line.append_milliseconds(Duration(number_));
      if (format == LogFormat::human) line.append("ms");
      return;
    case Kind::text: break;
  }
  if (format == LogFormat::human && is_word(text_)) {
    line.append_escaped(text_, Log::value_bytes_max);
  } else {
    append_quoted(line, text_, Log::value_bytes_max);
  }
}

bool Log::admit(LogLevel level, std::string_view message, WallTime now, uint32_t& suppressed) {
  const size_t hash = std::hash<std::string_view>{}(message);
  const Locked lock(mutex_);
  Repeats& repeats = repeats_[hash % repeats_slots];
  if (repeats.message_hash != hash) repeats = {.message_hash = hash, .since = now};
  // A civil clock that was set back must not silence a message until it has caught up.
  if (now - repeats.since >= repeats_window || now < repeats.since) {
    repeats.since = now;
    repeats.written = 0;
  }
  if (repeats.written >= repeats_max) {
    ++repeats.suppressed;
    ++lines_suppressed_;
    return false;
  }
  ++repeats.written;
  ++lines_written_[static_cast<size_t>(level)];
  suppressed = repeats.suppressed;
  repeats.suppressed = 0;
  return true;
}

void Log::write(LogLevel level, std::string_view message, Fields fields) {
  if (!is_on(level)) return;
  const WallTime now = clock_();
  uint32_t suppressed = 0;
  if (!admit(level, message, now, suppressed)) return;
  std::array<char, line_bytes_max> memory;
  LineBuffer line(memory);
  begin_line(line, format_, now, level, message);
  for (const LogField& field : fields) {
    // A field is written whole or not at all, so that the line stays valid.
    const size_t largest = field.name_.size() + value_bytes_max + ending_bytes_max;
    if (line.left() < largest + ending_bytes_max) break;
    append_name(line, format_, field.name_, field.unit());
    field.append_value(line, format_);
  }
  if (suppressed > 0) {
    append_name(line, format_, "suppressed");
    line.append_integer(suppressed);
  }
  line.append(format_ == LogFormat::json ? "}\n" : "\n");
  sink_.write_line(line.text());
}

uint64_t Log::lines_written(LogLevel level) const {
  const Locked lock(mutex_);
  return lines_written_[static_cast<size_t>(level)];
}

uint64_t Log::lines_suppressed() const {
  const Locked lock(mutex_);
  return lines_suppressed_;
}

}  // namespace spillway::telemetry
