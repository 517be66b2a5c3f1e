// server/prober.cc: when to ask, whom, and what the answer means.
#include "server/prober.h"

#include <fmt/format.h>

#include <algorithm>

namespace spillway::server {

using gateway::ServiceState;
using runtime::Task;

namespace {

// Endpoints may come and go without a word to us: look again at least this often.
constexpr Duration look_again = 1s;

}  // namespace

Prober::Prober(runtime::Loop& control, ServiceSet& services, telemetry::Log& log)
    : control_(control), services_(services), log_(log), wake_(control), probes_(control) {}

Task<void> Prober::run() {
  while (!is_stopping_) {
    wake_.reset();
    Instant next = control_.now() + look_again;
    for (const auto& [name, service] : services_.services()) {
      const auto due = service->with([&](ServiceState& state) {
        auto targets = state.cluster.take_due_probes(control_.random(), control_.now());
        next = std::min(next, state.cluster.next_probe_at());
        return targets;
      });
      for (const upstream::ProbeTarget& target : due) probes_.spawn(probe_one(service, target));
    }
    (void)co_await wake_.wait(Deadline::at(next));
  }
  (void)co_await probes_.close(Deadline::never());  // Each has its own timeout.
}

void Prober::stop() {
  is_stopping_ = true;
  wake_.set();
}

Task<void> Prober::probe_one(std::shared_ptr<gateway::Service> service,
                             upstream::ProbeTarget target) {
  const auto& config = service->config().health;
  if (!config) co_return;
  auto answer = co_await http::probe(
      control_,
      {.address = target.address,
       .path = config->path,
       .host = config->host.value_or(std::string{}),
       .user_agent = config->user_agent,
       .is_http2 = service->config().protocol == upstream::UpstreamProtocol::http2,
       .tls = service->tls(),
       .grpc = config->grpc},
      Deadline::after(control_.now(), config->timeout));
  const bool is_good = answer && answer->is_serving && config->status.contains(answer->status);
  const std::string detail =
      answer
          ? fmt::format("{}{} in {} ms", answer->status, answer->is_serving ? "" : " (not serving)",
                        std::chrono::duration_cast<std::chrono::milliseconds>(answer->took).count())
          : answer.error().detail;
  const bool changed = service->with([&](ServiceState& state) {
    const bool did = state.cluster.record_probe(target.id, is_good, detail, control_.now());
    if (did) state.grant(control_.now(), control_.random());
    return did;
  });
  if (changed) {
    log_.warn(is_good ? "endpoint is healthy" : "endpoint is unhealthy",
              {{"service", service->name()}, {"endpoint", target.name}, {"probe", detail}});
  }
}

}  // namespace spillway::server
