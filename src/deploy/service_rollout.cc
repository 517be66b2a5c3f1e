// deploy/service_rollout.cc: exchanges the replicas of a service, or goes back.
#include <fmt/format.h>

#include <algorithm>

#include "deploy/service_keeper.h"

namespace spillway::deploy {

using runtime::Task;

bool ServiceKeeper::needs_rollout() const {
  if (deploys_asked_ > deploys_done_) return true;
  if (wanted_->spec == refused_spec_) return false;
  return std::ranges::any_of(
      slots_, [this](const auto& slot) { return slot->version->spec != wanted_->spec; });
}

bool ServiceKeeper::has_way_back() const {
  return std::ranges::all_of(slots_, [this](const auto& slot) {
    return slot->version->is_known && slot->version->spec != wanted_->spec;
  });
}

Task<Result<void>> ServiceKeeper::deploy(Deadline deadline) {
  const uint64_t mine = ++deploys_asked_;
  refused_spec_.clear();
  changed_.set();
  while (deploys_done_ < mine) {
    rollout_ended_.reset();
    CO_TRY_VOID(co_await rollout_ended_.wait(deadline));
    if (is_closing_ || is_removed_) {
      co_return fail(Error::Code::cancelled, "the service or this server is ending");
    }
  }
  co_return last_rollout_;
}

Task<void> ServiceKeeper::roll_out() {
  const Version next = wanted_;
  const uint64_t deploys = deploys_asked_;
  const auto count = static_cast<uint32_t>(slots_.size());
  Rollout rollout(count, next->config.rollout, has_way_back());
  std::vector<Version> before;
  for (const auto& slot : slots_) before.push_back(slot->version);
  context_.log.info("rollout begins", {{"service", name_}, {"replicas", count}});
  while (true) {
    rollout_changed_.reset();
    if (is_closing_ && replacing_ == 0) co_return;
    const Rollout::Step step = is_closing_ ? Rollout::Step{.kind = Rollout::Step::Kind::wait}
                                           : rollout.next(context_.loop.now());
    if (step.kind == Rollout::Step::Kind::finished) break;
    if (step.kind == Rollout::Step::Kind::replace) {
      Version version = step.to_new ? next : before[step.slot - 1];
      gate_.spawn(replace(*slots_[step.slot - 1], std::move(version), rollout));
      continue;
    }
    const bool is_timed = step.kind == Rollout::Step::Kind::wait_until;
    const Deadline wake = is_timed ? Deadline::at(step.until) : Deadline::never();
    [[maybe_unused]] const auto woken = co_await rollout_changed_.wait(wake);
  }
  if (rollout.state() != Rollout::State::done && wanted_ == next) refused_spec_ = next->spec;
  deploys_done_ = deploys;
  finish_rollout(rollout);
}

void ServiceKeeper::finish_rollout(const Rollout& rollout) {
  const std::string_view state = to_string(rollout.state());
  last_rollout_ = {};
  if (rollout.state() == Rollout::State::done) {
    context_.log.info("rollout done", {{"service", name_}});
  } else {
    std::string reason = "a new replica failed";
    for (const auto& slot : slots_) {
      if (slot->last_error)
        reason = fmt::format("{}.{}: {}", name_, slot->index, *slot->last_error);
    }
    context_.log.error("rollout failed: the old replicas are kept",
                       {{"service", name_}, {"state", state}, {"reason", reason}});
    last_rollout_ = fail(Error::Code::io, "the rollout of " + name_ + " failed (" +
                                              std::string(state) + "); " + reason);
  }
  rollout_ended_.set();
}

// keep_slot() stands aside until we are done. The new replica is ready before the old one is asked
// to leave.
Task<void> ServiceKeeper::replace(Slot& slot, std::shared_ptr<const ServiceVersion> version,
                                  Rollout& rollout) {
  ++replacing_;
  slot.is_replacing = true;
  slot.changed.set();
  while (slot.is_busy) {
    [[maybe_unused]] const auto idle = co_await slot.idle.wait(Deadline::never());
  }
  auto up = co_await bring_up(slot, version, Caller::replace);
  if (up) {
    const Duration grace = slot.version->config.stop.grace;
    Live* old = std::exchange(slot.current, *up);
    slot.version = version;
    slot.policy = RestartPolicy(version->config.restart);
    slot.has_given_up = false;
    slot.start_at = {};
    slot.last_error.reset();
    if (old != nullptr) co_await take_down(*old, grace);
    rollout.succeeded(slot.index, context_.loop.now());
  } else {
    slot.last_error = up.error().detail;
    rollout.failed(slot.index);
  }
  slot.is_replacing = false;
  slot.changed.set();
  --replacing_;
  rollout_changed_.set();
}

}  // namespace spillway::deploy
