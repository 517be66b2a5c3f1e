// gateway/filters/redirects.cc: Location, filled in.
#include "gateway/filters/redirects.h"

#include "gateway/template.h"

namespace spillway::gateway {

Verdict Redirects::on_request(RequestContext& context) const {
  const auto& redirect = context.route->redirect;
  if (!redirect) return Verdict::go_on;
  const auto location = fill_in(redirect->to, context);
  if (!location) return context.end_with({.status = 414, .text = "the address is too long"});
  return context.end_with({.status = static_cast<uint16_t>(redirect->status),
                           .text = "this is elsewhere",
                           .fields = {{"location", std::string(*location)}}});
}

}  // namespace spillway::gateway
