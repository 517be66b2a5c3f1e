// deploy/control_protocol.h: what supervisor and server say to each other, as JSON messages.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "runtime/child_process.h"

namespace spillway::deploy {

// Both ends of a socket pair (runtime/unix_message.h) in one program, but during an upgrade of two
// versions of it: the number grows with every change that an older end would misread.
inline constexpr uint32_t control_version = 1;

// A replica that runs. Numbers are never given twice while the supervisor lives, upgrades included.
struct ReplicaRecord {
  uint64_t number = 0;
  std::string service;
  uint32_t index = 0;  // From 1.
  uint16_t port = 0;   // On the loopback address.
  pid_t pid = 0;
  WallTime started{};
  std::string spec;  // Whatever the server said of it: the same text means the same command.

  std::string name() const { return service + "." + std::to_string(index); }
  bool operator==(const ReplicaRecord&) const = default;
};

// ---- From the server: {"request": NAME, "id": N, ...}; each is answered once.

// "listen": the sockets bound to `at`, bound now if they are not held yet; at least `sockets` of
// them (one for a UNIX socket). The answer carries them, and where port 0 was bound.
struct Listen {
  SocketAddress at;
  uint32_t sockets = 1;
  uint32_t unix_mode = 0660;
};
// "unlisten": closes them. Connections that nobody accepted are reset.
struct Unlisten {
  SocketAddress at;
};
// "start_replica": the answer has the ReplicaRecord, and carries the read ends of its stdout and
// stderr. The environment comes on top of the supervisor's own, and PORT, HOST, SPILLWAY_REPLICA
// and SPILLWAY_SERVICE on top of that where it has none.
struct StartReplica {
  std::string service;
  uint32_t index = 1;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
  std::string directory;
  std::string user;  // Empty: the supervisor's default.
  std::string spec;
  Duration grace = 10s;  // Between TERM and KILL, should the supervisor die.
};
// "stop_replica": TERM now, KILL after `grace`, both to all its processes. Its end is told by
// ReplicaExited.
struct StopReplica {
  uint64_t replica = 0;
  Duration grace = 10s;
};
// "ready": this server accepts connections. Answered by TakeOver to a server that was started
// for an upgrade; the others have it from the start.
struct ServerReady {
  uint32_t version = control_version;
};
// "stop": ends everything, as TERM does.
struct StopAll {};
// "upgrade": to the program file at `program`, or where this one was started. Answered when the new
// server is ready, or with the reason why everything stays as it is.
struct UpgradeTo {
  std::string program;
};

// "keep": a text for the servers to come, by its name, in place of an earlier one: what must
// outlive a server that dies, such as the keys of session tickets. The supervisor never reads it.
struct Keep {
  static constexpr size_t texts_max = 16;
  static constexpr size_t text_bytes_max = 32 << 10;
  std::string name;
  std::string text;
};

struct Request {
  uint64_t id = 0;
  std::variant<Listen, Unlisten, StartReplica, StopReplica, ServerReady, StopAll, UpgradeTo, Keep>
      what;
};

// ---- From the supervisor: {"notice": NAME, ...}.

// "answer": to the request of this id.
struct Answer {
  uint64_t id = 0;
  std::optional<Error> error;
  std::optional<ReplicaRecord> replica;  // Of start_replica.
  std::optional<SocketAddress> bound;    // Of listen.
};
// "held_listener", "held_replica", "kept": at the start of a server, what the supervisor holds,
// with the descriptors. "held_replica" also when another server started one. Then once
// "handover_end".
struct HeldListener {
  SocketAddress at;     // As it was asked for.
  SocketAddress bound;  // As it is.
};
struct HeldReplica {
  ReplicaRecord replica;
};
struct Kept {
  std::string name;
  std::string text;
};
struct HandoverEnd {};
// "take_over": from now on this server decides which replicas run. At any time one server does.
struct TakeOver {};
// "replica_exited": its main process ended; what it left behind is being ended.
struct ReplicaExited {
  ReplicaRecord replica;
  runtime::ExitStatus status;
  Duration ran{};
};
// "drain": accept nothing more, decide nothing more, finish what is under way and exit with 0. What
// is left after `within` is cut off. The end of the socket means the same, with a `within` of the
// server's own.
struct Drain {
  Duration within{};
};
// "signal": HUP or USR1 arrived at the supervisor.
struct SignalArrived {
  std::string name;
};

using Notice = std::variant<Answer, HeldListener, HeldReplica, HandoverEnd, TakeOver, ReplicaExited,
                            Drain, SignalArrived, Kept>;

std::string encode(const Request& request);
std::string encode(const Notice& notice);
// Error: protocol, with what was missing or wrong.
Result<Request> decode_request(std::string_view text);
Result<Notice> decode_notice(std::string_view text);

}  // namespace spillway::deploy
