// http/client_cert.cc: base64 between colons.
#include "http/client_cert.h"

#include "base/base64.h"

namespace spillway::http {

std::string client_cert_value(std::string_view der) {
  if (der.empty()) return {};
  return ":" + to_base64(der) + ":";
}

void remove_client_cert(HeaderList& fields) {
  fields.remove_if([](const HeaderField& field) {
    return is_same_variable(field.name, client_cert_field) ||
           is_same_variable(field.name, "client-cert-chain");
  });
}

}  // namespace spillway::http
