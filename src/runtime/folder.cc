// runtime/folder.cc: openat2(2), for which the C library has no function.
#include "runtime/folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace spillway::runtime {
namespace {

// Errors that a path from outside may bring about, and that all mean that there is nothing.
bool means_nothing_there(int error) {
  return error == ENOENT || error == ENOTDIR || error == EXDEV || error == ELOOP ||
         error == ENAMETOOLONG || error == ENXIO;
}

FileFacts facts_of(const struct stat& found) {
  constexpr int64_t second = 1'000'000'000;
  return {.is_folder = S_ISDIR(found.st_mode),
          .is_regular = S_ISREG(found.st_mode),
          .size = static_cast<uint64_t>(found.st_size),
          .modified = found.st_mtim.tv_sec * second + found.st_mtim.tv_nsec,
          .inode = found.st_ino,
          .device = found.st_dev};
}

}  // namespace

Result<Folder> Folder::open(const std::string& path) {
  FileHandle handle(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (handle) return Folder(std::move(handle));
  if (errno == ENOTDIR) return fail(Error::Code::invalid, path + " is not a folder");
  return fail(system_error(errno, "open " + path));
}

Result<OpenFile> Folder::open_below(const std::string& path) const {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const char* name = path.empty() ? "." : path.c_str();
  int fd = -1;
  // A rename elsewhere while ".." was resolved is EAGAIN, and no reason to give up at once.
  for (int tries = 0; tries < 3; ++tries) {
    fd = static_cast<int>(::syscall(SYS_openat2, handle_.fd(), name, &how, sizeof how));
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  if (fd < 0) {
    const int error = errno;
    if (means_nothing_there(error)) return fail(Error::Code::not_found, path + " is not there");
    return fail(system_error(error, "open " + path));
  }
  OpenFile file{.handle = FileHandle(fd), .facts = {}};
  struct stat found{};
  if (::fstat(fd, &found) != 0) return fail(system_error(errno, "stat " + path));
  file.facts = facts_of(found);
  return file;
}

Result<std::string> read_part(const FileHandle& file, uint64_t offset, size_t size) {
  std::string bytes;
  bytes.resize(size);
  size_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::pread(file.fd(), bytes.data() + filled, size - filled,
                                  static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, "read a file"));
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace spillway::runtime
