// deploy/service_keeper.h: keeps the replicas of one service: how many, which version.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deploy/config.h"
#include "deploy/orchestrator.h"
#include "deploy/replica_output.h"
#include "deploy/restart_policy.h"
#include "deploy/rollout.h"
#include "deploy/supervisor_channel.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "telemetry/log.h"

namespace spillway::deploy {

// What all services of a server share. Everything outlives the keepers.
struct KeeperContext {
  runtime::Loop& loop;
  SupervisorChannel& channel;
  ReadyProbe& probe;
  EndpointObserver& observer;
  telemetry::Log& log;
  Duration drain;  // What a replica that leaves may take to finish its requests.
};

// A command as it is to run. Immutable, shared by the slots that run it.
struct ServiceVersion {
  ProcessConfig config;
  std::string spec;      // Equal if and only if the replicas would be the same.
  bool is_known = true;  // False: found running, started from a plan that we have not seen.
};
std::shared_ptr<const ServiceVersion> make_version(const ProcessConfig& config);

// Three kinds of coroutine: manage() scales and rolls out, one thing at a time; keep_slot() holds
// one replica of the current version in each slot; replace() exchanges the replica of one slot
// during a rollout, while its keep_slot() stands aside. One core; close() before it is destroyed.
class ServiceKeeper {
 public:
  ServiceKeeper(KeeperContext context, std::string name, const ProcessConfig& config);
  ServiceKeeper(const ServiceKeeper&) = delete;
  ServiceKeeper& operator=(const ServiceKeeper&) = delete;

  void apply(const ProcessConfig& config);
  runtime::Task<Result<void>> deploy(Deadline deadline);
  Result<void> scale(uint32_t count);
  void remove();  // Scales to nothing.
  bool is_gone() const { return is_removed_ && gate_.count() == 0; }
  void status(std::vector<ReplicaStatus>& into) const;

  void take_over();
  // One that runs already: it takes its slot, or is stopped once we have taken over.
  void adopt(RunningReplica replica);
  void exited(const ReplicaExited& notice);
  // Leaves every replica running and decides nothing more.
  runtime::Task<void> close();

 private:
  struct Live {
    Live(runtime::Loop& loop, ReplicaRecord its_record)
        : record(std::move(its_record)), ended(loop) {}
    ReplicaRecord record;
    ReplicaState state = ReplicaState::starting;
    std::optional<Instant> ready_at;
    runtime::Event ended;
    std::optional<runtime::ExitStatus> exit;
    bool is_announced = false;  // The observer counts on it.
  };
  enum class Caller : uint8_t { keep_slot, replace };
  struct Slot {
    Slot(runtime::Loop& loop, uint32_t its_index, std::shared_ptr<const ServiceVersion> its_version)
        : index(its_index),
          version(std::move(its_version)),
          policy(version->config.restart),
          changed(loop),
          idle(loop),
          finished(loop) {}
    uint32_t index;
    std::shared_ptr<const ServiceVersion> version;
    RestartPolicy policy;
    runtime::Event changed;
    runtime::Event idle;      // keep_slot() is not busy with a replica of its own.
    runtime::Event finished;  // keep_slot() has ended.
    Live* current = nullptr;
    Instant start_at{};
    bool has_given_up = false;
    bool is_busy = false;
    bool is_replacing = false;
    bool is_retired = false;
    uint32_t restarts = 0;
    std::optional<runtime::ExitStatus> last_exit;
    std::optional<std::string> last_error;
  };

  // service_keeper.cc: how many.
  runtime::Task<void> manage();
  void grow();
  runtime::Task<void> shrink();
  void add_slot();
  runtime::Task<void> keep_slot(Slot& slot);
  runtime::Task<void> fill(Slot& slot);
  runtime::Task<void> settle(Slot& slot);
  void slot_failed(Slot& slot, std::optional<runtime::ExitStatus> exit, const std::string& reason,
                   Duration ready_for);
  void note_end(Slot& slot);

  // service_rollout.cc: which version.
  bool needs_rollout() const;
  bool has_way_back() const;
  runtime::Task<void> roll_out();
  void finish_rollout(const Rollout& rollout);
  runtime::Task<void> replace(Slot& slot, std::shared_ptr<const ServiceVersion> version,
                              Rollout& rollout);

  // replica_life.cc: one replica.
  using Version = std::shared_ptr<const ServiceVersion>;
  runtime::Task<Result<Live*>> bring_up(Slot& slot, Version version, Caller caller);
  runtime::Task<Result<void>> make_ready(Slot& slot, Live& live, Version version, Caller caller);
  runtime::Task<void> take_down(Live& live, Duration grace);
  runtime::Task<void> stop(Live& live, Duration grace);
  Live& add(RunningReplica replica);
  void read_output(runtime::FileHandle pipe, const std::string& name, bool is_error);
  runtime::Task<void> follow_output(std::list<ReplicaOutput>::iterator output);
  void announce(Live& live);
  void tell_gone(Live& live);
  ReplicaEndpoint endpoint(const Live& live) const;
  StartReplica request(uint32_t index, const ServiceVersion& version) const;

  const KeeperContext context_;
  const std::string name_;
  std::shared_ptr<const ServiceVersion> wanted_;
  std::string refused_spec_;  // A version that failed to roll out: not tried again unasked.
  uint32_t wanted_count_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::map<uint64_t, std::unique_ptr<Live>> live_;
  std::vector<uint64_t> strays_;  // Live ones in no slot, to be stopped once we have taken over.
  std::list<ReplicaOutput> outputs_;  // Two per replica.
  uint32_t replacing_ = 0;
  uint64_t deploys_asked_ = 0;
  uint64_t deploys_done_ = 0;
  Result<void> last_rollout_;
  runtime::Event changed_;
  runtime::Event rollout_changed_;
  runtime::Event rollout_ended_;
  bool has_taken_over_ = false;
  bool is_removed_ = false;
  bool is_closing_ = false;
  runtime::Gate gate_;
};

}  // namespace spillway::deploy
