// runtime/process_stats.h: what processes use, as the kernel tells it under /proc.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/time.h"

namespace spillway::runtime {

// CPU time is user and system together, with that of children that have ended and been waited for.
struct ProcessUsage {
  Duration cpu{};
  uint64_t resident_bytes = 0;  // Memory shared by several processes counts in each of them.
  uint32_t processes = 0;
  uint32_t threads = 0;
};

// This process, for the process_* metrics.
struct OwnProcess {
  Duration cpu{};  // Of ended children nothing.
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_descriptors = 0;
  uint64_t descriptors_max = 0;
  WallTime started{};
};
Result<OwnProcess> read_own_process();

// The line of /proc/PID/stat (proc(5)), whose second field may hold spaces and parentheses.
struct ProcessStat {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  uint64_t cpu_ticks = 0;           // Its own.
  uint64_t cpu_ticks_children = 0;  // Of children that were waited for.
  uint32_t threads = 0;
  uint64_t start_ticks = 0;  // Since the machine started.
  uint64_t virtual_bytes = 0;
  uint64_t resident_pages = 0;
};
Result<ProcessStat> parse_process_stat(std::string_view line);

// All processes of the machine at one moment, so that one scan serves all replicas. A plain value.
// Reads files: some milliseconds, so it belongs on a thread that may block.
class ProcessTable {
 public:
  // A machine's default pid_max; further processes are not looked at.
  static constexpr size_t processes_max = 32'768;

  static Result<ProcessTable> read();
  explicit ProcessTable(std::unordered_map<pid_t, ProcessStat> processes)
      : processes_(std::move(processes)) {}

  // `root`, its descendants, and its process group: a grandchild whose parent died is counted as
  // long as it stays in the group. Error not_found: none of them exists.
  Result<ProcessUsage> usage_of(pid_t root) const;

 private:
  bool belongs_to(const ProcessStat& process, pid_t root) const;
  std::unordered_map<pid_t, ProcessStat> processes_;
};

}  // namespace spillway::runtime
