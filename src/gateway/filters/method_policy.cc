// gateway/filters/method_policy.cc: CONNECT and TRACE.
#include "gateway/filters/method_policy.h"

namespace spillway::gateway {

std::optional<Refusal> check_method(http::Exchange& exchange) {
  const http::Method method = exchange.request().method;
  if (method != http::Method::connect && method != http::Method::trace) return std::nullopt;
  exchange.close_after();  // Whatever follows a CONNECT is not HTTP.
  return Refusal{.status = 405,
                 .text = "this method is not served here",
                 .field_name = "allow",
                 .field_value = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"};
}

}  // namespace spillway::gateway
