// cli/explanation_text.cc: the request, the route and why, then what applies there.
#include "cli/explanation_text.h"

#include <fmt/format.h>

#include "cli/output.h"
#include "cli/status_text.h"

namespace spillway::cli {
namespace {

constexpr std::string_view indent = "           ";

std::string entry(std::string_view name, std::string_view text, bool is_coloured) {
  return paint(fmt::format("{:<11}", name), Colour::dim, is_coloured) + std::string(text) + "\n";
}

// A heading before the first of several lines.
class Lines {
 public:
  Lines(std::string& into, std::string_view name, bool is_coloured)
      : into_(into), name_(name), is_coloured_(is_coloured) {}
  void add(std::string_view text) {
    into_ += is_first_ ? entry(name_, text, is_coloured_) : fmt::format("{}{}\n", indent, text);
    is_first_ = false;
  }

 private:
  std::string& into_;
  std::string_view name_;
  bool is_coloured_;
  bool is_first_ = true;
};

std::string route_text(const gateway::Explanation& explanation, bool is_coloured) {
  if (!explanation.route) {
    const std::string text = fmt::format("{} {}", explanation.refused_status, explanation.refusal);
    return entry("answer", paint(text, Colour::red, is_coloured), is_coloured);
  }
  std::string text =
      entry("route",
            fmt::format("{} (number {})", paint(explanation.route_label, Colour::bold, is_coloured),
                        *explanation.route + 1),
            is_coloured);
  Lines why(text, "why", is_coloured);
  for (const std::string& reason : explanation.reasons) why.add(reason);
  return text;
}

}  // namespace

std::string explanation_text(const gateway::Explanation& explanation, bool is_coloured) {
  const std::string query = explanation.query.empty() ? "" : "?" + explanation.query;
  const std::string& path = explanation.path.empty() ? explanation.path_received : explanation.path;
  std::string text = entry(
      "request", fmt::format("{} http://{}{}{}", explanation.method, explanation.host, path, query),
      is_coloured);
  if (path != explanation.path_received) {
    text += entry("path", fmt::format("{}, normalised from {}", path, explanation.path_received),
                  is_coloured);
  }
  text += route_text(explanation, is_coloured);

  Lines passed(text, "not taken", is_coloured);
  for (const gateway::RoutePassed& route : explanation.passed) {
    passed.add(fmt::format("{} (number {}): {}", route.label, route.number + 1, route.reason));
  }
  if (explanation.passed_more > 0) passed.add(fmt::format("and {} more", explanation.passed_more));
  std::string filters;
  for (const std::string& filter : explanation.filters) {
    filters += (filters.empty() ? "" : ", ") + filter;
  }
  text += entry("filters", filters, is_coloured);
  if (!explanation.route) return text;

  text += entry("service", paint(explanation.service, Colour::bold, is_coloured), is_coloured);
  text += entry("balance", explanation.balance, is_coloured);
  Lines timeouts(text, "timeouts", is_coloured);
  for (const auto& [name, value] : explanation.timeouts) {
    timeouts.add(fmt::format("{:<14} {}", name, value));
  }
  Lines limits(text, "limits", is_coloured);
  for (const auto& [name, value] : explanation.limits) {
    limits.add(fmt::format("{:<14} {}", name, value));
  }
  Lines endpoints(text, "endpoints", is_coloured);
  for (const gateway::ExplainedEndpoint& endpoint : explanation.endpoints) {
    std::string line = endpoint.name;
    if (endpoint.address != endpoint.name) line += " at " + endpoint.address;
    if (!endpoint.state.empty()) {
      line += ": " + paint(endpoint.state, colour_of_state(endpoint.state), is_coloured);
    }
    endpoints.add(line);
  }
  return text;
}

}  // namespace spillway::cli
