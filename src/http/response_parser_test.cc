// http/response_parser_test.cc: what is read from a response head, and what is not believed.
#include "http/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace spillway::http {
namespace {

using Kind = HeadResult::Kind;
using Framing = BodyFraming::Kind;

struct Parsed {
  HeadResult result;
  ResponseHead head;
};

Parsed parse(std::string_view bytes, Method method = Method::get) {
  Parsed parsed;
  parsed.result = parse_response_head(bytes, method, {}, parsed.head);
  return parsed;
}

bool is_refused(std::string_view bytes) {
  const HeadResult result = parse(bytes).result;
  return result.kind == Kind::violation && result.status == 502;
}

TEST(ResponseParser, reads_status_reason_and_fields) {
  const auto [result, head] =
      parse("HTTP/1.1 404 Not  Found \r\nContent-Length: 3\r\nServer: x\r\n\r\nabc");
  ASSERT_EQ(result.kind, Kind::complete) << result.text;
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not  Found ");
  EXPECT_EQ(head.framing, (BodyFraming{Framing::length, 3}));
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.fields.value(Field::server), "x");
}

TEST(ResponseParser, an_empty_reason_needs_no_space) {
  EXPECT_EQ(parse("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").head.status, 200);
  EXPECT_EQ(parse("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").head.status, 200);
}

TEST(ResponseParser, refuses_malformed_status_lines) {
  for (const char* line :
       {"HTTP/1.1 99 x", "HTTP/1.1 600 x", "HTTP/1.1 2000 x", "HTTP/1.1 +20 x", "HTTP/1.1  200 x",
        "HTTP/1.1\t200 x", "http/1.1 200 x", "HTTP/2.0 200 x", "HTTP/1.1", "HTTP/1.1 200x", "",
        "ICY 200 OK", "HTTP/1.1 20", "GET / HTTP/1.1", " HTTP/1.1 200 OK"}) {
    EXPECT_TRUE(is_refused(std::string(line) + "\r\n\r\n")) << line;
  }
  EXPECT_TRUE(is_refused("\r\nHTTP/1.1 200 OK\r\n\r\n"));
}

TEST(ResponseParser, refuses_ambiguous_framing) {
  for (const char* lines :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: -1\r\n", "Content-Length: 5, 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, identity\r\n", "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\tchunked\r\n", "X: a\r\n b\r\n", "X: a\rb\r\n", "X: a\nY: b\r\n"}) {
    EXPECT_TRUE(is_refused("HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n")) << lines;
  }
  EXPECT_TRUE(is_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST(ResponseParser, responses_to_head_have_no_body) {
  const auto [result, head] = parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::head);
  ASSERT_EQ(result.kind, Kind::complete);
  EXPECT_EQ(head.framing.kind, Framing::none);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Method::head)
                .head.framing.kind,
            Framing::none);
}

TEST(ResponseParser, a_granted_connect_has_no_body_and_a_refused_one_has) {
  const char* granted = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(parse(granted, Method::connect).head.framing.kind, Framing::none);
  const char* refused = "HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(parse(refused, Method::connect).head.framing.kind, Framing::length);
}

TEST(ResponseParser, some_statuses_have_no_body_whatever_they_announce) {
  for (const char* status : {"100", "101", "103", "204", "304"}) {
    const auto head = parse("HTTP/1.1 " + std::string(status) + " x\r\n\r\n").head;
    EXPECT_EQ(head.framing.kind, Framing::none) << status;
    EXPECT_TRUE(head.keep_alive) << status;
  }
  EXPECT_TRUE(parse("HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(parse("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(parse("HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n").head.keep_alive);
  EXPECT_FALSE(parse("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n").head.keep_alive);
}

TEST(ResponseParser, interim_heads_come_one_by_one) {
  const std::string_view bytes =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  HeadScanner scanner(HeadScanner::Of::response);
  ResponseHead head;
  size_t position = 0;
  for (const int status : {100, 103, 200}) {
    const auto result = parse_response_head(bytes.substr(position), Method::get, {}, scanner, head);
    ASSERT_EQ(result.kind, Kind::complete);
    EXPECT_EQ(head.status, status);
    EXPECT_EQ(head.is_interim(), status != 200);
    position += result.consumed;
    scanner.reset();
  }
  EXPECT_EQ(position, bytes.size());
  EXPECT_FALSE(parse("HTTP/1.1 101 x\r\n\r\n").head.is_interim());
}

TEST(ResponseParser, without_framing_the_body_ends_with_the_connection) {
  const auto head = parse("HTTP/1.1 200 OK\r\n\r\n").head;
  EXPECT_EQ(head.framing.kind, Framing::until_close);
  EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseParser, http_1_0_keeps_alive_only_when_it_says_so) {
  EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(parse("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n")
                  .head.keep_alive);
}

}  // namespace
}  // namespace spillway::http
