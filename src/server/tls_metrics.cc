// server/tls_metrics.cc: handshakes by version, group and resumption; failures by reason.
#include "server/tls_metrics.h"

namespace spillway::server {

TlsMetrics::TlsMetrics(telemetry::Registry& registry, uint32_t core)
    : registry_(registry),
      core_(core),
      handshakes_(registry.family({.name = "spillway_tls_handshakes_total",
                                   .help = "TLS handshakes with clients.",
                                   .label_names = {"version", "group", "resumed"}})),
      failures_(registry.family({.name = "spillway_tls_handshake_failures_total",
                                 .help = "TLS handshakes with clients that came to nothing.",
                                 .label_names = {"reason"}})) {}

void TlsMetrics::shook_hands(const runtime::TlsSession& session) {
  const bool is_13 = session.version() == "TLSv1.3";
  const bool is_resumed = session.is_resumed();
  const runtime::TlsGroup group = session.group();
  auto& counter = counters_[is_13 ? 1 : 0][is_resumed ? 1 : 0][static_cast<size_t>(group)];
  if (!counter) {
    counter = registry_.counter(
        handshakes_,
        {is_13 ? "1.3" : "1.2", std::string(to_string(group)), is_resumed ? "yes" : "no"}, core_);
  }
  counter->add();
}

void TlsMetrics::failed(Failure failure) {
  constexpr std::array<const char*, 4> reasons = {"protocol", "plain_http", "closed", "timeout"};
  registry_.counter(failures_, {reasons[static_cast<size_t>(failure)]}, core_).add();
}

}  // namespace spillway::server
