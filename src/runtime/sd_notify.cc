// runtime/sd_notify.cc: the datagram to the service manager and its environment variables.
#include "runtime/sd_notify.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/ascii.h"

namespace spillway::runtime {
namespace {

constexpr int first_activated = 3;  // SD_LISTEN_FDS_START
constexpr int activated_max = 250;  // As many as one message to the server can carry.

std::string_view variable(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view(value);
}

bool is_for_us(const char* name) {
  const auto pid = parse_decimal<pid_t>(variable(name));
  return pid && *pid == ::getpid();
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  std::optional<Duration> watchdog;
  const auto period = parse_decimal<int64_t>(variable("WATCHDOG_USEC"));
  const bool is_ours = variable("WATCHDOG_PID").empty() || is_for_us("WATCHDOG_PID");
  if (period && *period > 0 && is_ours) watchdog = std::chrono::microseconds(*period);
  return ServiceManager(std::string(variable("NOTIFY_SOCKET")), watchdog);
}

Result<void> ServiceManager::ready(std::string_view status) const {
  return send(fmt::format("READY=1\nSTATUS={}", status));
}

Result<void> ServiceManager::reloading(Instant now) const {
  return send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.nanoseconds() / 1000));
}

Result<void> ServiceManager::main_pid(pid_t pid) const {
  return send(fmt::format("MAINPID={}", pid));
}

Result<void> ServiceManager::send(std::string_view lines) const {
  if (socket_.empty()) return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_usable = socket_.front() == '/' || socket_.front() == '@';
  if (!is_usable || socket_.size() >= sizeof address.sun_path) {
    return fail(Error::Code::invalid, "NOTIFY_SOCKET is \"" + socket_ +
                                          "\", but expected is a path or an @name of at most "
                                          "107 bytes");
  }
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const FileHandle handle(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!handle) return fail(system_error(errno, "socket for the service manager"));
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (::sendto(handle.fd(), lines.data(), lines.size(), MSG_NOSIGNAL, to, length) < 0) {
    return fail(system_error(errno, "notify the service manager at " + socket_));
  }
  return {};
}

Result<std::vector<ActivatedSocket>> activated_sockets() {
  std::vector<ActivatedSocket> result;
  const std::string_view announced = variable("LISTEN_FDS");
  if (announced.empty() || !is_for_us("LISTEN_PID")) return result;
  const auto count = parse_decimal<int>(announced);
  if (!count || *count > activated_max) {
    return fail(Error::Code::invalid, fmt::format("LISTEN_FDS is \"{}\", but expected is a number "
                                                  "up to {}",
                                                  announced, activated_max));
  }
  std::string_view names = variable("LISTEN_FDNAMES");
  for (int fd = first_activated; fd < first_activated + *count; ++fd) {
    const size_t end = std::min(names.find(':'), names.size());
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    result.push_back({FileHandle(fd), std::string(names.substr(0, end))});
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return result;
}

}  // namespace spillway::runtime
