// gateway/explain.h: which route a request would take, and why that one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "gateway/route_table.h"
#include "upstream/config.h"

namespace spillway::gateway {

// A request that need not have been made.
struct ExplainQuestion {
  std::string method = "GET";
  std::string url = "/";  // "http://shop.example/a?b=1", or "/a?b=1" for the host "localhost".
  std::vector<std::pair<std::string, std::string>> fields;
};

// A route that was asked before the one that matched, and the condition that did not hold.
struct RoutePassed {
  size_t number = 0;  // Place in the plan's list, from 0.
  std::string label;
  std::string reason;  // "path: /cart is not below /api/"
};

// One line of what would apply, such as {"first_byte", "30s"}.
using ExplainedSetting = std::pair<std::string, std::string>;

struct ExplainedEndpoint {
  std::string name;
  std::string address;
  std::string state;  // Empty if nothing runs that could tell.
};

// What a request would meet, in the order in which it would. A plain value, for people.
struct Explanation {
  std::string method;
  std::string host;
  std::string path;  // Normalised.
  std::string path_received;
  std::string query;
  uint16_t refused_status = 0;  // Not 0: what the client is answered, with `refusal`.
  std::string refusal;
  std::optional<size_t> route;  // Place in the plan's list, from 0.
  std::string route_label;
  std::vector<std::string> reasons;  // Why this route: one per condition of it.
  std::vector<RoutePassed> passed;   // At most explained_routes_max; passed_more were left out.
  size_t passed_more = 0;
  std::vector<std::string> filters;  // In running order.
  std::string service;
  std::string balance;
  std::vector<ExplainedSetting> timeouts;
  std::vector<ExplainedSetting> limits;  // Retries, hedging, breaker, concurrency and queue.
  std::vector<ExplainedEndpoint> endpoints;
};

inline constexpr size_t explained_routes_max = 50;  // More is no explanation.

// Fills in all but what depends on the service. The table itself is asked, so that the answer is
// what a request would get. Error: invalid, the URL, method or a header makes no sense.
Result<Explanation> explain_route(const GatewayConfig& config, const ExplainQuestion& question);

// Adds what the route's service says: timeouts (the route's own first), retries and limits.
void explain_service(const RouteConfig& route, const upstream::ClusterConfig& service,
                     Explanation& explanation);

// "name: value" taken apart. Error: invalid.
Result<std::pair<std::string, std::string>> parse_header_argument(std::string_view text);

// As metrics and logs name a route: "POST shop.example/api/*".
std::string route_label(const RouteConfig& route);

}  // namespace spillway::gateway
