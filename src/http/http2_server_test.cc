// http/http2_server_test.cc: clients of HTTP/2, good, slow and hostile, against a scripted handler.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "http/handler_testing.h"
#include "http/http2_testing.h"
#include "http/server_connection.h"
#include "runtime/loop_testing.h"

namespace spillway::http {
namespace {

constexpr uint32_t calm = NGHTTP2_ENHANCE_YOUR_CALM;

TestFields request(std::string path, std::string method = "GET") {
  return {{":method", std::move(method)},
          {":scheme", "http"},
          {":authority", "a.example"},
          {":path", std::move(path)}};
}
TestFields with(TestFields fields, std::string name, std::string value) {
  fields.emplace_back(std::move(name), std::move(value));
  return fields;
}

class Http2ServerTest : public runtime::PeerTest {
 public:
  ~Http2ServerTest() override {
    for (auto& connection : connections) connection->cut();
    handler.go_on.set();
    finish();
  }

 protected:
  // A client, connected, whose preface is sent.
  Http2Peer& connect(bool greets = true) {
    auto pair = runtime::connected_pair(loop);
    connections.push_back(std::make_unique<ServerConnection>(std::move(pair.socket), client_info,
                                                             context, limits, handler));
    start(connections.back()->run());
    clients.push_back(std::make_unique<Http2Peer>(std::move(pair.peer)));
    if (greets) clients.back()->greet();
    return *clients.back();
  }
  std::string status_of(const TestFields& fields) {
    Http2Peer& client = connect();
    client.headers(1, fields);
    const Http2TestAnswer& answer = client.answer(1);
    return answer.reset ? "reset " + std::to_string(*answer.reset) : answer.status();
  }
  // Of a counter, by its label if it has one.
  double count_of(std::string_view family, std::string_view label = {}) {
    for (const telemetry::FamilySnapshot& found : registry.snapshot()) {
      if (found.spec.name != family) continue;
      for (const telemetry::SeriesSnapshot& series : found.series) {
        if (label.empty() || series.labels.front() == label) return series.value;
      }
    }
    return 0;
  }
  double flood_count(Http2Burden burden) {
    return count_of("spillway_http2_floods_total", enum_names(burden)[static_cast<size_t>(burden)]);
  }

  telemetry::Registry registry{1};
  ServerContext context{loop, registry};
  ClientInfo client_info;
  ServerLimits limits;
  ScriptedHandler handler{loop};
  std::vector<std::unique_ptr<ServerConnection>> connections;
  std::vector<std::unique_ptr<Http2Peer>> clients;
};

TEST_F(Http2ServerTest, answers_requests_with_prior_knowledge) {
  Http2Peer& client = connect();
  client.headers(1, request("/"));
  const Http2TestAnswer& answer = client.answer(1);
  EXPECT_EQ(answer.status(), "200");
  EXPECT_EQ(answer.body, "hello\n");
  EXPECT_EQ(answer.field("content-length"), "6");
  EXPECT_FALSE(answer.field("date").empty());
  EXPECT_FALSE(answer.reset);
  EXPECT_EQ(client.their_settings[NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL], 1u);
  EXPECT_EQ(client.their_settings[NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS], 128u);
}

TEST_F(Http2ServerTest, needs_no_preface_to_be_whole_in_one_piece) {
  Http2Peer& client = connect(false);
  client.peer().trickle(Http2Peer::preface());
  client.headers(1, request("/"));
  EXPECT_EQ(client.answer(1).status(), "200");
}

TEST_F(Http2ServerTest, speaks_http2_at_once_where_alpn_said_so) {
  client_info.speaks_http2 = client_info.is_secure = true;
  Http2Peer& client = connect();
  client.headers(1, request("/"));
  EXPECT_EQ(client.answer(1).status(), "200");
}

TEST_F(Http2ServerTest, takes_no_preface_where_alpn_did_not) {
  client_info.is_secure = true;
  Http2Peer& client = connect();
  EXPECT_TRUE(client.peer().take_rest().starts_with("HTTP/1.1 505 "));
}

TEST_F(Http2ServerTest, serves_streams_side_by_side) {
  Http2Peer& client = connect();
  client.headers(1, request("/wait"));
  client.headers(3, request("/"));
  EXPECT_EQ(client.answer(3).status(), "200");
  EXPECT_FALSE(client.answer_so_far(1).ended);
  handler.go_on.set();
  EXPECT_EQ(client.answer(1).body, "late\n");
}

TEST_F(Http2ServerTest, passes_bodies_and_trailers_both_ways) {
  Http2Peer& client = connect();
  client.headers(1, request("/echo", "POST"), 0);
  client.data(1, "one ");
  client.data(1, "two");
  client.headers(1, {{"checksum", "7"}});
  EXPECT_EQ(client.answer(1).body, "one two");
  EXPECT_EQ(handler.trailers, "checksum=7;");

  client.headers(3, request("/trailers"));
  EXPECT_EQ(client.answer(3).body, "body");
  EXPECT_EQ(client.answer(3).field("grpc-status"), "0");
  EXPECT_EQ(client.answer(3).heads.size(), 2u);
}

// Whoever merged them would believe them.
TEST_F(Http2ServerTest, trailers_say_nothing_of_the_request_as_a_whole) {
  Http2Peer& client = connect();
  client.headers(1, request("/echo", "POST"), 0);
  client.data(1, "body");
  client.headers(1, {{"checksum", "7"},
                     {"cookie", "admin=1"},
                     {"authorization", "Basic YTpi"},
                     {"x-forwarded-for", "127.0.0.1"},
                     {"x-forwarded-proto", "https"}});
  EXPECT_EQ(client.answer(1).body, "body");
  EXPECT_EQ(handler.trailers, "checksum=7;");
}

TEST_F(Http2ServerTest, trailers_that_are_too_large_cut_the_request) {
  Http2Peer& client = connect();
  client.headers(1, request("/echo", "POST"), 0);
  client.data(1, "body");
  client.send(NGHTTP2_HEADERS, Http2Peer::end_stream, 1,
              hpack({{"checksum", std::string(16'000, 'x')}}));
  client.send(NGHTTP2_CONTINUATION, Http2Peer::end_headers, 1,
              hpack({{"second", std::string(1000, 'x')}}));
  EXPECT_EQ(client.answer(1).reset, calm);
  ASSERT_TRUE(turn_until(loop, [&] { return handler.body_error.has_value(); }));
  EXPECT_EQ(handler.body_error->blame, Error::Blame::client);
}

TEST_F(Http2ServerTest, trailers_follow_the_rules_of_fields) {
  const std::vector<TestFields> malformed = {
      {{":path", "/other"}},       {{"connection", "close"}}, {{"transfer-encoding", "chunked"}},
      {{"checksum", "a\r\nb: c"}}, {{"bad name", "1"}},       {{"Checksum", "7"}}};
  for (const TestFields& trailers : malformed) {
    handler.body_error.reset();
    Http2Peer& client = connect();
    client.headers(1, request("/echo", "POST"), 0);
    client.data(1, "body");
    client.headers(1, trailers);
    EXPECT_EQ(client.answer(1).reset, NGHTTP2_PROTOCOL_ERROR) << trailers.front().first;
    EXPECT_TRUE(turn_until(loop, [&] { return handler.body_error.has_value(); }));
  }
}

TEST_F(Http2ServerTest, frames_answers_without_bodies_right) {
  Http2Peer& client = connect();
  client.headers(1, request("/", "HEAD"));
  EXPECT_EQ(client.answer(1).field("content-length"), "6");
  EXPECT_EQ(client.answer(1).body, "");
  client.headers(3, request("/status/204"));
  EXPECT_EQ(client.answer(3).status(), "204");
  client.headers(5, request("/status/304"));
  EXPECT_EQ(client.answer(5).status(), "304");
  EXPECT_EQ(client.count_of(NGHTTP2_DATA), 0u);
}

TEST_F(Http2ServerTest, says_100_when_the_body_is_wanted) {
  Http2Peer& client = connect();
  client.headers(1, with(request("/echo", "POST"), "expect", "100-continue"), 0);
  ASSERT_TRUE(client.until([&] { return !client.answer_so_far(1).heads.empty(); }));
  EXPECT_EQ(client.answer_so_far(1).status(), "100");
  client.data(1, "body", Http2Peer::end_stream);
  EXPECT_EQ(client.answer(1).body, "body");
  EXPECT_EQ(client.answer(1).heads.size(), 2u);
}

TEST_F(Http2ServerTest, joins_the_pieces_of_a_cookie) {
  Http2Peer& client = connect();
  handler.on_request = [](const RequestHead& head) {
    EXPECT_EQ(head.fields.count(Field::cookie), 1u);
    EXPECT_EQ(head.fields.value(Field::cookie), "a=1; b=2; c=3");
    EXPECT_EQ(head.authority, "a.example");
    EXPECT_EQ(head.query, "q");
  };
  client.headers(
      1, with(with(with(request("/x?q"), "cookie", "a=1"), "cookie", "b=2"), "cookie", "c=3"));
  EXPECT_EQ(client.answer(1).status(), "200");
}

// RFC 9113 sections 8.2 and 8.3: never forwarded.
TEST_F(Http2ServerTest, refuses_what_is_no_request) {
  const std::string reset = "reset " + std::to_string(NGHTTP2_PROTOCOL_ERROR);
  const std::vector<TestFields> malformed = {
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}},  // No :path.
      {{":scheme", "http"}, {":authority", "a"}, {":path", "/"}},      // No :method.
      {{":method", "GET"}, {":authority", "a"}, {":path", "/"}},       // No :scheme.
      with(request("/"), ":path", "/b"),                               // Twice.
      with(request("/"), ":status", "200"),                            // A response's.
      with(with(request(""), "x", "y"), "z", "1"),                     // Empty :path.
      {{"x", "y"}, {":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}},
      with(request("/"), "X-Upper", "1"),
      with(request("/"), "bad name", "1"),
      with(request("/"), "", "1"),
      with(request("/"), "connection", "close"),
      with(request("/"), "keep-alive", "1"),
      with(request("/"), "proxy-connection", "close"),
      with(request("/"), "transfer-encoding", "chunked"),
      with(request("/"), "upgrade", "h2c"),
      with(request("/"), "te", "gzip"),
      with(request("/"), "x", "a\rb"),
      with(request("/"), "x", "a\nb"),
      with(request("/"), "x", std::string("a\0b", 3)),
      with(request("/"), "x", " leading"),
      with(request("/"), "content-length", "-1"),
      with(request("/"), "content-length", "1, 1"),
      with(with(request("/"), "content-length", "0"), "content-length", "0"),
      with(request("/"), "content-length", "5"),  // And no body.
      with(request("/"), "te", "trailers, gzip"),
      with(request("/"), "x", "trailing "),
      with(request("/"), "x", "a\x7f"),
      with(request("/"), "a\nb", "1"),
      with(request("/"), "a:b", "1"),
      with(request("/"), std::string("a\0b", 3), "1"),
      with(request("/"), ":authority", "b.example"),
      with(request("/"), ":protocol", "websocket"),  // Without CONNECT.
      {{":method", "CONNECT"}, {":authority", "a:443"}, {":path", "/"}},
  };
  for (size_t i = 0; i < malformed.size(); ++i) EXPECT_EQ(status_of(malformed[i]), reset) << i;
  EXPECT_TRUE(handler.seen.empty()) << handler.seen.front();
}

// The same of what is not for HTTP/2 itself to judge.
TEST_F(Http2ServerTest, refuses_what_is_no_request_to_a_server_of_http1) {
  const std::string reset = "reset " + std::to_string(NGHTTP2_PROTOCOL_ERROR);
  const std::vector<TestFields> refused = {
      with(request("/"), "host", "b.example"),
      with(with(request("/"), "host", "a.example"), "host", "a.example"),
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a b"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "user@a"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/a b"}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/a#b"}},
      request("/ HTTP/1.1\r\nhost: b\r\n\r\n"),
      request("/a\tb"),
      request(std::string("/a\0b", 4)),
      request("http://b.example/"),
      request("*"),
      request("b"),
      request("/", "GET / HTTP/1.1\r\nx:"),
      request("/", "GE T"),
      request("/", ""),
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a,b"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a/b"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "a\r\nb"}, {":path", "/"}},
      {{":method", "GET"}, {":scheme", "http"}, {":authority", ""}, {":path", "/"}},
  };
  for (size_t i = 0; i < refused.size(); ++i) {
    const std::string status = status_of(refused[i]);
    EXPECT_TRUE(status == "400" || status == reset) << i << ": " << status;
  }
  EXPECT_TRUE(handler.seen.empty()) << handler.seen.front();
}

TEST_F(Http2ServerTest, accepts_te_trailers_and_a_matching_host) {
  EXPECT_EQ(status_of(with(request("/"), "te", "trailers")), "200");
  EXPECT_EQ(status_of(with(request("/"), "host", "a.example")), "200");
  EXPECT_EQ(status_of({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "b"}}),
            "200");
}

TEST_F(Http2ServerTest, answers_what_passes_a_limit) {
  limits.head.head_bytes_max = 2000;
  limits.head.url_bytes_max = 100;
  limits.head.fields_max = 10;
  limits.body_bytes_max = 10;
  EXPECT_EQ(status_of(request("/" + std::string(200, 'x'))), "414");
  EXPECT_EQ(status_of(with(request("/"), "x", std::string(3000, 'x'))), "431");
  TestFields many = request("/");
  for (int i = 0; i < 11; ++i) many.emplace_back("x", "y");
  EXPECT_EQ(status_of(many), "431");
  EXPECT_TRUE(handler.seen.empty());

  Http2Peer& client = connect();
  client.headers(1, with(request("/echo", "POST"), "content-length", "11"), 0);
  EXPECT_EQ(client.answer(1).status(), "413");
  client.headers(3, request("/echo", "POST"), 0);
  client.data(3, "0123456789a", Http2Peer::end_stream);
  EXPECT_EQ(client.answer(3).status(), "400");
  EXPECT_EQ(handler.body_error->code, Error::Code::limit_exceeded);
  client.headers(5, request("/"));
  EXPECT_EQ(client.answer(5).status(), "200");  // The connection goes on.
}

TEST_F(Http2ServerTest, a_body_that_differs_from_its_length_is_cut) {
  Http2Peer& client = connect();
  client.headers(1, with(request("/echo", "POST"), "content-length", "5"), 0);
  client.data(1, "123456", Http2Peer::end_stream);
  EXPECT_EQ(client.answer(1).reset, NGHTTP2_PROTOCOL_ERROR);
  ASSERT_TRUE(turn_until(loop, [&] { return handler.body_error.has_value(); }));
  EXPECT_EQ(handler.body_error->blame, Error::Blame::client);
}

TEST_F(Http2ServerTest, a_body_that_ends_before_its_length_is_cut) {
  for (const bool by_trailers : {false, true}) {
    handler.body_error.reset();
    Http2Peer& client = connect();
    client.headers(1, with(request("/echo", "POST"), "content-length", "5"), 0);
    client.data(1, "1234", by_trailers ? uint8_t{0} : Http2Peer::end_stream);
    if (by_trailers) client.headers(1, {{"checksum", "7"}});
    EXPECT_EQ(client.answer(1).reset, NGHTTP2_PROTOCOL_ERROR);
    EXPECT_TRUE(turn_until(loop, [&] { return handler.body_error.has_value(); }));
  }
}

TEST_F(Http2ServerTest, a_body_that_nobody_wants_is_stopped_after_the_answer) {
  Http2Peer& client = connect();
  client.headers(1, request("/early", "POST"), 0);
  client.data(1, "some");
  ASSERT_TRUE(client.until([&] { return client.answer_so_far(1).reset.has_value(); }));
  EXPECT_EQ(client.answer_so_far(1).reset, NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.answer(1).status(), "403");
  EXPECT_EQ(client.answer(1).body, "no\n");
}

TEST_F(Http2ServerTest, shows_a_cut_answer) {
  Http2Peer& client = connect();
  client.headers(1, request("/cut/length"));
  EXPECT_EQ(client.answer(1).reset, NGHTTP2_INTERNAL_ERROR);
  client.headers(3, request("/nothing"));
  EXPECT_EQ(client.answer(3).status(), "500");
}

TEST_F(Http2ServerTest, a_reset_tells_the_handler) {
  Http2Peer& client = connect();
  client.headers(1, request("/hold"));
  ASSERT_TRUE(turn_until(loop, [&] { return handler.is_waiting; }));
  client.reset(1);
  ASSERT_TRUE(turn_until(loop, [&] { return handler.saw_hangup; }));
}

TEST_F(Http2ServerTest, a_lost_connection_tells_the_handlers) {
  Http2Peer& client = connect();
  client.headers(1, request("/hold"));
  ASSERT_TRUE(turn_until(loop, [&] { return handler.is_waiting; }));
  client.peer().close();
  ASSERT_TRUE(turn_until(loop, [&] { return handler.saw_hangup; }));
  finish();
}

TEST_F(Http2ServerTest, a_stream_is_given_more_window_only_when_its_bytes_are_read) {
  limits.http2.window = 65536;
  limits.http2.connection_window = 4 << 20;
  Http2Peer& client = connect();
  client.headers(1, request("/hold", "POST"), 0);
  for (int i = 0; i < 4; ++i) client.data(1, std::string(16384 - (i == 3 ? 1 : 0), 'x'));
  ASSERT_TRUE(turn_until(loop, [&] { return handler.is_waiting; }));
  EXPECT_TRUE(client.until([&] { return client.windows.contains(0); }));
  let_pass(20ms);
  (void)client.answer_so_far(1);
  EXPECT_FALSE(client.windows.contains(1));
  handler.go_on.set();
  EXPECT_TRUE(client.until([&] { return client.windows.contains(1); }));
  client.data(1, "end", Http2Peer::end_stream);
  client.window(0, 3);
  client.window(1, 3);
  EXPECT_EQ(client.answer(1).body.size(), 65535u + 3);
}

TEST_F(Http2ServerTest, a_peer_that_passes_its_window_is_cut) {
  limits.http2.connection_window = 4 << 20;
  Http2Peer& client = connect();
  client.headers(1, request("/hold", "POST"), 0);
  for (int i = 0; i < 5; ++i) client.data(1, std::string(16384, 'x'));
  ASSERT_TRUE(
      client.until([&] { return client.answer_so_far(1).reset || !client.goaways.empty(); }));
}

TEST_F(Http2ServerTest, sends_no_more_than_the_window_allows) {
  Http2Peer& client = connect();
  client.headers(1, request("/large"));
  ASSERT_TRUE(client.until([&] { return client.answer_so_far(1).body.size() == 65535; }));
  let_pass(20ms);
  EXPECT_EQ(client.answer_so_far(1).body.size(), 65535u);
  client.headers(3, request("/status/204"));  // Fields need no window.
  EXPECT_EQ(client.answer(3).status(), "204");
  client.window(0, ScriptedHandler::large_size);
  client.window(1, ScriptedHandler::large_size);
  EXPECT_EQ(client.answer(1).body.size(), ScriptedHandler::large_size);
}

// Heads may leave a frame of a body no room in one buffer; the next has to be large enough for it.
TEST_F(Http2ServerTest, heads_and_bodies_of_any_number_find_room_beside_each_other) {
  for (int heads = 40; heads <= 120; heads += 4) {
    handler.go_on.reset();
    handler.seen.clear();
    Http2Peer& client = connect();
    client.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}});
    client.window(0, 1 << 20);
    for (int i = 0; i < heads; ++i) {
      const auto stream = static_cast<uint32_t>(3 + 2 * i);
      client.headers(stream, request("/wait/" + std::to_string(stream) + std::string(100, '-')));
    }
    client.headers(1001, request("/wait/large"));
    const auto all = static_cast<size_t>(heads) + 1;
    turn_until(loop, [&] { return handler.seen.size() == all; });
    handler.go_on.set();
    ASSERT_EQ(client.answer(1001).body.size(), ScriptedHandler::late_size) << heads;
  }
}

TEST_F(Http2ServerTest, shares_the_connection_fairly) {
  Http2Peer& client = connect();
  client.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 8 << 20}});
  client.headers(1, request("/large"));
  client.headers(3, request("/large"));
  ASSERT_TRUE(client.until([&] {
    return client.answer_so_far(1).body.size() + client.answer_so_far(3).body.size() == 65535;
  }));
  client.window(0, 1 << 20);
  ASSERT_TRUE(client.until([&] {
    return client.answer_so_far(1).body.size() + client.answer_so_far(3).body.size() ==
           65535 + (1 << 20);
  }));
  EXPECT_GT(client.answer_so_far(1).body.size(), 256u << 10);
  EXPECT_GT(client.answer_so_far(3).body.size(), 256u << 10);
  client.window(0, 4 << 20);
  EXPECT_TRUE(client.answer(1).ended && client.answer(3).ended);
}

TEST_F(Http2ServerTest, a_client_that_opens_no_window_is_given_up) {
  limits.write_timeout = 30ms;
  Http2Peer& client = connect();
  client.headers(1, request("/large"));
  EXPECT_EQ(client.answer(1).reset, NGHTTP2_INTERNAL_ERROR);
  ASSERT_TRUE(handler.write_error);
  EXPECT_EQ(handler.write_error->code, Error::Code::deadline_exceeded);
}

TEST_F(Http2ServerTest, a_client_that_reads_nothing_is_cut) {
  limits.write_timeout = 50ms;
  Http2Peer& client = connect();
  client.peer().shrink_receive_buffer();
  client.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 64 << 20}});
  client.window(0, 64 << 20);
  for (uint32_t id = 1; id < 16; id += 2) client.headers(id, request("/large"));
  finish();  // The connection ends.
  EXPECT_TRUE(handler.write_error);
}

TEST_F(Http2ServerTest, waits_no_longer_for_bodies_heads_and_requests_than_it_should) {
  limits.body_timeout = 30ms;
  Http2Peer& slow = connect();
  slow.headers(1, request("/echo", "POST"), 0);
  EXPECT_EQ(slow.answer(1).status(), "400");
  EXPECT_EQ(handler.body_error->code, Error::Code::deadline_exceeded);

  limits.body_timeout = 200ms;
  limits.body_rate_min = 1000;
  Http2Peer& trickling = connect();
  trickling.headers(1, request("/echo", "POST"), 0);
  for (int i = 0; i < 30 && trickling.answer_so_far(1).status().empty(); ++i) {
    trickling.data(1, "x");
    let_pass(20ms);
  }
  EXPECT_EQ(trickling.answer(1).status(), "400");
  EXPECT_EQ(handler.body_error->code, Error::Code::deadline_exceeded);
  Http2Peer& call = connect();
  call.headers(1, with(request("/echo", "POST"), "content-type", "application/grpc"), 0);
  for (int i = 0; i < 15; ++i) {
    call.data(1, "x");
    let_pass(20ms);
  }
  call.data(1, "x", Http2Peer::end_stream);
  EXPECT_EQ(call.answer(1).body.size(), 16u);

  limits.head_timeout = 30ms;
  Http2Peer& half = connect();
  half.acknowledges = false;
  half.send(NGHTTP2_HEADERS, 0, 1, hpack(request("/")));  // And no CONTINUATION.
  EXPECT_EQ(half.end_code(), NGHTTP2_NO_ERROR);
  Http2Peer& silent = connect(false);
  silent.acknowledges = false;
  silent.peer().send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(silent.end_code(), NGHTTP2_NO_ERROR);
  EXPECT_EQ(count_of("spillway_client_head_timeouts_total"), 2);

  limits.idle_timeout = 30ms;
  Http2Peer& idle = connect();
  idle.headers(1, request("/"));
  EXPECT_EQ(idle.answer(1).status(), "200");
  EXPECT_EQ(idle.end_code(), NGHTTP2_NO_ERROR);
}

TEST_F(Http2ServerTest, a_drain_says_so_twice_and_lets_requests_end) {
  Http2Peer& client = connect();
  client.headers(1, request("/wait"));
  ASSERT_TRUE(turn_until(loop, [&] { return handler.is_waiting; }));
  connections.back()->drain();
  ASSERT_TRUE(client.waits_for_goaways(1));
  EXPECT_EQ(client.goaways[0].first, 0x7fffffffu);
  client.headers(3, request("/"));  // Sent before the client knew.
  EXPECT_EQ(client.answer(3).status(), "200");
  ASSERT_TRUE(client.waits_for_goaways(2));
  EXPECT_EQ(client.goaways[1].first, 3u);
  EXPECT_EQ(client.goaways[1].second, NGHTTP2_NO_ERROR);
  handler.go_on.set();
  EXPECT_EQ(client.answer(1).body, "late\n");
  EXPECT_TRUE(client.peer().sees_end());
}

TEST_F(Http2ServerTest, a_drain_closes_an_idle_connection) {
  Http2Peer& client = connect();
  client.headers(1, request("/"));
  EXPECT_EQ(client.answer(1).status(), "200");
  connections.back()->drain();
  EXPECT_EQ(client.end_code(), NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.goaways.size(), 2u);
}

TEST_F(Http2ServerTest, a_cut_ends_everything) {
  Http2Peer& client = connect();
  client.headers(1, request("/hold"));
  ASSERT_TRUE(turn_until(loop, [&] { return handler.is_waiting; }));
  connections.back()->cut();
  finish();
  EXPECT_TRUE(handler.saw_hangup);
}

// RFC 8441.
TEST_F(Http2ServerTest, carries_a_websocket_through_a_stream) {
  Http2Peer& client = connect();
  TestFields fields = request("/upgrade", "CONNECT");
  fields.emplace_back(":protocol", "websocket");
  fields.emplace_back("sec-websocket-version", "13");
  client.headers(1, fields, 0);
  client.data(1, "first bytes");
  ASSERT_TRUE(client.until([&] { return !client.answer_so_far(1).heads.empty(); }));
  EXPECT_EQ(client.answer_so_far(1).status(), "200");
  EXPECT_EQ(client.answer_so_far(1).field("sec-websocket-accept"), "");
  EXPECT_EQ(handler.seen.back(), "GET /upgrade");
  ASSERT_TRUE(handler.upgraded.has_value());
  EXPECT_EQ(handler.upgraded->take_bytes(11), "first bytes");
  handler.upgraded->send("answer");
  ASSERT_TRUE(client.until([&] { return client.answer_so_far(1).body == "answer"; }));
  handler.upgraded->end();
  EXPECT_TRUE(client.answer(1).ended);
  client.data(1, "last", Http2Peer::end_stream);
  EXPECT_EQ(handler.upgraded->take_rest(), "last");
}

TEST_F(Http2ServerTest, speaks_no_other_protocol_by_extended_connect) {
  Http2Peer& client = connect();
  client.headers(1, with(request("/x", "CONNECT"), ":protocol", "connect-udp"), 0);
  EXPECT_EQ(client.answer(1).status(), "501");
}

TEST_F(Http2ServerTest, rapid_reset_is_a_counted_flood) {
  Http2Peer& client = connect();
  for (uint32_t id = 1; id < 1400; id += 2) {
    client.headers(id, request("/wait"));
    client.reset(id);
  }
  EXPECT_EQ(client.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::reset), 1);
}

// The client never says that it has seen our limit of streams, so it does not break it.
TEST_F(Http2ServerTest, streams_beyond_the_limit_are_a_counted_flood) {
  Http2Peer& client = connect();
  client.acknowledges = false;
  for (uint32_t id = 1; id < 2 * 128; id += 2) client.headers(id, request("/wait"));
  ASSERT_TRUE(turn_until(loop, [&] { return handler.seen.size() == 128; }));
  for (uint32_t id = 257; id < 257 + 2 * 600; id += 2) client.headers(id, request("/wait"));
  EXPECT_EQ(client.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::reset), 1);
  EXPECT_EQ(handler.seen.size(), 128u);
}

// Each time just within what is borne, and none of it read.
TEST_F(Http2ServerTest, frames_that_nobody_reads_are_a_counted_flood) {
  limits.http2.burden_window = 0ms;
  Http2Peer& client = connect();
  client.peer().shrink_receive_buffer();
  client.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 64 << 20}});
  client.window(0, 64 << 20);
  uint32_t id = 1;
  for (; id < 16; id += 2) client.headers(id, request("/large"));
  const std::string block = hpack({{":method", "GET"}, {"connection", "close"}});
  for (int batch = 0; batch < 60 && flood_count(Http2Burden::unread) == 0; ++batch) {
    for (int i = 0; i < 100; ++i, id += 2) {
      client.send(NGHTTP2_HEADERS, Http2Peer::end_stream | Http2Peer::end_headers, id, block);
    }
    let_pass(1ms);
  }
  EXPECT_EQ(flood_count(Http2Burden::unread), 1);
}

// Resets that the client has us send (CVE-2025-8671), many in one read.
TEST_F(Http2ServerTest, malformed_requests_are_a_counted_flood) {
  Http2Peer& client = connect();
  std::string all;
  const std::string block = hpack({{":method", "GET"}, {"connection", "close"}});
  for (uint32_t id = 1; id < 2 * 600; id += 2) {
    all += http2_frame(NGHTTP2_HEADERS, Http2Peer::end_stream | Http2Peer::end_headers, id, block);
  }
  client.peer().send(all);
  EXPECT_EQ(client.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::reset), 1);
}

TEST_F(Http2ServerTest, windows_that_overflow_are_a_counted_flood) {
  Http2Peer& client = connect();
  for (uint32_t id = 1; id < 2 * 600; id += 2) {
    client.headers(id, request("/wait"));
    client.window(id, 0x7fffffff);
  }
  EXPECT_EQ(client.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::reset), 1);
}

// Behind one connection may be many people.
TEST_F(Http2ServerTest, a_malformed_request_ends_nothing_but_itself) {
  limits.head_timeout = 30ms;
  Http2Peer& client = connect();
  client.headers(1, request("/wait"));
  client.headers(3, with(request("/"), "connection", "close"));
  EXPECT_EQ(client.answer(3).reset, NGHTTP2_PROTOCOL_ERROR);
  let_pass(60ms);
  handler.go_on.set();
  EXPECT_EQ(client.answer(1).body, "late\n");
  EXPECT_EQ(count_of("spillway_client_head_timeouts_total"), 0);
}

TEST_F(Http2ServerTest, settings_and_pings_are_counted_floods) {
  Http2Peer& settings = connect();
  for (int i = 0; i < 110; ++i) settings.settings({});
  EXPECT_EQ(settings.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::settings), 1);
  Http2Peer& pings = connect();
  for (int i = 0; i < 2100; ++i) pings.send(NGHTTP2_PING, 0, 0, "12345678");
  EXPECT_EQ(pings.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::ping), 1);
}

TEST_F(Http2ServerTest, empty_data_is_a_counted_flood) {
  Http2Peer& client = connect();
  client.headers(1, request("/hold", "POST"), 0);
  for (int i = 0; i < 1100; ++i) client.data(1, "");
  EXPECT_EQ(client.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::empty_data), 1);
}

TEST_F(Http2ServerTest, endless_continuation_is_a_counted_flood) {
  Http2Peer& client = connect();
  client.send(NGHTTP2_HEADERS, 0, 1, hpack(request("/")));
  for (int i = 0; i < 20; ++i) client.send(NGHTTP2_CONTINUATION, 0, 1, hpack({{"a", "b"}}));
  EXPECT_EQ(client.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::continuation), 1);
}

// A field of 4,000 bytes in the table, named again and again by a byte each (RFC 7541 section 6.1).
TEST_F(Http2ServerTest, a_compression_bomb_is_a_counted_flood) {
  Http2Peer& client = connect();
  const std::string value(3900, 'x');
  std::string block = hpack(request("/"));
  block += std::string("\x40\x01") + "x" + "\x7f" + static_cast<char>((3900 - 127) % 128 + 128) +
           static_cast<char>((3900 - 127) / 128) + value;
  block += std::string(5000, '\xbe');  // Index 62: the newest of the table.
  client.send(NGHTTP2_HEADERS, Http2Peer::end_stream | Http2Peer::end_headers, 1, block);
  EXPECT_EQ(client.end_code(), calm);
  EXPECT_EQ(flood_count(Http2Burden::field_bytes), 1);
  EXPECT_TRUE(handler.seen.empty());
}

TEST_F(Http2ServerTest, unknown_frames_and_priorities_are_harmless) {
  Http2Peer& client = connect();
  client.send(0x42, 0xff, 0, "whatever");
  client.send(NGHTTP2_PRIORITY, 0, 7, big_endian(3, 4) + "\x10");
  client.headers(1, with(request("/"), "priority", "u=1, i"));
  client.send(0x10, 0, 0, big_endian(1, 4) + "u=0");  // PRIORITY_UPDATE
  EXPECT_EQ(client.answer(1).status(), "200");
}

TEST_F(Http2ServerTest, streams_beyond_the_limit_are_not_served) {
  limits.http2.streams = 2;
  Http2Peer& client = connect();
  client.headers(1, request("/"));
  EXPECT_EQ(client.answer(1).status(), "200");  // Our SETTINGS are known by now.
  for (const uint32_t id : {3u, 5u, 7u}) client.headers(id, request("/wait"));
  ASSERT_TRUE(
      client.until([&] { return client.answer_so_far(7).reset || !client.goaways.empty(); }));
  EXPECT_LE(handler.seen.size(), 3u);
}

TEST_F(Http2ServerTest, an_idle_connection_holds_no_buffer) {
  Http2Peer& client = connect();
  client.headers(1, request("/echo", "POST"), 0);
  client.data(1, std::string(10'000, 'x'), Http2Peer::end_stream);
  EXPECT_EQ(client.answer(1).body.size(), 10'000u);
  turn();
  EXPECT_EQ(loop.buffers().bytes_lent(), 0u);
}

}  // namespace
}  // namespace spillway::http
