// gateway/filters/cors.cc: origins compared, preflights answered, answers marked.
#include "gateway/filters/cors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "base/ascii.h"

namespace spillway::gateway {
namespace {

using http::Field;

constexpr std::string_view allow_origin = "access-control-allow-origin";
constexpr std::string_view allow_credentials = "access-control-allow-credentials";
constexpr std::string_view expose_headers = "access-control-expose-headers";
constexpr std::string_view request_method = "access-control-request-method";
constexpr std::string_view request_headers = "access-control-request-headers";

// "https://*.example.com" stands for one or more labels before .example.com.
bool matches(std::string_view pattern, std::string_view origin) {
  const size_t star = pattern.find("*.");
  if (star == std::string_view::npos) return equals_ignoring_case(pattern, origin);
  const std::string_view scheme = pattern.substr(0, star);
  const std::string_view suffix = pattern.substr(star + 1);
  if (origin.size() <= scheme.size() + suffix.size()) return false;
  return equals_ignoring_case(origin.substr(0, scheme.size()), scheme) &&
         equals_ignoring_case(origin.substr(origin.size() - suffix.size()), suffix);
}

}  // namespace

bool is_preflight(const http::RequestHead& request) {
  return request.method == http::Method::options && request.fields.has(Field::origin) &&
         request.fields.find(request_method) != nullptr;
}

CorsRules::Rule::Rule(const CorsConfig& its_config)
    : config(its_config),
      is_for_all(std::ranges::find(config.origins, "*") != config.origins.end()),
      methods(fmt::format("{}", fmt::join(config.methods, ", "))),
      headers(fmt::format("{}", fmt::join(config.headers, ", "))),
      exposed(fmt::format("{}", fmt::join(config.expose, ", "))),
      max_age(fmt::format(
          "{}", std::chrono::duration_cast<std::chrono::seconds>(config.max_age).count())) {}

bool CorsRules::Rule::allows(std::string_view origin) const {
  return is_for_all || std::ranges::any_of(config.origins, [&](const std::string& pattern) {
           return matches(pattern, origin);
         });
}

CorsRules::CorsRules(const GatewayConfig& config) {
  if (config.cors) common_.emplace(*config.cors);
  for (const RouteConfig& route : config.routes) {
    auto& rule = by_route_.emplace_back();
    if (route.cors) rule.emplace(*route.cors);
  }
}

const CorsRules::Rule* CorsRules::of(const RequestContext& context) const {
  if (context.route != nullptr && by_route_[context.route_number]) {
    return &*by_route_[context.route_number];
  }
  return common_ ? &*common_ : nullptr;
}

Verdict CorsPreflight::on_request(RequestContext& context) const {
  const http::RequestHead& request = context.exchange.request();
  if (!is_preflight(request)) return Verdict::go_on;
  const CorsRules::Rule* rule = rules_.of(context);
  if (rule == nullptr) return Verdict::go_on;  // The service answers.
  if (!rule->allows(request.fields.value(Field::origin))) {
    return context.end_with({.status = 403, .text = "pages of this origin may not use it"});
  }
  std::string headers = rule->headers;
  if (headers.empty()) {
    const auto* asked = request.fields.find(request_headers);
    if (asked != nullptr) headers = asked->value;
  }
  LocalReply reply{.status = 204,
                   .fields = {{"access-control-allow-methods", rule->methods},
                              {"access-control-max-age", rule->max_age}}};
  if (!headers.empty()) reply.fields.push_back({"access-control-allow-headers", headers});
  return context.end_with(std::move(reply));
}

bool CorsAnswer::on_answer(RequestContext& context, AnswerHead& head) const {
  const CorsRules::Rule* rule = rules_.of(context);
  if (rule == nullptr) return true;
  for (const std::string_view name : {allow_origin, allow_credentials, expose_headers}) {
    head.fields.remove(name);
  }
  // A cache must not give one origin what was meant for another.
  const bool is_one_for_all = rule->is_for_all && !rule->config.credentials;
  if (!is_one_for_all && !head.fields.add(Field::vary, "Origin")) return false;
  const std::string_view origin = context.exchange.request().fields.value(Field::origin);
  if (origin.empty() || !rule->allows(origin)) return true;
  bool fits = head.fields.add(allow_origin, is_one_for_all ? "*" : origin);
  if (rule->config.credentials) fits &= head.fields.add(allow_credentials, "true");
  if (!rule->exposed.empty()) fits &= head.fields.add(expose_headers, rule->exposed);
  return fits;
}

}  // namespace spillway::gateway
