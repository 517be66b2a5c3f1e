// gateway/match_config.h: what a route goes by: hosts, paths and methods.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/error.h"

namespace spillway::gateway {

// The host of a route: one name or address, every name below a domain, or any. Immutable value.
struct HostPattern {
  std::string text;  // In lower case; empty: any host. "*.shops.example" keeps its "*.".

  // "shop.example", "*.shops.example" (one or more labels in front), "10.0.0.1", "[::1]"; no port,
  // for the port of Host is not compared (RFC 9110 section 7.2).
  static Result<HostPattern> parse(std::string_view text);
  bool is_any() const { return text.empty(); }
  bool is_wildcard() const { return text.starts_with("*."); }
  // What follows the star: ".shops.example". REQUIRES: is_wildcard().
  std::string_view suffix() const { return std::string_view(text).substr(1); }
  auto operator<=>(const HostPattern&) const = default;
};
inline const std::string& to_string(const HostPattern& host) { return host.text; }

// The path of a route: one path, or all that begin with a prefix of whole segments.
struct PathPattern {
  std::string text = "/*";  // As written: "/x", "/x/*" or "/*".

  // Only the normalised form is compared, so only that form is accepted: no dot segments, empty
  // segments, query, or escapes of unreserved characters (RFC 3986 section 6.2.2).
  static Result<PathPattern> parse(std::string_view text);
  bool is_prefix() const { return text.ends_with("/*"); }
  // "/x/" of "/x/*", "/" of "/*"; matches every path that starts so. REQUIRES: is_prefix().
  std::string_view prefix() const { return std::string_view(text).substr(0, text.size() - 1); }
  // Whether each path that `other` matches is matched by this one.
  bool covers(const PathPattern& other) const;
  auto operator<=>(const PathPattern&) const = default;
};
inline const std::string& to_string(const PathPattern& path) { return path.text; }

// A request method (RFC 9110 section 9); CONNECT and TRACE are refused, so no route can name them.
struct Method {
  std::string text;

  static Result<Method> parse(std::string_view text);
  auto operator<=>(const Method&) const = default;
};
inline const std::string& to_string(const Method& method) { return method.text; }

}  // namespace spillway::gateway
