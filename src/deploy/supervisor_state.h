// deploy/supervisor_state.h: what a supervisor hands to itself across the exec of an upgrade.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "deploy/control_protocol.h"

namespace spillway::deploy {

// All as numbers: descriptors stay open across the exec, and children stay children. Written as
// JSON into a memfd whose number is in the environment.
struct SupervisorState {
  struct Listener {
    SocketAddress at;
    SocketAddress bound;
    bool is_activated = false;
    std::vector<int> sockets;
  };
  struct Replica {
    ReplicaRecord record;
    pid_t guard = 0;
    int socket = -1;
    int output = -1;
    int errors = -1;
    bool has_ended = false;
  };
  struct Server {
    uint64_t number = 0;
    pid_t pid = 0;
    int socket = -1;
    bool is_serving = false;  // Otherwise it drains.
  };

  uint64_t next_replica = 1;
  uint64_t next_server = 1;
  std::vector<Listener> listeners;
  std::vector<Replica> replicas;
  std::vector<Server> servers;
  std::vector<pid_t> other_children;
  std::map<std::string, std::string> kept;

  std::vector<int> descriptors() const;
};

inline constexpr const char* state_variable = "SPILLWAY_STATE_FD";

std::string encode(const SupervisorState& state);
// Error: protocol.
Result<SupervisorState> decode_supervisor_state(std::string_view text);

}  // namespace spillway::deploy
