// deploy/rollout.h: in which order the replicas of a service are replaced, and the way back.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "deploy/config.h"

namespace spillway::deploy {

// Pure: says which slot to replace next, and is told how that went. At most `parallel` at a time,
// `pause` after each success. A new replica that fails ends the rollout: no further slot is
// touched, and the slots that were replaced already go back to the old version, where there is one
// to go back to. One core.
class Rollout {
 public:
  enum class State : uint8_t {
    rolling,
    rolling_back,
    done,         // Every slot is new.
    rolled_back,  // Every slot is old, as before.
    stopped,      // It failed, and slots that are new stay so: nowhere to go back to, or that
                  // failed as well.
  };
  struct Step {
    enum class Kind : uint8_t { replace, wait, wait_until, finished };
    Kind kind;
    uint32_t slot = 0;   // To replace.
    bool to_new = true;  // Otherwise back to the old version.
    Instant until{};     // For wait_until; `wait` means until something is reported.
  };

  // Slots are numbered from 1. `has_way_back`: the old version differs from the new one.
  Rollout(uint32_t slots, RolloutConfig config, bool has_way_back);

  // Call again after each report. A slot it names must be reported once.
  Step next(Instant now);
  void succeeded(uint32_t slot, Instant now);
  void failed(uint32_t slot);

  State state() const { return state_; }
  bool is_finished() const { return state_ != State::rolling && state_ != State::rolling_back; }
  uint32_t replaced() const;  // Slots that are new now.

 private:
  enum class Slot : uint8_t { old, turning_new, turned_new, turning_old };
  uint32_t turning() const;
  std::optional<uint32_t> first(Slot wanted) const;
  void settle();

  std::vector<Slot> slots_;
  RolloutConfig config_;
  bool has_way_back_;
  State state_ = State::rolling;
  Instant not_before_{};
};

std::string_view to_string(Rollout::State state);

}  // namespace spillway::deploy
