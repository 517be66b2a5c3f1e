// gateway/filters/client_certificate.cc: Client-Cert, written anew.
#include "gateway/filters/client_certificate.h"

#include "http/client_cert.h"

namespace spillway::gateway {

Verdict ClientCertificate::on_request(RequestContext& context) const {
  http::HeaderList& fields = context.exchange.request().fields;
  http::remove_client_cert(fields);
  const std::string_view certificate = context.exchange.client().certificate;
  if (certificate.empty() || fields.add(http::client_cert_field, certificate)) {
    return Verdict::go_on;
  }
  return context.end_with({.status = 431, .text = "too many header fields"});
}

}  // namespace spillway::gateway
