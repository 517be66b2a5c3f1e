// http/trace_context.h: W3C trace context and request ids: read, check, make.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/random.h"

namespace spillway::http {

// One place in a distributed trace (W3C Trace Context, Recommendation of 2021). Immutable value.
struct TraceContext {
  static constexpr size_t text_size = 55;
  static constexpr uint8_t sampled_flag = 0x01;

  uint64_t trace_id_high = 0;
  uint64_t trace_id_low = 0;
  uint64_t span_id = 0;
  uint8_t flags = 0;

  bool is_sampled() const { return (flags & sampled_flag) != 0; }
  bool operator==(const TraceContext&) const = default;

  // Nothing if malformed, all zero or of version ff; then a new trace starts and tracestate is
  // dropped (section 3.2.2). A later version is read as far as version 00 goes.
  static std::optional<TraceContext> parse(std::string_view traceparent);
  static TraceContext make(Random& random, bool sampled);
  // The same trace, a new span: what goes upstream, with this span as the parent in our own log.
  TraceContext child(Random& random) const;
  // "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
  void write(std::span<char, text_size> buffer) const;
};

// Ids of requests: 32 hexadecimal digits when ours. They correlate log lines and are no secret.
inline constexpr size_t request_id_size = 32;
void write_request_id(Random& random, std::span<char, request_id_size> buffer);

// An id from a trusted peer that may be taken over: 1 to 128 letters, digits and -._~:+/=@, so that
// no log format needs to escape it.
inline constexpr size_t request_id_bytes_max = 128;
bool is_valid_request_id(std::string_view id);

}  // namespace spillway::http
