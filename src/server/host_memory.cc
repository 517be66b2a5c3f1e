// server/host_memory.cc: /proc/meminfo and the control group's files.
#include "server/host_memory.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "base/ascii.h"

namespace spillway::server {
namespace {

constexpr size_t file_bytes_max = 64 << 10;  // The files have a few kilobytes.

std::optional<std::string> read_small(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(file_bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

std::optional<uint64_t> number_in(const char* path) {
  const auto text = read_small(path);
  if (!text) return std::nullopt;
  std::string_view digits = *text;
  while (digits.ends_with('\n')) digits.remove_suffix(1);
  return parse_decimal<uint64_t>(digits);  // "max" is no limit.
}

// The number behind "NAME:" in kilobytes, as bytes.
std::optional<uint64_t> entry(std::string_view text, std::string_view name) {
  const size_t at = text.find(name);
  if (at == std::string_view::npos || (at > 0 && text[at - 1] != '\n')) return std::nullopt;
  std::string_view rest = trimmed(text.substr(at + name.size()));
  const auto kilobytes = parse_decimal<uint64_t>(rest.substr(0, rest.find(' ')));
  if (!kilobytes || *kilobytes > UINT64_MAX / 1024) return std::nullopt;
  return *kilobytes * 1024;
}

}  // namespace

Result<HostMemory> parse_meminfo(std::string_view text) {
  const auto total = entry(text, "MemTotal:");
  const auto available = entry(text, "MemAvailable:");
  if (!total || !available || *total == 0) {
    return fail(Error::Code::invalid, "/proc/meminfo has no MemTotal or MemAvailable");
  }
  return HostMemory{.total_bytes = *total, .available_bytes = *available};
}

Result<HostMemory> read_host_memory() {
  const auto text = read_small("/proc/meminfo");
  if (!text) return fail(Error::Code::io, "/proc/meminfo cannot be read");
  TRY(memory, parse_meminfo(*text));
  const auto limit = number_in("/sys/fs/cgroup/memory.max");
  const auto used = number_in("/sys/fs/cgroup/memory.current");
  if (limit && used && *limit < memory.total_bytes) {
    memory.total_bytes = *limit;
    memory.available_bytes = std::min(memory.available_bytes, *limit - std::min(*limit, *used));
  }
  return memory;
}

}  // namespace spillway::server
