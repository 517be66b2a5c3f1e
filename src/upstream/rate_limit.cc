// upstream/rate_limit.cc: integer arithmetic in nanoseconds, so nothing drifts.
#include "upstream/rate_limit.h"

#include <algorithm>

namespace spillway::upstream {
namespace {

RateAnswer take_from_window(const RateRule& rule, RateState& state, Instant now) {
  if (state.used == 0 || now >= state.mark + rule.per) state = {.mark = now, .used = 0};
  const Duration left = std::min(rule.per, state.mark + rule.per - now);
  if (state.used >= rule.count) {
    return {.allowed = false, .remaining = 0, .reset = left, .retry_after = left};
  }
  ++state.used;
  return {.allowed = true, .remaining = rule.count - state.used, .reset = left, .mark = state.mark};
}

// Each request is due an interval after the one before; it may come `burst` intervals early.
RateAnswer take_in_turn(const RateRule& rule, RateState& state, Instant now) {
  const Duration interval = rule.interval();
  const Duration tolerance = interval * rule.burst;
  const Instant due = state.used == 0 ? now : std::max(state.mark, now);
  const Duration early = due - now;
  if (early > tolerance) {
    return {.allowed = false, .remaining = 0, .reset = early, .retry_after = early - tolerance};
  }
  state = {.mark = due + interval, .used = 1};
  const Duration ahead = state.mark - now;
  const auto remaining = (tolerance - ahead) / interval + 1;  // Rounded down, also below zero.
  return {.allowed = true,
          .remaining = ahead > tolerance ? 0 : static_cast<uint64_t>(remaining),
          .reset = ahead,
          .mark = state.mark};
}

}  // namespace

RateAnswer take(const RateRule& rule, RateState& state, Instant now) {
  return rule.kind == RateRule::Kind::window ? take_from_window(rule, state, now)
                                             : take_in_turn(rule, state, now);
}

void give_back(const RateRule& rule, RateState& state, const RateAnswer& taken, Instant now) {
  if (state.used == 0) return;
  if (rule.kind == RateRule::Kind::window) {
    if (state.mark == taken.mark) --state.used;
  } else if (now < taken.mark) {
    state.mark = state.mark - rule.interval();
  }
}

void note(const RateRule& rule, RateState& state, const RateAnswer& answer, Instant now) {
  if (is_spent(rule, state, now)) state = {};
  const bool is_new = state.used == 0;
  if (rule.kind == RateRule::Kind::gcra) {
    const Instant due = now + answer.reset;
    state = {.mark = is_new ? due : std::max(state.mark, due), .used = 1};
    return;
  }
  const uint64_t left = std::min<uint64_t>(answer.remaining, rule.count);
  const auto used = static_cast<uint32_t>(rule.count - left);
  const Instant opened = now + answer.reset - rule.per;
  // Answers of one window come with the delays of their ways.
  const bool is_same_window = !is_new && opened - state.mark < rule.per / 2;
  if (is_same_window) {
    state.used = std::max(state.used, used);
  } else {
    state = {.mark = opened, .used = used};
  }
}

bool is_spent(const RateRule& rule, const RateState& state, Instant now) {
  if (state.used == 0) return true;
  return rule.kind == RateRule::Kind::window ? now >= state.mark + rule.per : now >= state.mark;
}

}  // namespace spillway::upstream
