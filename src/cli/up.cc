// cli/up.cc: `spillway up`.
#include "cli/commands.h"

namespace spillway::cli {

int run_up(const Options& options, Output& output) { return run_server(options, output); }

}  // namespace spillway::cli
