// http/ip_text.h: reads an IP address out of protocol text without allocating.
#pragma once

#include <optional>
#include <string_view>

#include "base/address.h"

namespace spillway::http {

// As IpAddress::parse, for untrusted text on hot paths: no copy to the heap, no words on failure.
std::optional<IpAddress> ip_from_text(std::string_view text);

// A node of X-Forwarded-For or of Forwarded's "for" (RFC 7239 section 6): an address, perhaps in
// double quotes, in brackets or with a port. Nothing for "unknown" and "_hidden" names.
std::optional<IpAddress> ip_from_node(std::string_view node);

}  // namespace spillway::http
