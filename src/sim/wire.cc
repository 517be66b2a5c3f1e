// sim/wire.cc: a small reader of HTTP/1.1 that believes nothing.
#include "sim/wire.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "runtime/event.h"

namespace spillway::sim {
namespace {

using runtime::Task;

std::unexpected<Error> ended() { return fail(Error::Code::connection_closed, "end"); }
std::unexpected<Error> odd(std::string detail) {
  return fail(Error::Code::protocol, std::move(detail));
}

// Up to 16 digits of `base`, and nothing else.
std::optional<uint64_t> number(std::string_view text, uint64_t base) {
  if (text.empty() || text.size() > 16) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    const int digit = hex_value(c);
    if (digit < 0 || static_cast<uint64_t>(digit) >= base) return std::nullopt;
    value = value * base + static_cast<uint64_t>(digit);
  }
  return value;
}

}  // namespace

std::optional<std::string_view> WireHead::field(std::string_view name) const {
  for (const auto& [field_name, value] : fields) {
    if (field_name == name) return value;
  }
  return std::nullopt;
}

bool WireHead::says(std::string_view name, std::string_view value) const {
  const auto found = field(name);
  return found && lowered(*found) == value;
}

std::string body_for(uint64_t id, size_t bytes) {
  std::string body = fmt::format("<{}:{}>", id, bytes);
  Random random(id * 0x9E3779B97F4A7C15 + 1);
  while (body.size() < bytes) body += static_cast<char>('a' + random.below(26));
  body.resize(bytes);
  return body;
}

Task<Result<bool>> WireReader::fill(Deadline deadline) {
  const size_t before = buffer_.size();
  buffer_.resize(before + pace_.read_max);
  auto count = co_await socket_.read({buffer_.data() + before, pace_.read_max}, deadline);
  buffer_.resize(before + count.value_or(0));
  if (!count) co_return fail(std::move(count).error());
  if (*count > 0 && pace_.pause > Duration::zero()) {
    co_await runtime::sleep(socket_.loop(), pace_.pause);
  }
  co_return *count > 0;
}

Task<Result<std::string>> WireReader::read_line(Deadline deadline) {
  while (true) {
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      if (end == 0 || buffer_[end - 1] != '\r') co_return odd("a line ends without CR");
      std::string line = buffer_.substr(0, end - 1);
      buffer_.erase(0, end + 1);
      co_return line;
    }
    if (buffer_.size() > head_bytes_max) co_return odd("a line without end");
    CO_TRY(more, co_await fill(deadline));
    if (!more) co_return ended();
  }
}

Task<Result<std::optional<WireHead>>> WireReader::read_head(Deadline deadline) {
  if (buffer_.empty()) {
    CO_TRY(more, co_await fill(deadline));
    if (!more) co_return std::optional<WireHead>();
  }
  WireHead head;
  CO_TRY(start, co_await read_line(deadline));
  head.start = std::move(start);
  while (true) {
    CO_TRY(line, co_await read_line(deadline));
    if (line.empty()) co_return std::optional(std::move(head));
    const size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0) co_return odd("a field without a name: " + line);
    head.fields.emplace_back(lowered(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    if (head.fields.size() > 200) co_return odd("more than 200 fields");
  }
}

Task<Result<std::string>> WireReader::read_exactly(size_t bytes, Deadline deadline) {
  while (buffer_.size() < bytes) {
    CO_TRY(more, co_await fill(deadline));
    if (!more) co_return ended();
  }
  std::string result = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  co_return result;
}

Task<Result<std::string>> WireReader::read_chunked(Deadline deadline) {
  std::string body;
  while (true) {
    CO_TRY(line, co_await read_line(deadline));
    const auto size = number(std::string_view(line).substr(0, line.find(';')), 16);
    if (!size) co_return odd("a chunk size that is none: " + line);
    if (*size == 0) break;
    CO_TRY(chunk, co_await read_exactly(*size, deadline));
    body += chunk;
    CO_TRY(line_end, co_await read_line(deadline));
    if (!line_end.empty()) co_return odd("a chunk is longer than it said");
  }
  while (true) {
    CO_TRY(trailer, co_await read_line(deadline));
    if (trailer.empty()) co_return body;
  }
}

Task<Result<std::string>> WireReader::read_to_end(Deadline deadline) {
  while (true) {
    CO_TRY(more, co_await fill(deadline));
    if (!more) co_return std::exchange(buffer_, {});
  }
}

Task<Result<std::string>> WireReader::read_body(const WireHead& head, bool may_run_to_end,
                                                Deadline deadline) {
  const auto length = head.field("content-length");
  if (const auto coding = head.field("transfer-encoding")) {
    if (length) co_return odd("both Content-Length and Transfer-Encoding");
    if (*coding != "chunked") co_return odd(fmt::format("transfer coding {}", *coding));
    co_return co_await read_chunked(deadline);
  }
  if (length) {
    const auto bytes = number(*length, 10);
    if (!bytes) co_return odd("a length that is none");
    co_return co_await read_exactly(*bytes, deadline);
  }
  if (may_run_to_end) co_return co_await read_to_end(deadline);
  co_return std::string();
}

Task<Result<void>> drip(runtime::Socket& socket, std::string_view bytes, Random& random,
                        Duration pause_max, Deadline deadline) {
  constexpr size_t pieces_max = 12;  // So that a long body does not take for ever.
  for (size_t piece = 1; !bytes.empty(); ++piece) {
    const size_t count = piece == pieces_max ? bytes.size() : 1 + random.below(bytes.size());
    CO_TRY_VOID(co_await socket.write(bytes.substr(0, count), deadline));
    bytes.remove_prefix(count);
    const auto pause = random.below(static_cast<uint64_t>(pause_max.count()) + 1);
    co_await runtime::sleep(socket.loop(), Duration(static_cast<int64_t>(pause)));
  }
  co_return Result<void>();
}

std::string chunked(std::string_view body, Random& random) {
  std::string result;
  while (!body.empty()) {
    const size_t count = 1 + random.below(body.size());
    result += fmt::format("{:x}\r\n{}\r\n", count, body.substr(0, count));
    body.remove_prefix(count);
  }
  return result + "0\r\n\r\n";
}

}  // namespace spillway::sim
