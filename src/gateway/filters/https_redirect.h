// gateway/filters/https_redirect.h: sends clients of a listener without TLS to https.
#pragma once

#include "gateway/request_context.h"

namespace spillway::gateway {

// 308, so that a POST stays one (RFC 9110 section 15.4.9). Left alone: who came by https to a proxy
// that we trust, and the challenges of ACME.
// Asked by an issuer of certificates, in clear (RFC 8555 section 8.3): without an answer the
// certificate ends.
inline bool is_acme_challenge(const RequestContext& context) {
  return context.path.starts_with("/.well-known/acme-challenge/");
}

class HttpsRedirect final : public Filter {
 public:
  std::string_view name() const override { return "https redirect"; }
  Verdict on_request(RequestContext& context) const override;
};

}  // namespace spillway::gateway
