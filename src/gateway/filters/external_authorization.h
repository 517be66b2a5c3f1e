// gateway/filters/external_authorization.h: asks a service whether a request may pass.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/filters/auth_metrics.h"
#include "gateway/request_context.h"
#include "gateway/service.h"
#include "gateway/subrequest.h"
#include "http/client_pool.h"
#include "identity/config.h"

namespace spillway::gateway {

// A question for each request: nothing is remembered, so what the service revokes is revoked. Its
// 2xx lets the request pass, with headers from the answer; its 401 and 403 go to the client; all
// else is a failure, answered 503 unless the plan says `on_failure: allow`. One core.
class ExternalAuthorization {
 public:
  // `config` outlives this.
  ExternalAuthorization(const identity::ExternalConfig& config, std::shared_ptr<Service> service,
                        http::ClientPool& pool);

  // The request's verdict: go_on or reply.
  runtime::Task<Verdict> ask(RequestContext& context, AuthMetrics& metrics) const;

 private:
  bool fill(const RequestContext& context, http::HeaderList& fields, std::string& target) const;
  static Verdict refuse(RequestContext& context, Reply reply);
  Verdict pass(RequestContext& context, const Reply& reply) const;
  Verdict fail_open_or_closed(RequestContext& context, AuthMetrics& metrics) const;

  const identity::ExternalConfig& config_;
  const std::shared_ptr<Service> service_;
  http::ClientPool& pool_;
  std::vector<std::string_view> wanted_;  // Of the answer: ours first, then `copy`, then `user`.
};

}  // namespace spillway::gateway
