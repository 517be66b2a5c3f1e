// admin/access_guard.h: who may ask the control API for what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "http/exchange.h"

namespace spillway::admin {

// Why a request goes no further.
struct Denial {
  uint16_t status = 403;
  std::string_view code;  // Literals.
  std::string_view message;
};

// What the control listener expects of a request. Immutable.
struct AccessRules {
  std::string token;  // Never empty.
  SocketAddress at;   // Where the control listener is bound.
};

// The order of the checks is the order of the threats: a browser that was led here by DNS rebinding
// (a strange Host), a page of another origin (Origin), then whoever has no token. Clients beyond
// this machine need the token for everything.
std::optional<Denial> check_access(const AccessRules& rules, const http::RequestHead& request,
                                   const SocketAddress& peer, bool needs_token);

// "localhost", a loopback address, or the listener's own. `host` as RequestHead has it.
bool is_own_host(std::string_view host, const SocketAddress& at);

// In time that depends on the lengths alone.
bool equals_in_constant_time(std::string_view a, std::string_view b);

}  // namespace spillway::admin
