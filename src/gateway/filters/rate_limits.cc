// gateway/filters/rate_limits.cc: the key of a request, taking from all limits or none, and fields.
#include "gateway/filters/rate_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "gateway/balance_key.h"

namespace spillway::gateway {
namespace {

Hash128 hash_of(const RateLimit& limit, LimitKey::Kind kind, std::string_view value) {
  Hash128 key = limit.key_of(value);
  key.low ^= (static_cast<uint64_t>(kind) + 1) * 0x9E3779B97F4A7C15;  // "10.0.0.1" may be a user.
  return key;
}

// An IPv4 address counts whole, an IPv6 one by its prefix.
Hash128 ip_key(const RequestContext& context, const RateLimit& limit) {
  std::array<uint8_t, 16> bytes = context.client.bytes();
  if (!context.client.is_v4()) {
    const uint32_t bits = limit.config().ipv6_prefix;
    for (uint32_t i = 0; i < bytes.size(); ++i) {
      const uint32_t kept = std::min(bits - std::min(bits, i * 8), 8U);
      bytes[i] &= static_cast<uint8_t>(0xFF00U >> kept);
    }
  }
  return hash_of(limit, LimitKey::Kind::ip,
                 {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// Who brings no user, header or cookie is counted by the address.
Hash128 key_for(const RequestContext& context, const RateLimit& limit) {
  using Kind = LimitKey::Kind;
  const LimitKey& by = limit.config().by;
  switch (by.kind) {
    case Kind::all: return hash_of(limit, Kind::all, {});
    case Kind::route: return hash_of(limit, Kind::route, context.route_label);
    case Kind::user:
      if (!context.user.empty()) return hash_of(limit, Kind::user, context.user);
      break;
    case Kind::header: {
      const auto* field = context.exchange.request().fields.find(by.name);
      if (field != nullptr) return hash_of(limit, Kind::header, field->value);
      break;
    }
    case Kind::cookie: {
      const auto value = cookie_value(context.exchange.request().fields, by.name);
      if (value) return hash_of(limit, Kind::cookie, *value);
      break;
    }
    case Kind::ip: break;
  }
  return ip_key(context, limit);
}

// A value of a field, or nothing: better no field than half of one.
template <class... Arguments>
std::string_view written(Scratch& scratch, fmt::format_string<Arguments...> form,
                         Arguments&&... arguments) {
  const std::span<char> space = scratch.space();
  const auto end =
      fmt::format_to_n(space.data(), space.size(), form, std::forward<Arguments>(arguments)...);
  if (end.size > space.size()) return {};
  scratch.use(end.size);
  return {space.data(), end.size};
}

int64_t seconds_up(Duration duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

}  // namespace

RateLimiting::RateLimiting(const GatewayParts& parts, const Routing& routing,
                           telemetry::Scope& scope, Stage stage) {
  const telemetry::Family& family = parts.families.rate_limits;
  const uint32_t core = parts.loop.core();
  for (const RouteConfig& route : routing.config.routes) {
    auto& limits = by_route_.emplace_back();
    for (const std::string& name : route.limit) {
      RateLimit& limit = *routing.limits.at(name);
      if (stage_of(limit.config()) != stage) continue;
      limits.push_back({.limit = limit,
                        .allowed = scope.counter(family, {name, "allowed"}, core),
                        .refused = scope.counter(family, {name, "refused"}, core)});
    }
  }
}

Verdict RateLimiting::on_request(RequestContext& context) const {
  const std::vector<Counted>& limits = by_route_[context.route_number];
  if (limits.empty() || context.is_exempt) return Verdict::go_on;
  const Instant now = context.exchange.loop().now();
  std::array<Hash128, limits_per_route_max> keys;
  for (size_t i = 0; i < limits.size(); ++i) {
    RateLimit& limit = limits[i].limit;
    keys[i] = key_for(context, limit);
    const RateStanding standing{.limit = &limit, .answer = limit.take(keys[i], now)};
    context.note_rate(standing);
    if (standing.answer.allowed) {
      limits[i].allowed.add();
      continue;
    }
    limits[i].refused.add();
    for (size_t taken = 0; taken < i; ++taken) limits[taken].limit.give_back(keys[taken]);
    return refuse(context, standing);
  }
  return Verdict::go_on;
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
    const std::string_view value =
        written(context.scratch, "\"{}\";r={};t={}", standing.limit->name(), answer.remaining,
                seconds_up(answer.allowed ? answer.reset : answer.retry_after));
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
      {"x-ratelimit-reset", static_cast<uint64_t>(seconds_up(least->answer.reset))}};
  for (const auto& [name, number] : legacy) {
    const std::string_view value = written(context.scratch, "{}", number);
    if (!value.empty() && !head.fields.add(name, value)) return false;
  }
  return true;
}

}  // namespace spillway::gateway
