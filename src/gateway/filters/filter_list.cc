// gateway/filters/filter_list.cc: the order of the steps, and the reason for each place.
#include "gateway/filters/filter_list.h"

#include "gateway/filters/client_certificate.h"
#include "gateway/filters/client_identity.h"
#include "gateway/filters/https_redirect.h"
#include "gateway/filters/loop_guard.h"
#include "gateway/filters/strict_transport.h"
#include "gateway/filters/tracing.h"
#include "gateway/gateway.h"

namespace spillway::gateway {

FilterChain make_filters(const GatewayParts& parts, const GatewayConfig& config) {
  const std::vector<IpPrefix>& trusted = config.clients.trusted_proxies;
  FilterChain chain;
  auto& request = chain.request;
  request.push_back(std::make_unique<LoopGuard>(parts.via));     // Before a loop does any work.
  request.push_back(std::make_unique<ClientIdentity>(trusted));  // All after it use it.
  request.push_back(std::make_unique<Tracing>(trusted));         // Names what goes upstream.
  request.push_back(std::make_unique<HttpsRedirect>());  // Before anything is said in clear.
  if (config.verifies_clients) request.push_back(std::make_unique<ClientCertificate>());

  auto& answer = chain.answer;
  if (!config.hsts.empty()) answer.push_back(std::make_unique<StrictTransport>(config.hsts));
  return chain;
}

// Beside make_filters, so that one look shows when both no longer say the same.
std::vector<std::string> explain_filters(const GatewayConfig& config, const RouteConfig*) {
  std::vector<std::string> steps = {"method policy", "loop guard", "client identity", "tracing",
                                    "https redirect"};
  if (config.verifies_clients) steps.emplace_back("client certificate");
  if (!config.hsts.empty()) steps.push_back("answer: Strict-Transport-Security: " + config.hsts);
  return steps;
}

}  // namespace spillway::gateway
