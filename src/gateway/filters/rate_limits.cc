// gateway/filters/rate_limits.cc: the key of a request, taking from all limits or none, and fields.
#include "gateway/filters/rate_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <utility>

#include "gateway/balance_key.h"
#include "gateway/client_watch.h"
#include "http/serializer.h"

namespace spillway::gateway {

using runtime::Task;

namespace {

using Kind = LimitKey::Kind;

// Whose request it is. `value` lies in the request, the plan, or in `bytes` of the same object.
struct LimitedBy {
  LimitedBy() = default;
  LimitedBy(const LimitedBy&) = delete;
  LimitedBy& operator=(const LimitedBy&) = delete;

  Hash128 hash(const RateLimit& limit) const {
    Hash128 key = limit.key_of(value);
    key.low ^= (static_cast<uint64_t>(kind) + 1) * 0x9E3779B97F4A7C15;  // "10.0.0.1" may be a user.
    return key;
  }

  Kind kind = Kind::ip;
  std::string_view value;
  std::array<uint8_t, 16> bytes{};
};

// An IPv4 address counts whole, an IPv6 one by its prefix.
void take_ip(const RequestContext& context, const RateLimit& limit, LimitedBy& by) {
  by.bytes = context.client.bytes();
  if (!context.client.is_v4()) {
    const uint32_t bits = limit.config().ipv6_prefix;
    for (uint32_t i = 0; i < by.bytes.size(); ++i) {
      const uint32_t kept = std::min(bits - std::min(bits, i * 8), 8U);
      by.bytes[i] &= static_cast<uint8_t>(0xFF00U >> kept);
    }
  }
  by.kind = Kind::ip;
  by.value = {reinterpret_cast<const char*>(by.bytes.data()), by.bytes.size()};
}

std::optional<std::string_view> value_for(const RequestContext& context, const LimitKey& by) {
  switch (by.kind) {
    case Kind::all: return std::string_view();
    case Kind::route: return context.route_label;
    case Kind::user:
      if (!context.user.empty()) return context.user;
      break;
    case Kind::header: {
      const auto* field = context.exchange.request().fields.find(by.name);
      if (field != nullptr) return field->value;
      break;
    }
    case Kind::cookie: return cookie_value(context.exchange.request().fields, by.name);
    case Kind::ip: break;
  }
  return std::nullopt;
}

// Who brings no user, header or cookie is counted by the address.
void look(const RequestContext& context, const RateLimit& limit, LimitedBy& by) {
  const auto value = value_for(context, limit.config().by);
  if (!value) return take_ip(context, limit, by);
  by.kind = limit.config().by.kind;
  by.value = *value;
}

// What `write` puts there, or nothing: better no field than half of one.
template <class Write>
std::string_view written(Scratch& scratch, Write write) {
  http::HeadWriter writer(scratch.space());
  write(writer);
  if (writer.overflowed()) return {};
  scratch.use(writer.size());
  return writer.written();
}

uint64_t seconds_up(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return static_cast<uint64_t>(std::max<int64_t>(seconds, 0));
}

}  // namespace

RateLimiting::RateLimiting(const GatewayParts& parts, const Routing& routing,
                           telemetry::Scope& scope, Stage stage)
    : shared_(parts.shared_limits) {
  const telemetry::Family& family = parts.families.rate_limits;
  const telemetry::Family& by_redis = parts.families.rate_limits_shared;
  const uint32_t core = parts.loop.core();
  for (const RouteConfig& route : routing.config.routes) {
    auto& limits = by_route_.emplace_back();
    for (const std::string& name : route.limit) {
      RateLimit& limit = *routing.limits.at(name);
      if (stage_of(limit.config()) != stage) continue;
      limits.push_back({.limit = limit,
                        .allowed = scope.counter(family, {name, "allowed"}, core),
                        .refused = scope.counter(family, {name, "refused"}, core),
                        .shared = scope.counter(by_redis, {name, "shared"}, core),
                        .local_fallback = scope.counter(by_redis, {name, "local_fallback"}, core)});
    }
  }
}

// One request among the limits of its route.
class RateLimiting::Taking {
 public:
  Taking(RequestContext& context, const Limits& limits) : context_(context), limits_(limits) {
    for (size_t i = 0; i < limits.size(); ++i) look(context, limits[i].limit, by_[i]);
  }
  Taking(const Taking&) = delete;
  Taking& operator=(const Taking&) = delete;

  // Of this instance's counts: of all limits that are shared, or all others. What refuses, if one
  // does; nothing at all is taken then.
  std::optional<RateStanding> take(bool shared) {
    const Instant now = context_.exchange.loop().now();
    for (size_t i = 0; i < limits_.size(); ++i) {
      const Counted& counted = limits_[i];
      if (counted.limit.config().shared != shared) continue;
      if (shared) counted.local_fallback.add();
      const RateStanding standing{.limit = &counted.limit,
                                  .answer = counted.limit.take(by_[i].hash(counted.limit), now)};
      context_.note_rate(standing);
      counted.count(standing.answer.allowed);
      if (!standing.answer.allowed) {
        give_back();
        return standing;
      }
      taken_[i] = standing.answer;
    }
    return std::nullopt;
  }

  size_t shared_asks(std::array<SharedAsk, limits_per_route_max>& asks) const {
    size_t count = 0;
    for (size_t i = 0; i < limits_.size(); ++i) {
      if (!limits_[i].limit.config().shared) continue;
      asks[count++] = {.limit = &limits_[i].limit, .kind = by_[i].kind, .value = by_[i].value};
    }
    return count;
  }
  // The same for what Redis has taken.
  std::optional<RateStanding> took(const SharedAnswers& answers) {
    const Instant now = context_.exchange.loop().now();
    size_t place = 0;
    std::optional<RateStanding> refused;
    for (size_t i = 0; i < limits_.size(); ++i) {
      const Counted& counted = limits_[i];
      if (!counted.limit.config().shared) continue;
      const auto& answer = answers.of[place++];
      if (!answer) continue;
      const RateStanding standing{.limit = &counted.limit, .answer = *answer};
      // What one limit allows and another refuses is not taken.
      if (!answer->allowed || !answers.refused) {
        counted.limit.note(by_[i].hash(counted.limit), *answer, now);
      }
      context_.note_rate(standing);
      counted.shared.add();
      counted.count(answer->allowed);
      if (!answer->allowed) refused = standing;
    }
    if (refused) give_back();
    return refused;
  }

 private:
  void give_back() {
    const Instant now = context_.exchange.loop().now();
    for (size_t i = 0; i < limits_.size(); ++i) {
      RateLimit& limit = limits_[i].limit;
      if (taken_[i]) limit.give_back(by_[i].hash(limit), *taken_[i], now);
      taken_[i].reset();
    }
  }

  RequestContext& context_;
  const Limits& limits_;
  std::array<LimitedBy, limits_per_route_max> by_;
  std::array<std::optional<upstream::RateAnswer>, limits_per_route_max> taken_;  // Here, not there.
};

Verdict RateLimiting::on_request(RequestContext& context) const {
  const Limits& limits = by_route_[context.route_number];
  if (limits.empty() || context.is_exempt) return Verdict::go_on;
  const bool asks_redis =
      shared_ != nullptr && shared_->is_in_use() &&
      std::ranges::any_of(limits, [](const Counted& one) { return one.limit.config().shared; });
  if (asks_redis) return Verdict::wait;
  Taking taking(context, limits);
  for (const bool shared : {false, true}) {
    if (const auto refused = taking.take(shared)) return refuse(context, *refused);
  }
  return Verdict::go_on;
}

// What this instance counts by itself goes first: it costs nothing, and is easily given back.
Task<Verdict> RateLimiting::finish_request(RequestContext& context) const {
  Taking taking(context, by_route_[context.route_number]);
  if (const auto refused = taking.take(false)) co_return refuse(context, *refused);
  std::array<SharedAsk, limits_per_route_max> asks{};
  const size_t count = taking.shared_asks(asks);
  std::optional<RateStanding> refused;
  {
    ClientWatch watch(context.exchange);
    const auto answers = co_await shared_->take(std::span(asks).first(count), watch.interruption);
    if (watch.interruption.is_interrupted()) co_return ClientWatch::end_without_client(context);
    refused = answers ? taking.took(*answers) : taking.take(true);
  }
  co_return refused ? refuse(context, *refused) : Verdict::go_on;
}

// RFC 6585 section 4.
Verdict RateLimiting::refuse(RequestContext& context, const RateStanding& standing) const {
  const LimitConfig& config = standing.limit->config();
  context.error.detail = fmt::format("limit {}", standing.limit->name());
  context.has_failed = true;
  LocalReply reply{
      .status = 429,
      .fields = {{"retry-after", fmt::format("{}", seconds_up(standing.answer.retry_after))}}};
  const bool is_json = config.message.starts_with('{');
  reply.content_type = is_json ? "application/json" : "text/plain; charset=utf-8";
  reply.body = config.message;
  return context.end_with(std::move(reply));
}

bool RateLimitFields::on_answer(RequestContext& context, AnswerHead& head) const {
  const std::span<const RateStanding> standings = context.rates();
  if (standings.empty()) return true;
  const RateStanding* least = nullptr;
  for (const RateStanding& standing : standings) {
    const LimitHeaders headers = standing.limit->config().headers;
    const upstream::RateAnswer& answer = standing.answer;
    if (headers == LimitHeaders::legacy || headers == LimitHeaders::both) {
      if (least == nullptr || answer.remaining < least->answer.remaining) least = &standing;
    }
    if (headers == LimitHeaders::legacy || headers == LimitHeaders::none) continue;
    const std::string_view value = written(context.scratch, [&](http::HeadWriter& to) {
      to.text("\"");
      to.text(standing.limit->name());
      to.text("\";r=");
      to.decimal(answer.remaining);
      to.text(";t=");
      to.decimal(seconds_up(answer.allowed ? answer.reset : answer.retry_after));
    });
    if (value.empty()) continue;
    if (!head.fields.add("ratelimit-policy", standing.limit->policy()) ||
        !head.fields.add("ratelimit", value)) {
      return false;
    }
  }
  if (least == nullptr) return true;
  const std::pair<std::string_view, uint64_t> legacy[] = {
      {"x-ratelimit-limit", least->limit->config().rate.quota()},
      {"x-ratelimit-remaining", least->answer.remaining},
      {"x-ratelimit-reset", seconds_up(least->answer.reset)}};
  for (const auto& [name, number] : legacy) {
    const std::string_view value =
        written(context.scratch, [&](http::HeadWriter& to) { to.decimal(number); });
    if (!value.empty() && !head.fields.add(name, value)) return false;
  }
  return true;
}

}  // namespace spillway::gateway
