// gateway/limit_config.cc: reads whose requests are counted together.
#include "gateway/limit_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/token.h"

namespace spillway::gateway {
namespace {

constexpr std::array<std::string_view, 4> words = {"ip", "user", "route", "all"};
constexpr std::string_view header_prefix = "header:";
constexpr std::string_view cookie_prefix = "cookie:";
constexpr size_t name_max = 128;

}  // namespace

Result<LimitKey> LimitKey::parse(std::string_view text) {
  const auto word = std::ranges::find(words, text);
  if (word != words.end()) return LimitKey{static_cast<Kind>(word - words.begin()), ""};
  if (text.starts_with(header_prefix) && is_token(text.substr(header_prefix.size()), name_max)) {
    return LimitKey{Kind::header, lowered(text.substr(header_prefix.size()))};
  }
  if (text.starts_with(cookie_prefix) && is_token(text.substr(cookie_prefix.size()), name_max)) {
    return LimitKey{Kind::cookie, std::string(text.substr(cookie_prefix.size()))};
  }
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is not whose requests are counted; expected ip, user, route, "
                          "all, header:NAME or cookie:NAME",
                          text));
}

std::string to_string(const LimitKey& key) {
  switch (key.kind) {
    case LimitKey::Kind::header: return std::string(header_prefix) + key.name;
    case LimitKey::Kind::cookie: return std::string(cookie_prefix) + key.name;
    default: return std::string(words[static_cast<size_t>(key.kind)]);
  }
}

}  // namespace spillway::gateway
