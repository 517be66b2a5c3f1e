// gateway/rate_limit.cc: shards, so that cores seldom meet.
#include "gateway/rate_limit.h"

#include <fmt/format.h>

#include <chrono>

namespace spillway::gateway {
namespace {

std::string policy_of(std::string_view name, const upstream::RateRule& rule) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(rule.per).count();
  return fmt::format("\"{}\";q={};w={}", name, rule.count, seconds);
}

}  // namespace

RateLimit::RateLimit(std::string name, const LimitConfig& config, const SipHash::Key& seed)
    : name_(std::move(name)), config_(config), seed_(seed), policy_(policy_of(name_, config.rate)) {
  const auto each = static_cast<uint32_t>((config.keys + shard_count - 1) / shard_count);
  for (auto& shard : shards_) shard = std::make_unique<Shard>(config.rate, each);
}

upstream::RateAnswer RateLimit::take(const Hash128& key, Instant now) {
  return shard_of(key).with([&](upstream::LimitTable& table) { return table.take(key, now); });
}

void RateLimit::give_back(const Hash128& key, const upstream::RateAnswer& taken, Instant now) {
  shard_of(key).with([&](upstream::LimitTable& table) { table.give_back(key, taken, now); });
}

void RateLimit::note(const Hash128& key, const upstream::RateAnswer& answer, Instant now) {
  shard_of(key).with([&](upstream::LimitTable& table) { table.note(key, answer, now); });
}

RateLimits make_rate_limits(const std::map<std::string, LimitConfig>& configs,
                            const RateLimits& before, Random& random) {
  RateLimits limits;
  for (const auto& [name, config] : configs) {
    const auto found = before.find(name);
    const bool stays = found != before.end() && found->second->config() == config;
    limits[name] = stays ? found->second
                         : std::make_shared<RateLimit>(name, config,
                                                       SipHash::Key{random.next(), random.next()});
  }
  return limits;
}

RateLimit::Usage RateLimit::usage() {
  Usage usage{.keys_max = config_.keys};
  for (const auto& shard : shards_) {
    shard->with([&](const upstream::LimitTable& table) {
      usage.keys += table.keys();
      usage.evictions += table.evictions();
    });
  }
  return usage;
}

}  // namespace spillway::gateway
