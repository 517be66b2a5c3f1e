// deploy/rollout.cc: the order of replacements.
#include "deploy/rollout.h"

#include <algorithm>

#include "base/check.h"

namespace spillway::deploy {

Rollout::Rollout(uint32_t slots, RolloutConfig config, bool has_way_back)
    : slots_(slots, Slot::old), config_(config), has_way_back_(has_way_back) {
  settle();
}

uint32_t Rollout::replaced() const {
  return static_cast<uint32_t>(std::ranges::count(slots_, Slot::turned_new));
}

uint32_t Rollout::turning() const {
  return static_cast<uint32_t>(std::ranges::count_if(
      slots_, [](Slot slot) { return slot == Slot::turning_new || slot == Slot::turning_old; }));
}

std::optional<uint32_t> Rollout::first(Slot wanted) const {
  const auto found = std::ranges::find(slots_, wanted);
  if (found == slots_.end()) return std::nullopt;
  return static_cast<uint32_t>(found - slots_.begin()) + 1;
}

Rollout::Step Rollout::next(Instant now) {
  if (is_finished()) return {.kind = Step::Kind::finished};
  if (turning() >= config_.parallel) return {.kind = Step::Kind::wait};
  if (state_ == State::rolling_back && !has_way_back_) return {.kind = Step::Kind::wait};
  const bool to_new = state_ == State::rolling;
  const auto slot = first(to_new ? Slot::old : Slot::turned_new);
  if (!slot) return {.kind = Step::Kind::wait};
  // What already serves well is not delayed on its way back.
  if (to_new && now < not_before_) return {.kind = Step::Kind::wait_until, .until = not_before_};
  slots_[*slot - 1] = to_new ? Slot::turning_new : Slot::turning_old;
  return {.kind = Step::Kind::replace, .slot = *slot, .to_new = to_new};
}

void Rollout::succeeded(uint32_t slot, Instant now) {
  Slot& its = slots_.at(slot - 1);
  CHECK(its == Slot::turning_new || its == Slot::turning_old);
  its = its == Slot::turning_new ? Slot::turned_new : Slot::old;
  not_before_ = now + config_.pause;
  settle();
}

void Rollout::failed(uint32_t slot) {
  Slot& its = slots_.at(slot - 1);
  CHECK(its == Slot::turning_new || its == Slot::turning_old);
  if (its == Slot::turning_new) {
    its = Slot::old;
    if (state_ == State::rolling) state_ = State::rolling_back;
  } else {
    its = Slot::turned_new;
    has_way_back_ = false;
  }
  settle();
}

void Rollout::settle() {
  if (turning() > 0) return;
  if (state_ == State::rolling && replaced() == slots_.size()) state_ = State::done;
  if (state_ != State::rolling_back) return;
  if (replaced() == 0) {
    state_ = State::rolled_back;
  } else if (!has_way_back_) {
    state_ = State::stopped;
  }
}

std::string_view to_string(Rollout::State state) {
  switch (state) {
    case Rollout::State::rolling: return "rolling";
    case Rollout::State::rolling_back: return "rolling_back";
    case Rollout::State::done: return "done";
    case Rollout::State::rolled_back: return "rolled_back";
    case Rollout::State::stopped: return "stopped";
  }
  return "unknown";
}

}  // namespace spillway::deploy
