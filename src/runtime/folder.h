// runtime/folder.h: files below one folder, and nothing that is not below it.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "runtime/file_handle.h"

namespace spillway::runtime {

// What tells one state of a file from another.
struct FileFacts {
  bool is_folder = false;
  bool is_regular = false;  // Neither: a device, a pipe, a socket.
  uint64_t size = 0;        // Bytes.
  int64_t modified = 0;     // Nanoseconds of civil time.
  uint64_t inode = 0;
  uint64_t device = 0;
  bool operator==(const FileFacts&) const = default;
};

struct OpenFile {
  FileHandle handle;
  FileFacts facts;
};

// An open folder. Whatever a path says, with "..", links or mounted /proc, the kernel itself
// refuses to leave it: openat2(2) with RESOLVE_BENEATH. A link within it may point to another place
// within it. Immutable, any thread; its calls block.
class Folder {
 public:
  // Errors: not_found, permission, invalid (no folder), io. `path` may be a link to the folder.
  static Result<Folder> open(const std::string& path);

  // For reading. `path` is relative, "" is the folder itself. Never waits for the other end of a
  // pipe. Errors: not_found, also for what leads out of the folder or has a name that is too long;
  // permission; overloaded (no descriptor left); io.
  Result<OpenFile> open_below(const std::string& path) const;

 private:
  explicit Folder(FileHandle handle) : handle_(std::move(handle)) {}
  FileHandle handle_;
};

// The bytes from `offset` on, `size` of them; fewer if the file has become shorter. Blocks unless
// the kernel has them in memory. Error: io.
Result<std::string> read_part(const FileHandle& file, uint64_t offset, size_t size);

}  // namespace spillway::runtime
