// gateway/shared_limits.cc: keys, groups of them, and what is told of Redis coming and going.
#include "gateway/shared_limits.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"
#include "redis/slot_map.h"
#include "runtime/event.h"

namespace spillway::gateway {

using runtime::Task;

namespace {

constexpr size_t hash_bytes = 16;  // Nobody finds two values that share them.

}  // namespace

void RedisReach::lost(std::string_view why) {
  if (lost_.with([](uint32_t& workers) { return workers++; }) > 0) return;
  log_.warn("Redis is away; shared limits hold for this instance alone", {{"why", why}});
}

void RedisReach::back() {
  if (lost_.with([](uint32_t& workers) { return --workers; }) > 0) return;
  log_.info("Redis is back; limits are shared again");
}

void RedisReach::forget() {
  lost_.with([](uint32_t& workers) { --workers; });
}

struct SharedLimits::Link {
  Link(SharedLimits& limits, const redis::RedisConfig& its_config)
      : config(its_config),
        users(limits.loop_),
        client(limits.loop_, limits.resolver_, config, [&limits, this] {
          if (limits.link_.get() == this) limits.on_change();
        }) {}

  const redis::RedisConfig config;
  runtime::Users users;
  redis::Client client;
};

SharedLimits::SharedLimits(runtime::Loop& loop, runtime::Resolver& resolver,
                           const MetricFamilies& families, RedisReach& reach)
    : loop_(loop),
      resolver_(resolver),
      families_(families),
      reach_(reach),
      connections_(families.registry.gauge(families.redis_connections, {}, loop.core())),
      reachable_(families.registry.gauge(families.redis_workers, {}, loop.core())),
      durations_(families.registry.histogram(families.redis_durations, {}, loop.core())),
      tasks_(loop) {}

SharedLimits::~SharedLimits() { CHECK(link_ == nullptr); }

// By mail: a worker whose loop never runs, because something else cannot start, has nothing to end.
void SharedLimits::use(const GatewayConfig& config) {
  std::string prefix = "spillway:" + config.name;
  if (config.redis && config.redis->prefix) prefix = *config.redis->prefix;
  loop_.post([this, redis = config.redis, its_prefix = std::move(prefix)]() mutable {
    apply(std::move(redis), std::move(its_prefix));
  });
}

void SharedLimits::apply(std::optional<redis::RedisConfig> config, std::string prefix) {
  prefix_ = std::move(prefix);
  const bool is_same = link_ == nullptr ? !config : config == link_->config;
  if (is_same || tasks_.is_closed()) return;
  if (link_ != nullptr) tasks_.spawn(retire(std::move(link_)));
  if (std::exchange(is_lost_, false)) reach_.forget();
  show(0, false);
  if (config) link_ = std::make_unique<Link>(*this, *config);
}

Task<void> SharedLimits::retire(std::unique_ptr<Link> link) {
  CHECK((co_await link->client.close(Deadline::never())).has_value());
  CHECK((co_await link->users.gone(Deadline::never())).has_value());
}

Task<void> SharedLimits::close(Deadline deadline) {
  if (link_ != nullptr) tasks_.spawn(retire(std::move(link_)));
  if (std::exchange(is_lost_, false)) reach_.forget();
  show(0, false);
  (void)co_await tasks_.close(deadline);
}

void SharedLimits::on_change() {
  const redis::Client& client = link_->client;
  show(client.connections(), client.is_reachable());
  if (client.is_reachable() && is_lost_) {
    is_lost_ = false;
    reach_.back();
  } else if (client.is_away() && !is_lost_) {
    is_lost_ = true;
    reach_.lost(client.trouble());
  }
}

void SharedLimits::show(uint64_t connections, bool is_reachable) {
  connections_.add(static_cast<int64_t>(connections) - connections_.value());
  reachable_.add((is_reachable ? 1 : 0) - reachable_.value());
}

void SharedLimits::count_failure(const Error& error) {
  if (error.code == Error::Code::cancelled) return;
  auto found = failures_.find(error.code);
  if (found == failures_.end()) {
    auto counter = families_.registry.counter(families_.redis_failures,
                                              {std::string(to_string(error.code))}, loop_.core());
    found = failures_.emplace(error.code, counter).first;
  }
  found->second.add();
}

// Users, cookies and keys of callers are secrets or nobody's business: a hash stands for them.
std::string SharedLimits::key_of(const SharedAsk& ask) {
  const char kind = static_cast<char>('a' + static_cast<int>(ask.kind));
  const identity::Sha256Digest digest = sha256_.hash({std::string_view(&kind, 1), ask.value});
  std::array<char, hash_bytes * 2> hash;
  for (size_t i = 0; i < hash_bytes; ++i) {
    hash[i * 2] = hex_digits[digest[i] >> 4];
    hash[i * 2 + 1] = hex_digits[digest[i] & 0xF];
  }
  return limit_key(prefix_, ask.limit->name(), ask.limit->config().rate,
                   {hash.data(), hash.size()});
}

// How many groups there are. Without a cluster all keys are together.
size_t SharedLimits::group(std::span<const SharedAsk> asks, Groups& groups) {
  std::array<uint16_t, limits_per_route_max> slots{};
  size_t count = 0;
  for (size_t place = 0; place < asks.size(); ++place) {
    std::string key = key_of(asks[place]);
    const uint16_t slot = link_->config.cluster ? redis::slot_of(key) : uint16_t{0};
    const auto end = slots.begin() + static_cast<ptrdiff_t>(count);
    const auto number = static_cast<size_t>(std::find(slots.begin(), end, slot) - slots.begin());
    if (number == count) slots[count++] = slot;
    Group& its = groups[number];
    its.places[its.size++] = place;
    add_to_taking(its.question, std::move(key), asks[place].limit->config().rate);
  }
  return count;
}

Task<Result<SharedAnswers>> SharedLimits::take(std::span<const SharedAsk> asks,
                                               runtime::Interruption& interruption) {
  if (link_ == nullptr) co_return fail(Error::Code::not_found, "the plan has no `redis` any more");
  Link& link = *link_;
  const runtime::Use use(link.users);
  Groups groups;
  const size_t count = group(asks, groups);
  const Deadline deadline = Deadline::after(loop_.now(), link.config.timeout);
  SharedAnswers answers;
  for (size_t number = 0; number < count && !answers.refused; ++number) {
    Group& its = groups[number];
    auto taken = co_await ask(link, its, deadline, interruption);
    if (!taken) {
      give_back(asks, std::span(groups).first(number));
      co_return fail(std::move(taken).error());
    }
    its.taken = *taken;
    for (size_t i = 0; i < its.taken.count; ++i) {
      const upstream::RateAnswer& answer = its.taken.of[i].answer;
      answers.of[its.places[i]] = answer;
      if (!answer.allowed) answers.refused = its.places[i];
    }
    if (answers.refused) give_back(asks, std::span(groups).first(number));
  }
  co_return answers;
}

Task<Result<TakenAnswers>> SharedLimits::ask(Link& link, const Group& group, Deadline deadline,
                                             runtime::Interruption& interruption) {
  const Instant asked = loop_.now();
  auto reply = co_await taking_script().run(link.client, group.question.keys,
                                            group.question.arguments, deadline, &interruption);
  auto taken =
      reply ? read_taken(*reply, group.size) : Result<TakenAnswers>(fail(std::move(reply).error()));
  if (taken) {
    durations_.observe(loop_.now() - asked);
  } else {
    count_failure(taken.error());
  }
  co_return taken;
}

void SharedLimits::give_back(std::span<const SharedAsk> asks, std::span<const Group> groups) {
  for (const Group& group : groups) {
    LimitQuestion question;
    for (size_t i = 0; i < group.size; ++i) {
      add_to_giving_back(question, group.question.keys[i],
                         asks[group.places[i]].limit->config().rate, group.taken.of[i].opened);
    }
    tasks_.spawn(give_back(std::move(question)));
  }
}

// Nobody waits for it: if it fails, somebody is refused too early once.
Task<void> SharedLimits::give_back(LimitQuestion question) {
  if (link_ == nullptr) co_return;
  Link& link = *link_;
  const runtime::Use use(link.users);
  const Deadline deadline = Deadline::after(loop_.now(), link.config.timeout);
  auto reply =
      co_await giving_back_script().run(link.client, question.keys, question.arguments, deadline);
  if (!reply) count_failure(reply.error());
}

}  // namespace spillway::gateway
