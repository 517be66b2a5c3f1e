// admin/instance_view.h: the seam between the control API and the instance that it shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "admin/client_entry.h"
#include "admin/log_ring.h"
#include "admin/status.h"
#include "admin/switch_entry.h"
#include "base/error.h"
#include "gateway/explain.h"
#include "gateway/switches.h"
#include "plan/diff.h"
#include "plan/plan.h"
#include "plan/problem.h"
#include "runtime/task.h"

namespace spillway::admin {

// What became of a reload: applied whole or not at all.
struct ReloadReport {
  bool was_applied = false;
  std::string refusal;  // Why not, in one sentence.
  std::vector<plan::Problem> errors;
  std::vector<plan::Problem> warnings;
  std::vector<plan::Change> changes;
};

struct DrainReport {
  std::string service;
  std::string endpoint;
  uint32_t in_flight = 0;  // Still under way there.
};

// Whether requests can be served right now.
struct Readiness {
  bool is_ready = false;
  std::string reason;  // Why not.
};

// A running instance. server/ has the real one, tests a made-up one. Called on the control loop
// only; nothing here waits for a client.
class Instance {
 public:
  virtual InstanceStatus status() = 0;
  virtual std::string metrics() = 0;  // Prometheus text.
  virtual std::vector<ComponentCheck> check() = 0;
  virtual Readiness readiness() = 0;
  virtual LogRing& logs() = 0;
  virtual Result<gateway::Explanation> explain(const gateway::ExplainQuestion& question) = 0;

  // Reads the plan again. An Error is for what has nothing to do with the plan's text.
  virtual runtime::Task<Result<ReloadReport>> reload() = 0;
  // By the endpoint's name or address. Errors: not_found; invalid, several have that name.
  virtual Result<DrainReport> set_draining(const std::string& endpoint, bool is_draining) = 0;
  // Who is allowed and denied, by the plan and by edits. An edit is in force when it returns.
  // Errors: limit_exceeded; not_found.
  virtual std::vector<ClientEntry> clients() = 0;
  virtual runtime::Task<Result<void>> change_clients(ClientChange change) = 0;
  virtual runtime::Task<Result<void>> forget_client(IpPrefix prefix) = 0;
  // Maintenance and the shares of splits. A change is in force when it returns; nothing: as the
  // plan says. Errors: not_found; invalid.
  virtual SwitchesStatus switches() = 0;
  virtual runtime::Task<void> set_maintenance(std::optional<bool> is_on,
                                              std::optional<Duration> within) = 0;
  virtual runtime::Task<Result<void>> set_split(std::string service,
                                                std::optional<gateway::SplitChange> change) = 0;
  // These need a supervisor. Errors: not_found, invalid; permission: nothing is supervised here.
  // Names of the services that were deployed; all if none is given.
  virtual runtime::Task<Result<std::vector<std::string>>> deploy(
      std::optional<std::string> service) = 0;
  virtual Result<void> scale(const std::string& service, uint32_t replicas) = 0;
  virtual runtime::Task<Result<void>> upgrade(std::string program) = 0;
  // Begins the end; `now`: without waiting for what is under way. Returns before the end.
  virtual Result<void> stop(bool now) = 0;

 protected:
  ~Instance() = default;
};

// A replica as Operations knows it; joined to its endpoint by name.
struct SupervisedReplica {
  std::string service;
  std::string name;     // "web.1", as its endpoint is called.
  std::string address;  // Empty while none runs.
  ReplicaStatus status;
};

// What an instance with a supervisor can do beyond that. An Instance without one refuses.
class Operations {
 public:
  virtual runtime::Task<Result<void>> deploy(std::string service) = 0;
  virtual Result<void> scale(const std::string& service, uint32_t replicas) = 0;
  virtual runtime::Task<Result<void>> upgrade(std::string program) = 0;
  virtual std::vector<SupervisedReplica> replicas() = 0;
  // A reload has been applied to the server: replicas follow.
  virtual void apply(const plan::Plan& plan) = 0;

 protected:
  ~Operations() = default;
};

}  // namespace spillway::admin
