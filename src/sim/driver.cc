// sim/driver.cc: collecting edges and reporting them out of order.
#include "sim/driver.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/descriptor.h"
#include "runtime/loop.h"

namespace spillway::sim {

Instant SimulatedDriver::now() {
  const int64_t granularity = world_.options().clock_granularity.count();
  return Instant::from_nanoseconds(world_.now().nanoseconds() / granularity * granularity);
}

int SimulatedDriver::watch(runtime::Watch& watch) {
  const int error = network().watch(watch.fd, {this, &watch});
  // A new watch reports what is true already (epoll_ctl(2), EPOLL_CTL_ADD).
  if (error == 0 && network().readiness(watch.fd) != 0) raise(watch.fd, watch);
  return error;
}

void SimulatedDriver::unwatch(runtime::Watch& watch) {
  network().unwatch(watch.fd);
  reports_.erase(watch.fd);
}

int64_t SimulatedDriver::send_file(int fd, int file, uint64_t offset, size_t size) {
  char bytes[16 << 10];
  const ssize_t count =
      ::pread(file, bytes, std::min(size, sizeof bytes), static_cast<off_t>(offset));
  if (count <= 0) return count < 0 ? -errno : 0;
  const iovec part{bytes, static_cast<size_t>(count)};
  return send(fd, {&part, 1});
}

void SimulatedDriver::raise(int fd, runtime::Watch& watch) {
  Random& random = world_.random(Concern::reports);
  const WorldOptions& options = world_.options();
  Duration late{};
  if (random.chance(options.report_delay_share)) {
    late = Duration(static_cast<int64_t>(
        random.below(static_cast<uint64_t>(options.report_delay_max.count()))));
  }
  reports_.try_emplace(fd, world_.now() + late, &watch);
}

std::vector<SimulatedDriver::Due> SimulatedDriver::take_due() {
  std::vector<int> fds;
  for (const auto& [fd, report] : reports_) {
    if (report.due <= world_.now()) fds.push_back(fd);
  }
  Random& random = world_.random(Concern::reports);
  for (size_t i = fds.size(); i > 1; --i) std::swap(fds[i - 1], fds[random.below(i)]);
  if (fds.size() > 1) fds.resize(1 + random.below(std::min(fds.size(), reports_per_turn_max)));
  // What each can do is settled here, before any is told: what one does about it may make the
  // next report a false alarm, as in the array that epoll_wait fills.
  std::vector<Due> due;
  for (const int fd : fds) {
    const uint8_t readiness = network().readiness(fd);
    if (readiness != 0) due.push_back({reports_.at(fd).watch, readiness});
    reports_.erase(fd);
  }
  return due;
}

void SimulatedDriver::wait(Instant until, runtime::Loop& loop) {
  const std::vector<Due> due = take_due();
  const bool is_idle = due.empty() && !std::exchange(is_woken_, false) && until > now();
  if (!is_idle) {
    sleeps_until_ = world_.now();
  } else if (until == Instant::max()) {
    sleeps_until_ = until;
  } else {
    const auto oversleep_max = static_cast<uint64_t>(world_.options().oversleep_max.count());
    const auto oversleep = world_.random(Concern::turns).below(oversleep_max + 1);
    // Past the next tick of a coarse clock, or the loop would spin until then.
    sleeps_until_ =
        until + world_.options().clock_granularity + Duration(static_cast<int64_t>(oversleep));
  }
  loop.on_woken(now());
  for (const Due& report : due) {
    world_.trace().note(world_.now(), "ready", report.watch->fd, report.readiness);
    loop.on_ready(*report.watch, report.readiness);
  }
}

Instant SimulatedDriver::next_turn() const {
  if (is_woken_) return Instant{};
  Instant next = sleeps_until_;
  for (const auto& [fd, report] : reports_) next = std::min(next, report.due);
  return next;
}

}  // namespace spillway::sim
