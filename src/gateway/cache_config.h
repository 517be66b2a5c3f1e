// gateway/cache_config.h: which answers are kept, under which keys, and for how long.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/quantity.h"
#include "base/time.h"

namespace spillway::gateway {

// What tells answers apart, beside scheme, host, path and query.
struct CacheKeyConfig {
  std::optional<std::vector<std::string>> query;
  std::vector<std::string> headers;
  std::vector<std::string> cookies;
  bool user = false;

  bool operator==(const CacheKeyConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("query", &CacheKeyConfig::query,
                {.doc = "Only these parameters count, in whatever order they come; the whole query "
                        "as it is if absent. `[]`: none does. A service is still asked with all.",
                 .example = "[page, sort]"});
    visit.field("headers", &CacheKeyConfig::headers,
                {.doc = "Headers whose values count, as if all answers varied by them.",
                 .example = "[x-tenant]"});
    visit.field("cookies", &CacheKeyConfig::cookies,
                {.doc = "Cookies whose values count.", .example = "[language]"});
    visit.field("user", &CacheKeyConfig::user,
                {.doc = "Each user (`auth`) has a cache of their own, which may keep private "
                        "answers. Requests of nobody are not answered from it."});
  }
};

// Requests that are not answered from the cache, and whose answers are not kept.
struct CacheBypassConfig {
  std::vector<std::string> headers;
  std::vector<std::string> cookies;

  bool operator==(const CacheBypassConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("headers", &CacheBypassConfig::headers,
                {.doc = "Requests with one of these headers.", .example = "[x-preview]"});
    visit.field("cookies", &CacheBypassConfig::cookies,
                {.doc = "Requests with one of these cookies.", .example = "[session]"});
  }
};

struct RouteCacheConfig {
  std::optional<Duration> ttl;
  std::optional<Duration> negative_ttl;
  std::optional<Duration> stale_while_revalidate;
  std::optional<Duration> stale_if_error;
  bool overrides = false;
  bool heed_requests = true;
  CacheKeyConfig key;
  CacheBypassConfig bypass;

  // "5m": the ttl; "on".
  static Result<RouteCacheConfig> parse(std::string_view text);
  bool operator==(const RouteCacheConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit);
};

template <class Visitor>
void RouteCacheConfig::describe(Visitor& visit) {
  const auto span = [](std::string_view doc, std::string_view example) {
    return FieldNote{
        .doc = doc, .minimum = 0, .maximum = 86'400 * 3650.0, .unit = "s", .example = example};
  };
  visit.field(
      "ttl", &RouteCacheConfig::ttl,
      span("How long answers with status 200, 203, 204, 300, 301 and 308 are fresh that say "
           "nothing of it themselves.",
           "5m"));
  visit.field("negative_ttl", &RouteCacheConfig::negative_ttl,
              span("The same for 404, 405, 410, 414 and 501.", "10s"));
  visit.field(
      "stale_while_revalidate", &RouteCacheConfig::stale_while_revalidate,
      span("For so long after that they are sent on, while the service is asked anew. Where "
           "the answer has none of its own (RFC 5861).",
           "30s"));
  visit.field("stale_if_error", &RouteCacheConfig::stale_if_error,
              span("For so long they are sent where the service fails: 500, 502, 503, 504 or no "
                   "word. Where the answer has none of its own (RFC 5861).",
                   "1h"));
  visit.field("overrides", &RouteCacheConfig::overrides,
              {.doc = "The ttl counts whatever answers say: their Cache-Control, Expires and the "
                      "like are not looked at, `no-store` and `private` included. Answers with "
                      "Set-Cookie, and those to requests with Authorization, are still not kept."});
  visit.field("heed_requests", &RouteCacheConfig::heed_requests,
              {.doc = "Clients may ask past the cache (Cache-Control: no-cache, max-age=0 and the "
                      "like, RFC 9111 section 5.2.1). With false they cannot."});
  visit.field("key", &RouteCacheConfig::key,
              {.doc = "What tells answers apart, beside scheme, host, path and query. What answers "
                      "name in Vary does so by itself."});
  visit.field("bypass", &RouteCacheConfig::bypass,
              {.doc = "Requests that have nothing to do with the cache."});
}

// Where answers are kept.
struct CacheConfig {
  ByteSize memory{64 << 20};
  ByteSize object{1 << 20};

  bool operator==(const CacheConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field(
        "memory", &CacheConfig::memory,
        {.doc = "Of all workers together, what each answer costs beside its bytes included. "
                "When it is full the least useful go.",
         .minimum = 1 << 20,
         .maximum = static_cast<double>(uint64_t{1} << 40),
         .unit = "B",
         .raising = "As much memory.",
         .example = "256MB"});
    visit.field("object", &CacheConfig::object,
                {.doc = "Larger answers are not kept, but passed on as they come.",
                 .minimum = 1024,
                 .maximum = 1 << 30,
                 .unit = "B",
                 .raising = "As much memory for each answer that is being fetched.",
                 .example = "4MB"});
  }
};

}  // namespace spillway::gateway
