// server/local_operations.cc: deploy, scale, upgrade, and what each replica uses.
#include "server/local_operations.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace spillway::server {

using runtime::Task;

namespace {

constexpr Duration sample_every = 2s;
constexpr Duration deploy_timeout = 15min;  // A large service, one replica after the other.
constexpr Duration upgrade_timeout = 2min;

using Table = Result<runtime::ProcessTable>;

}  // namespace

LocalOperations::LocalOperations(runtime::Loop& control, deploy::SupervisorChannel& channel,
                                 deploy::LocalReplicas& replicas, ReplicaEndpoints& endpoints,
                                 runtime::BlockingPool& pool)
    : control_(control),
      channel_(channel),
      replicas_(replicas),
      endpoints_(endpoints),
      pool_(pool),
      stopping_(control) {}

Task<Result<void>> LocalOperations::deploy(std::string service) {
  co_return co_await replicas_.deploy(std::move(service),
                                      Deadline::after(control_.now(), deploy_timeout));
}

Result<void> LocalOperations::scale(const std::string& service, uint32_t count) {
  return replicas_.scale(service, count);
}

Task<Result<void>> LocalOperations::upgrade(std::string program) {
  co_return co_await channel_.upgrade(std::move(program),
                                      Deadline::after(control_.now(), upgrade_timeout));
}

void LocalOperations::apply(const plan::Plan& plan) {
  std::map<std::string, deploy::ProcessConfig> processes;
  for (const auto& [name, service] : plan.services) {
    if (service.is_supervised()) processes[name] = service.process;
  }
  for (auto& [name, process] : processes) {
    // Beside the plan file, wherever `up` was called from. A plan in the current folder names none.
    const auto folder = std::filesystem::path(plan.folder) / process.cwd.value_or(std::string{});
    std::error_code error;
    const auto absolute = std::filesystem::absolute(folder.empty() ? "." : folder, error);
    process.cwd = error ? folder.string() : absolute.string();
  }
  replicas_.apply(processes);
  endpoints_.refresh();
}

std::vector<admin::SupervisedReplica> LocalOperations::replicas() {
  std::vector<admin::SupervisedReplica> result;
  const WallTime now = control_.wall_now();
  for (const deploy::ReplicaStatus& replica : replicas_.status()) {
    admin::SupervisedReplica& one = result.emplace_back();
    one.service = replica.service;
    one.name = replica.name;
    one.status.state = to_string(replica.state);
    one.status.pid = replica.pid;
    one.status.restarts = replica.restarts;
    if (replica.pid != 0) {
      one.address =
          to_string(SocketAddress{.ip = IpAddress::from_v4(0x7F000001), .port = replica.port});
    }
    if (replica.started) one.status.uptime = now - *replica.started;
    if (replica.last_error) {
      one.status.last_error = *replica.last_error;
    } else if (replica.last_exit) {
      one.status.last_error = to_string(*replica.last_exit);
    }
    if (const auto sample = samples_.find(replica.number); sample != samples_.end()) {
      one.status.cpu_share = sample->second.cpu_share;
      one.status.resident_bytes = sample->second.usage.resident_bytes;
    }
  }
  return result;
}

Task<void> LocalOperations::measure() {
  while (!stopping_.is_set()) {
    auto table = co_await pool_.run<Table>(
        control_, [] { return runtime::ProcessTable::read(); },
        Deadline::after(control_.now(), sample_every));
    if (table && *table) {
      auto running = replicas_.status();
      deploy::add_usage(running, **table);
      std::map<uint64_t, Sample> next;
      for (const deploy::ReplicaStatus& replica : running) {
        if (replica.number == 0 || !replica.usage) continue;
        Sample sample{.at = control_.now(), .usage = *replica.usage};
        if (const auto before = samples_.find(replica.number); before != samples_.end()) {
          const auto used =
              static_cast<double>((sample.usage.cpu - before->second.usage.cpu).count());
          const auto passed = static_cast<double>((sample.at - before->second.at).count());
          if (passed > 0) sample.cpu_share = std::max(0.0, used / passed);
        }
        next[replica.number] = sample;
      }
      samples_ = std::move(next);
    }
    (void)co_await stopping_.wait(Deadline::after(control_.now(), sample_every));
  }
}

}  // namespace spillway::server
