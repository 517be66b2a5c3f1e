// server/host_memory.h: how much memory the machine, or our control group, has left.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace spillway::server {

struct HostMemory {
  uint64_t total_bytes = 0;
  uint64_t available_bytes = 0;
};

// Of the control group (cgroup v2) if it has a limit below the machine's, otherwise of the machine.
// Error: io, /proc is not there.
Result<HostMemory> read_host_memory();

// The text of /proc/meminfo (proc(5)). Error: invalid.
Result<HostMemory> parse_meminfo(std::string_view text);

}  // namespace spillway::server
