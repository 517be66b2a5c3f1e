// cli/human.cc: three digits are enough at a glance.
#include "cli/human.h"

#include <fmt/format.h>

#include <array>
#include <span>
#include <string_view>

namespace spillway::cli {
namespace {

// About three digits, without a tail of zeros: 1.23, 12.3, 123.
std::string three_digits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find('.') == std::string::npos) return text;
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string scaled(double value, double step, std::span<const std::string_view> units) {
  size_t unit = 0;
  while (value >= step * 0.9995 && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  return three_digits(value) + std::string(units[unit]);
}

}  // namespace

std::string human_duration(Duration duration) {
  const int64_t nanoseconds = duration.count();
  if (nanoseconds < 0) return "0 s";
  if (duration < 1ms) return fmt::format("{} us", nanoseconds / 1'000);
  if (duration < 1s) return three_digits(static_cast<double>(nanoseconds) * 1e-6) + " ms";
  const int64_t seconds = nanoseconds / 1'000'000'000;
  if (seconds < 10) return three_digits(static_cast<double>(nanoseconds) * 1e-9) + " s";
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{}m {}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h {}m", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{}d {}h", seconds / 86'400, seconds % 86'400 / 3600);
}

std::string human_bytes(uint64_t bytes) {
  static constexpr std::array<std::string_view, 5> units = {" B", " KB", " MB", " GB", " TB"};
  return scaled(static_cast<double>(bytes), 1024, units);
}

std::string human_count(double count) {
  static constexpr std::array<std::string_view, 5> units = {"", "k", "M", "G", "T"};
  return scaled(count, 1000, units);
}

std::string human_share(double of_one) {
  if (of_one <= 0) return "0%";
  if (of_one < 0.0001) return "<0.01%";
  return three_digits(of_one * 100) + "%";
}

}  // namespace spillway::cli
