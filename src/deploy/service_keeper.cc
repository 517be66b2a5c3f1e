// deploy/service_keeper.cc: as many replicas as wanted, each started again when it ends.
#include "deploy/service_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "deploy/json_reader.h"

namespace spillway::deploy {

using runtime::ExitStatus;
using runtime::Task;

std::shared_ptr<const ServiceVersion> make_version(const ProcessConfig& config) {
  const nlohmann::json what = {{"run", config.run},
                               {"env", nlohmann::json(config.env)},
                               {"cwd", config.cwd.value_or("")},
                               {"user", config.user.value_or("")}};
  uint64_t hash = 0xCBF29CE484222325;  // FNV-1a, 64 bit: the same in every program version.
  for (const char c : to_text(what)) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  }
  return std::make_shared<const ServiceVersion>(
      ServiceVersion{.config = config, .spec = fmt::format("{:016x}", hash)});
}

ServiceKeeper::ServiceKeeper(KeeperContext context, std::string name, const ProcessConfig& config)
    : context_(context),
      name_(std::move(name)),
      wanted_(make_version(config)),
      wanted_count_(config.replicas.min),
      changed_(context.loop),
      rollout_changed_(context.loop),
      rollout_ended_(context.loop),
      gate_(context.loop) {
  grow();
  gate_.spawn(manage());
}

// ---- What is wanted

void ServiceKeeper::apply(const ProcessConfig& config) {
  const ReplicasConfig before = wanted_->config.replicas;
  wanted_ = make_version(config);
  refused_spec_.clear();
  if (!(config.replicas == before)) wanted_count_ = config.replicas.min;
  for (const auto& slot : slots_) {
    slot->has_given_up = false;
    if (slot->version->spec != wanted_->spec) continue;
    slot->version = wanted_;  // The same command, perhaps other patience with it.
    slot->policy = RestartPolicy(wanted_->config.restart);
    slot->changed.set();
  }
  changed_.set();
}

Result<void> ServiceKeeper::scale(uint32_t count) {
  const ReplicasConfig& bounds = wanted_->config.replicas;
  if (count < bounds.min || count > bounds.most()) {
    return fail(Error::Code::permission,
                fmt::format("{} replicas of {} are outside of what the plan allows: {} to {}",
                            count, name_, bounds.min, bounds.most()));
  }
  wanted_count_ = count;
  changed_.set();
  return {};
}

void ServiceKeeper::remove() {
  is_removed_ = true;
  wanted_count_ = 0;
  changed_.set();
  rollout_ended_.set();
}

void ServiceKeeper::take_over() {
  has_taken_over_ = true;
  for (const uint64_t number : strays_) {
    const auto stray = live_.find(number);
    if (stray != live_.end()) gate_.spawn(stop(*stray->second, wanted_->config.stop.grace));
  }
  strays_.clear();
  for (const auto& slot : slots_) slot->changed.set();
  changed_.set();
}

void ServiceKeeper::adopt(RunningReplica replica) {
  Live& live = add(std::move(replica));
  const uint32_t index = live.record.index;
  Slot* slot = index >= 1 && index <= slots_.size() ? slots_[index - 1].get() : nullptr;
  const bool is_wanted = live.record.spec == wanted_->spec;
  if (slot == nullptr || (slot->current != nullptr && !is_wanted) || slot->is_busy) {
    strays_.push_back(live.record.number);
    return;
  }
  // Two of one slot: a rollout was cut short, and the new one stays.
  if (slot->current != nullptr) strays_.push_back(slot->current->record.number);
  slot->current = &live;
  slot->version = wanted_;
  if (!is_wanted) {
    slot->version = std::make_shared<const ServiceVersion>(
        ServiceVersion{.config = wanted_->config, .spec = live.record.spec, .is_known = false});
  }
  slot->changed.set();
  changed_.set();
}

void ServiceKeeper::exited(const ReplicaExited& notice) {
  const auto found = live_.find(notice.replica.number);
  if (found == live_.end()) return;
  Live& live = *found->second;
  live.exit = notice.status;
  live.ended.set();
  tell_gone(live);
  for (const auto& slot : slots_) {
    if (slot->current == &live) slot->changed.set();
  }
}

Task<void> ServiceKeeper::close() {
  is_closing_ = true;
  changed_.set();
  rollout_changed_.set();
  rollout_ended_.set();
  for (const auto& slot : slots_) slot->changed.set();
  for (const auto& [number, live] : live_) live->ended.set();
  for (ReplicaOutput& output : outputs_) output.stop();
  [[maybe_unused]] const auto closed = co_await gate_.close(Deadline::never());
}

void ServiceKeeper::status(std::vector<ReplicaStatus>& into) const {
  for (const auto& slot : slots_) {
    ReplicaStatus status{.name = fmt::format("{}.{}", name_, slot->index),
                         .service = name_,
                         .index = slot->index,
                         .state = slot->has_given_up ? ReplicaState::given_up
                                  : slot->is_busy    ? ReplicaState::starting
                                                     : ReplicaState::waiting,
                         .is_new_version = slot->version->spec == wanted_->spec,
                         .restarts = slot->restarts,
                         .last_exit = slot->last_exit,
                         .last_error = slot->last_error};
    if (const Live* live = slot->current) {
      status.number = live->record.number;
      status.pid = live->record.pid;
      status.port = live->record.port;
      status.state = live->state;
      status.started = live->record.started;
    }
    into.push_back(std::move(status));
  }
}

// ---- Slots

Task<void> ServiceKeeper::manage() {
  while (!is_closing_ && !(is_removed_ && slots_.empty())) {
    changed_.reset();
    if (has_taken_over_) {
      grow();
      if (slots_.size() > wanted_count_) {
        co_await shrink();
        continue;
      }
      if (needs_rollout()) {
        co_await roll_out();
        continue;
      }
    }
    [[maybe_unused]] const auto woken = co_await changed_.wait(Deadline::never());
  }
}

void ServiceKeeper::grow() {
  while (slots_.size() < wanted_count_) {
    const bool is_refused = wanted_->spec == refused_spec_ && !slots_.empty();
    const auto index = static_cast<uint32_t>(slots_.size() + 1);
    slots_.push_back(std::make_unique<Slot>(context_.loop, index,
                                            is_refused ? slots_.front()->version : wanted_));
    gate_.spawn(keep_slot(*slots_.back()));
  }
}

Task<void> ServiceKeeper::shrink() {
  for (size_t i = wanted_count_; i < slots_.size(); ++i) {
    slots_[i]->is_retired = true;
    slots_[i]->changed.set();
  }
  while (!slots_.empty() && slots_.back()->is_retired) {
    [[maybe_unused]] const auto ended = co_await slots_.back()->finished.wait(Deadline::never());
    if (is_closing_) co_return;
    slots_.pop_back();
  }
}

Task<void> ServiceKeeper::keep_slot(Slot& slot) {
  while (!is_closing_ && !slot.is_retired) {
    slot.changed.reset();
    const bool is_ours = !slot.is_replacing;
    Live* current = slot.current;
    const bool may_start = is_ours && current == nullptr && has_taken_over_ && !slot.has_given_up;
    if (is_ours && current != nullptr && current->exit) {
      note_end(slot);
    } else if (is_ours && current != nullptr && current->state == ReplicaState::starting) {
      co_await settle(slot);
    } else if (may_start && slot.start_at <= context_.loop.now()) {
      co_await fill(slot);
    } else {
      const Deadline wake = may_start ? Deadline::at(slot.start_at) : Deadline::never();
      [[maybe_unused]] const auto woken = co_await slot.changed.wait(wake);
    }
  }
  if (!is_closing_ && slot.current != nullptr) {
    Live* last = std::exchange(slot.current, nullptr);
    co_await take_down(*last, slot.version->config.stop.grace);
  }
  slot.finished.set();
}

Task<void> ServiceKeeper::fill(Slot& slot) {
  slot.is_busy = true;
  slot.idle.reset();
  auto up = co_await bring_up(slot, slot.version, Caller::keep_slot);
  slot.is_busy = false;
  slot.idle.set();
  if (up) {
    slot.current = *up;
    slot.last_error.reset();
  } else if (up.error().code != Error::Code::cancelled) {
    slot_failed(slot, std::nullopt, up.error().detail, Duration::zero());
  }
}

// One that ran already when this server started.
Task<void> ServiceKeeper::settle(Slot& slot) {
  slot.is_busy = true;
  slot.idle.reset();
  Live& live = *slot.current;
  auto ready = co_await make_ready(slot, live, slot.version, Caller::keep_slot);
  if (!ready && ready.error().code != Error::Code::cancelled && !live.exit && has_taken_over_) {
    slot.current = nullptr;
    co_await stop(live, slot.version->config.stop.grace);
    slot_failed(slot, std::nullopt, ready.error().detail, Duration::zero());
  }
  slot.is_busy = false;
  slot.idle.set();
}

void ServiceKeeper::note_end(Slot& slot) {
  Live& live = *std::exchange(slot.current, nullptr);
  const Duration ready_for =
      live.ready_at ? context_.loop.now() - *live.ready_at : Duration::zero();
  slot_failed(slot, live.exit, to_string(*live.exit), ready_for);
  live_.erase(live.record.number);
}

void ServiceKeeper::slot_failed(Slot& slot, std::optional<ExitStatus> exit,
                                const std::string& reason, Duration ready_for) {
  if (exit) slot.last_exit = exit;
  slot.last_error = reason;
  ++slot.restarts;
  const std::string name = fmt::format("{}.{}", name_, slot.index);
  const Instant now = context_.loop.now();
  const auto when = slot.policy.ended(now, ready_for);
  if (!when) {
    slot.has_given_up = true;
    context_.log.error("replica given up: it fails again and again",
                       {{"replica", name}, {"reason", reason}});
    return;
  }
  slot.start_at = *when;
  context_.log.warn("replica failed and is started again",
                    {{"replica", name}, {"reason", reason}, {"in", *when - now}});
}

}  // namespace spillway::deploy
