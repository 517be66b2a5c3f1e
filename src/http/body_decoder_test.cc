// http/body_decoder_test.cc: bodies come out whole whatever pieces they arrive in.
#include "http/body_decoder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spillway::http {
namespace {

using Kind = BodyEvent::Kind;

constexpr BodyFraming chunked{.kind = BodyFraming::Kind::chunked};

struct Outcome {
  Kind kind = Kind::need_more;
  std::string body;
  std::string rest;  // Not consumed.
  std::vector<std::string> trailers;
};

// Feeds `bytes` in pieces of `piece` bytes, as a connection with a receive buffer would.
Outcome decode(const BodyFraming& framing, std::string_view bytes, size_t piece,
               const BodyLimits& limits = {}) {
  BodyDecoder decoder(framing, limits);
  HeaderList trailers;
  Outcome outcome;
  std::string buffer;
  while (true) {
    const BodyEvent event = decoder.decode(buffer, trailers);
    if (event.kind == Kind::data) outcome.body += event.data;
    if (event.kind == Kind::end || event.kind == Kind::violation) {
      outcome.kind = event.kind;
      for (const auto& field : trailers) outcome.trailers.emplace_back(field.value);
      outcome.rest = buffer.substr(event.consumed) + std::string(bytes);
      return outcome;
    }
    buffer.erase(0, event.consumed);
    if (event.kind == Kind::data) continue;
    if (bytes.empty()) return outcome;
    buffer += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

Kind kind_of(std::string_view bytes, const BodyLimits& limits = {}) {
  const Outcome at_once = decode(chunked, bytes, bytes.size() + 1, limits);
  const Outcome trickled = decode(chunked, bytes, 1, limits);
  EXPECT_EQ(at_once.kind, trickled.kind) << bytes;
  return at_once.kind;
}

TEST(BodyDecoder, no_body_ends_at_once) {
  const Outcome outcome = decode({}, "next", 4);
  EXPECT_EQ(outcome.kind, Kind::end);
  EXPECT_EQ(outcome.rest, "next");
  EXPECT_EQ(decode({BodyFraming::Kind::length, 0}, "next", 4).rest, "next");
}

TEST(BodyDecoder, a_length_takes_that_many_bytes) {
  for (const size_t piece : {1, 3, 100}) {
    const Outcome outcome = decode({BodyFraming::Kind::length, 5}, "hellonext", piece);
    EXPECT_EQ(outcome.kind, Kind::end);
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_EQ(outcome.rest, "next");
  }
}

TEST(BodyDecoder, knows_that_a_body_is_done_with_its_last_byte) {
  BodyDecoder decoder({BodyFraming::Kind::length, 5});
  HeaderList trailers;
  (void)decoder.decode("hel", trailers);
  EXPECT_EQ(decoder.left(), 2U);
  EXPECT_FALSE(decoder.is_done());
  (void)decoder.decode("lo", trailers);
  EXPECT_TRUE(decoder.is_done());
}

TEST(BodyDecoder, chunks_come_out_in_any_pieces) {
  const std::string_view bytes =
      "5\r\nhello\r\n0006;ext=\"a;b\"\r\n world\r\nA\r\n0123456789\r\n0\r\n\r\nnext";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Outcome outcome = decode(chunked, bytes, piece);
    ASSERT_EQ(outcome.kind, Kind::end) << piece;
    EXPECT_EQ(outcome.body, "hello world0123456789");
    EXPECT_EQ(outcome.rest, "next");
  }
}

TEST(BodyDecoder, trailers_lose_what_could_frame_or_route) {
  const std::string_view bytes =
      "1\r\nx\r\n0\r\nGrpc-Status: 0\r\nContent-Length: 5\r\nHost: b\r\nTransfer-Encoding: "
      "chunked\r\n"
      "Authorization: x\r\nETag: \"e\"\r\n\r\nnext";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Outcome outcome = decode(chunked, bytes, piece);
    ASSERT_EQ(outcome.kind, Kind::end) << piece;
    EXPECT_EQ(outcome.trailers, (std::vector<std::string>{"0", "\"e\""}));
    EXPECT_EQ(outcome.rest, "next");
  }
}

TEST(BodyDecoder, refuses_malformed_chunk_sizes) {
  for (const char* bytes : {"\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n",
                            "1\t;a\r\n", "1\n", "1\rx", ";a\r\n", "1 1\r\n", "g\r\n", "1,\r\n"}) {
    EXPECT_EQ(kind_of(bytes), Kind::violation) << bytes;
  }
}

TEST(BodyDecoder, refuses_chunk_sizes_that_overflow) {
  EXPECT_EQ(kind_of("10000000000000000\r\n"), Kind::violation);
  EXPECT_EQ(kind_of("ffffffffffffffff\r\n"), Kind::violation);
  EXPECT_EQ(kind_of("8000000000000000\r\n"), Kind::violation);
  EXPECT_EQ(kind_of("00000000000000001\r\nx\r\n"), Kind::violation);  // 17 digits.
  EXPECT_EQ(kind_of("7fffffffffffffff\r\nx"), Kind::need_more);
}

TEST(BodyDecoder, refuses_chunks_that_do_not_end_where_they_say) {
  EXPECT_EQ(kind_of("1\r\nxx\r\n0\r\n\r\n"), Kind::violation);
  EXPECT_EQ(kind_of("1\r\nx\n0\r\n\r\n"), Kind::violation);
  EXPECT_EQ(kind_of("1\r\nx\r0\r\n\r\n"), Kind::violation);
  EXPECT_EQ(kind_of("1\r\nx0\r\n\r\n"), Kind::violation);
}

TEST(BodyDecoder, refuses_extensions_with_line_feeds_or_without_end) {
  EXPECT_EQ(kind_of("1;a\nx\r\n0\r\n\r\n"), Kind::violation);
  EXPECT_EQ(kind_of("1;a\rb\r\nx\r\n0\r\n\r\n"), Kind::violation);
  EXPECT_EQ(
      kind_of("1;" + std::string(50, 'a') + "\r\nx\r\n0\r\n\r\n", {.extension_bytes_max = 40}),
      Kind::violation);
  std::string many;
  for (int i = 0; i < 21; ++i) many += "1;a\r\nx\r\n";
  EXPECT_EQ(kind_of(many + "0\r\n\r\n", {.extension_bytes_max = 40}), Kind::violation);
  EXPECT_EQ(kind_of("1;a=b\r\nx\r\n0;last\r\n\r\n"), Kind::end);
}

TEST(BodyDecoder, refuses_malformed_or_endless_trailers) {
  for (const char* trailers :
       {"X: a\n\r\n", "X : a\r\n\r\n", "X: a\rb\r\n\r\n", " X: a\r\n\r\n", "X\r\n\r\n",
        "X: a\r\n b\r\n\r\n", "\n", "X: \x01\r\n\r\n", "X: \x01\r"}) {
    EXPECT_EQ(kind_of("0\r\n" + std::string(trailers)), Kind::violation) << trailers;
  }
  EXPECT_EQ(kind_of("0\r\nX: " + std::string(100, 'a'), {.trailer_bytes_max = 50}),
            Kind::violation);
  EXPECT_EQ(kind_of("0\r\nA: 1\r\nB: 1\r\n\r\n", {.trailer_fields_max = 1}), Kind::violation);
}

TEST(BodyDecoder, a_closed_connection_ends_only_what_has_no_other_end) {
  HeaderList trailers;
  BodyDecoder until_close({.kind = BodyFraming::Kind::until_close});
  EXPECT_EQ(until_close.decode("abc", trailers).data, "abc");
  EXPECT_EQ(until_close.close().kind, Kind::end);
  BodyDecoder cut({BodyFraming::Kind::length, 5});
  EXPECT_EQ(cut.close().kind, Kind::violation);
  BodyDecoder cut_chunks(chunked);
  EXPECT_EQ(cut_chunks.close().kind, Kind::violation);
}

}  // namespace
}  // namespace spillway::http
