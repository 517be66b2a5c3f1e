// gateway/filters/maintenance.h: everybody is told to come back later.
#pragma once

#include <memory>
#include <string>

#include "gateway/gateway.h"
#include "gateway/request_context.h"

namespace spillway::gateway {

class Maintenance final : public Filter {
 public:
  // `parts` outlives the filter, and its switches are looked at for each request.
  Maintenance(const GatewayParts& parts, const Routing& routing);
  std::string_view name() const override { return "maintenance"; }
  Verdict on_request(RequestContext& context) const override;

 private:
  const std::shared_ptr<const Switches>& switches_;
  const MaintenanceConfig& config_;
  const Page* page_;
  const std::string retry_after_;
};

}  // namespace spillway::gateway
