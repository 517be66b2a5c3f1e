// deploy/replica_table.h: the replicas that run, each with its guard and the pipes of its output.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "deploy/control_protocol.h"
#include "deploy/guard.h"
#include "runtime/event.h"
#include "runtime/file_handle.h"
#include "runtime/gate.h"
#include "runtime/task.h"

namespace spillway::deploy {

class ReplicaEndObserver {
 public:
  // A replica's main process has ended, by whatever cause; told once.
  virtual void replica_ended(const ReplicaRecord& replica, const runtime::ExitStatus& status,
                             Duration ran) = 0;
  // A guard was killed before its work was done: what it watched is now ours.
  virtual void guard_lost() = 0;

 protected:
  ~ReplicaEndObserver() = default;
};

// Owned by the Supervisor; one core. Starts, stops and holds; decides nothing: which replicas there
// should be is the server's business.
class ReplicaTable {
 public:
  static constexpr size_t replicas_max = 2'000;  // Twice what one service may have.

  struct Held {
    ReplicaRecord record;
    Guard guard;
    runtime::FileHandle output;  // Read ends of its stdout and stderr, read by the server alone.
    runtime::FileHandle errors;
    bool has_ended = false;  // What it left behind is being ended.
  };

  ReplicaTable(runtime::Loop& loop, ReplicaEndObserver& observer,
               std::optional<std::string> default_user, std::optional<uint64_t> descriptor_limit);
  ReplicaTable(const ReplicaTable&) = delete;
  ReplicaTable& operator=(const ReplicaTable&) = delete;

  // Errors: those of spawn_process, limit_exceeded, deadline_exceeded; not_found for the user.
  runtime::Task<Result<const Held*>> start(StartReplica request);
  // TERM now, KILL after `grace`. Error: not_found.
  Result<void> stop(uint64_t number, Duration grace);
  void stop_all(Duration grace);
  // Until nothing of any replica is left. Error: deadline_exceeded.
  runtime::Task<Result<void>> gone(Deadline deadline);

  const std::map<uint64_t, std::unique_ptr<Held>>& all() const { return held_; }
  bool is_starting() const { return starting_ > 0; }
  bool is_guard(pid_t pid) const;

  // For an exec of our own.
  uint64_t next_number() const { return next_number_; }
  void restore_next_number(uint64_t number) { next_number_ = number; }
  void restore(Held held);

 private:
  struct Pipes {
    runtime::FileHandle output_read, output_write;
    runtime::FileHandle errors_read, errors_write;
  };
  static Result<Pipes> make_pipes();
  Result<uint16_t> free_port() const;
  Result<GuardOptions> guard_options(const StartReplica& request, uint16_t port,
                                     const Pipes& pipes) const;
  Result<Held*> launch(const StartReplica& request);
  runtime::Task<Result<void>> await_start(Held& held);
  runtime::Task<void> follow(Held& held);
  runtime::Task<void> tell_stop(uint64_t number, Duration grace);
  void end(Held& held, const runtime::ExitStatus& status);

  runtime::Loop& loop_;
  ReplicaEndObserver& observer_;
  const std::optional<std::string> default_user_;
  const std::optional<uint64_t> descriptor_limit_;
  std::map<uint64_t, std::unique_ptr<Held>> held_;  // By number.
  uint64_t next_number_ = 1;
  uint32_t starting_ = 0;
  runtime::Event changed_;
  runtime::Gate gate_;
};

}  // namespace spillway::deploy
