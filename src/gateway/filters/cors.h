// gateway/filters/cors.h: which pages of other origins may use a route (Fetch Standard, HTTP-CORS).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/request_context.h"

namespace spillway::gateway {

// A browser's question before the request itself.
bool is_preflight(const http::RequestHead& request);

// The rules of all routes, their lists joined once.
class CorsRules {
 public:
  explicit CorsRules(const GatewayConfig& config);

  struct Rule {
    explicit Rule(const CorsConfig& its_config);
    bool allows(std::string_view origin) const;

    const CorsConfig config;
    const bool is_for_all;
    const std::string methods;
    const std::string headers;
    const std::string exposed;
    const std::string max_age;
  };
  // Null: the route says nothing of other origins.
  const Rule* of(const RequestContext& context) const;

 private:
  std::optional<Rule> common_;
  std::vector<std::optional<Rule>> by_route_;
};

// Answers browsers' questions before anybody has to sign in: a question carries no credentials.
class CorsPreflight final : public Filter {
 public:
  explicit CorsPreflight(const GatewayConfig& config) : rules_(config) {}
  std::string_view name() const override { return "cors"; }
  Verdict on_request(RequestContext& context) const override;

 private:
  const CorsRules rules_;
};

// Says on every answer who may read it. A service's own words on that are replaced.
class CorsAnswer final : public AnswerFilter {
 public:
  explicit CorsAnswer(const GatewayConfig& config) : rules_(config) {}
  bool on_answer(RequestContext& context, AnswerHead& head) const override;

 private:
  const CorsRules rules_;
};

}  // namespace spillway::gateway
