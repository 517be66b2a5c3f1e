// gateway/filters/splits.h: which of a route's services a request goes to.
#pragma once

#include <memory>
#include <vector>

#include "gateway/gateway.h"
#include "gateway/request_context.h"
#include "gateway/split.h"

namespace spillway::gateway {

class Splits final : public Filter {
 public:
  // `parts` outlives the filter, and its switches are looked at for each request.
  Splits(const GatewayParts& parts, const Routing& routing);
  std::string_view name() const override { return "split"; }
  Verdict on_request(RequestContext& context) const override;

 private:
  const std::shared_ptr<const Switches>& switches_;
  const Routing& routing_;
  std::vector<uint64_t> salts_;  // By route: the same for the same services.
};

}  // namespace spillway::gateway
