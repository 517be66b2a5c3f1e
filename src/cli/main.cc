// cli/main.cc: the program: reads the command line and runs the command.
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/options.h"

namespace spillway::cli {
namespace {

int run(const Options& options, Output& output) {
  switch (options.command) {
    case Command::up: return run_up(options, output);
    case Command::server: return run_server(options, output);
    case Command::check: return run_check(options, output);
    case Command::explain_request: return run_explain(options, output);
    case Command::explain_field: return run_explain_field(options, output);
    case Command::status: return run_status(options, output);
    case Command::reload: return run_reload(options, output);
    case Command::deploy: return run_deploy(options, output);
    case Command::scale: return run_scale(options, output);
    case Command::drain: return run_drain(options, output);
    case Command::logs: return run_logs(options, output);
    case Command::upgrade: return run_upgrade(options, output);
    case Command::stop: return run_stop(options, output);
    case Command::clients_list: return run_clients_list(options, output);
    case Command::clients_allow:
    case Command::clients_deny:
    case Command::clients_remove: return run_clients_change(options, output);
    case Command::maintenance: return run_maintenance(options, output);
    case Command::split: return run_split(options, output);
  }
  return exit_bad_usage;
}

}  // namespace
}  // namespace spillway::cli

int main(int argc, char** argv) {
  using namespace spillway::cli;
  const auto options = parse_arguments(std::vector<std::string>(argv + 1, argv + argc));
  if (!options) {
    const ParseEnd& end = options.error();
    std::fputs(end.text.c_str(), end.is_error ? stderr : stdout);
    return end.status;
  }
  Output output(options->colour);
  return run(*options, output);
}
