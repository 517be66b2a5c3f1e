// telemetry/line_buffer.cc: escaped text, timestamps and durations.
#include "telemetry/line_buffer.h"

#include <algorithm>
#include <array>

namespace spillway::telemetry {
namespace {

void put_digits(char* out, uint64_t value, size_t digits) {
  for (size_t i = digits; i > 0; --i) {
    out[i - 1] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

constexpr std::string_view ellipsis = "...";

}  // namespace

void LineBuffer::append_escaped(std::string_view text, size_t bytes_max) {
  const size_t room = std::min(bytes_max, left());
  const JsonEscaped whole = escape_json(text, memory_.subspan(size_, room));
  if (whole.read == text.size()) {
    size_ += whole.written;
    return;
  }
  // Again, shorter: the end must not fall inside an escape.
  const size_t shorter = room > ellipsis.size() ? room - ellipsis.size() : 0;
  size_ += escape_json(text, memory_.subspan(size_, shorter)).written;
  append(ellipsis);
}

void LineBuffer::append_timestamp(WallTime when) {
  using std::chrono::floor;
  const auto day = floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const auto since_midnight = std::chrono::duration_cast<std::chrono::milliseconds>(when - day);
  const auto ms = static_cast<uint64_t>(since_midnight.count());
  const int year = std::clamp(static_cast<int>(date.year()), 0, 9999);
  std::array<char, 24> text{'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                            '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
  put_digits(&text[0], static_cast<uint64_t>(year), 4);
  put_digits(&text[5], static_cast<unsigned>(date.month()), 2);
  put_digits(&text[8], static_cast<unsigned>(date.day()), 2);
  put_digits(&text[11], ms / 3'600'000, 2);
  put_digits(&text[14], ms / 60'000 % 60, 2);
  put_digits(&text[17], ms / 1000 % 60, 2);
  put_digits(&text[20], ms % 1000, 3);
  if (left() >= text.size()) append({text.data(), text.size()});
}

void LineBuffer::append_milliseconds(Duration duration) {
  const int64_t us = std::max<int64_t>(duration.count() / 1000, 0);
  append_integer(us / 1000);
  char decimals[4] = {'.'};
  put_digits(&decimals[1], static_cast<uint64_t>(us % 1000), 3);
  append({decimals, sizeof decimals});
}

}  // namespace spillway::telemetry
