// gateway/filters/loop_guard.cc: counting our own name in Via.
#include "gateway/filters/loop_guard.h"

namespace spillway::gateway {
namespace {

constexpr size_t passes_max = 2;

}  // namespace

std::optional<Refusal> LoopGuard::on_request(RequestContext& context) const {
  const http::RequestHead& request = context.exchange.request();
  if (!request.fields.has(http::Field::via)) return std::nullopt;
  if (via_.times_passed(request.fields) < passes_max) return std::nullopt;
  return Refusal{.status = 508, .text = "this request has come round to us again: a routing loop"};
}

}  // namespace spillway::gateway
