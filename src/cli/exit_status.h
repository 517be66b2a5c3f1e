// cli/exit_status.h: what the program's exit status means, the same for every command.
#pragma once

namespace spillway::cli {

enum ExitStatus : int {
  exit_ok = 0,
  exit_failed = 1,       // It was tried and did not work.
  exit_bad_usage = 2,    // The plan or the command line is wrong; nothing was done.
  exit_no_instance = 3,  // No running instance was found, or it does not answer.
  exit_refused = 4,      // The instance said no: unknown name, not possible, wrong token.
};

}  // namespace spillway::cli
