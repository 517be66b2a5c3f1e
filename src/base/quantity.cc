// base/quantity.cc: reads and writes sizes, shares, rates and durations.
#include "base/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/ascii.h"

namespace spillway {
namespace {

struct Number {
  double value;
  std::string_view unit;  // What follows the digits.
};

// Digits with at most one point; no sign, no exponent.
std::optional<Number> leading_number(std::string_view text) {
  size_t length = 0;
  bool has_point = false;
  while (length < text.size() && (is_digit(text[length]) || (text[length] == '.' && !has_point))) {
    has_point |= text[length] == '.';
    ++length;
  }
  if (length == 0 || text[0] == '.' || text[length - 1] == '.') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + length, value);
  if (error != std::errc{} || end != text.data() + length) return std::nullopt;
  return Number{value, text.substr(length)};
}

std::unexpected<Error> expected_form(std::string_view text, std::string_view form) {
  return fail(Error::Code::invalid, fmt::format("\"{}\" is not {}", text, form));
}

struct Unit {
  std::string_view name;
  int64_t nanoseconds;
};
constexpr std::array<Unit, 7> duration_units{{{"d", 86'400'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000},
                                              {"us", 1'000},
                                              {"ns", 1}}};

const Unit* unit_named(std::string_view name) {
  for (const Unit& unit : duration_units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// 100 years: beyond it a sum of two durations could overflow, and nobody means it.
constexpr double duration_max_nanoseconds = 100.0 * 365 * 86'400e9;

}  // namespace

Result<ByteSize> parse_byte_size(std::string_view text) {
  constexpr std::string_view form = "a size such as 2048B, 64KB, 10MB or 1GB";
  const auto number = leading_number(text);
  if (!number) return expected_form(text, form);
  std::string_view unit = number->unit;
  if (unit.empty() && number->value == 0) return ByteSize{0};
  if (unit.empty() || unit.back() != 'B') return expected_form(text, form);
  unit.remove_suffix(1);
  if (unit.size() == 2 && unit[1] == 'i') unit.remove_suffix(1);
  int shift = 0;
  if (unit == "K" || unit == "k")
    shift = 10;
  else if (unit == "M")
    shift = 20;
  else if (unit == "G")
    shift = 30;
  else if (unit == "T")
    shift = 40;
  else if (!unit.empty())
    return expected_form(text, form);
  const double bytes = std::ldexp(number->value, shift);
  if (bytes > 0x1p62 || bytes != std::floor(bytes)) return expected_form(text, form);
  return ByteSize{static_cast<uint64_t>(bytes)};
}

Result<Share> parse_share(std::string_view text) {
  const auto number = leading_number(text);
  if (!number || number->unit != "%") return expected_form(text, "a share such as 20% or 0.1%");
  if (number->value > 100) return expected_form(text, "a share of at most 100%");
  return Share{number->value / 100};
}

Result<Rate> parse_rate(std::string_view text) {
  constexpr std::string_view form = "a rate such as 10/s, 100/m or 50 per 1m";
  const size_t slash = text.find('/');
  const size_t per = text.find(" per ");
  if (slash != std::string_view::npos) {
    const auto count = parse_decimal<uint64_t>(text.substr(0, slash));
    const Unit* unit = unit_named(text.substr(slash + 1));
    if (!count || unit == nullptr) return expected_form(text, form);
    return Rate{*count, Duration(unit->nanoseconds)};
  }
  if (per != std::string_view::npos) {
    const auto count = parse_decimal<uint64_t>(text.substr(0, per));
    const auto duration = parse_duration(text.substr(per + 5));
    if (!count || !duration || *duration <= Duration::zero()) return expected_form(text, form);
    return Rate{*count, *duration};
  }
  return expected_form(text, form);
}

Result<Duration> parse_duration(std::string_view text) {
  constexpr std::string_view form = "a duration such as 250ms, 30s, 5m, 1h or 7d";
  if (text == "0") return Duration::zero();
  double total = 0;
  for (std::string_view rest = text; !rest.empty() || text.empty();) {
    const auto number = leading_number(rest);
    if (!number) return expected_form(text, form);
    size_t length = 0;
    while (length < number->unit.size() && is_alpha(number->unit[length])) ++length;
    const Unit* unit = unit_named(number->unit.substr(0, length));
    if (unit == nullptr) return expected_form(text, form);
    total += number->value * static_cast<double>(unit->nanoseconds);
    rest = number->unit.substr(length);
  }
  if (total > duration_max_nanoseconds) return expected_form(text, "a duration below 100 years");
  return Duration(std::llround(total));
}

std::string to_string(ByteSize size) {
  constexpr std::array<std::string_view, 5> units{"B", "KB", "MB", "GB", "TB"};
  uint64_t value = size.bytes;
  size_t unit = 0;
  while (value != 0 && value % 1024 == 0 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", value, units[unit]);
}

std::string to_string(Share share) { return fmt::format("{:.6g}%", share.of_one * 100); }

std::string to_string(Rate rate) {
  for (const Unit& unit : duration_units) {
    if (unit.nanoseconds == rate.per.count()) return fmt::format("{}/{}", rate.count, unit.name);
  }
  return fmt::format("{} per {}", rate.count, to_string(rate.per));
}

std::string to_string(Duration duration) {
  int64_t left = duration.count();
  if (left == 0) return "0s";
  std::string result = left < 0 ? "-" : "";
  left = std::abs(left);
  for (const Unit& unit : duration_units) {
    if (left < unit.nanoseconds) continue;
    result += fmt::format("{}{}", left / unit.nanoseconds, unit.name);
    left %= unit.nanoseconds;
  }
  return result;
}

}  // namespace spillway
