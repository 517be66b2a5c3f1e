// server/control.h: the running instance as the control API sees it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "admin/instance_view.h"
#include "admin/log_ring.h"
#include "admin/traffic_meter.h"
#include "plan/loader.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "server/exporter.h"
#include "server/server.h"
#include "server/worker_pulse.h"
#include "telemetry/log.h"

namespace spillway::server {

// What only whoever starts the program knows.
struct ControlOptions {
  std::string version;
  std::string plan_source;                       // The file, or the words of the command line.
  std::vector<admin::ListenerStatus> listeners;  // In the plan's order.
  std::function<plan::LoadResult()> load;   // Reads the plan again; null: it came without a file.
  std::function<void(bool now)> stop;       // Begins the end of the program.
  admin::Operations* operations = nullptr;  // Null: nothing is supervised.
};

// Bridges the control API to a Server. Lives on the control loop; it outlives no part of it.
class Control final : public admin::Instance {
 public:
  Control(runtime::Loop& control, Server& server, telemetry::Log& log, ControlOptions options);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // After Server::start(): /ready answers 200 from here on. Measures until close().
  void start();
  runtime::Task<void> close();

  admin::InstanceStatus status() override;
  std::string metrics() override;
  std::vector<admin::ComponentCheck> check() override;
  admin::Readiness readiness() override;
  admin::LogRing& logs() override { return logs_; }
  Result<gateway::Explanation> explain(const gateway::ExplainQuestion& question) override;

  runtime::Task<Result<admin::ReloadReport>> reload() override;
  Result<admin::DrainReport> set_draining(const std::string& endpoint, bool is_draining) override;
  std::vector<admin::ClientEntry> clients() override;
  runtime::Task<Result<void>> change_clients(admin::ClientChange change) override;
  admin::SwitchesStatus switches() override;
  runtime::Task<void> set_maintenance(std::optional<bool> is_on,
                                      std::optional<Duration> within) override;
  runtime::Task<Result<void>> set_split(std::string service,
                                        std::optional<gateway::SplitChange> change) override;
  runtime::Task<Result<void>> forget_client(IpPrefix prefix) override;
  runtime::Task<Result<std::vector<std::string>>> deploy(
      std::optional<std::string> service) override;
  Result<void> scale(const std::string& service, uint32_t replicas) override;
  runtime::Task<Result<void>> upgrade(std::string program) override;
  Result<void> stop(bool now) override;

 private:
  runtime::Task<void> measure();
  upstream::ClusterStatus status_of(gateway::Service& service);
  std::vector<admin::ServiceStatus> services();
  admin::ComponentCheck check_service(const std::string& name, gateway::Service& service);
  admin::ComponentCheck check_access_log() const;
  runtime::Task<admin::ReloadReport> apply(plan::LoadResult loaded);

  runtime::Loop& control_;
  Server& server_;
  telemetry::Log& log_;
  const ControlOptions options_;
  admin::LogRing logs_;
  WorkerPulses pulses_;
  Exporter exporter_;
  admin::TrafficMeter meter_;
  const Instant started_;
  WallTime loaded_at_;
  uint64_t log_errors_seen_ = 0;
  std::optional<Instant> log_failed_at_;
  bool is_started_ = false;
  bool is_reloading_ = false;
  runtime::Event closing_;
  runtime::Gate tasks_;
};

// Gives each line to `sink` and, through the control loop's mail, to the ring that `spillway logs`
// shows. Any thread; telemetry::Log bounds how many lines there are. Outlived by the loop.
class LogTee final : public telemetry::LogSink {
 public:
  LogTee(telemetry::LogSink& sink, runtime::Loop& control) : sink_(sink), control_(control) {}
  void write_line(std::string_view line) override;
  // From now on, or with null no longer. On the control loop, or before it runs.
  void show_in(admin::LogRing* ring) { ring_ = ring; }

 private:
  telemetry::LogSink& sink_;
  runtime::Loop& control_;
  admin::LogRing* ring_ = nullptr;  // Only touched on the control loop.
};

}  // namespace spillway::server
