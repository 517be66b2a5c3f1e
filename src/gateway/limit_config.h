// gateway/limit_config.h: rate limits as a plan writes them: how many, of whom, what they hear.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "upstream/rate_config.h"

namespace spillway::gateway {

// Whose requests are counted together: "ip", "user", "route", "all", "header:x-tenant" or
// "cookie:session". Immutable value.
struct LimitKey {
  enum class Kind : uint8_t { ip, user, route, all, header, cookie };

  Kind kind = Kind::ip;
  std::string name;  // Of the header, in small letters, or of the cookie.

  static Result<LimitKey> parse(std::string_view text);
  bool operator==(const LimitKey&) const = default;
};
std::string to_string(const LimitKey& key);

// Which fields tell a client where it stands.
enum class LimitHeaders : uint8_t { standard, legacy, both, none };
constexpr std::array<std::string_view, 4> enum_names(LimitHeaders) {
  return {"standard", "legacy", "both", "none"};
}

struct LimitConfig {
  upstream::RateRule rate;
  LimitKey by;
  std::string message = "Too many requests, please try again later";
  LimitHeaders headers = LimitHeaders::standard;
  bool shared = false;
  uint32_t keys = 100'000;
  uint32_t ipv6_prefix = 64;

  bool operator==(const LimitConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("rate", &LimitConfig::rate,
                {.doc = "\"50 per 1m\": a window opened by the first request, and never more than "
                        "50 in it. \"50/s burst 10\": evenly spaced (GCRA), with up to 10 ahead of "
                        "their time. Exact over all workers.",
                 .required = true,
                 .example = "50 per 1m"});
    visit.field("by", &LimitConfig::by,
                {.doc = "Whose requests are counted together: ip, user (who signed in), route, "
                        "all, header:NAME or cookie:NAME. Requests without a user, header or "
                        "cookie are counted by their ip.",
                 .example = "user"});
    visit.field("message", &LimitConfig::message,
                {.doc = "What a client is told with 429. Text that begins with { is sent as JSON.",
                 .example = "Too many bids placed"});
    visit.field("headers", &LimitConfig::headers,
                {.doc = "standard: RateLimit and RateLimit-Policy "
                        "(draft-ietf-httpapi-ratelimit-headers-10). legacy: X-RateLimit-Limit, "
                        "-Remaining and -Reset (in seconds). Retry-After comes with every 429."});
    visit.field(
        "shared", &LimitConfig::shared,
        {.doc = "Counted in `redis`, together with all instances of the same `redis.prefix`. While "
                "Redis does not answer, each instance goes on by itself from what it was "
                "told last.",
         .raising = "A round trip to Redis for each request."});
    visit.field("keys", &LimitConfig::keys,
                {.doc = "So many clients are remembered; then the one that has not come for the "
                        "longest time is forgotten.",
                 .minimum = 16,
                 .maximum = 10'000'000,
                 .raising = "64 bytes for each."});
    visit.field("ipv6_prefix", &LimitConfig::ipv6_prefix,
                {.doc = "So many bits of an IPv6 address are one client: most have a whole /64.",
                 .minimum = 16,
                 .maximum = 128});
  }
};

}  // namespace spillway::gateway
