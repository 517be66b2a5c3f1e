// redis/config.cc: reads the addresses of Redis, and shows them without their passwords.
#include "redis/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "base/ascii.h"

namespace spillway::redis {
namespace {

constexpr std::string_view scheme = "redis://";
constexpr std::string_view secure_scheme = "rediss://";
constexpr uint32_t database_max = 1'000'000;  // Redis has 16 unless it is told otherwise.
constexpr size_t host_max = 253;              // RFC 1035 section 2.3.4, without the root's dot.
constexpr size_t secret_max = 512;

std::unexpected<Error> refuse(std::string_view why) {
  return fail(Error::Code::invalid,
              fmt::format("the address of Redis {}; expected one such as redis://10.0.0.5:6379 or "
                          "redis://user:password@cache.internal:6379/0",
                          why));
}

// RFC 3986 section 2.1. Nothing if a percent sign is not followed by two digits.
std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
      return std::nullopt;
    }
    result += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return result;
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= host_max && std::ranges::all_of(host, [](char c) {
    return is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

// "HOST", "HOST:PORT", "[::1]:PORT".
Result<void> read_authority(std::string_view text, Url& url) {
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return refuse("has no closing bracket");
    url.host = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    has_port = text.starts_with(':');
    if (!has_port && !text.empty()) return refuse("has text behind its closing bracket");
    if (has_port) port = text.substr(1);
  } else {
    const size_t colon = text.find(':');
    has_port = colon != std::string_view::npos;
    url.host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
    if (url.host.contains(':')) return refuse("has an IPv6 address without brackets");
  }
  if (!is_host(url.host)) return refuse("has no host");
  if (!has_port) return {};
  const auto number = parse_decimal<uint16_t>(port);
  if (!number || *number == 0) return refuse("has no port of 1 to 65535");
  url.port = *number;
  return {};
}

Result<void> read_credentials(std::string_view text, Url& url) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return refuse("has a user without a password");
  auto user = decoded(text.substr(0, colon));
  auto password = decoded(text.substr(colon + 1));
  if (!user || !password) return refuse("has a percent sign without two hexadecimal digits");
  if (password->empty() || password->size() > secret_max || user->size() > secret_max) {
    return refuse("has a password that is empty or longer than 512 bytes");
  }
  url.user = *std::move(user);
  url.password = *std::move(password);
  return {};
}

}  // namespace

uint64_t Url::secret_mark() const { return std::hash<std::string>()(password); }

Result<Url> Url::parse(std::string_view text) {
  Url url;
  url.is_secure = text.starts_with(secure_scheme);
  if (!url.is_secure && !text.starts_with(scheme)) return refuse("does not begin with redis://");
  text.remove_prefix(url.is_secure ? secure_scheme.size() : scheme.size());
  if (text.find_first_of("?#") != std::string_view::npos) return refuse("has a query");
  const size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    TRY_VOID(read_credentials(text.substr(0, at), url));
    text.remove_prefix(at + 1);
  }
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos && slash + 1 < text.size()) {
    const auto database = parse_decimal<uint32_t>(text.substr(slash + 1));
    if (!database || *database > database_max) return refuse("has no number of a database");
    url.database = *database;
  }
  TRY_VOID(read_authority(text.substr(0, slash), url));
  return url;
}

std::string to_string(const Url& url) {
  const bool is_v6 = url.host.contains(':');
  std::string text(url.is_secure ? secure_scheme : scheme);
  if (!url.password.empty()) text += fmt::format("{}:***@", url.user);
  text += fmt::format("{}{}{}:{}", is_v6 ? "[" : "", url.host, is_v6 ? "]" : "", url.port);
  if (url.database != 0) text += fmt::format("/{}", url.database);
  return text;
}

Result<RedisConfig> RedisConfig::parse(std::string_view text) {
  TRY(url, Url::parse(text));
  RedisConfig config;
  config.at.push_back(std::move(url));
  return config;
}

}  // namespace spillway::redis
