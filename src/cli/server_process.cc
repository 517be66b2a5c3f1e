// cli/server_process.cc: the hidden command `server`, which `up` starts.
#include <cstdlib>

#include "cli/commands.h"
#include "cli/control_token.h"
#include "cli/exit_status.h"
#include "cli/plan_source.h"
#include "server/process.h"

namespace spillway::cli {

int run_server(const Options& options, Output& output) {
  const char* token = ::getenv(control_token_variable);
  if (token == nullptr || *token == '\0') {
    output.error("`spillway server` is started by `spillway up`, not by hand");
    return exit_bad_usage;
  }
  PlanSource source = plan_source(options.up);
  return server::run_process({.load = std::move(source.load),
                              .has_plan_file = source.is_file,
                              .plan_source = std::move(source.text),
                              .version = version_text(),
                              .token = token,
                              .watches = options.up.watch});
}

}  // namespace spillway::cli
