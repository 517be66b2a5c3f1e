// deploy/instance.h: how commands of the same user find a running instance and its token.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace spillway::deploy {

// What a running instance leaves for its user's other commands, in a file that only that user can
// read. The token is a secret: it goes into no log and no error text.
struct Instance {
  std::string name;   // Of the plan: letters, digits, '-', '_' and '.'; at most 64.
  std::string admin;  // "http://127.0.0.1:9901" or "unix:/run/...".
  std::string token;
  pid_t pid = 0;  // Of the supervisor.
  std::string plan;
};

// 256 random bits from the system, in hexadecimal. Error: io.
Result<std::string> make_token();

// The directories of this user, the one written to first: $XDG_RUNTIME_DIR/spillway, /run/spillway
// for root, $XDG_STATE_HOME/spillway or ~/.local/state/spillway.
std::vector<std::string> instance_directories();

// The file of one instance, removed when this goes away. One per process.
class InstanceFile {
 public:
  // Written whole, mode 0600, in a directory of mode 0700 that must belong to this user. Replaces
  // the file of a dead instance. Errors: invalid (a bad name, or an instance of this name runs),
  // permission, io.
  static Result<InstanceFile> publish(const Instance& instance, const std::string& directory);

  InstanceFile(InstanceFile&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  InstanceFile& operator=(InstanceFile&&) = delete;
  ~InstanceFile();
  const std::string& path() const { return path_; }
  // Leaves the file in place: the process that follows, after an upgrade, has the same pid.
  void keep() { path_.clear(); }

 private:
  explicit InstanceFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// Living ones, sorted by name. Files of dead ones are skipped, and so are files that others could
// have written.
std::vector<Instance> running_instances(const std::vector<std::string>& directories);
// The one of this name, or the only one. Errors: not_found (with what to do), invalid (several:
// their names are listed).
Result<Instance> find_instance(const std::optional<std::string>& name,
                               const std::vector<std::string>& directories);

}  // namespace spillway::deploy
