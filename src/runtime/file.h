// runtime/file.h: small files read and written whole.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "runtime/blocking_pool.h"
#include "runtime/task.h"

namespace spillway::runtime {

// At most `bytes_max` bytes; blocks: for start, reload and tools. Errors: not_found, permission,
// limit_exceeded, io.
Result<std::string> read_file_blocking(const std::string& path, size_t bytes_max);
// Replaces the file in one step (a new file, then rename), or leaves the old one. Blocks.
Result<void> write_file_blocking(const std::string& path, std::string_view bytes, mode_t mode);
// The same read on a thread of the pool.
Task<Result<std::string>> read_file(BlockingPool& pool, Loop& loop, std::string path,
                                    size_t bytes_max, Deadline deadline);

}  // namespace spillway::runtime
