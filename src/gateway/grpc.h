// gateway/grpc.h: what a proxy has to know of gRPC: its deadline, and how it says that it failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace spillway::gateway {

// "100m" and so on: at most eight digits and a unit (H, M, S, m, u, n). Nothing if malformed, which
// is as good as absent.
std::optional<Duration> parse_grpc_timeout(std::string_view text);

// The code of a call that we answer ourselves with this status of HTTP.
uint32_t grpc_code_of(uint16_t status);

// What grpc-message says of `text`: percent-encoded, as gRPC's own specification of it wants.
std::string grpc_message(std::string_view text);

}  // namespace spillway::gateway
