// http/forwarded.h: who the client is, and what the next hop is told about it.
#pragma once

#include <span>
#include <string_view>

#include "base/address.h"
#include "http/field.h"

namespace spillway::http {

// What is known of a request when it comes in. Views outlive the call.
struct ForwardedInput {
  IpAddress peer;                     // Of the socket, or from the PROXY header.
  std::span<const IpPrefix> trusted;  // Proxies whose word counts.
  std::string_view scheme;            // Of our own listener: "http" or "https".
  std::string_view authority;         // RequestHead::authority.
  bool with_forwarded = false;        // Also write RFC 7239's Forwarded.
};

// Views point into `buffer`, the fields, or the input.
struct ForwardedOutput {
  IpAddress client;              // For limits, logs and routing.
  bool peer_is_trusted = false;  // What it says is believed.
  std::string_view scheme;       // What the client used, as far as we may believe it.
  std::string_view host;         // The same; a Host value.
  // Field values to send on. X-Real-IP is real_ip, X-Forwarded-Proto is scheme, X-Forwarded-Host
  // is host (not sent if empty).
  std::string_view real_ip;
  std::string_view x_forwarded_for;
  std::string_view forwarded;  // Empty unless with_forwarded.
};

// The chain of X-Forwarded-For is believed only as far as trusted proxies wrote it: from its end,
// the first address that is not trusted is the client. Entries beyond this are not looked at.
inline constexpr size_t forwarded_hops_max = 32;

// From an untrusted peer, every incoming field of this kind is ignored and replaced. From a trusted
// one, X-Forwarded-For (if there is none, Forwarded; RFC 7239) names the client, the peer is
// appended to what is sent on, and the last X-Forwarded-Proto and X-Forwarded-Host hold if valid.
// Reads the fields only; take the old ones out with remove_forwarded before adding these.
// False: `buffer` is too small; answer 431.
[[nodiscard]] bool resolve_forwarded(const ForwardedInput& input, const HeaderList& fields,
                                     std::span<char> buffer, ForwardedOutput& output);

// Removes Forwarded, X-Forwarded-For, -Host, -Port and -Proto, and X-Real-IP; of other names that
// begin with X-Forwarded- (-Prefix, say) those that are not from a trusted peer. Spelt with
// underscores they are removed in any case: some services take them for those that they trust.
void remove_forwarded(HeaderList& fields, bool peer_is_trusted);

}  // namespace spillway::http
