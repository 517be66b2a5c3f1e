// plan/validate_redis.cc: addresses that do not go together, and limits shared nowhere.
#include "plan/validate_redis.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "plan/document.h"

namespace spillway::plan {
namespace {

constexpr size_t addresses_max = 64;
constexpr size_t prefix_max = 128;

// Braces would say which part of a key decides about its node.
bool is_prefix(std::string_view prefix) {
  return !prefix.empty() && prefix.size() <= prefix_max && std::ranges::all_of(prefix, [](char c) {
    return c > ' ' && c < 0x7f && c != '{' && c != '}';
  });
}

// What is wrong with an address is said without it: it may hold a password.
void check_addresses(const redis::RedisConfig& config, const Origins& origins,
                     const Complain& complain) {
  const std::string path = "redis.at";
  if (config.at.empty()) {
    if (origins.has(path)) complain(path, "is empty; expected at least one address");
    return;
  }
  if (config.at.size() > addresses_max) {
    complain(path,
             fmt::format("has {} addresses; expected at most {}", config.at.size(), addresses_max));
  }
  if (config.at.size() > 1 && !config.cluster) {
    complain(path,
             "has several addresses, which a cluster alone has; write `cluster: true`, or "
             "one address");
  }
  const redis::Url& first = config.at.front();
  for (size_t i = 0; i < config.at.size(); ++i) {
    const redis::Url& url = config.at[i];
    if (url.host.empty()) continue;  // Could not be read; that is reported.
    const std::string place = item_path(path, i);
    if (url.is_secure) {
      complain(place, "begins with rediss://; TLS to Redis is not built into this version");
    }
    if (config.cluster && url.database != 0) {
      complain(place, "names a database; a cluster has none but 0");
    }
    if (url.user != first.user || url.password != first.password) {
      complain(place, "has another user or password than the first; a cluster has one");
    }
  }
}

}  // namespace

void check_redis(const Plan& plan, const Origins& origins, const Complain& complain) {
  for (const auto& [name, limit] : plan.limits) {
    if (!limit.shared || plan.redis) continue;
    complain(child_path("limits", name) + ".shared",
             "needs `redis: redis://10.0.0.5:6379`, where instances count together");
  }
  if (!plan.redis) return;
  check_addresses(*plan.redis, origins, complain);
  if (plan.redis->prefix && !is_prefix(*plan.redis->prefix)) {
    complain("redis.prefix", "is not 1 to 128 printable characters without blanks and braces");
  }
}

}  // namespace spillway::plan
