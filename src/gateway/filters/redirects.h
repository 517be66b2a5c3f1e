// gateway/filters/redirects.h: routes that send clients elsewhere.
#pragma once

#include "gateway/request_context.h"

namespace spillway::gateway {

class Redirects final : public Filter {
 public:
  std::string_view name() const override { return "redirect"; }
  Verdict on_request(RequestContext& context) const override;
};

}  // namespace spillway::gateway
