// http/path.h: the one form of a request path that is matched, authorised, cached and forwarded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

namespace spillway::http {

struct PathTrouble {
  uint16_t status;        // 400, or 414 if the buffer is too small.
  std::string_view text;  // A literal.
};

// The normal form of `path` (RFC 3986 section 6.2.2), decided once so that no later step can read
// the path in another way:
//   - escapes of unreserved bytes are decoded, all others kept with upper-case digits: "%2f" stays
//     "%2F" and is never a separator, "%252e" is not decoded twice;
//   - what RFC 3986 wants escaped in a path ('"', '<', '[', '|' and the like) is escaped;
//   - "." and ".." segments, also written "%2e", are resolved; going above the root is refused;
//   - empty segments are merged: "//" is "/";
//   - refused: malformed escapes, "%00", a backslash (some servers read it as '/'), bytes outside
//     visible ASCII, "..;" segments (some servers strip the parameter and go up), and "." or ".."
//     beside an escaped slash or backslash: "..%2Fa" (some decode that first).
// "*" (OPTIONS) is returned as it is; everything else starts with '/'.
//
// A path that is normal already, nearly every one, costs one quick scan and is returned as given;
// otherwise the result points into `buffer`, which must not overlap `path`; 3 times path.size()
// is always enough. Idempotent.
std::expected<std::string_view, PathTrouble> normalise_path(std::string_view path,
                                                            std::span<char> buffer);

// Walks the parameters of a query, raw: "a=1&b" gives ("a", "1") and ("b", ""). Empty ones
// between two '&' are left out.
struct QueryParameter {
  std::string_view name;
  std::string_view value;
};
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) : rest_(query) {}
  std::optional<QueryParameter> next();

 private:
  std::string_view rest_;
};

// The number of parameters, for a limit on it.
size_t count_parameters(std::string_view query);
// True if `raw`, a name or value from a QueryReader, decodes to `text`: escapes count as their
// byte,
// '+' as a space. A malformed escape stands for itself.
bool decodes_to(std::string_view raw, std::string_view text);

}  // namespace spillway::http
