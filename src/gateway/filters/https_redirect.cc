// gateway/filters/https_redirect.cc: the same address under https.
#include "gateway/filters/https_redirect.h"

#include <fmt/format.h>

namespace spillway::gateway {

Verdict HttpsRedirect::on_request(RequestContext& context) const {
  constexpr uint16_t usual_port = 443;
  const uint16_t port = context.exchange.client().redirect_port;
  if (port == 0 || context.scheme == "https") return Verdict::go_on;
  if (!context.path.starts_with('/')) return Verdict::go_on;  // It has no place to be sent to.
  if (is_acme_challenge(context)) return Verdict::go_on;
  const http::RequestHead& request = context.exchange.request();
  if (request.host.empty()) {
    return context.end_with({.status = 400, .text = "the request names no host"});
  }
  std::string location = fmt::format("https://{}", request.host);
  if (port != usual_port) location += fmt::format(":{}", port);
  location += context.path;
  if (request.has_query) location += fmt::format("?{}", request.query);
  return context.end_with({.status = 308,
                           .text = "this site is served over https",
                           .fields = {{"location", std::move(location)}}});
}

}  // namespace spillway::gateway
