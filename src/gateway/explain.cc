// gateway/explain.cc: asks the route table, then asks again with one condition at a time.
#include "gateway/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/token.h"
#include "gateway/filters/filter_list.h"
#include "gateway/split.h"
#include "http/path.h"
#include "http/serializer.h"
#include "http/url.h"

namespace spillway::gateway {
namespace {

constexpr size_t url_bytes_max = 8 << 10;  // As the default of request.url.

// The question as the table takes it; views into the two arguments of the constructor.
struct Asked {
  Asked(const ExplainQuestion& question, const Explanation& explanation)
      : route{.host = explanation.host,
              .path = explanation.path,
              .query = explanation.query,
              .method = http::method_from(question.method),
              .method_text = question.method,
              .fields = &fields} {
    for (const auto& [name, value] : question.fields) {
      if (!fields.add(name, value)) break;
    }
  }
  http::HeaderList fields;
  RouteQuestion route;
};

bool holds(RouteConfig condition, const RouteQuestion& question) {
  std::vector<RouteConfig> routes;
  routes.push_back(std::move(condition));
  return RouteTable(std::move(routes)).match(question) != RouteTable::none;
}

std::string join(const std::vector<Method>& methods) {
  std::string text;
  for (const Method& method : methods) text += (text.empty() ? "" : ", ") + method.text;
  return text;
}

// The first condition of `route` that does not hold for the question; empty if all do. Each is put
// to a table of its own, so that no rule of matching is written down twice.
std::string what_fails(const RouteConfig& route, const RouteQuestion& question) {
  if (!holds({.host = route.host}, question)) {
    return fmt::format("host: {} is not {}", question.host, route.host.text);
  }
  if (!holds({.path = route.path}, question)) {
    if (route.path.is_prefix()) {
      return fmt::format("path: {} is not below {}", question.path, route.path.prefix());
    }
    return fmt::format("path: {} is not {}", question.path, route.path.text);
  }
  if (!holds({.methods = route.methods}, question)) {
    return fmt::format("methods: {} is not one of {}", question.method_text, join(route.methods));
  }
  for (const auto& [name, value] : route.headers) {
    if (holds({.headers = {{name, value}}}, question)) continue;
    return value == "*" ? fmt::format("headers: there is no {}", name)
                        : fmt::format("headers: {} is not \"{}\"", name, value);
  }
  for (const auto& [name, value] : route.query) {
    if (holds({.query = {{name, value}}}, question)) continue;
    return value == "*" ? fmt::format("query: there is no {}", name)
                        : fmt::format("query: {} is not \"{}\"", name, value);
  }
  return "";
}

std::vector<std::string> why_it_matches(const RouteConfig& route) {
  std::vector<std::string> reasons;
  if (route.host.is_any()) {
    reasons.emplace_back("host: any");
  } else if (route.host.is_wildcard()) {
    reasons.push_back(fmt::format("host: ends in {}", route.host.suffix()));
  } else {
    reasons.push_back(fmt::format("host: is {}", route.host.text));
  }
  if (!route.path.is_prefix()) {
    reasons.push_back(fmt::format("path: is {}", route.path.text));
  } else if (route.path.prefix() == "/") {
    reasons.emplace_back("path: any");
  } else {
    reasons.push_back(fmt::format("path: is below {}", route.path.prefix()));
  }
  if (!route.methods.empty()) {
    reasons.push_back(fmt::format("methods: one of {}", join(route.methods)));
  }
  for (const auto& [name, value] : route.headers) {
    reasons.push_back(value == "*" ? fmt::format("headers: has {}", name)
                                   : fmt::format("headers: {} is \"{}\"", name, value));
  }
  for (const auto& [name, value] : route.query) {
    reasons.push_back(value == "*" ? fmt::format("query: has {}", name)
                                   : fmt::format("query: {} is \"{}\"", name, value));
  }
  return reasons;
}

// How early a host pattern that matches is asked: exact, longer wildcards, shorter ones, any.
size_t specificity(const HostPattern& host) {
  if (host.is_any()) return 0;
  return host.is_wildcard() ? host.text.size() : SIZE_MAX;
}

void explain_passed(const RouteTable& table, const RouteQuestion& question, size_t matched,
                    Explanation& explanation) {
  const bool has_match = matched != RouteTable::none;
  for (size_t number = 0; number < table.size(); ++number) {
    if (number == matched) continue;
    const RouteConfig& route = table.route(number);
    const bool host_fits = holds({.host = route.host}, question);
    bool was_asked_before = !has_match || number < matched;
    if (has_match && host_fits) {
      const size_t ours = specificity(table.route(matched).host);
      const size_t theirs = specificity(route.host);
      was_asked_before = theirs != ours ? theirs > ours : number < matched;
    }
    std::string reason = was_asked_before ? what_fails(route, question) : "";
    // A matching route above the chosen one has a less specific host.
    if (reason.empty() && has_match && number < matched) {
      reason = fmt::format("host: {} is less specific",
                           route.host.is_any() ? "any host" : route.host.text);
    }
    if (reason.empty()) continue;
    if (explanation.passed.size() == explained_routes_max) {
      ++explanation.passed_more;
      continue;
    }
    explanation.passed.push_back({number, route_label(route), std::move(reason)});
  }
}

Result<void> take_apart(const ExplainQuestion& question, Explanation& explanation) {
  if (question.url.size() > url_bytes_max) {
    return fail(Error::Code::invalid, "the URL is longer than 8 KiB");
  }
  const bool is_path = question.url.starts_with('/');
  const std::string whole = is_path ? "http://localhost" + question.url : question.url;
  const auto url = http::parse_url(whole);
  if (!url) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not a URL such as http://shop.example/cart?id=1 or "
                            "/cart?id=1, without user, fragment or blanks",
                            question.url));
  }
  explanation.method = question.method;
  explanation.host = std::string(url->host);
  explanation.path_received = std::string(url->path);
  explanation.query = std::string(url->query);
  return {};
}

}  // namespace

std::string route_label(const RouteConfig& route) {
  std::string label;
  for (const Method& method : route.methods) label += (label.empty() ? "" : ",") + method.text;
  if (!label.empty()) label += ' ';
  return label + route.host.text + route.path.text;
}

Result<Explanation> explain_route(const GatewayConfig& config, const ExplainQuestion& question) {
  const RouteTable table(config.routes);
  Explanation explanation;
  TRY_VOID(take_apart(question, explanation));
  explanation.filters = explain_filters(config, nullptr);
  if (question.method == "CONNECT" || question.method == "TRACE") {
    explanation.refused_status = 405;
    explanation.refusal = "CONNECT and TRACE are never forwarded";
    return explanation;
  }
  TRY_VOID(Method::parse(question.method));

  std::string buffer(explanation.path_received.size() * 3, '\0');
  const auto path = http::normalise_path(explanation.path_received, buffer);
  if (!path) {
    explanation.refused_status = path.error().status;
    explanation.refusal = std::string(path.error().text);
    return explanation;
  }
  explanation.path = std::string(*path);

  const auto asked = std::make_unique<Asked>(question, explanation);
  const size_t matched = table.match(asked->route);
  explain_passed(table, asked->route, matched, explanation);
  if (matched == RouteTable::none) {
    const std::string allowed = table.allowed_methods(asked->route);
    explanation.refused_status = allowed.empty() ? 404 : 405;
    explanation.refusal = allowed.empty() ? "no route matches this request"
                                          : "this method is not served here; allowed: " + allowed;
    return explanation;
  }
  const RouteConfig& route = table.route(matched);
  explanation.route = matched;
  explanation.filters = explain_filters(config, &route);
  explanation.route_label = route_label(route);
  explanation.reasons = why_it_matches(route);
  explanation.service = route.service;
  if (route.split) {
    const size_t side = side_by_fields(*route.split, {}, asked->fields);
    explanation.service = route.split->to[side].service;
    if (side != 0) explanation.reasons.push_back("split: asked for " + explanation.service);
  }
  return explanation;
}

void explain_service(const RouteConfig& route, const upstream::ClusterConfig& service,
                     Explanation& explanation) {
  explanation.balance = upstream::to_string(service.balance);
  if (service.sticky) explanation.balance += ", sticky by the cookie " + service.sticky->cookie;

  const auto timeout = [&](std::string name, const std::optional<Duration>& own, Duration common) {
    std::string text = spillway::to_string(own.value_or(common));
    if (own) text += " (the route's own)";
    explanation.timeouts.emplace_back(std::move(name), std::move(text));
  };
  const upstream::TimeoutConfig& timeouts = service.timeouts;
  timeout("connect", std::nullopt, timeouts.connect);
  timeout("first_byte", route.timeouts.first_byte, timeouts.first_byte);
  timeout("idle", route.timeouts.idle, timeouts.idle);
  timeout("total", route.timeouts.total, timeouts.total);
  timeout("websocket_idle", route.timeouts.websocket_idle, timeouts.websocket_idle);

  const auto limit = [&](std::string name, std::string text) {
    explanation.limits.emplace_back(std::move(name), std::move(text));
  };
  limit("retries",
        fmt::format("{} attempts in all, retries up to {} of requests or {}",
                    service.retries.attempts, spillway::to_string(service.retries.budget.share),
                    spillway::to_string(service.retries.budget.least)));
  if (service.hedge)
    limit("hedge", "a second attempt after " + spillway::to_string(service.hedge->after));
  if (service.breaker) {
    limit("breaker",
          fmt::format("opens at {} failures of at least {} requests, for {}",
                      spillway::to_string(service.breaker->error_share), service.breaker->requests,
                      spillway::to_string(service.breaker->open)));
  }
  if (service.concurrency) {
    limit("concurrency",
          fmt::format("{} per endpoint, then {} wait for at most {}", *service.concurrency,
                      service.queue.length, spillway::to_string(service.queue.wait)));
  }
  if (route.buffer) limit("buffer", spillway::to_string(*route.buffer) + " of each answer");
}

Result<std::pair<std::string, std::string>> parse_header_argument(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name) ||
      !http::is_field_value(trimmed(text.substr(colon + 1)))) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not a header such as 'x-beta: 1'", text));
  }
  return std::pair(std::string(name), std::string(trimmed(text.substr(colon + 1))));
}

}  // namespace spillway::gateway
