// gateway/filters/loop_guard.h: notices requests that come round again.
#pragma once

#include "gateway/request_context.h"
#include "http/via.h"

namespace spillway::gateway {

// A request that passed here before comes from a route that leads back to us. Once may be meant;
// more is a loop, answered 508 (RFC 5842 section 7.2).
class LoopGuard final : public Filter {
 public:
  explicit LoopGuard(const http::Via& via) : via_(via) {}
  std::string_view name() const override { return "loop guard"; }
  Verdict on_request(RequestContext& context) const override;

 private:
  const http::Via& via_;
};

}  // namespace spillway::gateway
