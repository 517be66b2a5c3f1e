// http/serializer_test.cc: what is written, to the byte, and what happens at the buffer's end.
#include "http/serializer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace spillway::http {
namespace {

using namespace std::chrono_literals;

TEST(HeadWriter, writes_a_request) {
  std::array<char, 256> buffer;
  HeadWriter writer(buffer);
  writer.request_line("POST", "/a", "b=c", true);
  writer.field("Host", "x");
  writer.framing({BodyFraming::Kind::length, 1024});
  writer.end_of_head();
  EXPECT_EQ(writer.written(), "POST /a?b=c HTTP/1.1\r\nHost: x\r\ncontent-length: 1024\r\n\r\n");
  EXPECT_FALSE(writer.overflowed());
}

TEST(HeadWriter, keeps_an_empty_query_and_adds_none) {
  std::array<char, 64> buffer;
  HeadWriter with(buffer);
  with.request_line("GET", "/", "", true);
  EXPECT_EQ(with.written(), "GET /? HTTP/1.1\r\n");
  HeadWriter without(buffer);
  without.request_line("GET", "*", "", false);
  EXPECT_EQ(without.written(), "GET * HTTP/1.1\r\n");
}

TEST(HeadWriter, writes_a_response) {
  std::array<char, 256> buffer;
  HeadWriter writer(buffer);
  writer.status_line(204);
  writer.framing({.kind = BodyFraming::Kind::chunked});
  writer.framing({});
  writer.field("age", uint64_t{0});
  writer.end_of_head();
  EXPECT_EQ(writer.written(),
            "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\nage: 0\r\n\r\n");
}

TEST(HeadWriter, reports_overflow_and_writes_nothing_after_it) {
  for (size_t size = 0; size < 26; ++size) {
    std::string buffer(size + 1, '#');
    HeadWriter writer(std::span(buffer.data(), size));
    writer.status_line(200, "OK");
    writer.field("a", "bcde");
    EXPECT_TRUE(writer.overflowed()) << size;
    writer.text("");
    EXPECT_LE(writer.size(), size);
    EXPECT_EQ(buffer.back(), '#');
  }
}

TEST(HeadWriter, writes_numbers) {
  std::array<char, 64> buffer;
  HeadWriter writer(buffer);
  writer.decimal(0);
  writer.text(" ");
  writer.decimal(UINT64_MAX);
  EXPECT_EQ(writer.written(), "0 18446744073709551615");
}

TEST(Chunks, sizes_are_written_in_hexadecimal) {
  std::array<char, chunk_size_line_max> line;
  const auto written = [&](uint64_t size) {
    return std::string(line.data(), write_chunk_size(size, line));
  };
  EXPECT_EQ(written(1), "1\r\n");
  EXPECT_EQ(written(0x1f4), "1f4\r\n");
  EXPECT_EQ(written(0x10000), "10000\r\n");
  EXPECT_EQ(written(UINT64_MAX), "ffffffffffffffff\r\n");
  EXPECT_DEATH(write_chunk_size(0, line), "size != 0");
}

TEST(Chunks, the_last_one_carries_trailers) {
  std::array<char, 64> buffer;
  HeaderList trailers;
  ASSERT_TRUE(trailers.add("Grpc-Status", "0"));
  HeadWriter writer(buffer);
  write_last_chunk(writer, trailers);
  EXPECT_EQ(writer.written(), "0\r\nGrpc-Status: 0\r\n\r\n");
}

TEST(FieldValue, has_no_controls_and_no_blanks_at_its_ends) {
  EXPECT_TRUE(is_field_value("a b\tc"));
  EXPECT_TRUE(is_field_value(""));
  for (const char* text : {" a", "a ", "\ta", "a\r\nb", "a\nb", "a\x01"}) {
    EXPECT_FALSE(is_field_value(text)) << text;
  }
}

TEST(DateField, is_an_imf_fixdate) {
  DateField date;
  EXPECT_EQ(date.value(), "Thu, 01 Jan 1970 00:00:00 GMT");
  date.update(WallTime(784111777s + 999ms));
  EXPECT_EQ(date.value(), "Sun, 06 Nov 1994 08:49:37 GMT");
  date.update(WallTime(1709251199s));
  EXPECT_EQ(date.value(), "Thu, 29 Feb 2024 23:59:59 GMT");
}

}  // namespace
}  // namespace spillway::http
