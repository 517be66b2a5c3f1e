// gateway/filters/method_policy.h: refuses the methods that a reverse proxy has no use for.
#pragma once

#include "gateway/request_context.h"

namespace spillway::gateway {

// CONNECT would make us a forward proxy; TRACE shows a client what other proxies added (RFC 9110
// sections 9.3.6 and 9.3.8). No Filter, for it comes before the path: CONNECT has none.
Verdict check_method(RequestContext& context);

}  // namespace spillway::gateway
