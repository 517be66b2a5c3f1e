// gateway/shared_limits.h: one core's way to the counts that instances share in Redis.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/mutex.h"
#include "base/time.h"
#include "gateway/limit_script.h"
#include "gateway/metrics.h"
#include "gateway/rate_limit.h"
#include "identity/sha256.h"
#include "redis/client.h"
#include "runtime/gate.h"
#include "runtime/interruption.h"
#include "runtime/loop.h"
#include "runtime/resolver.h"
#include "runtime/task.h"
#include "telemetry/log.h"

namespace spillway::gateway {

// What all workers notice is logged once. Any core.
class RedisReach {
 public:
  explicit RedisReach(telemetry::Log& log) : log_(log) {}
  void lost(std::string_view why);
  void back();
  void forget();  // A worker that had lost it asks no more.

 private:
  telemetry::Log& log_;
  Guarded<uint32_t> lost_{0U};  // Workers.
};

// One limit that a request is counted by.
struct SharedAsk {
  const RateLimit* limit;
  LimitKey::Kind kind;     // What `value` is.
  std::string_view value;  // Whose request it is; never seen by Redis itself.
};

// What Redis says of each, in the order asked. Those after a refusal may be without an answer.
struct SharedAnswers {
  std::array<std::optional<upstream::RateAnswer>, limits_per_route_max> of;
  std::optional<size_t> refused;
};

// Owned by a worker, and used by the filters of all plans that it has. One core.
class SharedLimits {
 public:
  SharedLimits(runtime::Loop& loop, runtime::Resolver& resolver, const MetricFamilies& families,
               RedisReach& reach);
  SharedLimits(const SharedLimits&) = delete;
  SharedLimits& operator=(const SharedLimits&) = delete;
  ~SharedLimits();

  // From the loop's next turn on asks what the plan says; nothing if it has no `redis`. Questions
  // to another Redis than before end.
  void use(const GatewayConfig& config);
  bool is_in_use() const { return link_ != nullptr; }
  // Nothing is being given back.
  bool is_settled() const { return tasks_.count() == 0; }

  // Takes one of each, of all or of none. Those that lie on several nodes of a cluster are asked
  // one after the other, and what an earlier one gave is given back when a later one refuses; so
  // for that moment others may be refused for it. Errors: any, within the plan's `redis.timeout`;
  // nothing is decided then.
  runtime::Task<Result<SharedAnswers>> take(std::span<const SharedAsk> asks,
                                            runtime::Interruption& interruption);

  // Ends all connections.
  runtime::Task<void> close(Deadline deadline);

 private:
  // A client and who uses it.
  struct Link;
  // The limits of a request whose keys lie in one slot.
  struct Group {
    LimitQuestion question;
    std::array<size_t, limits_per_route_max> places{};  // Among the asks.
    size_t size = 0;
    TakenAnswers taken;
  };
  using Groups = std::array<Group, limits_per_route_max>;

  std::string key_of(const SharedAsk& ask);
  size_t group(std::span<const SharedAsk> asks, Groups& groups);
  runtime::Task<Result<TakenAnswers>> ask(Link& link, const Group& group, Deadline deadline,
                                          runtime::Interruption& interruption);
  void give_back(std::span<const SharedAsk> asks, std::span<const Group> groups);
  runtime::Task<void> give_back(LimitQuestion question);
  void apply(std::optional<redis::RedisConfig> config, std::string prefix);
  runtime::Task<void> retire(std::unique_ptr<Link> link);
  void on_change();
  void show(uint64_t connections, bool is_reachable);
  void count_failure(const Error& error);

  runtime::Loop& loop_;
  runtime::Resolver& resolver_;
  const MetricFamilies& families_;
  RedisReach& reach_;
  identity::Sha256 sha256_;
  telemetry::Gauge connections_;
  telemetry::Gauge reachable_;
  telemetry::Histogram durations_;
  std::map<Error::Code, telemetry::Counter> failures_;  // While Redis is away, one per request.
  std::string prefix_;
  std::unique_ptr<Link> link_;  // Null: the plan has no `redis`.
  bool is_lost_ = false;        // reach_ has been told.
  runtime::Gate tasks_;
};

}  // namespace spillway::gateway
