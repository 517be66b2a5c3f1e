// deploy/status.cc: names of states, and what replicas use.
#include "deploy/status.h"

namespace spillway::deploy {

std::string_view to_string(ReplicaState state) {
  switch (state) {
    case ReplicaState::waiting: return "waiting";
    case ReplicaState::starting: return "starting";
    case ReplicaState::ready: return "ready";
    case ReplicaState::draining: return "draining";
    case ReplicaState::stopping: return "stopping";
    case ReplicaState::given_up: return "given_up";
  }
  return "unknown";
}

void add_usage(std::vector<ReplicaStatus>& replicas, const runtime::ProcessTable& processes) {
  for (ReplicaStatus& replica : replicas) {
    if (replica.pid == 0) continue;
    if (auto usage = processes.usage_of(replica.pid)) replica.usage = *usage;
  }
}

}  // namespace spillway::deploy
