// gateway/filters/client_certificate.h: tells services which certificate a client showed.
#pragma once

#include "gateway/request_context.h"

namespace spillway::gateway {

// Client-Cert (RFC 9440), whatever the client wrote there itself.
class ClientCertificate final : public Filter {
 public:
  std::string_view name() const override { return "client certificate"; }
  Verdict on_request(RequestContext& context) const override;
};

}  // namespace spillway::gateway
