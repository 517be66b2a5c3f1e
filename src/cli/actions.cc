// cli/actions.cc: the commands that change a running instance.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/exit_status.h"

namespace spillway::cli {
namespace {

using admin::Json;

// Most actions answer at once; a rollout waits for each replica to be ready.
constexpr Duration short_timeout = 30s;
constexpr Duration rollout_timeout = 1h;

struct Action {
  std::string path;
  Json body = Json::object();
  Duration within = short_timeout;
};

void show_problems(std::string_view body, Output& output) {
  const auto json = admin::parse_json(body);
  if (!json || !json->is_object() || !json->contains("errors")) return;
  for (const Json& problem : (*json)["errors"]) {
    output.note(to_string(admin::problem_from_json(problem)));
  }
}

// Sends the action; with --json prints the answer as it came. Nothing, with `status` set, unless
// `status` is to be decided by the caller.
std::optional<Json> act(const Action& action, const Options& options, Output& output, int& status) {
  Conversation talk{output};
  const auto client = talk.connect(options);
  if (client == nullptr) {
    status = talk.exit_status;
    return std::nullopt;
  }
  const auto answer = client->post(action.path, action.body, action.within);
  if (answer && options.json) output.print(answer->body);
  if (!talk.accept(answer)) {
    status = talk.exit_status;
    // The problems of a refused plan are worth more than the sentence that there are some.
    if (answer && !options.json) show_problems(answer->body, output);
    return std::nullopt;
  }
  status = exit_ok;
  auto json = admin::parse_json(answer->body);
  if (!json || !json->is_object()) return Json::object();
  return std::move(*json);
}

std::string text_of_member(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

int run_reload(const Options& options, Output& output) {
  int status = exit_ok;
  const auto answer = act({.path = "/api/v1/reload"}, options, output, status);
  if (!answer || options.json) return status;
  const size_t changes = answer->contains("changes") ? (*answer)["changes"].size() : 0;
  output.print(changes == 0
                   ? "reloaded: nothing has changed\n"
                   : fmt::format("reloaded: {} change{}\n", changes, changes == 1 ? "" : "s"));
  if (answer->contains("warnings")) {
    for (const Json& problem : (*answer)["warnings"]) {
      output.note("warning: " + to_string(admin::problem_from_json(problem)));
    }
  }
  return status;
}

int run_deploy(const Options& options, Output& output) {
  Action action{.path = "/api/v1/deploy", .within = rollout_timeout};
  if (!options.action.service.empty()) action.body["service"] = options.action.service;
  int status = exit_ok;
  const auto answer = act(action, options, output, status);
  if (!answer || options.json) return status;
  std::string names;
  if (answer->contains("deployed")) {
    for (const Json& name : (*answer)["deployed"]) {
      if (name.is_string()) names += (names.empty() ? "" : ", ") + name.get<std::string>();
    }
  }
  output.print(names.empty() ? "nothing to deploy: no service has replicas\n"
                             : "deployed: " + names + "\n");
  return status;
}

int run_scale(const Options& options, Output& output) {
  int status = exit_ok;
  const auto answer =
      act({.path = "/api/v1/scale",
           .body = {{"service", options.action.service}, {"replicas", options.action.replicas}}},
          options, output, status);
  if (answer && !options.json) {
    output.print(fmt::format("{}: going to {} replica{}\n", options.action.service,
                             options.action.replicas, options.action.replicas == 1 ? "" : "s"));
  }
  return status;
}

int run_drain(const Options& options, Output& output) {
  const bool undo = options.action.undo;
  int status = exit_ok;
  const auto answer = act({.path = undo ? "/api/v1/undrain" : "/api/v1/drain",
                           .body = {{"endpoint", options.action.endpoint}}},
                          options, output, status);
  if (!answer || options.json) return status;
  const std::string name =
      fmt::format("{}/{}", text_of_member(*answer, "service"), text_of_member(*answer, "endpoint"));
  if (undo) {
    output.print(fmt::format("{} takes requests again\n", harmless(name)));
  } else {
    const auto found = answer->find("in_flight");
    const bool is_count = found != answer->end() && found->is_number_unsigned();
    output.print(fmt::format("{} gets nothing new; {} in flight\n", harmless(name),
                             is_count ? found->get<uint64_t>() : 0));
  }
  return status;
}

int run_upgrade(const Options& options, Output& output) {
  Action action{.path = "/api/v1/upgrade", .within = rollout_timeout};
  if (!options.action.program.empty()) {
    std::error_code error;
    const auto program = std::filesystem::absolute(options.action.program, error);
    if (error || !std::filesystem::is_regular_file(program, error)) {
      output.error(fmt::format("{} is not a program file", options.action.program));
      return exit_bad_usage;
    }
    action.body["program"] = program.string();
  }
  int status = exit_ok;
  const auto answer = act(action, options, output, status);
  if (answer && !options.json) output.print("upgraded: the new program serves\n");
  return status;
}

int run_stop(const Options& options, Output& output) {
  int status = exit_ok;
  const auto answer =
      act({.path = "/api/v1/stop", .body = {{"now", options.action.now}}}, options, output, status);
  if (answer && !options.json) {
    output.print(options.action.now ? "stopping now\n"
                                    : "stopping when requests under way have ended\n");
  }
  return status;
}

int run_clients_change(const Options& options, Output& output) {
  Action action{.path = "/api/v1/clients/change", .body = {{"prefix", options.clients.prefix}}};
  std::string_view done = "removed from the lists";
  if (options.command == Command::clients_remove) {
    action.path = "/api/v1/clients/remove";
  } else {
    const bool is_allowed = options.command == Command::clients_allow;
    action.body["list"] = is_allowed ? "allow" : "deny";
    if (!options.clients.within.empty()) action.body["for"] = options.clients.within;
    done = is_allowed ? "allowed" : "denied";
  }
  int status = exit_ok;
  const auto answer = act(action, options, output, status);
  if (!answer || options.json) return status;
  const std::string within = options.clients.within.empty() ? "" : " for " + options.clients.within;
  output.print(
      fmt::format("{}: {}{}\n", harmless(text_of_member(*answer, "prefix")), done, within));
  return status;
}

}  // namespace spillway::cli
