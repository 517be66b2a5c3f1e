// deploy/local_replicas.cc: one keeper per service, and what belongs to none.
#include "deploy/local_replicas.h"

#include <utility>

namespace spillway::deploy {

using runtime::Task;

namespace {

constexpr Duration unclaimed_grace = 10s;  // Of replicas whose own grace we do not know.

}  // namespace

void LocalReplicas::apply(const std::map<std::string, ProcessConfig>& services) {
  if (is_closing_) return;
  std::erase_if(leaving_, [](const auto& keeper) { return keeper->is_gone(); });
  for (auto keeper = keepers_.begin(); keeper != keepers_.end();) {
    if (services.contains(keeper->first)) {
      ++keeper;
      continue;
    }
    keeper->second->remove();
    leaving_.push_back(std::move(keeper->second));
    keeper = keepers_.erase(keeper);
  }
  for (const auto& [name, config] : services) {
    auto& keeper = keepers_[name];
    if (keeper != nullptr) {
      keeper->apply(config);
      continue;
    }
    keeper = std::make_unique<ServiceKeeper>(context_, name, config);
    for (auto& replica : std::exchange(unclaimed_, {})) held(std::move(replica));
    if (has_taken_over_) keeper->take_over();
  }
  if (has_taken_over_) stop_all_unclaimed();
}

Result<ServiceKeeper*> LocalReplicas::find(const std::string& service) {
  const auto found = keepers_.find(service);
  if (found != keepers_.end()) return found->second.get();
  return fail(Error::Code::not_found, "no service \"" + service + "\" has replicas here");
}

Task<Result<void>> LocalReplicas::deploy(std::string service, Deadline deadline) {
  CO_TRY(keeper, find(service));
  co_return co_await keeper->deploy(deadline);
}

Result<void> LocalReplicas::scale(const std::string& service, uint32_t count) {
  TRY(keeper, find(service));
  return keeper->scale(count);
}

std::vector<ReplicaStatus> LocalReplicas::status() const {
  std::vector<ReplicaStatus> result;
  for (const auto& [name, keeper] : keepers_) keeper->status(result);
  for (const auto& keeper : leaving_) keeper->status(result);
  return result;
}

void LocalReplicas::take_over() {
  has_taken_over_ = true;
  for (const auto& [name, keeper] : keepers_) keeper->take_over();
  stop_all_unclaimed();
}

void LocalReplicas::stop_all_unclaimed() {
  for (const RunningReplica& replica : std::exchange(unclaimed_, {})) {
    gate_.spawn(stop_unclaimed(replica.record.number));
  }
}

Task<void> LocalReplicas::stop_unclaimed(uint64_t number) {
  auto told = co_await context_.channel.stop_replica(
      number, unclaimed_grace, Deadline::after(context_.loop.now(), unclaimed_grace));
  if (!told && told.error().code != Error::Code::not_found) {
    context_.log.warn("replica of an unknown service not stopped",
                      {{"number", number}, {"reason", told.error().detail}});
  }
}

void LocalReplicas::held(RunningReplica replica) {
  const auto found = keepers_.find(replica.record.service);
  if (found == keepers_.end()) {
    unclaimed_.push_back(std::move(replica));
  } else {
    found->second->adopt(std::move(replica));
  }
}

void LocalReplicas::exited(const ReplicaExited& notice) {
  for (const auto& [name, keeper] : keepers_) keeper->exited(notice);
  for (const auto& keeper : leaving_) keeper->exited(notice);
}

Task<void> LocalReplicas::close() {
  is_closing_ = true;
  for (const auto& [name, keeper] : keepers_) co_await keeper->close();
  for (const auto& keeper : leaving_) co_await keeper->close();
  [[maybe_unused]] const auto closed = co_await gate_.close(Deadline::never());
}

}  // namespace spillway::deploy
