// cli/commands.h: one function per command; each returns the program's exit status.
#pragma once

#include "cli/options.h"
#include "cli/output.h"

namespace spillway::cli {

int run_up(const Options& options, Output& output);             // up.cc
int run_server(const Options& options, Output& output);         // server_process.cc
int run_check(const Options& options, Output& output);          // check.cc
int run_explain_field(const Options& options, Output& output);  // explain.cc
int run_explain(const Options& options, Output& output);
int run_status(const Options& options, Output& output);  // status.cc
int run_logs(const Options& options, Output& output);    // logs.cc
int run_reload(const Options& options, Output& output);  // actions.cc
int run_deploy(const Options& options, Output& output);
int run_scale(const Options& options, Output& output);
int run_drain(const Options& options, Output& output);
int run_upgrade(const Options& options, Output& output);
int run_stop(const Options& options, Output& output);
int run_clients_change(const Options& options, Output& output);
int run_clients_list(const Options& options, Output& output);  // clients.cc
int run_maintenance(const Options& options, Output& output);   // switches.cc
int run_split(const Options& options, Output& output);

}  // namespace spillway::cli
