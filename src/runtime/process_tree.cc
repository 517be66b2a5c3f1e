// runtime/process_tree.cc: reads the parent of every process from /proc/PID/stat.
#include "runtime/process_tree.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "runtime/file_handle.h"

namespace spillway::runtime {
namespace {

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  bool is_zombie = false;
};

// "42 (a name) S 1 ...": the name may hold anything, so the last parenthesis counts (proc(5)).
std::optional<Process> read_process(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  char bytes[512];
  const ssize_t count = ::read(file.fd(), bytes, sizeof bytes);
  if (count <= 0) return std::nullopt;
  std::string_view text(bytes, static_cast<size_t>(count));
  const size_t name_end = text.rfind(") ");
  if (name_end == std::string_view::npos || text.size() < name_end + 5) return std::nullopt;
  text.remove_prefix(name_end + 2);
  const char state = text.front();
  text.remove_prefix(2);
  const auto parent = parse_decimal<pid_t>(text.substr(0, text.find(' ')));
  if (!parent) return std::nullopt;
  return Process{.pid = pid, .parent = *parent, .is_zombie = state == 'Z' || state == 'X'};
}

std::vector<Process> all_processes() {
  std::vector<Process> result;
  DIR* directory = ::opendir("/proc");
  if (directory == nullptr) return result;
  while (const dirent* entry = ::readdir(directory)) {
    const auto pid = parse_decimal<pid_t>(entry->d_name);
    if (!pid) continue;
    if (auto process = read_process(*pid)) result.push_back(*process);
  }
  ::closedir(directory);
  return result;
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t root) {
  const std::vector<Process> all = all_processes();
  std::vector<pid_t> found{root};
  for (size_t i = 0; i < found.size(); ++i) {
    for (const Process& process : all) {
      const bool is_known = std::ranges::find(found, process.pid) != found.end();
      if (process.parent == found[i] && !process.is_zombie && !is_known) {
        found.push_back(process.pid);
      }
    }
  }
  found.erase(found.begin());
  return found;
}

std::vector<pid_t> children_of(pid_t root) {
  std::vector<pid_t> result;
  for (const Process& process : all_processes()) {
    if (process.parent == root) result.push_back(process.pid);
  }
  return result;
}

}  // namespace spillway::runtime
