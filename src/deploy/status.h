// deploy/status.h: what a person or a dashboard wants to know of each replica.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "runtime/child_process.h"
#include "runtime/process_stats.h"

namespace spillway::deploy {

enum class ReplicaState : uint8_t {
  waiting,   // For the pause before its next start.
  starting,  // Runs, but is not ready.
  ready,     // Gets requests.
  draining,  // Gets no new requests.
  stopping,  // Was sent TERM.
  given_up,  // Failed too often; a deploy or a reload tries again.
};
std::string_view to_string(ReplicaState state);

// A value: a snapshot of one moment.
struct ReplicaStatus {
  std::string name;  // "web.1"
  std::string service;
  uint32_t index = 0;
  uint64_t number = 0;  // 0 while none runs.
  pid_t pid = 0;
  uint16_t port = 0;
  ReplicaState state = ReplicaState::waiting;
  bool is_new_version = true;  // False: to be replaced, or being replaced.
  uint32_t restarts = 0;       // Of this slot, since this server started.
  std::optional<WallTime> started;
  std::optional<runtime::ExitStatus> last_exit;
  std::optional<std::string> last_error;  // Of the last start that failed.
  // CPU time so far and memory now, of all its processes; see add_usage().
  std::optional<runtime::ProcessUsage> usage;
};

// Fills in `usage` of those that run. The table is one scan of /proc, read on a thread that may
// block. A share of CPU is the difference of two samples of the same `number`.
void add_usage(std::vector<ReplicaStatus>& replicas, const runtime::ProcessTable& processes);

}  // namespace spillway::deploy
