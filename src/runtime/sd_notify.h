// runtime/sd_notify.h: tells a service manager how we are, and takes the sockets it opened for us.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "runtime/file_handle.h"

namespace spillway::runtime {

// The protocol of sd_notify(3), without the library: one datagram of NAME=value lines to the socket
// that $NOTIFY_SOCKET names (a path, or @name for an abstract one). Without the variable every call
// does nothing. One thread.
class ServiceManager {
 public:
  static ServiceManager from_environment();
  explicit ServiceManager(std::string notify_socket, std::optional<Duration> watchdog = {})
      : socket_(std::move(notify_socket)), watchdog_(watchdog) {}

  bool is_present() const { return !socket_.empty(); }
  // How often the manager wants to hear WATCHDOG=1; tell it twice as often.
  std::optional<Duration> watchdog() const { return watchdog_; }

  // Errors are the manager's trouble: reported so that a log can say it, never fatal.
  Result<void> ready(std::string_view status) const;
  Result<void> reloading(Instant now) const;  // Followed by ready() (Type=notify-reload).
  Result<void> stopping() const { return send("STOPPING=1"); }
  Result<void> main_pid(pid_t pid) const;
  Result<void> alive() const { return send("WATCHDOG=1"); }
  Result<void> send(std::string_view lines) const;

 private:
  std::string socket_;
  std::optional<Duration> watchdog_;
};

// A listening socket opened for us (systemd.socket(5)), with the name its unit gives it.
struct ActivatedSocket {
  FileHandle handle;
  std::string name;
};
// What $LISTEN_FDS, $LISTEN_PID and $LISTEN_FDNAMES announce: descriptors from 3 on, made
// non-blocking and close-on-exec. Empty if they are not for this process. Call once. Error: invalid
// (not a number, or more than 250).
Result<std::vector<ActivatedSocket>> activated_sockets();

}  // namespace spillway::runtime
