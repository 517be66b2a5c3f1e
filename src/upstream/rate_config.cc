// upstream/rate_config.cc: reads the two forms of a rate.
#include "upstream/rate_config.h"

#include <fmt/format.h>

#include <charconv>

#include "base/quantity.h"

namespace spillway::upstream {
namespace {

constexpr uint64_t count_max = 1'000'000'000;
constexpr uint32_t burst_max = 1'000'000;
constexpr Duration per_min = 1ms;
constexpr Duration per_max = std::chrono::hours(366 * 24);
constexpr std::string_view form = "\"50 per 1m\", or \"50/s burst 10\"";

std::unexpected<Error> refuse(std::string_view text, std::string_view why) {
  return fail(Error::Code::invalid, fmt::format("\"{}\" {}; expected {}", text, why, form));
}

}  // namespace

Result<RateRule> RateRule::parse(std::string_view text) {
  constexpr std::string_view burst_word = " burst ";
  const size_t at = text.find(burst_word);
  const auto rate = parse_rate(text.substr(0, at));
  if (!rate) return refuse(text, "is not a rate");
  if (rate->count < 1 || rate->count > count_max || rate->per < per_min || rate->per > per_max) {
    return refuse(text, "is beyond a count of 1 to 1000000000 in 1ms to 366d");
  }
  RateRule rule{.count = static_cast<uint32_t>(rate->count), .per = rate->per};
  const bool is_steady = text.find('/') < at;
  if (at == std::string_view::npos) {
    if (is_steady) return refuse(text, "says no burst: how many may come ahead of their time");
    return rule;
  }
  const std::string_view digits = text.substr(at + burst_word.size());
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), rule.burst);
  const bool is_whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!is_whole || rule.burst > burst_max) return refuse(text, "has no burst of 0 to 1000000");
  if (!is_steady) return refuse(text, "is a window, which has no burst");
  if (rule.interval() < 1us) return refuse(text, "is more than one in a microsecond");
  rule.kind = Kind::gcra;
  return rule;
}

std::string to_string(const RateRule& rule) {
  if (rule.kind == RateRule::Kind::window) {
    return fmt::format("{} per {}", rule.count, spillway::to_string(rule.per));
  }
  return fmt::format("{} burst {}", spillway::to_string(Rate{rule.count, rule.per}), rule.burst);
}

}  // namespace spillway::upstream
