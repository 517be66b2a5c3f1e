// deploy/local_replicas.h: the orchestrator that runs a plan's commands on this machine.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "deploy/orchestrator.h"
#include "deploy/service_keeper.h"
#include "deploy/supervisor_channel.h"

namespace spillway::deploy {

// Lives in the server process; asks the supervisor to start and stop. Replicas that ran before this
// server keep their slots, after one answer to the ready probe. One core. Order: construct with the
// handover's replicas, apply(), then SupervisorChannel::run() with this as ReplicaNotices; close()
// before it is destroyed.
class LocalReplicas final : public Orchestrator, public ReplicaNotices {
 public:
  LocalReplicas(KeeperContext context, std::vector<RunningReplica> running)
      : context_(context), unclaimed_(std::move(running)) {}

  void apply(const std::map<std::string, ProcessConfig>& services) override;
  runtime::Task<Result<void>> deploy(std::string service, Deadline deadline) override;
  Result<void> scale(const std::string& service, uint32_t count) override;
  std::vector<ReplicaStatus> status() const override;

  // False in a server started for an upgrade, until it has said that it is ready.
  bool has_taken_over() const { return has_taken_over_; }

  // Leaves every replica running and decides nothing more: for the drain of this server.
  runtime::Task<void> close();

  void take_over() override;
  void held(RunningReplica replica) override;
  void exited(const ReplicaExited& notice) override;

 private:
  Result<ServiceKeeper*> find(const std::string& service);
  runtime::Task<void> stop_unclaimed(uint64_t number);
  void stop_all_unclaimed();

  const KeeperContext context_;
  std::map<std::string, std::unique_ptr<ServiceKeeper>> keepers_;
  std::vector<std::unique_ptr<ServiceKeeper>> leaving_;  // Of services no longer in the plan.
  std::vector<RunningReplica> unclaimed_;                // Of services that we do not know.
  bool has_taken_over_ = false;
  bool is_closing_ = false;
  runtime::Gate gate_{context_.loop};
};

}  // namespace spillway::deploy
