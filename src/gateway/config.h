// gateway/config.h: which requests go to which service, and whose word about clients we believe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/quantity.h"
#include "base/time.h"
#include "gateway/cache_config.h"
#include "gateway/caller_config.h"
#include "gateway/client_config.h"
#include "gateway/compress_config.h"
#include "gateway/files_config.h"
#include "gateway/limit_config.h"
#include "gateway/match_config.h"
#include "gateway/pages_config.h"
#include "gateway/shaping_config.h"
#include "gateway/split_config.h"
#include "redis/config.h"

namespace spillway::gateway {

// However many a plan has: each costs every request of its route.
inline constexpr size_t limits_per_route_max = 4;

// Overrides, for one route, those of its service.
struct RouteTimeouts {
  std::optional<Duration> first_byte;
  std::optional<Duration> idle;
  std::optional<Duration> total;
  std::optional<Duration> websocket_idle;

  template <class Visitor>
  static void describe(Visitor& visit) {
    constexpr FieldNote bounds{.minimum = 0.001, .maximum = 86'400, .unit = "s", .example = "5s"};
    const auto note = [&bounds](std::string_view doc) {
      FieldNote result = bounds;
      result.doc = doc;
      return result;
    };
    visit.field(
        "first_byte", &RouteTimeouts::first_byte,
        note("Instead of the service's: from the request sent to the answer's first byte."));
    visit.field("idle", &RouteTimeouts::idle,
                note("Instead of the service's: the longest silence within an answer."));
    visit.field("total", &RouteTimeouts::total,
                note("Instead of the service's: the whole request, retries and queue included."));
    visit.field("websocket_idle", &RouteTimeouts::websocket_idle,
                note("Instead of the service's: the longest silence of an upgraded connection."));
  }
};

// One rule: the requests it takes and the service they go to. All conditions have to hold. Among
// routes whose host matches, an exact host goes before a longer wildcard, that before a shorter
// one, that before any host; within one host the first route from the top wins.
struct RouteConfig {
  HostPattern host;
  PathPattern path;
  std::vector<Method> methods;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> query;
  std::string service;  // With a split: its first.
  std::optional<SplitConfig> split;
  std::optional<FilesConfig> files;
  bool maintenance = false;
  RouteTimeouts timeouts;
  std::optional<ByteSize> buffer;
  std::vector<std::string> limit;
  std::optional<RedirectConfig> redirect;
  std::optional<RewriteConfig> rewrite;
  HeaderRules request_headers;
  HeaderRules response_headers;
  std::optional<CorsConfig> cors;
  std::optional<RouteCacheConfig> cache;
  CallerConfig callers;

  template <class Visitor>
  static void describe(Visitor& visit);

 private:
  template <class Visitor>
  static void describe_answers(Visitor& visit);
};

template <class Visitor>
void RouteConfig::describe(Visitor& visit) {
  visit.field("host", &RouteConfig::host,
              {.doc = "A host name, or \"*.domain\" for all names below it. Any host if absent.",
               .example = "\"*.shops.example\""});
  visit.field("path", &RouteConfig::path,
              {.doc = "\"/x\" takes just that path, \"/x/*\" all below /x/, \"/*\" everything.",
               .example = "/api/auctions/*"});
  visit.field(
      "methods", &RouteConfig::methods,
      {.doc = "Only these methods; GET includes HEAD. All if absent.", .example = "[POST]"});
  visit.field("headers", &RouteConfig::headers,
              {.doc = "Only requests with these header values; \"*\" is any value.",
               .example = "{ x-beta: \"1\" }"});
  visit.field("query", &RouteConfig::query,
              {.doc = "Only requests with these query parameters; \"*\" is any value.",
               .example = "{ version: \"2\" }"});
  visit.field("service", &RouteConfig::service,
              {.doc = "Where the requests go: a name under `services`. May be absent if there is "
                      "just one.",
               .example = "api"});
  visit.field("split", &RouteConfig::split,
              {.doc = "Instead of `service`: several, and who goes where."});
  visit.field("files", &RouteConfig::files,
              {.doc = "Files of a folder, instead of a service or before it: with `service`, what "
                      "is no file goes there.",
               .example = "./public"});
  visit.field("maintenance", &RouteConfig::maintenance,
              {.doc = "Answers this route's requests as `maintenance` at the top level says, "
                      "whether that is enabled or not."});
  visit.field(
      "limit", &RouteConfig::limit,
      {.doc = "The limits that count its requests: names under `limits`, at most 4. One that "
              "refuses takes nothing from others of its kind (by user, or not).",
       .example = "[everyone]"});
  visit.field("redirect", &RouteConfig::redirect,
              {.doc = "Sends clients elsewhere; the route then has no service.",
               .example = "\"https://shop.example{path}{query}\""});
  visit.field("rewrite", &RouteConfig::rewrite,
              {.doc = "What the service is asked for, where it is not what the client asked for."});
  visit.field("request_headers", &RouteConfig::request_headers,
              {.doc = "Changes of requests before a service, after those for all routes."});
  describe_answers(visit);
  visit.embed(&RouteConfig::callers);
}

template <class Visitor>
void RouteConfig::describe_answers(Visitor& visit) {
  visit.field("response_headers", &RouteConfig::response_headers,
              {.doc = "Changes of answers, after those for all routes."});
  visit.field("cors", &RouteConfig::cors,
              {.doc = "Which pages of other origins may use this route, instead of what the plan "
                      "says for all."});
  visit.field("timeouts", &RouteConfig::timeouts,
              {.doc = "Timeouts of this route, instead of its service's."});
  visit.field("buffer", &RouteConfig::buffer,
              {.doc = "Up to so many bytes of an answer are taken from the service before the "
                      "client has read them, so that slow clients free it sooner. Never for "
                      "text/event-stream or upgrades. Streamed chunk by chunk if absent.",
               .minimum = 4096,
               .maximum = 1 << 26,
               .unit = "B",
               .raising = "As many bytes for each slow client of this route.",
               .example = "256KB"});
  visit.field("cache", &RouteConfig::cache,
              {.doc = "Keeps answers and gives them to all who ask for the same (RFC 9111).",
               .example = "{ ttl: 5m, stale_while_revalidate: 30s }"});
}

// All of the plan that the gateway goes by.
struct GatewayConfig {
  std::vector<RouteConfig> routes;
  ClientsConfig clients;
  uint32_t parameters_max = 1000;  // Of one query.
  std::map<std::string, LimitConfig> limits;
  HeaderRules request_headers;
  HeaderRules response_headers;
  std::optional<CorsConfig> cors;
  std::optional<SecurityHeadersConfig> security_headers;
  std::optional<CompressConfig> compress;
  CacheConfig cache;
  MaintenanceConfig maintenance;
  std::string folder = {};                  // Of the plan, where relative paths begin.
  bool verifies_clients = false;            // Mutual TLS.
  bool identifies_callers = false;          // The plan has `auth`.
  std::optional<redis::RedisConfig> redis;  // Where shared limits are counted.
  std::string name = "spillway";            // Of the plan.
  std::string hsts;  // Strict-Transport-Security on answers over https; empty: none.
};

}  // namespace spillway::gateway
