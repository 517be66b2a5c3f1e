// gateway/filters/header_rules.h: fields that a plan removes, sets and adds.
#pragma once

#include "gateway/request_context.h"

namespace spillway::gateway {

// On their way to a service: the plan's rules for all, then the route's.
class RequestHeaders final : public Filter {
 public:
  explicit RequestHeaders(const GatewayConfig& config) : config_(config) {}
  std::string_view name() const override { return "request headers"; }
  Verdict on_request(RequestContext& context) const override;

 private:
  const GatewayConfig& config_;  // The plan's, which outlives us.
};

// On the way back, for every answer.
class ResponseHeaders final : public AnswerFilter {
 public:
  explicit ResponseHeaders(const GatewayConfig& config) : config_(config) {}
  bool on_answer(RequestContext& context, AnswerHead& head) const override;

 private:
  const GatewayConfig& config_;
};

}  // namespace spillway::gateway
