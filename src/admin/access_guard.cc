// admin/access_guard.cc: Host, Origin and token.
#include "admin/access_guard.h"

#include "base/ascii.h"
#include "base/check.h"

namespace spillway::admin {

using http::Field;

bool is_own_host(std::string_view host, const SocketAddress& at) {
  if (equals_ignoring_case(host, "localhost")) return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto ip = IpAddress::parse(host);
  return ip && (ip->is_loopback() || (!at.is_unix() && *ip == at.ip));
}

bool equals_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  volatile unsigned char difference = 0;  // Volatile, so that no compiler ends the loop early.
  for (size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

namespace {

constexpr std::string_view scheme = "bearer ";

// RFC 6750 section 2.1; the scheme's name in any case (RFC 9110 section 11.1).
bool has_token(const AccessRules& rules, const http::HeaderList& fields) {
  const std::string_view value = fields.value(Field::authorization);
  if (fields.count(Field::authorization) != 1 || value.size() <= scheme.size()) return false;
  return equals_ignoring_case(value.substr(0, scheme.size()), scheme) &&
         equals_in_constant_time(trimmed(value.substr(scheme.size())), rules.token);
}

// RFC 6454 section 7: a browser says which page asks. Only pages of this very listener may.
bool is_own_origin(const http::RequestHead& request) {
  constexpr std::string_view http_scheme = "http://";
  const std::string_view origin = request.fields.value(Field::origin);
  return request.fields.count(Field::origin) == 1 && origin.starts_with(http_scheme) &&
         equals_ignoring_case(origin.substr(http_scheme.size()), request.authority);
}

}  // namespace

std::optional<Denial> check_access(const AccessRules& rules, const http::RequestHead& request,
                                   const SocketAddress& peer, bool needs_token) {
  CHECK(!rules.token.empty());
  if (!is_own_host(request.host, rules.at)) {
    return Denial{.status = 421,
                  .code = "misdirected",
                  .message = "Host does not name this machine's loopback or the admin address"};
  }
  if (request.fields.has(Field::origin) && !is_own_origin(request)) {
    return Denial{.code = "foreign_origin", .message = "pages of other origins may not ask here"};
  }
  const bool is_local = peer.is_unix() || peer.ip.is_loopback();
  if ((needs_token || !is_local) && !has_token(rules, request.fields)) {
    return Denial{.status = 401,
                  .code = "unauthorized",
                  .message = "this needs the instance's token: Authorization: Bearer TOKEN"};
  }
  return std::nullopt;
}

}  // namespace spillway::admin
