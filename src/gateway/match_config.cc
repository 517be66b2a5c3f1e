// gateway/match_config.cc: reads the patterns that routes are written in.
#include "gateway/match_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/address.h"
#include "base/ascii.h"

namespace spillway::gateway {
namespace {

constexpr size_t host_max = 253;  // RFC 1035 section 2.3.4, without the root's dot.
constexpr size_t label_max = 63;
constexpr size_t path_max = 1024;  // Longer than any path a person routes by.
constexpr size_t method_max = 24;

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > label_max) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(
      label, [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > host_max) return false;
  for (;;) {
    const size_t dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// RFC 3986 section 3.3: pchar, with escapes checked by the caller.
bool is_path_character(char c) {
  constexpr std::string_view others = "-._~!$&'()*+,;=:@/%";
  return is_alpha(c) || is_digit(c) || others.find(c) != std::string_view::npos;
}

bool is_unreserved(int c) {
  const char text = static_cast<char>(c);
  return c < 0x80 && (is_alpha(text) || is_digit(text) || text == '-' || text == '.' ||
                      text == '_' || text == '~');
}

// What keeps `path` from being a normalised path, or nothing.
std::string_view path_trouble(std::string_view path) {
  if (path.size() > path_max) return "is longer than 1024 bytes";
  if (!path.starts_with('/')) return "does not begin with a slash";
  if (path.find('?') != std::string_view::npos) return "has a query; use `query:` for that";
  if (!std::ranges::all_of(path, is_path_character)) return "has a character that needs an escape";
  if (path.find('*') != std::string_view::npos) return "has a star elsewhere than at its end";
  for (size_t at = 0; (at = path.find('%', at)) != std::string_view::npos; at += 3) {
    const std::string_view digits = path.substr(at + 1, 2);
    if (digits.size() < 2 || hex_value(digits[0]) < 0 || hex_value(digits[1]) < 0) {
      return "has a broken % escape";
    }
    const int value = hex_value(digits[0]) * 16 + hex_value(digits[1]);
    if (is_unreserved(value)) return "escapes a character that needs no escape";
    if (value == '/' || value == '\\' || value < 0x20 || value == 0x7f) {
      return "has an escape that no request may use";
    }
    if (std::ranges::any_of(digits, [](char c) { return c >= 'a' && c <= 'f'; })) {
      return "has an escape in small letters";
    }
  }
  for (std::string_view rest = path.substr(1);;) {
    const size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment == "." || segment == "..") return "has a dot segment";
    if (slash == std::string_view::npos) return "";
    if (segment.empty()) return "has an empty segment";
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<HostPattern> HostPattern::parse(std::string_view text) {
  const std::string lower = lowered(text);
  std::string_view name = lower;
  const bool bracketed = name.size() > 2 && name.front() == '[' && name.back() == ']';
  if (bracketed) {
    const auto ip = IpAddress::parse(name.substr(1, name.size() - 2));
    if (ip && !ip->is_v4()) return HostPattern{fmt::format("[{}]", to_string(*ip))};
  }
  if (name.starts_with("*.")) name.remove_prefix(2);
  if (!is_name(name)) {
    return fail(
        Error::Code::invalid,
        fmt::format("\"{}\" is not a host such as shop.example, *.shops.example (a star for "
                    "whole labels, in front only) or 10.0.0.1, without a port",
                    text));
  }
  return HostPattern{lower};
}

Result<PathPattern> PathPattern::parse(std::string_view text) {
  std::string_view fixed = text;
  if (fixed.ends_with("/*")) fixed.remove_suffix(1);
  const std::string_view trouble = path_trouble(fixed);
  if (!trouble.empty()) {
    return fail(
        Error::Code::invalid,
        fmt::format("\"{}\" {}; expected a path such as /login, /api/* or /*", text, trouble));
  }
  return PathPattern{std::string(text)};
}

bool PathPattern::covers(const PathPattern& other) const {
  if (!is_prefix()) return text == other.text;
  const std::string_view start = other.is_prefix() ? other.prefix() : std::string_view(other.text);
  return start.starts_with(prefix());
}

Result<Method> Method::parse(std::string_view text) {
  const bool is_word =
      !text.empty() && text.size() <= method_max && std::ranges::all_of(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
      });
  if (!is_word) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not a method such as GET or POST, in capitals", text));
  }
  if (text == "CONNECT" || text == "TRACE") {
    return fail(Error::Code::invalid, fmt::format("{} is never forwarded", text));
  }
  return Method{std::string(text)};
}

}  // namespace spillway::gateway
