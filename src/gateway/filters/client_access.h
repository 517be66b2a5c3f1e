// gateway/filters/client_access.h: refuses clients by their address or their country.
#pragma once

#include <memory>

#include "gateway/client_rules.h"
#include "gateway/gateway.h"
#include "gateway/request_context.h"
#include "telemetry/registry.h"

namespace spillway::gateway {

// 403 and the end of the connection. The rules are those of now, however old the plan is that the
// request follows.
class ClientAccess final : public Filter {
 public:
  ClientAccess(const GatewayParts& parts, telemetry::Scope& scope);
  std::string_view name() const override { return "client access"; }
  Verdict on_request(RequestContext& context) const override;

 private:
  const std::shared_ptr<const ClientRules>& rules_;
  mutable telemetry::Counter denied_;
  mutable telemetry::Counter wrong_country_;
};

}  // namespace spillway::gateway
