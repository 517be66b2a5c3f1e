// http/request_parser_test.cc: what is read from a request head, and everything that is refused.
#include "http/request_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace spillway::http {
namespace {

using Kind = HeadResult::Kind;

HeadResult parse(std::string_view bytes, RequestHead& head, const HeadLimits& limits = {}) {
  return parse_request_head(bytes, limits, head);
}

// The status that a head is refused with; 0 if it is taken, 1 if more is wanted.
int refusal(std::string_view bytes, const HeadLimits& limits = {}) {
  RequestHead head;
  const HeadResult result = parse(bytes, head, limits);
  if (result.kind == Kind::violation) return result.status;
  return result.kind == Kind::complete ? 0 : 1;
}

std::string get_with(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}
std::string post_with(std::string_view lines) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
}
std::string with_target(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

TEST(RequestParser, reads_a_browsers_request) {
  const std::string bytes =
      "GET /search?q=a%20b HTTP/1.1\r\nHost: Example.com:8080\r\nUser-Agent: x \r\n"
      "X-Custom:\tvalue with\ttab\t\r\nEmpty:\r\n\r\nnext";
  RequestHead head;
  const HeadResult result = parse(bytes, head);
  ASSERT_EQ(result.kind, Kind::complete) << result.text;
  EXPECT_EQ(bytes.substr(result.consumed), "next");
  EXPECT_EQ(head.method, Method::get);
  EXPECT_EQ(head.target, "/search?q=a%20b");
  EXPECT_EQ(head.path, "/search");
  EXPECT_EQ(head.query, "q=a%20b");
  EXPECT_TRUE(head.has_query);
  EXPECT_EQ(head.authority, "Example.com:8080");
  EXPECT_EQ(head.host, "Example.com");
  EXPECT_EQ(head.port, 8080);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(head.framing, BodyFraming{});
  ASSERT_EQ(head.fields.size(), 4U);
  EXPECT_EQ(head.fields.value(Field::user_agent), "x");
  EXPECT_EQ(head.fields.find("x-custom")->value, "value with\ttab");
  EXPECT_EQ(head.fields.find("EMPTY")->value, "");
}

TEST(RequestParser, views_point_into_the_callers_bytes) {
  const std::string bytes = get_with("X-A: b\r\n");
  RequestHead head;
  ASSERT_EQ(parse(bytes, head).kind, Kind::complete);
  const char* value = head.fields.find("x-a")->value.data();
  EXPECT_TRUE(value > bytes.data() && value < bytes.data() + bytes.size());
}

TEST(RequestParser, trickled_bytes_give_the_same_head_and_are_looked_at_once) {
  const std::string bytes = "\r\n" + post_with("Content-Length: 5\r\n") + "hello";
  HeadScanner scanner(HeadScanner::Of::request);
  RequestHead head;
  for (size_t size = 0; size < bytes.size() - 5; ++size) {
    const auto result =
        parse_request_head(std::string_view(bytes).substr(0, size), {}, scanner, head);
    ASSERT_EQ(result.kind, Kind::need_more) << size;
  }
  const auto result = parse_request_head(bytes, {}, scanner, head);
  ASSERT_EQ(result.kind, Kind::complete);
  EXPECT_EQ(bytes.substr(result.consumed), "hello");
  EXPECT_EQ(head.framing, (BodyFraming{BodyFraming::Kind::length, 5}));
}

TEST(RequestParser, forgives_a_few_empty_lines_before_a_request) {
  EXPECT_EQ(refusal("\r\n\r\n" + get_with("")), 0);
  EXPECT_EQ(refusal("\r\n\r\n\r\n\r\n\r\n" + get_with("")), 400);
  EXPECT_EQ(refusal("\r\n\r\n\r\n\r\n\r\n"), 400);
}

TEST(RequestParser, refuses_content_length_with_transfer_encoding) {
  EXPECT_EQ(refusal(post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refusal(post_with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n")), 400);
}

TEST(RequestParser, refuses_more_than_one_content_length) {
  EXPECT_EQ(refusal(post_with("Content-Length: 5\r\nContent-Length: 6\r\n")), 400);
  EXPECT_EQ(refusal(post_with("Content-Length: 5\r\nContent-Length: 5\r\n")), 400);
  EXPECT_EQ(refusal(post_with("Content-Length: 5, 5\r\n")), 400);
}

TEST(RequestParser, refuses_content_lengths_that_are_not_one_number) {
  for (const char* value :
       {"+5", "-5", "0x5", "5 5", "", "5,", "5;", "5.0", "1e3", "\"5\"", "18446744073709551616",
        "18446744073709551615", "9223372036854775808", "99999999999999999999999"}) {
    EXPECT_EQ(refusal(post_with("Content-Length: " + std::string(value) + "\r\n")), 400) << value;
  }
  EXPECT_EQ(refusal(post_with("Content-Length: 9223372036854775807\r\n")), 0);
  EXPECT_EQ(refusal(post_with("Content-Length: 0005\r\n")), 0);
}

TEST(RequestParser, takes_chunked_and_no_other_transfer_coding) {
  EXPECT_EQ(refusal(post_with("Transfer-Encoding: Chunked\r\n")), 0);
  EXPECT_EQ(refusal(post_with("Transfer-Encoding: gzip, chunked\r\n")), 501);
  for (const char* value :
       {"chunked, identity", "identity", "gzip", "chunked, chunked", "xchunked", "chunked;a=b",
        "\"chunked\"", "chunked,", "", ",", "chunked gzip", "identity, chunked gzip"}) {
    EXPECT_EQ(refusal(post_with("Transfer-Encoding: " + std::string(value) + "\r\n")), 400)
        << value;
  }
  EXPECT_EQ(refusal(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
            400);
  EXPECT_EQ(refusal(post_with("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n")), 400);
  EXPECT_EQ(refusal(post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")),
            400);
}

TEST(RequestParser, refuses_transfer_encoding_in_http_1_0) {
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestParser, refuses_a_space_before_the_colon) {
  EXPECT_EQ(refusal(post_with("Transfer-Encoding : chunked\r\n")), 400);
  EXPECT_EQ(refusal(post_with("Content-Length\t: 5\r\n")), 400);
  EXPECT_EQ(refusal(get_with("X Y: 1\r\n")), 400);
}

TEST(RequestParser, refuses_tabs_and_vertical_tabs_around_framing_values) {
  for (const char* line : {"Transfer-Encoding:\tchunked\r\n", "Transfer-Encoding: chunked\t\r\n",
                           "Transfer-Encoding: \vchunked\r\n", "Transfer-Encoding: chunked\x0b\r\n",
                           "Content-Length:\t5\r\n", "Content-Length: 5\f\r\n"}) {
    EXPECT_EQ(refusal(post_with(line)), 400) << line;
  }
}

TEST(RequestParser, refuses_bare_line_feeds_and_carriage_returns) {
  for (const char* bytes :
       {"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", "GET / HTTP/1.1\rHost: a\r\n\r\n", "\nGET / "}) {
    EXPECT_EQ(refusal(bytes), 400) << bytes;
  }
}

TEST(RequestParser, refuses_controls_before_the_head_is_complete) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\nHo"), 400);
  EXPECT_EQ(refusal(std::string_view("\x16\x03\x01\x02\x00", 5)), 400);  // A TLS hello.
}

TEST(RequestParser, refuses_nul_and_other_controls_in_names_and_values) {
  using namespace std::string_literals;
  EXPECT_EQ(refusal(get_with("X: a\0b\r\n"s)), 400);
  EXPECT_EQ(refusal(get_with("X\0: a\r\n"s)), 400);
  EXPECT_EQ(refusal(get_with("X: a\x7f\r\n")), 400);
  EXPECT_EQ(refusal(get_with("X: a\x01\r\n")), 400);
  EXPECT_EQ(refusal(get_with("X: caf\xc3\xa9\r\n")), 0);  // obs-text, RFC 9110 section 5.5.
  EXPECT_EQ(refusal(get_with("caf\xc3\xa9: x\r\n")), 400);
}

TEST(RequestParser, refuses_folded_lines) {
  EXPECT_EQ(refusal(get_with("X: a\r\n b\r\n")), 400);
  EXPECT_EQ(refusal(get_with("X: a\r\n\tb\r\n")), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400);
}

TEST(RequestParser, refuses_malformed_field_lines) {
  for (const char* line : {"X\r\n", ": a\r\n", "X(: a\r\n", "\"X\": a\r\n", "X@: a\r\n"}) {
    EXPECT_EQ(refusal(get_with(line)), 400) << line;
  }
}

TEST(RequestParser, wants_exactly_one_valid_host) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal(get_with("Host: a\r\n")), 400);
  EXPECT_EQ(refusal(get_with("host: b\r\n")), 400);
  for (const char* host :
       {"",        "a b",  "a,b",  "a/b",  "a@b",   "user@a",      "a:b",    "a:80:80",
        "a:65536", "a:0",  "a:-1", "[::1", "::1",   "[::g]",       "[::1]x", "[fe80::1%25eth0]",
        "a%20b",   "a#b",  "a?b",  "a\\b", "\"a\"", "caf\xc3\xa9", "[]",     ":80",
        "a:+80",   "a: 80"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
  for (const char* host : {"a", "a.b.", "my_service", "10.0.0.1:80", "[::1]", "[::1]:8080",
                           "xn--caf-dma.example", "a:"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 0) << host;
  }
}

TEST(RequestParser, http_1_0_needs_no_host_and_closes) {
  RequestHead head;
  ASSERT_EQ(parse("GET /a HTTP/1.0\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.minor_version, 0);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_EQ(head.authority, "");
  ASSERT_EQ(parse("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", head).kind, Kind::complete);
  EXPECT_TRUE(head.keep_alive);
}

TEST(RequestParser, absolute_form_names_the_host_and_must_agree_with_it) {
  RequestHead head;
  ASSERT_EQ(parse("GET http://a.example/p?q HTTP/1.1\r\nHost: A.example:80\r\n\r\n", head).kind,
            Kind::complete);
  EXPECT_TRUE(head.is_absolute_form);
  EXPECT_EQ(head.authority, "a.example");
  EXPECT_EQ(head.path, "/p");
  EXPECT_EQ(head.query, "q");
  ASSERT_EQ(parse("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.path, "/");
  ASSERT_EQ(parse("GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.path, "/");
  EXPECT_EQ(head.query, "q");
  ASSERT_EQ(parse("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.path, "*");
  EXPECT_EQ(refusal("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET http://a/ HTTP/1.1\r\nHost: a:81\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n"), 0);
  EXPECT_EQ(refusal("GET http://a/ HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET http://a/ HTTP/1.0\r\n\r\n"), 0);
  for (const char* target : {"http://", "http:///p", "http://u@a/", "ftp://a/", "http:/a", "a",
                             "//", "://a/", "http://a:x/", "http://a\\b/"}) {
    const bool is_path = std::string_view(target).starts_with('/');
    EXPECT_EQ(refusal(with_target(target)), is_path ? 0 : 400) << target;
  }
}

TEST(RequestParser, refuses_invalid_characters_in_the_target) {
  for (const char* target : {"/a#b", "/a b", "/a\tb", "/caf\xc3\xa9", "/a\x7f", " /", ""}) {
    EXPECT_EQ(refusal(with_target(target)), 400) << target;
  }
  EXPECT_EQ(refusal(with_target("/a?b=\"{|}^`<>[]\\")), 0);  // Sent by real clients.
}

TEST(RequestParser, asterisk_form_is_for_options_only) {
  RequestHead head;
  ASSERT_EQ(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.path, "*");
  EXPECT_EQ(refusal(with_target("*")), 400);
  EXPECT_EQ(refusal("OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestParser, recognises_connect_and_trace) {
  RequestHead head;
  ASSERT_EQ(parse("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.method, Method::connect);
  EXPECT_EQ(head.port, 443);
  EXPECT_EQ(refusal("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal("CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n"), 400);
  ASSERT_EQ(parse("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.method, Method::trace);
  ASSERT_EQ(parse("PURGE / HTTP/1.1\r\nHost: a\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.method, Method::other);
  EXPECT_EQ(head.method_text, "PURGE");
  ASSERT_EQ(parse("get / HTTP/1.1\r\nHost: a\r\n\r\n", head).kind, Kind::complete);
  EXPECT_EQ(head.method, Method::other);
}

TEST(RequestParser, refuses_other_versions_and_malformed_request_lines) {
  const auto line = [](const char* text) { return std::string(text) + "\r\nHost: a\r\n\r\n"; };
  EXPECT_EQ(refusal(line("GET / HTTP/2.0")), 505);
  EXPECT_EQ(refusal(line("GET / HTTP/0.9")), 505);
  EXPECT_EQ(refusal(line("PRI * HTTP/2.0")), 505);
  EXPECT_EQ(refusal(line("GET / HTTP/1.2")), 0);
  for (const char* text :
       {"GET / http/1.1", "GET /", "GET", "GET / HTTP/1.1 ", "GET  / HTTP/1.1", "GET /  HTTP/1.1",
        " GET / HTTP/1.1", "GET\t/ HTTP/1.1", "G(T / HTTP/1.1", "GET / HTTP/11", "GET / HTTP/1.",
        "GET / HTTP/1.10", "GET / HTTP/ 1.1", "GET / HTTP/1.1;a", "/ HTTP/1.1",
        "HTTP/1.1 200 OK"}) {
    EXPECT_EQ(refusal(line(text)), 400) << text;
  }
  EXPECT_EQ(refusal(line((std::string(33, 'M') + " / HTTP/1.1").c_str())), 501);
}

TEST(RequestParser, holds_its_limits_even_before_the_end_of_the_head) {
  const HeadLimits limits{.head_bytes_max = 1000, .url_bytes_max = 100, .fields_max = 3};
  EXPECT_EQ(refusal(with_target("/" + std::string(99, 'a')), limits), 0);
  EXPECT_EQ(refusal(with_target("/" + std::string(100, 'a')), limits), 414);
  EXPECT_EQ(refusal("GET /" + std::string(160, 'a'), limits), 414);
  EXPECT_EQ(refusal("GET /" + std::string(160, 'a') + " HTTP/1.1\r\n", limits), 414);
  EXPECT_EQ(refusal(get_with("A: 1\r\nB: 1\r\n"), limits), 0);
  EXPECT_EQ(refusal(get_with("A: 1\r\nB: 1\r\nC: 1\r\n"), limits), 431);
  EXPECT_EQ(refusal(get_with("A: " + std::string(1000, 'a') + "\r\n"), limits), 431);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nA: " + std::string(1000, 'a'), limits), 431);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "A: 1\r\n";
  EXPECT_EQ(refusal(get_with(many), {.fields_max = 1000}), 431);  // HeaderList's own bound.
}

TEST(RequestParser, frames_bodies_of_any_method) {
  RequestHead head;
  ASSERT_EQ(parse(get_with("Content-Length: 3\r\n"), head).kind, Kind::complete);
  EXPECT_EQ(head.framing, (BodyFraming{BodyFraming::Kind::length, 3}));
  ASSERT_EQ(parse("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", head).kind,
            Kind::complete);
  EXPECT_EQ(head.framing.kind, BodyFraming::Kind::chunked);
}

TEST(RequestParser, reads_connection_over_all_its_lines) {
  RequestHead head;
  ASSERT_EQ(parse(get_with("Connection: x, Close\r\n"), head).kind, Kind::complete);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(parse(get_with("Connection: keep-alive\r\nConnection: close\r\n"), head).kind,
            Kind::complete);
  EXPECT_FALSE(head.keep_alive);
}

TEST(RequestParser, reads_expectations) {
  RequestHead head;
  ASSERT_EQ(parse(post_with("Expect: 100-Continue\r\nContent-Length: 1\r\n"), head).kind,
            Kind::complete);
  EXPECT_TRUE(head.expects_continue);
  ASSERT_EQ(parse(post_with("Expect: 100-continue\r\nContent-Length: 0\r\n"), head).kind,
            Kind::complete);
  EXPECT_FALSE(head.expects_continue);
  EXPECT_EQ(refusal(post_with("Expect: miracles\r\n")), 417);
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nExpect: miracles\r\n\r\n"), 0);
}

TEST(RequestParser, reads_upgrades_but_never_h2c) {
  RequestHead head;
  const std::string bytes = get_with("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n");
  ASSERT_EQ(parse(bytes, head).kind, Kind::complete);
  EXPECT_TRUE(head.wants_upgrade);
  EXPECT_EQ(head.upgrade_protocol, "websocket");
  for (const char* lines :
       {"Upgrade: websocket\r\n", "Connection: upgrade\r\n", "Connection: upgrade\r\nUpgrade:\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
        "Connection: upgrade\r\nUpgrade: websocket, H2C\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n"}) {
    ASSERT_EQ(parse(get_with(lines), head).kind, Kind::complete) << lines;
    EXPECT_FALSE(head.wants_upgrade) << lines;
  }
}

TEST(RequestParser, a_reused_head_forgets_the_last_request) {
  RequestHead head;
  ASSERT_EQ(parse(post_with("Content-Length: 9\r\nConnection: close\r\n"), head).kind,
            Kind::complete);
  ASSERT_EQ(parse(get_with(""), head).kind, Kind::complete);
  EXPECT_EQ(head.framing, BodyFraming{});
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.fields.has(Field::content_length));
  ASSERT_EQ(parse("GET /\n", head).kind, Kind::violation);
  EXPECT_EQ(head.target, "");
}

}  // namespace
}  // namespace spillway::http
