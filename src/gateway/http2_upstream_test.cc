// gateway/http2_upstream_test.cc: services that speak HTTP/2, gRPC ones above all.
#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"
#include "gateway/grpc.h"
#include "http/http2_testing.h"

namespace spillway::gateway {
namespace {

using http::Http2Peer;
using http::TestFields;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TestFields call(std::string path = "/shop.Orders/Get") {
  return {{":method", "POST"},        {":scheme", "http"}, {":authority", "a"},
          {":path", std::move(path)}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}
TestFields with(TestFields fields, std::string name, std::string value) {
  fields.emplace_back(std::move(name), std::move(value));
  return fields;
}
const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nask";
const TestFields ok_head = {{":status", "200"}, {"content-type", "application/grpc"}};

class Http2UpstreamTest : public GatewayTest {
 protected:
  Http2UpstreamTest() {
    endpoints = {listener.address()};
    config.protocol = upstream::UpstreamProtocol::http2;
  }
  Http2Peer& caller() {
    callers.push_back(std::make_unique<Http2Peer>(connect()));
    callers.back()->greet();
    return *callers.back();
  }
  Http2Peer& accept() {
    servers.push_back(std::make_unique<Http2Peer>(listener.accept()));
    servers.back()->accept();
    return *servers.back();
  }
  // A new connection, and the whole of its first request.
  Http2Peer& accept_request() {
    Http2Peer& server = accept();
    EXPECT_TRUE(has_request(server, 1));
    return server;
  }
  static void send_call(Http2Peer& client, uint32_t stream) {
    client.headers(stream, call(), 0);
    client.data(stream, "ask", Http2Peer::end_stream);
  }
  // A call of `client`'s, and the beginning of its answer.
  Http2Peer& begin_answer(Http2Peer& client, std::string_view text) {
    send_call(client, 1);
    Http2Peer& server = accept_request();
    server.headers(1, ok_head, 0);
    server.data(1, text);
    return server;
  }
  static bool has_request(Http2Peer& server, uint32_t stream) {
    return server.until([&] { return server.answer_so_far(stream).ended; });
  }

  runtime::PeerListener listener{loop};
  std::vector<std::unique_ptr<Http2Peer>> callers;
  std::vector<std::unique_ptr<Http2Peer>> servers;
};

TEST_F(Http2UpstreamTest, carries_a_call_with_trailers_both_ways) {
  Http2Peer& client = caller();
  send_call(client, 1);
  Http2Peer& server = accept_request();
  const auto& request = server.answer_so_far(1);
  EXPECT_EQ(request.field(":path"), "/shop.Orders/Get");
  EXPECT_EQ(request.field("te"), "trailers");
  EXPECT_EQ(request.field("via"), "2 spillway-test");
  EXPECT_EQ(request.field("connection"), "");
  EXPECT_EQ(request.body, "ask");
  server.headers(1, ok_head, 0);
  server.data(1, "tell");
  server.headers(1, {{"grpc-status", "0"}, {"grpc-message", "fine"}});
  const auto& answer = client.answer(1);
  EXPECT_EQ(answer.status(), "200");
  EXPECT_EQ(answer.body, "tell");
  EXPECT_EQ(answer.field("grpc-status"), "0");
  EXPECT_EQ(answer.field("grpc-message"), "fine");
}

TEST_F(Http2UpstreamTest, carries_trailers_of_bodies_whose_length_was_told) {
  Http2Peer& client = caller();
  send_call(client, 1);
  Http2Peer& server = accept_request();
  server.headers(1, {{":status", "200"}, {"content-length", "4"}}, 0);
  server.data(1, "tell");
  EXPECT_TRUE(client.until([&] { return client.answer_so_far(1).body == "tell"; }));
  EXPECT_FALSE(client.answer_so_far(1).ended);
  server.headers(1, {{"grpc-status", "0"}});
  EXPECT_EQ(client.answer(1).field("grpc-status"), "0");
}

TEST_F(Http2UpstreamTest, believes_no_trailers_that_speak_of_the_answer_as_a_whole) {
  runtime::Peer client = connect();
  client.send(get);
  Http2Peer& server = accept_request();
  server.headers(1, {{":status", "200"}}, 0);
  server.data(1, "body");
  server.headers(1, {{"set-cookie", "a=1"}, {"checksum", "7"}, {"location", "/"}});
  EXPECT_THAT(client.take_through("0\r\n"), HasSubstr("body"));
  EXPECT_EQ(client.take_head(), "checksum: 7\r\n\r\n");
}

TEST_F(Http2UpstreamTest, cuts_an_answer_whose_trailers_are_too_large) {
  Http2Peer& client = caller();
  Http2Peer& server = begin_answer(client, "tell");
  server.send(NGHTTP2_HEADERS, Http2Peer::end_stream, 1,
              http::hpack({{"a", std::string(16'000, 'x')}}));
  server.send(NGHTTP2_CONTINUATION, Http2Peer::end_headers, 1,
              http::hpack({{"b", std::string(1000, 'x')}}));
  EXPECT_TRUE(client.answer(1).reset);
}

// RFC 9113 sections 8.1.1 and 8.3.2: 502, and what follows the head cuts.
TEST_F(Http2UpstreamTest, passes_on_no_answer_that_breaks_the_rules) {
  const std::vector<TestFields> malformed = {
      {},
      {{":status", "20"}},
      {{":status", "abc"}},
      {{":status", "200"}, {":status", "200"}},
      {{":status", "101"}},
      {{":status", "200"}, {":path", "/"}},
      {{"x", "y"}, {":status", "200"}},
      {{":status", "200"}, {"X-Upper", "1"}},
      {{":status", "200"}, {"bad name", "1"}},
      {{":status", "200"}, {"x", "a\r\nb: c"}},
      {{":status", "200"}, {"x", std::string("a\0b", 3)}},
      {{":status", "200"}, {"connection", "close"}},
      {{":status", "200"}, {"transfer-encoding", "chunked"}},
      {{":status", "200"}, {"content-length", "1"}, {"content-length", "2"}},
      {{":status", "200"}, {"content-length", "x"}},
      {{":status", "200"}, {"content-length", "1"}},  // And no body.
  };
  config.retries.attempts = 1;
  for (size_t i = 0; i < malformed.size(); ++i) {
    runtime::Peer client = connect();
    client.send(get);
    if (servers.empty()) accept();
    Http2Peer& server = *servers.back();
    const auto stream = static_cast<uint32_t>(2 * i + 1);
    ASSERT_TRUE(has_request(server, stream)) << i;
    server.headers(stream, malformed[i]);
    EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 502 ")) << i;
  }
}

TEST_F(Http2UpstreamTest, cuts_an_answer_that_is_not_as_long_as_it_says) {
  for (const std::string_view body : {"123", "12345"}) {
    Http2Peer& client = caller();
    send_call(client, 1);
    if (servers.empty()) accept();
    Http2Peer& server = *servers.back();
    const uint32_t stream = body.size() == 3 ? 1 : 3;
    ASSERT_TRUE(has_request(server, stream));
    server.headers(stream, with(ok_head, "content-length", "4"), 0);
    server.data(stream, body, Http2Peer::end_stream);
    EXPECT_TRUE(client.answer(1).reset) << body;
  }
}

// Those who wait for others' slow readers would wait for ever.
TEST_F(Http2UpstreamTest, readers_who_stand_still_hold_up_nobody_else) {
  Http2Peer& slow = caller();
  slow.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  slow.headers(1, call(), Http2Peer::end_stream);
  Http2Peer& server = accept_request();
  constexpr uint32_t stalled = 20;
  for (uint32_t i = 1; i < stalled; ++i) slow.headers(2 * i + 1, call(), Http2Peer::end_stream);
  ASSERT_TRUE(has_request(server, 2 * stalled - 1));
  ASSERT_TRUE(server.until([&] { return server.windows[0] > (20u << 20); }));
  for (uint32_t i = 0; i < stalled; ++i) {
    server.headers(2 * i + 1, ok_head, 0);
    for (int piece = 0; piece < 16; ++piece) {
      server.data(2 * i + 1, std::string(16'000, 'x'));
      turn();
    }
  }
  Http2Peer& quick = caller();
  send_call(quick, 1);
  ASSERT_TRUE(has_request(server, 2 * stalled + 1));
  server.headers(2 * stalled + 1, ok_head, 0);
  server.data(2 * stalled + 1, "at once", Http2Peer::end_stream);
  EXPECT_EQ(quick.answer(1).body, "at once");
}

TEST_F(Http2UpstreamTest, passes_an_answer_of_trailers_only) {
  Http2Peer& client = caller();
  send_call(client, 1);
  Http2Peer& server = accept_request();
  server.headers(1, with(ok_head, "grpc-status", "5"));
  EXPECT_EQ(client.answer(1).field("grpc-status"), "5");
  EXPECT_EQ(client.count_of(NGHTTP2_DATA), 0u);
}

TEST_F(Http2UpstreamTest, streams_both_ways_at_once) {
  Http2Peer& client = caller();
  client.headers(1, call(), 0);
  client.data(1, "one");
  Http2Peer& server = accept();
  ASSERT_TRUE(server.until([&] { return server.answer_so_far(1).body == "one"; }));
  server.headers(1, ok_head, 0);
  server.data(1, "ONE");
  ASSERT_TRUE(client.until([&] { return client.answer_so_far(1).body == "ONE"; }));
  client.data(1, "two", Http2Peer::end_stream);
  ASSERT_TRUE(has_request(server, 1));
  EXPECT_EQ(server.answer_so_far(1).body, "onetwo");
  server.headers(1, {{"grpc-status", "0"}});
  EXPECT_TRUE(client.answer(1).ended);
}

TEST_F(Http2UpstreamTest, serves_clients_of_http1_over_one_connection) {
  runtime::Peer a = connect();
  runtime::Peer b = connect();
  a.send(get);
  Http2Peer& server = accept_request();
  b.send(get);
  ASSERT_TRUE(has_request(server, 3));
  server.headers(3, {{":status", "200"}, {"content-length", "1"}}, 0);
  server.data(3, "b", Http2Peer::end_stream);
  server.headers(1, {{":status", "200"}}, 0);
  server.data(1, "a", Http2Peer::end_stream);
  EXPECT_THAT(b.take_head(), HasSubstr("content-length: 1\r\n"));
  EXPECT_EQ(b.take_bytes(1), "b");
  EXPECT_THAT(a.take_through("0\r\n\r\n"), HasSubstr("1\r\na\r\n"));
}

TEST_F(Http2UpstreamTest, passes_interim_answers) {
  runtime::Peer client = connect();
  client.send(get);
  Http2Peer& server = accept_request();
  server.headers(1, {{":status", "103"}, {"link", "</a>"}}, 0);
  server.headers(1, {{":status", "204"}});
  EXPECT_THAT(client.take_head(), HasSubstr("link: </a>\r\n"));
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 204 "));
}

TEST_F(Http2UpstreamTest, repeats_a_call_that_was_refused) {
  runtime::Peer client = connect();
  client.send(post);
  Http2Peer& server = accept_request();
  server.reset(1, NGHTTP2_REFUSED_STREAM);
  ASSERT_TRUE(has_request(server, 3));
  EXPECT_EQ(server.answer_so_far(3).body, "ask");
  server.headers(3, {{":status", "200"}});
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http2UpstreamTest, repeats_what_a_goaway_left_out_on_another_connection) {
  runtime::Peer client = connect();
  client.send(post);
  Http2Peer& first = accept_request();
  first.send(NGHTTP2_GOAWAY, 0, 0, http::big_endian(0, 4) + http::big_endian(0, 4));
  Http2Peer& second = accept_request();
  second.headers(1, {{":status", "200"}});
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http2UpstreamTest, does_not_repeat_what_may_have_acted) {
  runtime::Peer client = connect();
  client.send(post);
  Http2Peer& server = accept_request();
  server.reset(1, NGHTTP2_INTERNAL_ERROR);
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 502 "));
  EXPECT_FALSE(server.answer_so_far(3).ended);
}

TEST_F(Http2UpstreamTest, shows_a_cut_answer_as_one) {
  Http2Peer& client = caller();
  Http2Peer& server = begin_answer(client, "half");
  ASSERT_TRUE(client.until([&] { return client.answer_so_far(1).body == "half"; }));
  server.peer().close();
  EXPECT_TRUE(client.answer(1).reset);
}

TEST_F(Http2UpstreamTest, a_client_that_leaves_resets_its_stream_and_no_other) {
  Http2Peer& client = caller();
  send_call(client, 1);
  Http2Peer& server = accept_request();
  send_call(client, 3);
  ASSERT_TRUE(has_request(server, 3));
  client.reset(1);
  ASSERT_TRUE(server.until([&] { return server.answer_so_far(1).reset.has_value(); }));
  server.headers(3, with(ok_head, "grpc-status", "0"));
  EXPECT_EQ(client.answer(3).field("grpc-status"), "0");
}

TEST_F(Http2UpstreamTest, what_we_answer_ourselves_says_so_in_grpc) {
  listener.close();
  Http2Peer& client = caller();
  client.headers(1, call());
  EXPECT_EQ(client.answer(1).status(), "200");
  EXPECT_EQ(client.answer(1).field("grpc-status"), "14");
  EXPECT_EQ(client.answer(1).field("content-type"), "application/grpc");
}

TEST_F(Http2UpstreamTest, the_clients_own_deadline_ends_a_call) {
  Http2Peer& client = caller();
  client.headers(1, with(call(), "grpc-timeout", "60m"), 0);  // Its request never ends.
  Http2Peer& server = accept();
  ASSERT_TRUE(server.until([&] { return !server.answer_so_far(1).heads.empty(); }));
  EXPECT_EQ(client.answer(1).field("grpc-status"), "4");
}

TEST(Grpc, timeouts_are_read_with_their_unit) {
  EXPECT_EQ(parse_grpc_timeout("2H"), 2h);
  EXPECT_EQ(parse_grpc_timeout("99999999H"), 24h * 365);  // More than a Duration can hold.
  EXPECT_EQ(parse_grpc_timeout("3M"), 3min);
  EXPECT_EQ(parse_grpc_timeout("4S"), 4s);
  EXPECT_EQ(parse_grpc_timeout("99999999m"), 99'999'999ms);
  EXPECT_EQ(parse_grpc_timeout("6u"), 6us);
  EXPECT_EQ(parse_grpc_timeout("7n"), 7ns);
  for (const char* text : {"", "1", "S", "1s", "-1S", "1 S", "100000000S", "1.5S"}) {
    EXPECT_FALSE(parse_grpc_timeout(text)) << text;
  }
}

TEST(Grpc, messages_are_percent_encoded) {
  EXPECT_EQ(grpc_message("Too many: 100 %\n\xc3\xa9"), "Too many: 100 %25%0A%C3%A9");
}

TEST(Grpc, only_its_own_content_type_over_http2_is_a_call) {
  http::RequestHead head;
  head.is_http2 = true;
  for (const auto& [type, expected] :
       std::vector<std::pair<const char*, bool>>{{"application/grpc", true},
                                                 {"application/grpc+proto", true},
                                                 {"application/grpc; a=b", true},
                                                 {"application/grpc-web", false},
                                                 {"application/json", false}}) {
    head.fields.clear();
    ASSERT_TRUE(head.fields.add(http::Field::content_type, type));
    EXPECT_EQ(head.is_grpc(), expected) << type;
  }
  head.is_http2 = false;
  EXPECT_FALSE(head.is_grpc());
}

}  // namespace
}  // namespace spillway::gateway
