// server/local_operations.h: what the control API can do with replicas on this machine.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "admin/instance_view.h"
#include "deploy/local_replicas.h"
#include "deploy/supervisor_channel.h"
#include "runtime/blocking_pool.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "server/replica_endpoints.h"

namespace spillway::server {

// Over the supervisor and its replicas. On the control loop.
class LocalOperations final : public admin::Operations {
 public:
  LocalOperations(runtime::Loop& control, deploy::SupervisorChannel& channel,
                  deploy::LocalReplicas& replicas, ReplicaEndpoints& endpoints,
                  runtime::BlockingPool& pool);

  runtime::Task<Result<void>> deploy(std::string service) override;
  Result<void> scale(const std::string& service, uint32_t count) override;
  runtime::Task<Result<void>> upgrade(std::string program) override;
  std::vector<admin::SupervisedReplica> replicas() override;
  void apply(const plan::Plan& plan) override;

  // Samples CPU and memory of all replicas until stop().
  runtime::Task<void> measure();
  void stop() { stopping_.set(); }

 private:
  struct Sample {
    Instant at{};
    runtime::ProcessUsage usage;
    double cpu_share = 0;
  };

  runtime::Loop& control_;
  deploy::SupervisorChannel& channel_;
  deploy::LocalReplicas& replicas_;
  ReplicaEndpoints& endpoints_;
  runtime::BlockingPool& pool_;
  runtime::Event stopping_;
  std::map<uint64_t, Sample> samples_;  // By replica number.
};

}  // namespace spillway::server
