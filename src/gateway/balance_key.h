// gateway/balance_key.h: what of a request the balancer goes by: a hash key, a sticky cookie.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/request_context.h"
#include "upstream/pick.h"

namespace spillway::gateway {

struct BalanceKey {
  std::optional<uint64_t> hash;  // For ring_hash; absent if the request lacks the header or cookie.
  std::optional<uint64_t> sticky;  // From the service's cookie.
};
BalanceKey balance_key(const RequestContext& context);

// Tells the client its endpoint, unless its cookie already says so or the service has no `sticky`.
// The value lies in the request's scratch. False: no room for one more field.
[[nodiscard]] bool add_sticky_cookie(RequestContext& context, const upstream::Ticket& ticket,
                                     http::HeaderList& fields);

// The value of a cookie of that name in a request (RFC 6265 section 4.2), or nothing.
std::optional<std::string_view> cookie_value(const http::HeaderList& fields, std::string_view name);

}  // namespace spillway::gateway
