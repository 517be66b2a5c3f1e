// server/control.cc: what is shown of a running instance: status, metrics, health.
#include "server/control.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "admin/json.h"
#include "runtime/process_stats.h"
#include "server/host_memory.h"
#include "server/status_view.h"
#include "telemetry/prometheus_text.h"

namespace spillway::server {

using admin::ComponentCheck;
using runtime::Task;

namespace {

// A failed write makes the access log unwell for this long.
constexpr Duration log_failure_shown = 60s;
// Below this share of descriptors or of memory the instance is not well any more.
constexpr double share_left_min = 0.05;

double share_of(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Control::Control(runtime::Loop& control, Server& server, telemetry::Log& log,
                 ControlOptions options)
    : control_(control),
      server_(server),
      log_(log),
      options_(std::move(options)),
      logs_(control),
      pulses_(control, server.workers()),
      exporter_(control, {.server = server,
                          .pulses = pulses_,
                          .log = log,
                          .operations = options_.operations,
                          .version = options_.version}),
      started_(control.now()),
      loaded_at_(control.wall_now()),
      closing_(control),
      tasks_(control) {}

void Control::start() {
  is_started_ = true;
  CHECK(tasks_.spawn(measure()));
}

Task<void> Control::close() {
  closing_.set();
  (void)co_await tasks_.close(Deadline::never());
}

Task<void> Control::measure() {
  while (!closing_.is_set()) {
    pulses_.ask_all();
    meter_.read(server_.registry().snapshot(), control_.now());
    if (const auto* access_log = server_.access_log()) {
      const uint64_t errors = access_log->status().write_errors;
      if (errors > log_errors_seen_) log_failed_at_ = control_.now();
      log_errors_seen_ = errors;
    }
    (void)co_await closing_.wait(
        Deadline::after(control_.now(), admin::TrafficMeter::reading_pause));
  }
}

upstream::ClusterStatus Control::status_of(gateway::Service& service) {
  return service.with(
      [&](gateway::ServiceState& state) { return state.cluster.status(control_.now()); });
}

std::vector<admin::ServiceStatus> Control::services() {
  std::vector<admin::SupervisedReplica> replicas;
  if (options_.operations != nullptr) replicas = options_.operations->replicas();
  std::vector<admin::ServiceStatus> result;
  for (const auto& [name, service] : server_.services().services()) {
    result.push_back(
        view_of(status_of(*service), server_.plan().services.at(name).is_supervised(), replicas));
  }
  return result;
}

admin::InstanceStatus Control::status() {
  const plan::Plan& plan = server_.plan();
  admin::InstanceStatus status{.name = plan.name,
                               .version = options_.version,
                               .pid = ::getpid(),
                               .uptime = control_.now() - started_,
                               .plan = options_.plan_source,
                               .plan_loaded_at = admin::time_text(loaded_at_),
                               .workers = static_cast<uint32_t>(server_.workers().size()),
                               .is_draining = server_.is_draining(),
                               .listeners = options_.listeners,
                               .admin = to_string(plan.admin),
                               .connections_open = server_.connections().taken(),
                               .connections_max = server_.connections().maximum(),
                               .traffic = meter_.traffic(),
                               .services = services()};
  std::vector<const telemetry::ActiveUsers*> sketches;
  for (const auto& worker : server_.workers()) sketches.push_back(&worker->active_users());
  status.traffic.active_users = telemetry::ActiveUsers::estimate(sketches, control_.now());
  if (const auto process = runtime::read_own_process()) {
    status.process = {.cpu = process->cpu,
                      .resident_bytes = process->resident_bytes,
                      .descriptors_open = process->open_descriptors,
                      .descriptors_max = process->descriptors_max};
  }
  return status;
}

std::string Control::metrics() {
  exporter_.gather();
  return telemetry::prometheus_text(server_.registry().snapshot());
}

ComponentCheck Control::check_service(const std::string& name, gateway::Service& service) {
  const upstream::ClusterStatus status = status_of(service);
  const auto usable = std::ranges::count_if(status.endpoints, is_usable);
  return {.name = "service " + name,
          .is_good = usable > 0,
          .detail = fmt::format("{} of {} endpoints usable", usable, status.endpoints.size())};
}

ComponentCheck Control::check_access_log() const {
  const bool has_failed = log_failed_at_ && control_.now() - *log_failed_at_ < log_failure_shown;
  return {.name = "access log",
          .is_good = !has_failed,
          .detail = has_failed ? fmt::format("writing to {} fails", server_.plan().access_log.to)
                    : server_.access_log() == nullptr ? "off"
                                                      : "writable"};
}

std::vector<ComponentCheck> Control::check() {
  std::vector<ComponentCheck> checks;
  for (size_t number = 0; number < pulses_.pulses().size(); ++number) {
    const Duration silence = pulses_.silence(number, control_.now());
    const bool is_good = silence < WorkerPulses::silence_max;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(silence).count();
    checks.push_back({.name = fmt::format("worker {}", number),
                      .is_good = is_good,
                      .detail = is_good ? "answers" : fmt::format("silent for {} s", seconds)});
  }
  for (const auto& [name, service] : server_.services().services()) {
    checks.push_back(check_service(name, *service));
  }
  checks.push_back(check_access_log());
  if (const auto process = runtime::read_own_process()) {
    const uint64_t left =
        process->descriptors_max - std::min(process->descriptors_max, process->open_descriptors);
    checks.push_back({.name = "descriptors",
                      .is_good = share_of(left, process->descriptors_max) >= share_left_min,
                      .detail = fmt::format("{} of {} left", left, process->descriptors_max)});
  }
  if (const auto memory = read_host_memory()) {
    const double left = share_of(memory->available_bytes, memory->total_bytes);
    checks.push_back({.name = "memory",
                      .is_good = left >= share_left_min,
                      .detail = fmt::format("{:.0f}% of {} available", left * 100,
                                            to_string(ByteSize::mib(memory->total_bytes >> 20)))});
  }
  return checks;
}

admin::Readiness Control::readiness() {
  if (!is_started_) return {.reason = "starting"};
  if (server_.is_draining()) return {.reason = "draining"};
  const auto& services = server_.services().services();
  if (services.empty()) return {.is_ready = true};  // Files and redirects wait for nobody.
  for (const auto& [name, service] : services) {
    if (std::ranges::any_of(status_of(*service).endpoints, is_usable)) return {.is_ready = true};
  }
  return {.reason = "no service has a usable endpoint"};
}

void LogTee::write_line(std::string_view line) {
  sink_.write_line(line);
  control_.post([this, text = std::string(line)] {
    if (ring_ != nullptr) ring_->append("spillway", true, text);
  });
}

}  // namespace spillway::server
