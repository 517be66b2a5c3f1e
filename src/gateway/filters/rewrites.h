// gateway/filters/rewrites.h: what a service is asked for, where that is not what the client did.
#pragma once

#include "gateway/request_context.h"

namespace spillway::gateway {

// Whatever was matched and authorised stays what it was; only what goes upstream is another path,
// in the one normal form (http/path.h) as well.
class Rewrites final : public Filter {
 public:
  std::string_view name() const override { return "rewrite"; }
  Verdict on_request(RequestContext& context) const override;
};

}  // namespace spillway::gateway
