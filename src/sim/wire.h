// sim/wire.h: HTTP/1.1 as the scripted peers read it, written apart from http/ on purpose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "base/time.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::sim {

// A head as it came: start line and fields, names in lower case. It shares no line of code with the
// codec under test, so that a misreading there is not repeated here.
struct WireHead {
  std::string start;
  std::vector<std::pair<std::string, std::string>> fields;

  // The first field of that name, or nothing. `name` in lower case.
  std::optional<std::string_view> field(std::string_view name) const;
  bool says(std::string_view name, std::string_view value) const;  // One value, in lower case.
};

// The bytes that belong to `id`: whoever gets them can tell whose they are and if any is missing.
std::string body_for(uint64_t id, size_t bytes);

// How a peer takes what it is sent.
struct Pace {
  size_t read_max = 16'384;  // Bytes a read.
  Duration pause{};          // After each read.
};

// Reads one side of a connection. Errors: connection_closed with the detail "end" (in order, but
// before the message was whole) or another (reset); protocol; deadline_exceeded.
class WireReader {
 public:
  WireReader(runtime::Socket& socket, Pace pace) : socket_(socket), pace_(pace) {}

  // Nothing if the connection ended in order before the first byte.
  runtime::Task<Result<std::optional<WireHead>>> read_head(Deadline deadline);
  // The body that `head` announces; `may_run_to_end` is true for responses.
  runtime::Task<Result<std::string>> read_body(const WireHead& head, bool may_run_to_end,
                                               Deadline deadline);
  runtime::Task<Result<std::string>> read_exactly(size_t bytes, Deadline deadline);
  // Bytes that came and nobody has asked for yet.
  bool has_unread() const { return !buffer_.empty(); }

 private:
  static constexpr size_t head_bytes_max = 65'536;  // Far beyond what our side may send.

  runtime::Task<Result<bool>> fill(Deadline deadline);  // False at the end.
  runtime::Task<Result<std::string>> read_line(Deadline deadline);
  runtime::Task<Result<std::string>> read_chunked(Deadline deadline);
  runtime::Task<Result<std::string>> read_to_end(Deadline deadline);

  runtime::Socket& socket_;
  const Pace pace_;
  std::string buffer_;
};

// Writes in pieces of random size with pauses up to `pause_max` between them.
runtime::Task<Result<void>> drip(runtime::Socket& socket, std::string_view bytes, Random& random,
                                 Duration pause_max, Deadline deadline);
// `body` as chunks of random sizes, with the last chunk.
std::string chunked(std::string_view body, Random& random);

}  // namespace spillway::sim
