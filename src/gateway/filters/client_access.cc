// gateway/filters/client_access.cc: the answer to whom we do not serve.
#include "gateway/filters/client_access.h"

namespace spillway::gateway {
namespace {

telemetry::Counter counter(const GatewayParts& parts, telemetry::Scope& scope, const char* reason) {
  const telemetry::Family& family = parts.families.registry.family(
      {.name = "spillway_client_requests_denied_total",
       .help = "Requests answered 403 because of who the client is: address, country.",
       .label_names = {"reason"}});
  return scope.counter(family, {reason}, parts.loop.core());
}

}  // namespace

ClientAccess::ClientAccess(const GatewayParts& parts, telemetry::Scope& scope)
    : rules_(parts.client_rules),
      denied_(counter(parts, scope, "address")),
      wrong_country_(counter(parts, scope, "country")) {}

Verdict ClientAccess::on_request(RequestContext& context) const {
  if (rules_ == nullptr) return Verdict::go_on;
  const Admission admission = rules_->admit(context.client, context.exchange.loop().now());
  if (admission == Admission::served) return Verdict::go_on;
  if (admission == Admission::exempt) {
    context.is_exempt = true;
    return Verdict::go_on;
  }
  const bool is_denied = admission == Admission::denied;
  (is_denied ? denied_ : wrong_country_).add();
  context.error.detail = is_denied ? "client denied" : "country not served";
  context.has_failed = true;
  context.exchange.turn_away();
  return context.end_with({.status = 403, .text = "not served to this client"});
}

}  // namespace spillway::gateway
