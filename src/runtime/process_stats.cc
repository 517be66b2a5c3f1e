// runtime/process_stats.cc: reads and parses /proc.
#include "runtime/process_stats.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <string>

#include "base/ascii.h"

namespace spillway::runtime {
namespace {

constexpr size_t depth_max = 64;  // Of a process tree; deeper descendants are not counted.

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// The beginning of a file of /proc, at most what `buffer` holds.
Result<std::string_view> read_file(const std::string& path, std::span<char> buffer) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(system_error(errno, "open " + path));
  const ssize_t size = ::read(fd, buffer.data(), buffer.size());
  const int error_number = errno;
  ::close(fd);
  if (size < 0) return fail(system_error(error_number, "read " + path));
  return std::string_view(buffer.data(), static_cast<size_t>(size));
}

Result<ProcessStat> read_stat(const std::string& path) {
  std::array<char, 1024> buffer;  // 52 fields; the longest real lines have some 400 bytes.
  TRY(line, read_file(path, buffer));
  return parse_process_stat(line);
}

Duration duration_of(uint64_t ticks) {
  const auto per_second = static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
  return Duration(static_cast<int64_t>(ticks * (1'000'000'000 / per_second)));
}

uint64_t bytes_of(uint64_t pages) { return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)); }

Result<uint64_t> count_descriptors() {
  const Directory directory(::opendir("/proc/self/fd"));
  if (!directory) return fail(system_error(errno, "open /proc/self/fd"));
  uint64_t count = 0;
  while (const dirent* entry = ::readdir(directory.get())) count += is_digit(entry->d_name[0]);
  return count - std::min<uint64_t>(count, 1);  // Not the one that reads.
}

// When the machine started, from the line "btime 1740830400".
Result<WallTime> read_boot_time() {
  std::array<char, 64 * 1024> buffer;  // "intr" may be a long line before it.
  TRY(text, read_file("/proc/stat", buffer));
  constexpr std::string_view key = "\nbtime ";
  const size_t found = text.find(key);
  if (found == std::string_view::npos) return fail(Error::Code::io, "/proc/stat has no btime");
  const std::string_view rest = text.substr(found + key.size());
  const auto seconds = parse_decimal<int64_t>(rest.substr(0, rest.find('\n')));
  if (!seconds) return fail(Error::Code::io, "/proc/stat has no number after btime");
  return WallTime(std::chrono::seconds(*seconds));
}

}  // namespace

Result<ProcessStat> parse_process_stat(std::string_view line) {
  const auto malformed = [] {
    return fail(Error::Code::invalid, "malformed stat: expected PID (COMMAND) STATE NUMBERS");
  };
  const size_t open = line.find(" (");
  const size_t close = line.rfind(") ");  // The command may contain ") " itself; numbers cannot.
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return malformed();
  }
  const auto pid = parse_decimal<pid_t>(line.substr(0, open));
  if (!pid) return malformed();

  constexpr size_t fields_max = 22;  // From the third, the state, to the 24th, the resident pages.
  std::array<uint64_t, fields_max> fields{};
  std::string_view rest = line.substr(close + 2);
  for (size_t i = 0; i < fields_max; ++i) {
    const size_t end = std::min(rest.find_first_of(" \n"), rest.size());
    if (end == 0) return malformed();
    // Letters (the state) and negative numbers (no terminal) are of no interest to us: zero.
    fields[i] = parse_decimal<uint64_t>(rest.substr(0, end)).value_or(0);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto field = [&fields](size_t number) { return fields[number - 3]; };  // As in proc(5).
  return ProcessStat{.pid = *pid,
                     .parent = static_cast<pid_t>(field(4)),
                     .group = static_cast<pid_t>(field(5)),
                     .cpu_ticks = field(14) + field(15),
                     .cpu_ticks_children = field(16) + field(17),
                     .threads = static_cast<uint32_t>(field(20)),
                     .start_ticks = field(22),
                     .virtual_bytes = field(23),
                     .resident_pages = field(24)};
}

Result<OwnProcess> read_own_process() {
  TRY(stat, read_stat("/proc/self/stat"));
  TRY(descriptors, count_descriptors());
  TRY(boot, read_boot_time());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return fail(system_error(errno, "read the descriptor limit"));
  }
  return OwnProcess{.cpu = duration_of(stat.cpu_ticks),
                    .resident_bytes = bytes_of(stat.resident_pages),
                    .virtual_bytes = stat.virtual_bytes,
                    .open_descriptors = descriptors,
                    .descriptors_max = limit.rlim_cur,
                    .started = boot + duration_of(stat.start_ticks)};
}

Result<ProcessTable> ProcessTable::read() {
  const Directory directory(::opendir("/proc"));
  if (!directory) return fail(system_error(errno, "open /proc"));
  std::unordered_map<pid_t, ProcessStat> processes;
  while (const dirent* entry = ::readdir(directory.get())) {
    if (!is_digit(entry->d_name[0]) || processes.size() >= processes_max) continue;
    // A process may end between the listing and the reading.
    const auto stat = read_stat(fmt::format("/proc/{}/stat", entry->d_name));
    if (stat) processes.emplace(stat->pid, *stat);
  }
  return ProcessTable(std::move(processes));
}

bool ProcessTable::belongs_to(const ProcessStat& process, pid_t root) const {
  if (process.group == root) return true;
  const ProcessStat* one = &process;
  for (size_t depth = 0; depth < depth_max; ++depth) {
    if (one->pid == root) return true;
    const auto parent = processes_.find(one->parent);
    if (parent == processes_.end()) return false;
    one = &parent->second;
  }
  return false;
}

Result<ProcessUsage> ProcessTable::usage_of(pid_t root) const {
  ProcessUsage usage;
  uint64_t ticks = 0;
  uint64_t pages = 0;
  for (const auto& [pid, process] : processes_) {
    if (!belongs_to(process, root)) continue;
    ticks += process.cpu_ticks + process.cpu_ticks_children;
    pages += process.resident_pages;
    usage.threads += process.threads;
    ++usage.processes;
  }
  if (usage.processes == 0) {
    return fail(Error::Code::not_found, fmt::format("no process {} and none of its group", root));
  }
  usage.cpu = duration_of(ticks);
  usage.resident_bytes = bytes_of(pages);
  return usage;
}

}  // namespace spillway::runtime
