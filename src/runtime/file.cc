// runtime/file.cc: open, read, write and rename.
#include "runtime/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "runtime/file_handle.h"

namespace spillway::runtime {
namespace {

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, "write " + path));
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

}  // namespace

Result<std::string> read_file_blocking(const std::string& path, size_t bytes_max) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(system_error(errno, "open " + path));
  std::string result;
  char bytes[16'384];
  while (true) {
    const ssize_t count = ::read(file.fd(), bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, "read " + path));
    if (count == 0) return result;
    result.append(bytes, static_cast<size_t>(count));
    if (result.size() > bytes_max) {
      return fail(Error::Code::limit_exceeded,
                  fmt::format("{} has more than the {} bytes allowed here", path, bytes_max));
    }
  }
}

Result<void> write_file_blocking(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string draft = fmt::format("{}.{}.new", path, ::getpid());
  ::unlink(draft.c_str());
  FileHandle file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file) return fail(system_error(errno, "create " + draft));
  Result<void> done = write_all(file.fd(), bytes, draft);
  file.close();
  if (done && ::rename(draft.c_str(), path.c_str()) != 0) {
    done = fail(system_error(errno, "rename to " + path));
  }
  if (!done) ::unlink(draft.c_str());
  return done;
}

Task<Result<std::string>> read_file(BlockingPool& pool, Loop& loop, std::string path,
                                    size_t bytes_max, Deadline deadline) {
  auto answer = co_await pool.run<Result<std::string>>(
      loop, [path, bytes_max] { return read_file_blocking(path, bytes_max); }, deadline);
  if (!answer) co_return fail(std::move(answer).error());
  co_return std::move(*answer);
}

}  // namespace spillway::runtime
