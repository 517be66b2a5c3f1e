// server/replica_endpoints.h: what becomes of replicas, told to the services that route to them.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "admin/log_ring.h"
#include "deploy/orchestrator.h"
#include "runtime/line_writer.h"
#include "runtime/loop.h"
#include "server/service_set.h"

namespace spillway::server {

// Bridges deploy/ to the gateway's services. On the control loop.
class ReplicaEndpoints final : public deploy::EndpointObserver, public deploy::ReadyProbe {
 public:
  // `output` takes replicas' lines, for people: "web.1 | text". `changed` is called after each
  // change of the ready replicas.
  ReplicaEndpoints(runtime::Loop& control, ServiceSet& services, runtime::LineWriter& output,
                   std::function<void()> changed);

  // Lines go there as well, for `spillway logs`.
  void show_in(admin::LogRing* ring) { ring_ = ring; }
  size_t ready_count() const;
  // After a reload: services may be new, and must hear what is ready.
  void refresh();

  void endpoint_ready(const deploy::ReplicaEndpoint& endpoint) override;
  void endpoint_gone(const deploy::ReplicaEndpoint& endpoint) override;
  runtime::Task<void> endpoint_leaving(deploy::ReplicaEndpoint endpoint,
                                       Deadline deadline) override;
  void endpoint_wrote(const std::string& name, bool is_error, std::string_view line) override;
  runtime::Task<Result<void>> probe_ready(deploy::ReplicaEndpoint endpoint,
                                          std::optional<std::string> path,
                                          Deadline deadline) override;

 private:
  void publish(const std::string& service);
  uint32_t in_flight(const deploy::ReplicaEndpoint& endpoint);

  runtime::Loop& control_;
  ServiceSet& services_;
  runtime::LineWriter& output_;
  std::function<void()> changed_;
  admin::LogRing* ring_ = nullptr;
  std::map<std::string, std::map<uint64_t, deploy::ReplicaEndpoint>> ready_;  // By service, number.
};

}  // namespace spillway::server
