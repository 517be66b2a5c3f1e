// cli/explain.cc: `spillway explain METHOD URL` and `spillway explain field NAME`.
#include "gateway/explain.h"

#include <fmt/format.h>

#include "admin/query_parameters.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/explanation_text.h"
#include "plan/loader.h"
#include "plan/manual.h"

namespace spillway::cli {
namespace {

constexpr Duration answer_timeout = 10s;

Result<gateway::ExplainQuestion> question_of(const Options& options) {
  gateway::ExplainQuestion question{
      .method = options.explain.method, .url = options.explain.url, .fields = {}};
  for (const std::string& header : options.explain.headers) {
    TRY(field, gateway::parse_header_argument(header));
    question.fields.push_back(std::move(field));
  }
  return question;
}

void show(const gateway::Explanation& explanation, const Options& options, Output& output) {
  output.print(options.json ? admin::text_of(admin::to_json(explanation), true) + "\n"
                            : explanation_text(explanation, output.is_coloured()));
}

Result<gateway::Explanation> explain_with(const plan::Plan& plan,
                                          const gateway::ExplainQuestion& question) {
  TRY(explanation, gateway::explain_route(plan.gateway(), question));
  if (!explanation.route) return std::move(explanation);
  const gateway::RouteConfig& route = plan.routes[*explanation.route];
  if (route.service.empty()) return std::move(explanation);  // It needs none.
  const plan::Service& service = plan.services.at(explanation.service);
  gateway::explain_service(route, service.cluster, explanation);
  for (const plan::EndpointConfig& endpoint : service.endpoints) {
    const std::string address = to_string(endpoint.address);
    explanation.endpoints.push_back({.name = address, .address = address, .state = ""});
  }
  return std::move(explanation);
}

int explain_offline(const gateway::ExplainQuestion& question, const Options& options,
                    Output& output) {
  const plan::LoadResult loaded = plan::load_file(options.explain.plan);
  for (const plan::Problem& problem : loaded.errors) output.error(to_string(problem));
  if (!loaded.plan) return exit_bad_usage;
  const auto explanation = explain_with(*loaded.plan, question);
  if (!explanation) {
    output.error(explanation.error());
    return exit_bad_usage;
  }
  show(*explanation, options, output);
  return exit_ok;
}

std::string path_of(const Options& options) {
  std::string path = fmt::format("/api/v1/explain?method={}&url={}",
                                 admin::encode_parameter(options.explain.method),
                                 admin::encode_parameter(options.explain.url));
  for (const std::string& header : options.explain.headers) {
    path += "&header=" + admin::encode_parameter(header);
  }
  return path;
}

}  // namespace

int run_explain(const Options& options, Output& output) {
  const auto question = question_of(options);
  if (!question) {
    output.error(question.error());
    return exit_bad_usage;
  }
  if (!options.explain.plan.empty()) return explain_offline(*question, options, output);
  Conversation talk{output};
  const auto client = talk.connect(options);
  if (client == nullptr) {
    output.note("To explain by a plan file instead: spillway explain METHOD URL PLAN");
    return talk.exit_status;
  }
  const auto answer = client->get(path_of(options), answer_timeout);
  if (!talk.accept(answer)) return talk.exit_status;
  const auto json = admin::parse_json(answer->body);
  if (!json) {
    output.error(json.error());
    return exit_failed;
  }
  show(admin::explanation_from_json(*json), options, output);
  return exit_ok;
}

int run_explain_field(const Options& options, Output& output) {
  const auto text = plan::explain_field(options.explain.field);
  if (!text) {
    output.error(text.error());
    return exit_bad_usage;
  }
  output.print(options.json
                   ? admin::text_of({{"field", options.explain.field}, {"text", *text}}, true) +
                         "\n"
                   : *text);
  return exit_ok;
}

}  // namespace spillway::cli
