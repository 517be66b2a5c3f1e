// server/name_resolution.h: keeps the addresses of endpoints that the plan gives by host name.
#pragma once

#include <string>

#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/loop.h"
#include "runtime/resolver.h"
#include "runtime/task.h"
#include "server/service_set.h"
#include "telemetry/log.h"

namespace spillway::server {

// Asks the system for every name again and again, and tells the services what has changed. A name
// that cannot be resolved keeps its last addresses: a name server's trouble is not the
// application's. On the control loop.
class NameResolution {
 public:
  NameResolution(runtime::Loop& control, ServiceSet& services, runtime::Resolver& resolver,
                 telemetry::Log& log);

  runtime::Task<void> run();  // Until stop().
  void stop();
  void wake() { wake_.set(); }  // The plan has changed.

 private:
  runtime::Task<void> resolve_all();

  runtime::Loop& control_;
  ServiceSet& services_;
  runtime::Resolver& resolver_;
  telemetry::Log& log_;
  runtime::Event wake_;
  bool is_stopping_ = false;
};

}  // namespace spillway::server
