// server/process.h: the server process: what `spillway up` starts under its supervisor.
#pragma once

#include <functional>
#include <string>

#include "plan/loader.h"

namespace spillway::server {

struct ProcessOptions {
  std::function<plan::LoadResult()> load;  // Reads the plan, now and at each reload.
  bool has_plan_file = false;              // False: the plan came from the command line.
  std::string plan_source;                 // For people: the file, or the command's words.
  std::string version;
  std::string token;     // Of the control API.
  bool watches = false;  // Reload when a file of the plan changes.
};

// Serves until the supervisor says drain, or is gone. Returns the exit status of the process.
int run_process(ProcessOptions options);

}  // namespace spillway::server
