// server/file_watch.h: notices that files have changed, for `up --watch`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace spillway::server {

// Compares what stat(2) says of some files with what it said before; looked at about once a second,
// which costs nothing and works on every file system. One thread.
class FileWatch {
 public:
  // From now on these files; what they are like now is the state that changes count from.
  void follow(const std::vector<std::string>& files);
  // Whether one has changed, appeared or gone since the last call.
  bool has_changed();

 private:
  struct Mark {
    int64_t modified = 0;  // Nanoseconds; 0: there is no such file.
    uint64_t size = 0;
    uint64_t inode = 0;
    bool operator==(const Mark&) const = default;
  };
  static Mark mark_of(const std::string& file);
  std::map<std::string, Mark> marks_;
};

}  // namespace spillway::server
