// gateway/filters/client_identity.h: who the client is, and what upstreams are told about it.
#pragma once

#include <vector>

#include "base/address.h"
#include "gateway/request_context.h"

namespace spillway::gateway {

// Believes Forwarded and X-Forwarded-* from trusted proxies only (http/forwarded.h) and replaces
// them by what we know: X-Forwarded-For, -Proto, -Host and X-Real-IP.
class ClientIdentity final : public Filter {
 public:
  explicit ClientIdentity(std::vector<IpPrefix> trusted) : trusted_(std::move(trusted)) {}
  std::string_view name() const override { return "client identity"; }
  Verdict on_request(RequestContext& context) const override;

 private:
  const std::vector<IpPrefix> trusted_;
};

}  // namespace spillway::gateway
