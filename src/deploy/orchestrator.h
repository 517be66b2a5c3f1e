// deploy/orchestrator.h: the extension point between wanted replicas and running ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "deploy/config.h"
#include "deploy/status.h"
#include "runtime/task.h"

namespace spillway::deploy {

// Somewhere a service's requests can go.
struct ReplicaEndpoint {
  std::string service;
  std::string name;     // "web.1": the same again for what replaces it.
  uint64_t number = 0;  // Never the same again.
  SocketAddress address;
};

// Whoever routes requests. Called on the orchestrator's core.
class EndpointObserver {
 public:
  virtual void endpoint_ready(const ReplicaEndpoint& endpoint) = 0;
  // It ended by itself, or has left.
  virtual void endpoint_gone(const ReplicaEndpoint& endpoint) = 0;
  // It is to be stopped: gets nothing new from here on. Returns when nothing is under way there, or
  // at the deadline.
  virtual runtime::Task<void> endpoint_leaving(ReplicaEndpoint endpoint, Deadline deadline) = 0;
  // A line that it wrote, without its end; cut at 16 KiB.
  virtual void endpoint_wrote(const std::string& name, bool is_error, std::string_view line) = 0;

 protected:
  ~EndpointObserver() = default;
};

// Asks whether a replica may get requests. The http module has the one probe; this seam keeps the
// orchestrators free of it.
class ReadyProbe {
 public:
  // Without a path: whether the port accepts a connection.
  virtual runtime::Task<Result<void>> probe_ready(ReplicaEndpoint endpoint,
                                                  std::optional<std::string> path,
                                                  Deadline deadline) = 0;

 protected:
  ~ReadyProbe() = default;
};

// Real versions: LocalReplicas, and Kubernetes. One core.
class Orchestrator {
 public:
  virtual ~Orchestrator() = default;

  // From now on these services, and no others, are to run so. A changed command is rolled out, a
  // changed number is scaled to; returns at once.
  virtual void apply(const std::map<std::string, ProcessConfig>& services) = 0;
  // Replaces every replica of the service by a fresh one of the same command. Returns when that is
  // done. Errors: not_found; invalid, a new replica failed and the old were kept;
  // deadline_exceeded, it goes on.
  virtual runtime::Task<Result<void>> deploy(std::string service, Deadline deadline) = 0;
  // Within the plan's bounds, until the next apply() with other bounds. Errors: not_found, invalid.
  virtual Result<void> scale(const std::string& service, uint32_t count) = 0;
  virtual std::vector<ReplicaStatus> status() const = 0;
};

}  // namespace spillway::deploy
