// cli/status.cc: `spillway status`.
#include "cli/api_client.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/status_text.h"

namespace spillway::cli {
namespace {

constexpr Duration answer_timeout = 10s;
constexpr Duration watch_pause = 2s;
constexpr std::string_view clear_screen = "\x1b[H\x1b[2J";

}  // namespace

int run_status(const Options& options, Output& output) {
  Conversation talk{output};
  const auto client = talk.connect(options);
  if (client == nullptr) return talk.exit_status;
  while (true) {
    const auto answer = client->get("/api/v1/status", answer_timeout);
    if (!talk.accept(answer)) return talk.exit_status;
    const auto json = admin::parse_json(answer->body);
    if (!json) {
      output.error(json.error());
      return exit_failed;
    }
    std::string text = options.json
                           ? admin::text_of(*json, !options.status.watch) + "\n"
                           : status_text(admin::status_from_json(*json), output.is_coloured());
    if (options.status.watch && !options.json) text.insert(0, clear_screen);
    output.print(text);
    if (!options.status.watch || !output.is_open()) return exit_ok;
    client->pause(watch_pause);
  }
}

}  // namespace spillway::cli
