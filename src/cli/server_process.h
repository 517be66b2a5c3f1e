// cli/server_process.h: a server with its control API in this process, from start to end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/control_api.h"
#include "admin/control_listener.h"
#include "cli/file_watch.h"
#include "cli/output.h"
#include "cli/plan_source.h"
#include "deploy/instance.h"
#include "runtime/gate.h"
#include "runtime/loop.h"
#include "runtime/signals.h"
#include "server/control.h"
#include "server/server.h"
#include "telemetry/log.h"
#include "telemetry/registry.h"

namespace spillway::cli {

// Lines of our own log on standard error.
class ErrorStream final : public telemetry::LogSink {
 public:
  void write_line(std::string_view line) override;
};

// Owns everything that lives on the control loop. One per process; one thread, that of the loop.
class ServerProcess {
 public:
  ServerProcess(std::unique_ptr<runtime::Driver> driver, PlanSource source, const plan::Plan& plan,
                Output& output);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  // Before any thread: signals blocked, sockets bound, workers running, instance published. Errors:
  // what could not be opened, and why.
  Result<void> start();
  // Reload whenever one of these files changes.
  void watch(const std::vector<std::string>& files);
  // Until stopped by a signal or a command: the exit status.
  int run();

 private:
  Result<void> listen();
  Result<void> publish();
  void announce();
  void begin_stop(bool now);
  runtime::Task<void> follow_signals();
  runtime::Task<void> follow_files();
  runtime::Task<void> reload();
  runtime::Task<void> stop();

  Output& output_;
  const PlanSource source_;
  runtime::Loop loop_;
  ErrorStream errors_;
  server::LogTee tee_;
  telemetry::Log log_;
  telemetry::Registry registry_;
  server::Server server_;
  std::vector<server::ListeningSockets> sockets_;
  std::vector<admin::ListenerStatus> listeners_;
  std::string admin_;
  int admin_socket_ = -1;
  std::string token_;
  std::optional<runtime::Signals> signals_;
  std::optional<server::Control> control_;
  std::optional<admin::ControlApi> api_;
  std::optional<admin::ControlListener> api_listener_;
  std::optional<deploy::InstanceFile> instance_file_;
  FileWatch files_;
  Deadline stop_deadline_ = Deadline::never();
  bool is_stopping_ = false;
  bool was_in_order_ = true;
  runtime::Event stop_now_;
  runtime::Event ended_;
  runtime::Gate tasks_;
};

}  // namespace spillway::cli
