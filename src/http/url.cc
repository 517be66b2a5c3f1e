// http/url.cc: scheme, authority, path and query by their separators.
#include "http/url.h"

#include "base/ascii.h"
#include "http/authority.h"
#include "http/scan.h"

namespace spillway::http {

std::optional<Url> parse_url(std::string_view text) {
  if (!all_in(target_bytes, text)) return std::nullopt;
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  Url url{.scheme = text.substr(0, scheme_end)};
  url.is_https = equals_ignoring_case(url.scheme, "https");
  if (!url.is_https && !equals_ignoring_case(url.scheme, "http")) return std::nullopt;

  const std::string_view rest = text.substr(scheme_end + 3);
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  url.authority = rest.substr(0, authority_end);
  const std::optional<Authority> authority = parse_authority(url.authority);
  if (!authority) return std::nullopt;
  url.host = authority->host;
  url.port = authority->port != 0 ? authority->port : url.is_https ? 443 : 80;

  const std::string_view target = rest.substr(authority_end);
  const size_t question = target.find('?');
  url.path = target.substr(0, question);
  if (url.path.empty()) url.path = "/";
  url.has_query = question != std::string_view::npos;
  if (url.has_query) url.query = target.substr(question + 1);
  return url;
}

}  // namespace spillway::http
