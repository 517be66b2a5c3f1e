// http/head_scanner.cc: walks from line end to line end and refuses every other control.
#include "http/head_scanner.h"

#include "http/scan.h"

namespace spillway::http {
namespace {

// Room beside the target in a request line: a method of up to 32 bytes and the version.
constexpr size_t request_line_slack = 64;

}  // namespace

HeadResult HeadScanner::scan(std::string_view received, const HeadLimits& limits) {
  const char* const begin = received.data();
  const char* const end = begin + received.size();
  const char* p = begin + position_;
  while (true) {
    p = find_control(p, end);
    if (p == end) break;
    if (*p == '\n') return refuse(400, "line feed without carriage return");
    if (*p != '\r') return refuse(400, "control character in the head");
    if (p + 1 == end) break;  // Looked at again once its line feed is here.
    if (p[1] != '\n') return refuse(400, "carriage return without line feed");

    const auto line_end = static_cast<size_t>(p - begin);
    const bool is_empty_line = line_end == line_start_;
    const bool is_first_line = line_start_ == start_;
    p += 2;
    if (is_first_line && is_first_line_too_long(line_end + 1, limits)) return too_long();
    line_start_ = line_end + 2;
    if (!is_empty_line) continue;
    if (is_first_line) {
      start_ = line_start_;
      if (of_ == Of::response) return refuse(502, "empty line in place of a status line");
      if (start_ > 2 * empty_lines_max) return refuse(400, "too many empty lines");
      continue;
    }
    position_ = line_start_;
    if (line_start_ - start_ > limits.head_bytes_max) return refuse(431, "head too large");
    return HeadResult::complete(line_start_);
  }
  position_ = static_cast<size_t>(p - begin);
  return check_size(received.size(), limits);
}

// A head that is already too large need not end before it is refused.
HeadResult HeadScanner::check_size(size_t received, const HeadLimits& limits) const {
  if (line_start_ == start_ && is_first_line_too_long(received, limits)) return too_long();
  if (received - start_ >= limits.head_bytes_max) return refuse(431, "head too large");
  return {};
}

// `received` counts the CR of the line, if it is there, but not its LF: so the verdict is the same
// in whatever pieces the line comes.
bool HeadScanner::is_first_line_too_long(size_t received, const HeadLimits& limits) const {
  return of_ == Of::request && received - start_ > limits.url_bytes_max + request_line_slack;
}

HeadResult HeadScanner::too_long() const { return refuse(414, "request line too long"); }

}  // namespace spillway::http
