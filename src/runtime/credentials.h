// runtime/credentials.h: the user and the groups that a process runs as.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace spillway::runtime {

struct Credentials {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
  std::string name;
  std::string home;
};

// Looks a name up in the system's user database, which may block: at start and reload only.
// Errors: not_found, io.
Result<Credentials> find_user(const std::string& name);

}  // namespace spillway::runtime
