// runtime/line_writer.h: writes log lines from all cores to one file or pipe, off the hot path.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "base/time.h"
#include "runtime/line_output.h"
#include "runtime/line_ring.h"
#include "telemetry/log.h"

namespace spillway::runtime {

struct LineWriterLimits {
  // Per core, a power of two. Some 500 access log lines; when full, lines are dropped and counted.
  size_t buffer_bytes = 256 * 1024;
  // A line waits at most this long for company before it is written.
  Duration interval = 100ms;
  // What a slow reader has not taken by then at the end is dropped and counted.
  Duration flush_timeout = 500ms;
};

// Each core appends to a buffer of its own and never waits; one thread writes all buffers out
// together, so no line costs a system call. Lines of one core stay in order and are never torn or
// mixed. Any thread may call what does not name a core. The writer's end is its destructor, or
// close() before it; what is appended after close() is not written.
class LineWriter final : public telemetry::LogSink {
 public:
  using Limits = LineWriterLimits;
  struct Status {
    uint64_t bytes_written = 0;
    uint64_t lines_dropped = 0;    // Buffer full, failed write, or left at the end.
    uint64_t write_errors = 0;     // Such as a full disk or a reader that is gone.
    uint64_t reopen_failures = 0;  // The old file stays in use then.
    size_t bytes_waiting = 0;      // Over all buffers, of (cores + 1) * buffer_bytes.
  };

  // Appends to the file at `path`. Errors: those of open(2).
  static Result<std::unique_ptr<LineWriter>> open_file(std::string path, uint32_t cores,
                                                       Limits limits = {});
  // Writes to standard output or another descriptor, which stays the caller's.
  static Result<std::unique_ptr<LineWriter>> from_descriptor(int fd, uint32_t cores,
                                                             Limits limits = {});
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter() override;

  // `line` ends in a newline. Only the thread of `core`. False if it was dropped.
  bool append(uint32_t core, std::string_view line);
  // The same for threads that are no core, through one shared buffer and a lock.
  void write_line(std::string_view line) override;

  // After the file was renamed: what waits is written, then the path is opened anew. Returns at
  // once. Nothing happens if we write to a descriptor.
  void reopen();

  // Writes what waits, within flush_timeout, and ends the thread. Once.
  Status close();
  Status status() const;

 private:
  LineWriter(LineOutput output, std::string path, uint32_t cores, Limits limits);
  bool append_to(LineRing& ring, std::string_view line);
  void wake();

  // The writing thread.
  void run();
  void wait(bool output_is_full, Duration timeout);
  bool write_all();
  bool write_some();
  void advance(size_t bytes);
  void discard_all();
  void reopen_now();
  void flush_at_end();

  const Limits limits_;
  const std::string path_;                        // Empty if we write to a descriptor.
  std::vector<std::unique_ptr<LineRing>> rings_;  // One per core, the last one shared.
  Mutex shared_mutex_;                            // For pushing to the last ring.
  int wake_fd_ = -1;
  std::atomic<bool> is_stopping_{false};
  std::atomic<bool> reopen_wanted_{false};

  // Written by the writing thread only.
  std::atomic<uint64_t> bytes_written_{0};
  std::atomic<uint64_t> lines_discarded_{0};
  std::atomic<uint64_t> write_errors_{0};
  std::atomic<uint64_t> reopen_failures_{0};
  LineOutput output_;
  std::vector<size_t> offered_;  // Per ring: bytes of the write under way.
  size_t next_ring_ = 0;         // Where the last write ended; a begun line is finished first.
  bool line_is_torn_ = false;    // The output ends in a line whose rest is lost or yet to come.
  bool rest_is_lost_ = false;    // A newline must come before anything else.

  std::thread thread_;
};

}  // namespace spillway::runtime
