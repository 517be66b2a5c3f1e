// http/trace_context.cc: fixed columns of lower-case hexadecimal.
#include "http/trace_context.h"

#include "base/ascii.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

// version 2 '-' trace-id 32 '-' parent-id 16 '-' flags 2
constexpr size_t trace_at = 3;
constexpr size_t span_at = 36;
constexpr size_t flags_at = 53;

constexpr ByteSet request_id_set = make_byte_set("-._~:+/=@", true);

// Lower case only (section 3.2.1). Up to 16 digits.
std::optional<uint64_t> parse_hex(std::string_view digits) {
  uint64_t value = 0;
  for (const char c : digits) {
    const int digit = c >= 'A' && c <= 'F' ? -1 : hex_value(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  return value;
}

uint64_t not_zero(Random& random) {
  const uint64_t value = random.next();
  return value == 0 ? 1 : value;
}

}  // namespace

std::optional<TraceContext> TraceContext::parse(std::string_view traceparent) {
  if (traceparent.size() < text_size) return std::nullopt;
  const auto version = parse_hex(traceparent.substr(0, 2));
  if (!version || *version == 0xff) return std::nullopt;
  if (*version == 0 && traceparent.size() != text_size) return std::nullopt;
  if (traceparent.size() > text_size && traceparent[text_size] != '-') return std::nullopt;
  if (traceparent[trace_at - 1] != '-' || traceparent[span_at - 1] != '-' ||
      traceparent[flags_at - 1] != '-') {
    return std::nullopt;
  }
  const auto high = parse_hex(traceparent.substr(trace_at, 16));
  const auto low = parse_hex(traceparent.substr(trace_at + 16, 16));
  const auto span = parse_hex(traceparent.substr(span_at, 16));
  const auto flags = parse_hex(traceparent.substr(flags_at, 2));
  if (!high || !low || !span || !flags) return std::nullopt;
  if ((*high | *low) == 0 || *span == 0) return std::nullopt;
  return TraceContext{.trace_id_high = *high,
                      .trace_id_low = *low,
                      .span_id = *span,
                      .flags = static_cast<uint8_t>(*flags)};
}

TraceContext TraceContext::make(Random& random, bool sampled) {
  return {.trace_id_high = random.next(),
          .trace_id_low = not_zero(random),
          .span_id = not_zero(random),
          .flags = sampled ? sampled_flag : uint8_t{0}};
}

TraceContext TraceContext::child(Random& random) const {
  TraceContext result = *this;
  result.span_id = not_zero(random);
  // Flags that version 00 does not know must be sent as zero (section 3.2.2.5).
  result.flags = flags & sampled_flag;
  return result;
}

void TraceContext::write(std::span<char, text_size> buffer) const {
  char* const to = buffer.data();
  to[0] = to[1] = '0';
  to[trace_at - 1] = to[span_at - 1] = to[flags_at - 1] = '-';
  write_hex(trace_id_high, to + trace_at);
  write_hex(trace_id_low, to + trace_at + 16);
  write_hex(span_id, to + span_at);
  to[flags_at] = hex_digits[flags >> 4];
  to[flags_at + 1] = hex_digits[flags & 0xf];
}

void write_request_id(Random& random, std::span<char, request_id_size> buffer) {
  write_hex(random.next(), buffer.data());
  write_hex(random.next(), buffer.data() + 16);
}

bool is_valid_request_id(std::string_view id) {
  return !id.empty() && id.size() <= request_id_bytes_max && all_in(request_id_set, id);
}

}  // namespace spillway::http
