// server/file_watch.cc: stat(2), again and again.
#include "server/file_watch.h"

#include <sys/stat.h>

namespace spillway::server {

FileWatch::Mark FileWatch::mark_of(const std::string& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return {};
  return {.modified = found.st_mtim.tv_sec * int64_t{1'000'000'000} + found.st_mtim.tv_nsec,
          .size = static_cast<uint64_t>(found.st_size),
          .inode = found.st_ino};
}

void FileWatch::follow(const std::vector<std::string>& files) {
  std::map<std::string, Mark> next;
  for (const std::string& file : files) {
    const auto known = marks_.find(file);
    next[file] = known == marks_.end() ? mark_of(file) : known->second;
  }
  marks_ = std::move(next);
}

bool FileWatch::has_changed() {
  bool changed = false;
  for (auto& [file, mark] : marks_) {
    const Mark now = mark_of(file);
    changed |= now != mark;
    mark = now;
  }
  return changed;
}

}  // namespace spillway::server
