// gateway/filters/parameter_limit.h: bounds how many parameters a query has.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gateway/request_context.h"

namespace spillway::gateway {

// Services make tables of parameters; this bounds what a request makes them do.
class ParameterLimit final : public Filter {
 public:
  explicit ParameterLimit(uint32_t most) : most_(most) {}
  std::string_view name() const override { return "parameter limit"; }
  Verdict on_request(RequestContext& context) const override {
    const std::string_view query = context.exchange.request().query;
    if (query.size() < most_) return Verdict::go_on;  // The common case: nothing to count.
    const size_t parameters = query.empty() ? 0 : 1 + std::ranges::count(query, '&');
    if (parameters <= most_) return Verdict::go_on;
    return context.end_with({.status = 400, .text = "too many query parameters"});
  }

 private:
  const uint32_t most_;
};

}  // namespace spillway::gateway
