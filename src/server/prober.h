// server/prober.h: active health checks, once per process.
#pragma once

#include <string>

#include "base/time.h"
#include "http/health_probe.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "server/service_set.h"
#include "telemetry/log.h"

namespace spillway::server {

// Asks each endpoint of each service with `health` when the service's cluster says that it is due,
// and tells the cluster. Runs on the control loop. Probes out at once: one per endpoint.
class Prober {
 public:
  Prober(runtime::Loop& control, ServiceSet& services, telemetry::Log& log);

  runtime::Task<void> run();  // Until stop().
  void stop();
  // Endpoints or the plan have changed: probes may be due earlier.
  void wake() { wake_.set(); }

 private:
  runtime::Task<void> probe_one(std::shared_ptr<gateway::Service> service,
                                upstream::ProbeTarget target);

  runtime::Loop& control_;
  ServiceSet& services_;
  telemetry::Log& log_;
  runtime::Event wake_;
  runtime::Gate probes_;
  bool is_stopping_ = false;
};

}  // namespace spillway::server
