// cli/clients.cc: `spillway clients list`.
#include "base/quantity.h"
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/table.h"

namespace spillway::cli {
namespace {

constexpr Duration answer_timeout = 10s;

std::string text_of_list(const admin::Json& json, bool is_coloured) {
  Table table({{"PREFIX"}, {"LIST"}, {"FROM"}, {"ENDS IN", Table::Align::right}});
  const auto found = json.find("clients");
  if (found == json.end() || !found->is_array()) return "";
  for (const admin::Json& item : *found) {
    const admin::ClientEntry entry = admin::client_from_json(item);
    const std::string left =
        entry.left ? to_string(Duration(std::chrono::ceil<std::chrono::seconds>(*entry.left))) : "";
    table.add({harmless(entry.prefix), harmless(entry.list), harmless(entry.from), left});
  }
  return table.empty() ? "no client is allowed or denied by its address\n"
                       : table.text(is_coloured);
}

}  // namespace

int run_clients_list(const Options& options, Output& output) {
  Conversation talk{output};
  const auto client = talk.connect(options);
  if (client == nullptr) return talk.exit_status;
  const auto answer = client->get("/api/v1/clients", answer_timeout);
  if (!talk.accept(answer)) return talk.exit_status;
  const auto json = admin::parse_json(answer->body);
  if (!json || !json->is_object()) {
    output.error("the instance answered what this program does not understand");
    return exit_failed;
  }
  output.print(options.json ? admin::text_of(*json, true) + "\n"
                            : text_of_list(*json, output.is_coloured()));
  return exit_ok;
}

}  // namespace spillway::cli
