// gateway/filters/filter_list.cc: the order of the steps, and the reason for each place.
#include "gateway/filters/filter_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "gateway/filters/authentication.h"
#include "gateway/filters/cache_fields.h"
#include "gateway/filters/client_access.h"
#include "gateway/filters/client_certificate.h"
#include "gateway/filters/client_identity.h"
#include "gateway/filters/compression.h"
#include "gateway/filters/cors.h"
#include "gateway/filters/header_rules.h"
#include "gateway/filters/https_redirect.h"
#include "gateway/filters/loop_guard.h"
#include "gateway/filters/maintenance.h"
#include "gateway/filters/parameter_limit.h"
#include "gateway/filters/rate_limits.h"
#include "gateway/filters/redirects.h"
#include "gateway/filters/rewrites.h"
#include "gateway/filters/security_headers.h"
#include "gateway/filters/splits.h"
#include "gateway/filters/strict_transport.h"
#include "gateway/filters/tracing.h"
#include "gateway/gateway.h"
#include "gateway/split.h"

namespace spillway::gateway {

namespace {

using Stage = RateLimiting::Stage;

// The limits of a route that look at its requests at this stage, or all routes' without one.
std::vector<std::string> limits_at(Stage stage, const GatewayConfig& config,
                                   const RouteConfig* route) {
  std::vector<std::string> found;
  for (const auto& [name, limit] : config.limits) {
    const bool has =
        route == nullptr || std::ranges::find(route->limit, name) != route->limit.end();
    if (!has || RateLimiting::stage_of(limit) != stage) continue;
    found.push_back(fmt::format("{} ({} by {}{})", name, to_string(limit.rate), to_string(limit.by),
                                limit.shared ? ", shared through Redis" : ""));
  }
  return found;
}

void explain_limits(Stage stage, const GatewayConfig& config, const RouteConfig* route,
                    std::vector<std::string>& steps) {
  const auto limits = limits_at(stage, config, route);
  if (!limits.empty()) steps.push_back(fmt::format("rate limits: {}", fmt::join(limits, ", ")));
}

// What the plan says; the lists may have been edited since.
std::string explain_access(const ClientsConfig& clients) {
  std::string what;
  const auto note = [&what](std::string_view verb, const auto& list) {
    if (list.empty()) return;
    what += what.empty() ? ": " : "; ";
    what += verb;
    for (size_t i = 0; i < list.size() && i < 4; ++i) {
      what += fmt::format("{}{}", i == 0 ? " " : ", ", to_string(list[i]));
    }
    if (list.size() > 4) what += fmt::format(" and {} more", list.size() - 4);
  };
  note("allow", clients.allow);
  note("deny", clients.deny);
  note("allow countries", clients.countries.allow);
  note("deny countries", clients.countries.deny);
  return what;
}

template <class Has>
bool any_route(const GatewayConfig& config, Has has) {
  return std::ranges::any_of(config.routes, has);
}

bool has_cors(const GatewayConfig& config) {
  return config.cors ||
         any_route(config, [](const RouteConfig& route) { return route.cors.has_value(); });
}

bool has_cache(const GatewayConfig& config) {
  return any_route(config, [](const RouteConfig& route) { return route.cache.has_value(); });
}

bool changes_requests(const GatewayConfig& config) {
  return !config.request_headers.is_empty() || any_route(config, [](const RouteConfig& route) {
    return !route.request_headers.is_empty();
  });
}

bool changes_answers(const GatewayConfig& config) {
  return !config.response_headers.is_empty() || any_route(config, [](const RouteConfig& route) {
    return !route.response_headers.is_empty();
  });
}

void explain_shaping(const GatewayConfig& config, const RouteConfig& route,
                     std::vector<std::string>& steps) {
  if (!config.request_headers.is_empty() || !route.request_headers.is_empty()) {
    steps.emplace_back("request headers");
  }
  if (!route.rewrite) return;
  std::string what;
  const auto note = [&](std::string_view name, const std::optional<std::string>& value) {
    if (value) what += fmt::format("{}{} {}", what.empty() ? "" : ", ", name, *value);
  };
  note("strip_prefix", route.rewrite->strip_prefix);
  note("add_prefix", route.rewrite->add_prefix);
  note("path", route.rewrite->path);
  note("host", route.rewrite->host);
  steps.push_back("rewrite: " + what);
}

// What the plan says; `spillway maintenance` may have turned it since.
std::string explain_maintenance(const GatewayConfig& config, const RouteConfig* route) {
  const bool is_on = config.maintenance.enabled || (route != nullptr && route->maintenance);
  return is_on ? ": on, answers 503" : "";
}

// "split: web 95%, canary 5% by ip", as the plan says.
std::string explain_split(const SplitConfig& split) {
  std::string text = "split: ";
  for (size_t side = 0; side < split.to.size(); ++side) {
    const SplitTarget& target = split.to[side];
    const double share =
        side == 0 ? 1 - shares_of(split, {}) : target.share.value_or(Share{}).of_one;
    text += fmt::format("{}{} {}", side == 0 ? "" : ", ", target.service,
                        to_string(Share::percent(std::round(share * 1e8) / 1e6)));
    for (const auto& [name, value] : target.headers) {
      text += fmt::format(" or header {}: {}", name, value);
    }
    for (const auto& [name, value] : target.cookies) {
      text += fmt::format(" or cookie {}={}", name, value);
    }
  }
  return text + ", by " + to_string(split.by);
}

// "cache: ttl 5m where the answer says none, stale_while_revalidate 30s, key with header x-tenant".
std::string explain_cache(const RouteCacheConfig& cache) {
  std::string text =
      cache.overrides ? "cache: whatever the answer says" : "cache: as the answer says";
  const auto note = [&text](std::string_view name, const std::optional<Duration>& value) {
    if (value) text += fmt::format(", {} {}", name, spillway::to_string(*value));
  };
  note("ttl", cache.ttl);
  note("negative_ttl", cache.negative_ttl);
  note("stale_while_revalidate", cache.stale_while_revalidate);
  note("stale_if_error", cache.stale_if_error);
  if (cache.key.query) {
    text += fmt::format(", key with query {}", fmt::join(*cache.key.query, " "));
  }
  for (const std::string& name : cache.key.headers) text += ", key with header " + name;
  for (const std::string& name : cache.key.cookies) text += ", key with cookie " + name;
  if (cache.key.user) text += ", key with user";
  for (const std::string& name : cache.bypass.headers) text += ", not with header " + name;
  for (const std::string& name : cache.bypass.cookies) text += ", not with cookie " + name;
  if (!cache.heed_requests) text += ", clients cannot ask past it";
  return text;
}

// "authentication: jwt or basic, with role admin".
std::string explain_authentication(const RouteConfig* route) {
  std::string text = "authentication: ";
  if (route == nullptr || route->callers.auth.empty()) return text + "anybody";
  for (size_t i = 0; i < route->callers.auth.size(); ++i) {
    if (i > 0) text += " or ";
    text += enum_names(route->callers.auth[i])[static_cast<size_t>(route->callers.auth[i])];
  }
  for (const auto& [claim, value] : route->callers.require) text += ", with " + claim + " " + value;
  return text;
}

}  // namespace

FilterChain make_filters(const GatewayParts& parts, const Routing& routing, telemetry::Scope& scope,
                         http::ClientPool& pool) {
  const GatewayConfig& config = routing.config;
  const std::vector<IpPrefix>& trusted = config.clients.trusted_proxies;
  FilterChain chain;
  auto& door = chain.door;
  door.push_back(std::make_unique<LoopGuard>(parts.via));        // Before a loop does any work.
  door.push_back(std::make_unique<ClientIdentity>(trusted));     // All after it use it.
  door.push_back(std::make_unique<Tracing>(trusted));            // Names what goes upstream.
  door.push_back(std::make_unique<ClientAccess>(parts, scope));  // Before work for them.
  door.push_back(std::make_unique<HttpsRedirect>());  // Before anything is said in clear.
  door.push_back(std::make_unique<Maintenance>(parts, routing));
  auto& request = chain.request;
  request.push_back(std::make_unique<ParameterLimit>(config.parameters_max));
  const auto limit_at = [&](Stage stage) {
    if (limits_at(stage, config, nullptr).empty()) return;
    request.push_back(std::make_unique<RateLimiting>(parts, routing, scope, stage));
  };
  limit_at(Stage::early);  // Before anything costs much.
  if (config.verifies_clients) request.push_back(std::make_unique<ClientCertificate>());
  // A browser's preflight brings no credentials.
  if (has_cors(config)) request.push_back(std::make_unique<CorsPreflight>(config));
  if (routing.identity != nullptr) {
    request.push_back(std::make_unique<Authentication>(parts, routing, pool));
  }
  if (any_route(config, [](const RouteConfig& route) { return route.redirect.has_value(); })) {
    request.push_back(std::make_unique<Redirects>());
  }
  limit_at(Stage::by_user);  // Once it is known who asks.
  if (any_route(config, [](const RouteConfig& route) { return route.split.has_value(); })) {
    request.push_back(std::make_unique<Splits>(parts, routing));
  }
  if (changes_requests(config)) request.push_back(std::make_unique<RequestHeaders>(config));
  if (any_route(config, [](const RouteConfig& route) { return route.rewrite.has_value(); })) {
    request.push_back(std::make_unique<Rewrites>());
  }

  auto& answer = chain.answer;
  // What an unsafe request changes is invalid before its client hears of it.
  if (has_cache(config) && parts.cache != nullptr) {
    answer.push_back(std::make_unique<CacheFields>(*parts.cache));
  }
  if (config.security_headers) {
    answer.push_back(std::make_unique<SecurityHeaders>(*config.security_headers));
  }
  if (has_cors(config)) answer.push_back(std::make_unique<CorsAnswer>(config));
  if (!config.limits.empty()) answer.push_back(std::make_unique<RateLimitFields>());
  if (!config.hsts.empty()) answer.push_back(std::make_unique<StrictTransport>(config.hsts));
  if (config.compress) {
    answer.push_back(std::make_unique<Compression>(*config.compress, parts, scope));
  }
  // The plan has the last word.
  if (changes_answers(config)) answer.push_back(std::make_unique<ResponseHeaders>(config));
  return chain;
}

// Beside make_filters, so that one look shows when both no longer say the same.
std::vector<std::string> explain_filters(const GatewayConfig& config, const RouteConfig* route) {
  std::vector<std::string> steps = {"method policy",
                                    "loop guard",
                                    "client identity",
                                    "tracing",
                                    "client access" + explain_access(config.clients),
                                    "https redirect",
                                    "maintenance" + explain_maintenance(config, route),
                                    fmt::format("parameter limit: {}", config.parameters_max)};
  explain_limits(Stage::early, config, route, steps);
  if (config.verifies_clients) steps.emplace_back("client certificate");
  if (route != nullptr && (config.cors || route->cors)) {
    const CorsConfig& cors = route->cors ? *route->cors : *config.cors;
    steps.push_back(fmt::format("cors: {}", fmt::join(cors.origins, ", ")));
  }
  if (config.identifies_callers) steps.push_back(explain_authentication(route));
  if (route != nullptr && route->redirect) {
    steps.push_back(
        fmt::format("redirect: {} to {}", route->redirect->status, route->redirect->to.text));
  }
  explain_limits(Stage::by_user, config, route, steps);
  if (route != nullptr && route->split) steps.push_back(explain_split(*route->split));
  if (route != nullptr) explain_shaping(config, *route, steps);
  if (route != nullptr && route->files) {
    steps.push_back(fmt::format("files: {}{}", route->files->folder,
                                route->service.empty() ? "" : ", else the service"));
  }
  if (route != nullptr && route->cache) steps.push_back(explain_cache(*route->cache));
  if (has_cache(config)) steps.emplace_back("answer: cache status, invalidation");
  if (config.security_headers) steps.emplace_back("answer: security headers");
  if (!config.limits.empty()) steps.emplace_back("answer: rate limit fields");
  if (!config.hsts.empty()) steps.push_back("answer: Strict-Transport-Security: " + config.hsts);
  if (config.compress) {
    std::vector<std::string_view> codings;
    for (const http::ContentCoding coding : config.compress->encodings) {
      codings.push_back(to_string(coding));
    }
    steps.push_back(fmt::format("answer: compression: {}", fmt::join(codings, ", ")));
  }
  const bool has_own = route != nullptr && !route->response_headers.is_empty();
  if (has_own || !config.response_headers.is_empty()) {
    steps.emplace_back("answer: response headers");
  }
  return steps;
}

}  // namespace spillway::gateway
