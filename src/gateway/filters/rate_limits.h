// gateway/filters/rate_limits.h: refuses what is more than the plan allows a client.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/gateway.h"
#include "gateway/rate_limit.h"
#include "gateway/request_context.h"
#include "gateway/shared_limits.h"

namespace spillway::gateway {

// The limits of each route, in two places: those by address, header, cookie or route before
// anything is spent on a request, those by user once it is known. A request that one limit refuses
// takes nothing from the others in the same place; the earlier place has counted it, as it counts
// one that shows a wrong token.
class RateLimiting final : public Filter {
 public:
  enum class Stage : uint8_t { early, by_user };

  RateLimiting(const GatewayParts& parts, const Routing& routing, telemetry::Scope& scope,
               Stage stage);
  std::string_view name() const override { return "rate limits"; }
  Verdict on_request(RequestContext& context) const override;
  // Of limits that are shared Redis decides; where it does not, this instance.
  runtime::Task<Verdict> finish_request(RequestContext& context) const override;
  static Stage stage_of(const LimitConfig& limit) {
    return limit.by.kind == LimitKey::Kind::user ? Stage::by_user : Stage::early;
  }

 private:
  struct Counted {
    void count(bool is_allowed) const { (is_allowed ? allowed : refused).add(); }

    RateLimit& limit;
    mutable telemetry::Counter allowed;  // Of this core.
    mutable telemetry::Counter refused;
    mutable telemetry::Counter shared;
    mutable telemetry::Counter local_fallback;
  };
  using Limits = std::vector<Counted>;
  class Taking;
  Verdict refuse(RequestContext& context, const RateStanding& standing) const;

  std::vector<Limits> by_route_;
  SharedLimits* const shared_;
};

// RateLimit, RateLimit-Policy and X-RateLimit-*, on answers that pass and on refusals.
class RateLimitFields final : public AnswerFilter {
 public:
  bool on_answer(RequestContext& context, AnswerHead& head) const override;
};

}  // namespace spillway::gateway
