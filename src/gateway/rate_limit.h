// gateway/rate_limit.h: one limit of the plan, exact over all cores.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/random.h"
#include "base/siphash.h"
#include "gateway/limit_config.h"
#include "upstream/limit_table.h"

namespace spillway::gateway {

// Shared by all cores; outlives a plan that does not change it. What is outside the shards is
// immutable. A key's shard is locked for some tens of nanoseconds.
class RateLimit {
 public:
  // `seed` is secret: clients choose the keys.
  RateLimit(std::string name, const LimitConfig& config, const SipHash::Key& seed);

  const std::string& name() const { return name_; }
  const LimitConfig& config() const { return config_; }
  // RateLimit-Policy: `"bids";q=50;w=60`.
  const std::string& policy() const { return policy_; }

  Hash128 key_of(std::string_view text) const { return SipHash::of(text, seed_); }
  upstream::RateAnswer take(const Hash128& key, Instant now);
  void give_back(const Hash128& key, const upstream::RateAnswer& taken, Instant now);
  // Redis has answered this: should it go away, we go on from there.
  void note(const Hash128& key, const upstream::RateAnswer& answer, Instant now);

  struct Usage {
    uint64_t keys = 0;
    uint64_t keys_max = 0;
    uint64_t evictions = 0;
  };
  Usage usage();

 private:
  static constexpr size_t shard_count = 16;
  using Shard = Guarded<upstream::LimitTable>;
  Shard& shard_of(const Hash128& key) { return *shards_[key.high % shard_count]; }

  const std::string name_;
  const LimitConfig config_;
  const SipHash::Key seed_;
  const std::string policy_;
  std::array<std::unique_ptr<Shard>, shard_count> shards_;
};

using RateLimits = std::map<std::string, std::shared_ptr<RateLimit>, std::less<>>;

// The limits of a plan: those of `before` that it leaves as they are go on counting.
RateLimits make_rate_limits(const std::map<std::string, LimitConfig>& configs,
                            const RateLimits& before, Random& random);

}  // namespace spillway::gateway
