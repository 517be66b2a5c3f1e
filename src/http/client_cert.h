// http/client_cert.h: Client-Cert (RFC 9440), by which a service learns who called.
#pragma once

#include <string>
#include <string_view>

#include "http/field.h"

namespace spillway::http {

inline constexpr std::string_view client_cert_field = "client-cert";

// Of a certificate in DER, as a Byte Sequence (RFC 8941 section 3.3.5): ":MIIB...=:". Empty of
// nothing.
std::string client_cert_value(std::string_view der);

// Removes Client-Cert and Client-Cert-Chain: only a proxy may say that (RFC 9440 section 4).
void remove_client_cert(HeaderList& fields);

}  // namespace spillway::http
