// gateway/filters/method_policy.h: refuses the methods that a reverse proxy has no use for.
#pragma once

#include "gateway/request_context.h"

namespace spillway::gateway {

// CONNECT would make us a forward proxy; TRACE shows a client what other proxies added (RFC 9110
// sections 9.3.6 and 9.3.8).
class MethodPolicy final : public Filter {
 public:
  std::optional<Refusal> on_request(RequestContext& context) const override;
};

}  // namespace spillway::gateway
