// gateway/filters/loop_guard.cc: counting our own name in Via.
#include "gateway/filters/loop_guard.h"

namespace spillway::gateway {
namespace {

constexpr size_t passes_max = 2;

}  // namespace

Verdict LoopGuard::on_request(RequestContext& context) const {
  const http::RequestHead& request = context.exchange.request();
  if (!request.fields.has(http::Field::via)) return Verdict::go_on;
  if (via_.times_passed(request.fields) < passes_max) return Verdict::go_on;
  return context.end_with(
      {.status = 508, .text = "this request has come round to us again: a routing loop"});
}

}  // namespace spillway::gateway
