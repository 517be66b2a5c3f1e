// gateway/limit_script.cc: windows and GCRA in Lua; microseconds, because Redis has no finer clock.
#include "gateway/limit_script.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace spillway::gateway {
namespace {

using upstream::RateRule;

// Numbers of Lua are doubles: counted from 2023 on, microseconds keep their fractions. Nothing is
// written before all limits have allowed the request.
constexpr std::string_view taking = R"(
local time = redis.call('TIME')
local now = (time[1] - 1700000000) * 1000000 + time[2]
local answers, takes = {}, {}
local function answer(...)
  for _, value in ipairs({...}) do answers[#answers + 1] = value end
end

local function window(key, count, span)
  local state = redis.call('HMGET', key, 'opened', 'used')
  local opened, used = tonumber(state[1] or ''), tonumber(state[2] or '')
  if not opened or not used or used < 1 or now >= opened + span then opened, used = now, 0 end
  local left = math.min(span, opened + span - now)
  if used >= count then
    answer(0, 0, left, left, opened)
    return false
  end
  answer(1, count - used - 1, left, 0, opened)
  takes[#takes + 1] = function()
    if used > 0 then return redis.call('HINCRBY', key, 'used', 1) end
    redis.call('HSET', key, 'opened', string.format('%.0f', now), 'used', 1)
    redis.call('PEXPIRE', key, math.ceil(span / 1000))
  end
  return true
end

local function gcra(key, interval, burst)
  local tolerance = interval * burst
  local due = math.max(tonumber(redis.call('GET', key) or '') or now, now)
  local early = due - now
  if early > tolerance + 0.1 then
    answer(0, 0, math.ceil(early), math.ceil(early - tolerance), 0)
    return false
  end
  local after = due + interval
  local ahead = after - now
  local remaining = 0
  if ahead <= tolerance + 0.1 then
    remaining = math.floor((tolerance + 0.1 - ahead) / interval) + 1
  end
  answer(1, remaining, math.ceil(ahead), 0, 0)
  takes[#takes + 1] = function()
    redis.call('SET', key, string.format('%.3f', after), 'PX', math.ceil(ahead / 1000))
  end
  return true
end

for i, key in ipairs(KEYS) do
  local kind = ARGV[i * 3 - 2]
  local first, second = tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3])
  local look = kind == 'window' and window or gcra
  if not look(key, first, second) then return answers end
end
for _, take in ipairs(takes) do take() end
return answers
)";

constexpr std::string_view giving_back = R"(
for i, key in ipairs(KEYS) do
  local kind, what = ARGV[i * 2 - 1], ARGV[i * 2]
  if kind == 'window' then
    if redis.call('HGET', key, 'opened') == what then redis.call('HINCRBY', key, 'used', -1) end
  else
    local due = tonumber(redis.call('GET', key) or '')
    if due then
      redis.call('SET', key, string.format('%.3f', due - tonumber(what)), 'KEEPTTL')
    end
  end
end
return #KEYS
)";

constexpr size_t numbers_each = 5;  // Allowed, remaining, reset, retry after, opened.

std::string_view name_of(RateRule::Kind kind) {
  return kind == RateRule::Kind::window ? "window" : "gcra";
}

std::string microseconds(Duration duration) {
  return fmt::format("{}.{:03}", duration.count() / 1000, duration.count() % 1000);
}

}  // namespace

const redis::Script& taking_script() {
  static const redis::Script script(taking);
  return script;
}

const redis::Script& giving_back_script() {
  static const redis::Script script(giving_back);
  return script;
}

void add_to_taking(LimitQuestion& question, std::string key, const RateRule& rule) {
  const bool is_window = rule.kind == RateRule::Kind::window;
  question.keys.push_back(std::move(key));
  question.arguments.emplace_back(name_of(rule.kind));
  question.arguments.push_back(is_window ? fmt::format("{}", rule.count)
                                         : microseconds(rule.interval()));
  question.arguments.push_back(is_window ? microseconds(rule.per) : fmt::format("{}", rule.burst));
}

void add_to_giving_back(LimitQuestion& question, std::string key, const RateRule& rule,
                        int64_t opened) {
  question.keys.push_back(std::move(key));
  question.arguments.emplace_back(name_of(rule.kind));
  question.arguments.push_back(rule.kind == RateRule::Kind::window ? fmt::format("{}", opened)
                                                                   : microseconds(rule.interval()));
}

Result<TakenAnswers> read_taken(const redis::Reply& reply, size_t asked) {
  const auto refuse = [](std::string why) {
    return fail(Error::Code::protocol, std::move(why), Error::Blame::upstream);
  };
  if (reply.is_error()) return refuse("Redis says: " + reply.text.substr(0, 200));
  const size_t count = reply.items.size() / numbers_each;
  if (count < 1 || count > asked || reply.items.size() % numbers_each != 0) {
    return refuse("Redis answered something else than was asked");
  }
  TakenAnswers taken{.of = {}, .count = count};
  for (size_t i = 0; i < count; ++i) {
    const auto number = [&](size_t place) {
      return std::max<int64_t>(reply.items[i * numbers_each + place].integer, 0);
    };
    taken.of[i] = {.answer = {.allowed = number(0) == 1,
                              .remaining = static_cast<uint64_t>(number(1)),
                              .reset = std::chrono::microseconds(number(2)),
                              .retry_after = std::chrono::microseconds(number(3))},
                   .opened = number(4)};
    if (!taken.of[i].answer.allowed && i + 1 < count)
      return refuse("Redis went on after a refusal");
  }
  if (taken.of[count - 1].answer.allowed && count < asked) return refuse("Redis left a limit out");
  return taken;
}

std::string limit_key(std::string_view prefix, std::string_view name, const RateRule& rule,
                      std::string_view hash) {
  std::string key =
      fmt::format("{}:limit:{}:{}/{}", prefix, name, rule.count,
                  std::chrono::duration_cast<std::chrono::microseconds>(rule.per).count());
  if (rule.kind == RateRule::Kind::gcra) key += fmt::format("+{}", rule.burst);
  return key.append(":{").append(hash).append("}");
}

}  // namespace spillway::gateway
