// http/serializer.cc: field lines, numbers and dates without a formatting library's cost.
#include "http/serializer.h"

#include <bit>
#include <chrono>

#include "base/check.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

void write_two(char* to, unsigned value) {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void HeadWriter::request_line(std::string_view method, std::string_view path,
                              std::string_view query, bool has_query) {
  put(method);
  put(" ");
  put(path);
  if (has_query) {
    put("?");
    put(query);
  }
  put(" HTTP/1.1\r\n");
}

void HeadWriter::status_line(uint16_t status, std::string_view reason) {
  CHECK(status >= 100 && status <= 999);
  char line[] = "HTTP/1.1 200 ";
  line[9] = static_cast<char>('0' + status / 100);
  write_two(line + 10, status % 100);
  put({line, sizeof line - 1});
  put(reason);
  put("\r\n");
}

void HeadWriter::field(std::string_view name, std::string_view value) {
  char* to = reserve(name.size() + value.size() + 4);
  if (to == nullptr) return;
  to = std::copy(name.begin(), name.end(), to);
  *to++ = ':';
  *to++ = ' ';
  to = std::copy(value.begin(), value.end(), to);
  *to++ = '\r';
  *to = '\n';
}

void HeadWriter::field(std::string_view name, uint64_t value) {
  put(name);
  put(": ");
  decimal(value);
  put("\r\n");
}

void HeadWriter::framing(const BodyFraming& framing) {
  switch (framing.kind) {
    case BodyFraming::Kind::length: field("content-length", framing.length); break;
    case BodyFraming::Kind::chunked: field("transfer-encoding", "chunked"); break;
    case BodyFraming::Kind::none:
    case BodyFraming::Kind::until_close: break;
  }
}

void HeadWriter::decimal(uint64_t value) {
  char digits[20];
  char* const end = digits + sizeof digits;
  char* p = end;
  do {
    *--p = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  put({p, static_cast<size_t>(end - p)});
}

bool is_field_value(std::string_view text) {
  const char* const end = text.data() + text.size();
  return find_control(text.data(), end) == end && trimmed(text).size() == text.size();
}

size_t write_chunk_size(uint64_t size, std::span<char, chunk_size_line_max> buffer) {
  CHECK(size != 0);
  const size_t digits = (static_cast<size_t>(std::bit_width(size)) + 3) / 4;
  for (size_t i = digits; i > 0; --i) {
    buffer[i - 1] = hex_digits[size & 0xf];
    size >>= 4;
  }
  buffer[digits] = '\r';
  buffer[digits + 1] = '\n';
  return digits + 2;
}

void write_last_chunk(HeadWriter& writer, const HeaderList& trailers) {
  writer.text("0\r\n");
  writer.fields(trailers);
  writer.end_of_head();
}

void DateField::update(WallTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second.time_since_epoch().count() == second_) return;
  second_ = second.time_since_epoch().count();
  write_http_date(second, text_);
}

}  // namespace spillway::http
