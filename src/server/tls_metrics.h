// server/tls_metrics.h: what is counted of one core's TLS handshakes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/config.h"
#include "runtime/tls_session.h"
#include "telemetry/registry.h"

namespace spillway::server {

// One core.
class TlsMetrics {
 public:
  TlsMetrics(telemetry::Registry& registry, uint32_t core);

  void shook_hands(const runtime::TlsSession& session);
  enum class Failure : uint8_t { protocol, plain_http, closed, timeout };
  void failed(Failure failure);

 private:
  // By version, by whether it was resumed, by group; made when first met.
  using Counters = std::array<std::optional<telemetry::Counter>, runtime::tls_group_count>;

  telemetry::Registry& registry_;
  const uint32_t core_;
  const telemetry::Family& handshakes_;
  const telemetry::Family& failures_;
  std::array<std::array<Counters, 2>, 2> counters_;
};

}  // namespace spillway::server
