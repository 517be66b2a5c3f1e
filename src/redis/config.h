// redis/config.h: where Redis is and how long we wait for it, as a plan writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fields.h"
#include "base/one_or_more.h"
#include "base/time.h"

namespace spillway::redis {

// "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]", with %XX where a name or password has other
// bytes than letters and digits. Immutable value.
struct Url {
  std::string host;  // Without brackets.
  uint16_t port = 6379;
  std::string user;
  std::string password;
  uint32_t database = 0;
  bool is_secure = false;  // rediss://, which whoever checks the plan refuses by its name.

  // Errors never repeat the text: it may hold the password.
  static Result<Url> parse(std::string_view text);
  // Differs if the password does, so that a reload can list what it does not show.
  uint64_t secret_mark() const;
  bool operator==(const Url&) const = default;
};
// Without the password.
std::string to_string(const Url& url);

// The short form is one address alone.
struct RedisConfig {
  OneOrMore<Url> at;
  bool cluster = false;
  std::optional<std::string> prefix;
  Duration timeout = 50ms;
  uint32_t in_flight = 1000;

  static Result<RedisConfig> parse(std::string_view text);
  bool operator==(const RedisConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("at", &RedisConfig::at,
                {.doc = "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]. Of a cluster some of its "
                        "nodes; they name the others.",
                 .required = true,
                 .secret = true,
                 .example = "redis://10.0.0.5:6379"});
    visit.field("cluster", &RedisConfig::cluster,
                {.doc = "It is a Redis cluster: each key is asked for where its slot is."});
    visit.field("prefix", &RedisConfig::prefix,
                {.doc = "Begins the names of all our keys. Instances with the same one share what "
                        "they count. \"spillway:\" and the plan's `name` if absent.",
                 .example = "shop"});
    visit.field("timeout", &RedisConfig::timeout,
                {.doc = "How long an answer may take; then this instance decides by itself.",
                 .minimum = 0.001,
                 .maximum = 10,
                 .unit = "s",
                 .raising = "Requests wait for longer when Redis is slow."});
    visit.field("in_flight", &RedisConfig::in_flight,
                {.doc = "So many commands of one worker may be on their way to one node; beyond "
                        "that this instance decides by itself.",
                 .minimum = 1,
                 .maximum = 100'000,
                 .raising = "About 400 bytes for each."});
  }
};

}  // namespace spillway::redis
