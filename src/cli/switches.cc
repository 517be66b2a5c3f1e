// cli/switches.cc: `spillway maintenance` and `spillway split`.
#include <fmt/format.h>

#include "base/quantity.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/table.h"

namespace spillway::cli {
namespace {

constexpr Duration answer_timeout = 10s;

std::string percent(double share) { return fmt::format("{:.4g}%", share * 100); }

std::string maintenance_text(const admin::MaintenanceStatus& status) {
  std::string text = fmt::format("maintenance is {}, ", status.is_on ? "on" : "off");
  text += status.from == "plan" ? "as the plan says" : "by command";
  if (status.left) {
    text += ", for another " +
            to_string(Duration(std::chrono::ceil<std::chrono::seconds>(*status.left)));
  }
  return text + "\n";
}

std::string split_text(const std::vector<admin::SplitEntry>& splits, bool is_coloured) {
  Table table({{"ROUTE"},
               {"SERVICE"},
               {"SHARE", Table::Align::right},
               {"PLANNED", Table::Align::right},
               {"FROM"}});
  for (const admin::SplitEntry& entry : splits) {
    table.add({harmless(entry.route), harmless(entry.service),
               entry.is_off ? "off" : percent(entry.share), percent(entry.planned),
               harmless(entry.from)});
  }
  return table.empty() ? "no route has a split\n" : table.text(is_coloured);
}

// Asks or changes, and reads where all switches stand then.
std::optional<admin::SwitchesStatus> switches(const Options& options, Output& output,
                                              const std::string& path, const admin::Json& body,
                                              int& status) {
  Conversation talk{output};
  const auto client = talk.connect(options);
  status = talk.exit_status;
  if (client == nullptr) return std::nullopt;
  const auto answer =
      body.empty() ? client->get(path, answer_timeout) : client->post(path, body, answer_timeout);
  if (answer && options.json) output.print(answer->body);
  const bool is_accepted = talk.accept(answer);
  status = is_accepted ? exit_ok : talk.exit_status;
  if (!is_accepted || options.json) return std::nullopt;
  const auto json = admin::parse_json(answer->body);
  if (!json || !json->is_object()) {
    output.error("the instance answered what this program does not understand");
    status = exit_failed;
    return std::nullopt;
  }
  return admin::switches_from_json(*json);
}

}  // namespace

int run_maintenance(const Options& options, Output& output) {
  admin::Json body;
  if (!options.switches.to.empty()) body["to"] = options.switches.to;
  if (!options.switches.within.empty()) body["for"] = options.switches.within;
  int status = exit_ok;
  const auto now = switches(
      options, output, body.empty() ? "/api/v1/switches" : "/api/v1/maintenance", body, status);
  if (now) output.print(maintenance_text(now->maintenance));
  return status;
}

int run_split(const Options& options, Output& output) {
  admin::Json body;
  if (!options.switches.service.empty()) {
    body = {{"service", options.switches.service}, {"to", options.switches.to}};
  }
  int status = exit_ok;
  const auto now =
      switches(options, output, body.empty() ? "/api/v1/switches" : "/api/v1/split", body, status);
  if (now) output.print(split_text(now->splits, output.is_coloured()));
  return status;
}

}  // namespace spillway::cli
