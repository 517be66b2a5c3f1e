// gateway/limit_script.h: the question that Redis is asked about limits, and its answer. No I/O.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gateway/config.h"
#include "redis/reply.h"
#include "redis/script.h"
#include "upstream/rate_config.h"
#include "upstream/rate_limit.h"

namespace spillway::gateway {

// Keys of Redis with what a script is to know of each.
struct LimitQuestion {
  std::vector<std::string> keys;  // All in one slot.
  std::vector<std::string> arguments;
};

// Takes one of each limit, of all or of none: with the answers of those that allow it, in order, up
// to the first that refuses. Counts as upstream::take() does, by the clock of Redis.
const redis::Script& taking_script();
void add_to_taking(LimitQuestion& question, std::string key, const upstream::RateRule& rule);

// What the script says of one limit. `opened` is the window that was taken from.
struct TakenAnswer {
  upstream::RateAnswer answer;
  int64_t opened = 0;
};
struct TakenAnswers {
  std::array<TakenAnswer, limits_per_route_max> of;
  size_t count = 0;  // The last may have refused; the rest was not looked at.
};
// Error: protocol, also for what Redis refuses.
Result<TakenAnswers> read_taken(const redis::Reply& reply, size_t asked);

// Gives back what was taken, unless its window is over.
const redis::Script& giving_back_script();
void add_to_giving_back(LimitQuestion& question, std::string key, const upstream::RateRule& rule,
                        int64_t opened);

// "PREFIX:limit:NAME:50/60000000:{HASH}": a limit that changes begins anew, and what has one hash
// is in one slot.
std::string limit_key(std::string_view prefix, std::string_view name,
                      const upstream::RateRule& rule, std::string_view hash);

}  // namespace spillway::gateway
