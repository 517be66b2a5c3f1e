// gateway/filters/authentication.h: lets a request pass only if its caller proves who it is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/filters/external_authorization.h"
#include "gateway/gateway.h"
#include "gateway/identity_rules.h"
#include "gateway/request_context.h"
#include "identity/jwt.h"

namespace spillway::gateway {

// The route says which ways it takes; the first that the caller passes is enough. Headers that we
// write from what is proven are removed from every request first, on every route. Nobody who is
// refused learns more than which kind of proof is missing or wrong.
class Authentication final : public Filter {
 public:
  Authentication(const GatewayParts& parts, const Routing& routing, http::ClientPool& pool);
  ~Authentication() override;
  std::string_view name() const override { return "authentication"; }
  Verdict on_request(RequestContext& context) const override;
  runtime::Task<Verdict> finish_request(RequestContext& context) const override;

 private:
  // What one way comes to. `over` and `waits` end the search.
  enum class Finding : uint8_t {
    passed,
    absent,   // The caller shows nothing of that kind.
    refused,  // It is wrong; perhaps another way is right.
    waits,    // The answer takes a while: finish_request() has it.
    over,     // RequestContext::reply is set.
  };
  struct Core;

  std::optional<std::string_view> take_key(http::HeaderList& fields) const;
  Finding look(AuthMethod method, RequestContext& context,
               std::optional<std::string_view> key) const;
  std::optional<std::string_view> find_token(const http::HeaderList& fields) const;
  Finding look_at_token(RequestContext& context) const;
  Finding look_at_key(RequestContext& context, std::optional<std::string_view> key) const;
  Finding look_at_password(RequestContext& context) const;
  Finding refuse_token(RequestContext& context, identity::TokenFault fault) const;
  Finding forbid(RequestContext& context) const;
  Finding tell_service(RequestContext& context, const identity::Claims& claims) const;
  static std::optional<identity::BasicCredentials> find_credentials(const http::HeaderList& fields,
                                                                    identity::BasicText& text);
  static Finding know_user(RequestContext& context, std::string_view user);
  runtime::Task<Finding> hash_password(RequestContext& context) const;
  Verdict refuse(RequestContext& context) const;
  std::string challenge(AuthMethod method, const RequestContext& context) const;

  const std::shared_ptr<const IdentityRules> rules_;
  const std::unique_ptr<Core> core_;  // What is used again for each request, and what is counted.
  std::vector<std::string> ours_;     // Headers that only we may write.
  std::optional<ExternalAuthorization> external_;
};

}  // namespace spillway::gateway
