// http/health_probe.h: asks an endpoint once how it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "http/upstream_tls.h"
#include "runtime/loop.h"
#include "runtime/task.h"

namespace spillway::http {

struct ProbeRequest {
  SocketAddress address;
  std::string path;  // Begins with '/'; checked by the plan.
  std::string host;  // Of the Host field; empty: the address.
  std::string user_agent;
  bool is_http2 = false;            // Without TLS: with prior knowledge.
  UpstreamTlsPtr tls = {};          // Null: no TLS.
  std::optional<std::string> grpc;  // A service's name: grpc.health.v1 is asked instead of `path`.
};

struct ProbeAnswer {
  uint16_t status = 0;
  bool is_serving = true;  // False only where gRPC says so.
  Duration took{};
};

// One GET on a connection of its own, closed afterwards, or one call of
// grpc.health.v1.Health/Check. The body of a GET's answer is not read: the head is the answer.
// Errors: connection_refused, deadline_exceeded, connection_closed, protocol.
runtime::Task<Result<ProbeAnswer>> probe(runtime::Loop& loop, ProbeRequest request,
                                         Deadline deadline);

}  // namespace spillway::http
