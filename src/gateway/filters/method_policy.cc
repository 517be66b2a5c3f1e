// gateway/filters/method_policy.cc: CONNECT and TRACE.
#include "gateway/filters/method_policy.h"

namespace spillway::gateway {

Verdict check_method(RequestContext& context) {
  const http::Method method = context.exchange.request().method;
  if (method != http::Method::connect && method != http::Method::trace) return Verdict::go_on;
  context.exchange.close_after();  // Whatever follows a CONNECT is not HTTP.
  return context.end_with({.status = 405,
                           .text = "this method is not served here",
                           .fields = {{"allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}}});
}

}  // namespace spillway::gateway
