// deploy/guard.h: a tiny process beside each replica that ends all of it, whatever becomes of us.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/time.h"
#include "runtime/child_process.h"
#include "runtime/loop.h"
#include "runtime/unix_message.h"

namespace spillway::deploy {

// The guard is the replica's parent and the one that all its descendants fall to when their own
// parents end (PR_SET_CHILD_SUBREAPER), so it finds even those that left the process group
// (setsid). When it is told to stop, when the replica's main process ends, or when the socket to
// the supervisor closes, it sends TERM to every one of them, and after the grace KILL until none
// is left. It is a fork of the supervisor without an exec: its memory is shared, it survives an
// upgrade, and it only polls.
struct GuardOptions {
  std::string name;               // Of the replica, "web.1"; shown by ps.
  runtime::ChildOptions replica;  // Its own process group is taken for granted.
  Duration grace = 10s;           // From TERM to KILL when the supervisor or the replica ended.
};

// What a guard tells. First GuardStarted or GuardFailed, later ReplicaEnded; it exits once nothing
// of the replica is left.
struct GuardStarted {
  pid_t replica = 0;
};
struct GuardFailed {
  Error error;
};
struct ReplicaEnded {
  runtime::ExitStatus status;
};
using GuardReport = std::variant<GuardStarted, GuardFailed, ReplicaEnded>;

// Lines of text that a guard of an older version understands as well. Error: protocol.
std::string encode(const GuardReport& report);
Result<GuardReport> decode_guard_report(std::string_view text);
// The only thing a guard is told.
std::string encode_guard_stop(Duration grace);

struct Guard {
  runtime::ChildProcess process;
  runtime::MessageSocket socket;
};
// Forks. The calling process must have a single thread. Errors: overloaded, io.
Result<Guard> start_guard(runtime::Loop& loop, const GuardOptions& options);

}  // namespace spillway::deploy
