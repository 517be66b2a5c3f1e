// gateway/filters/tracing.h: gives each request an id and a place in a trace.
#pragma once

#include <vector>

#include "base/address.h"
#include "gateway/request_context.h"

namespace spillway::gateway {

// X-Request-Id is taken over from trusted proxies and made otherwise. A traceparent is continued,
// whoever sent it, as the recommendation wants; without one a new trace begins (W3C Trace Context).
class Tracing final : public Filter {
 public:
  explicit Tracing(std::vector<IpPrefix> trusted) : trusted_(std::move(trusted)) {}
  std::string_view name() const override { return "tracing"; }
  Verdict on_request(RequestContext& context) const override;

 private:
  bool is_trusted(const IpAddress& address) const;
  const std::vector<IpPrefix> trusted_;
};

}  // namespace spillway::gateway
