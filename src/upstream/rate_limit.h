// upstream/rate_limit.h: whether one more is within a rate: a window's count, or GCRA.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "upstream/rate_config.h"

namespace spillway::upstream {

// What is remembered of one key: as made, it has asked for nothing yet.
struct RateState {
  Instant mark;       // Window: when it opened. GCRA: when the next is due (theoretical arrival).
  uint32_t used = 0;  // Of the window. GCRA: 1 once `mark` means anything.
};

struct RateAnswer {
  bool allowed = true;
  uint64_t remaining = 0;  // How many more could come now.
  Duration reset{};        // Until all of it may be used again.
  Duration retry_after{};  // If refused: until one is allowed.
  Instant mark{};          // If allowed: RateState::mark with it, for give_back().
};

// Takes one, if that is within the rule. `now` may lie a little before what another core saw.
RateAnswer take(const RateRule& rule, RateState& state, Instant now);
// Undoes a take() that was allowed, because another limit refused the request. What has passed
// since is not given back: it would be another's.
void give_back(const RateRule& rule, RateState& state, const RateAnswer& taken, Instant now);
// Takes over what a count that others take part in has answered for the same key: of both the
// stricter, but for a window that was opened since. `now` is when the answer came.
void note(const RateRule& rule, RateState& state, const RateAnswer& answer, Instant now);
// Nothing of it matters any more: the state is as if it had just been made.
bool is_spent(const RateRule& rule, const RateState& state, Instant now);

}  // namespace spillway::upstream
