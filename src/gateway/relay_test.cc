// gateway/relay_test.cc: bodies, streams and tunnels through the gateway.
#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using upstream::EndpointCounters;

class RelayTest : public GatewayTest {
 protected:
  RelayTest() { endpoints = {listener.address()}; }
  // Sends what the kernel takes of `rest`, as often as it takes some; returns what is left.
  std::string_view stuff(runtime::Peer& peer, std::string_view rest) {
    for (int quiet = 0; quiet < 200 && !rest.empty();) {
      const ssize_t count =
          ::send(peer.fd(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
      quiet = count > 0 ? 0 : quiet + 1;
      turn(1);
      lent_most = std::max(lent_most, loop.buffers().bytes_lent());
    }
    return rest;
  }
  std::string long_text(size_t size) {
    std::string text;
    for (size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + " ";
    return text;
  }

  runtime::PeerListener listener{loop};
  uint64_t lent_most = 0;
};

TEST_F(RelayTest, sends_events_at_once) {
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
  EXPECT_THAT(client.take_head(), HasSubstr("transfer-encoding: chunked\r\n"));
  for (const char* event : {"data: 1\n\n", "data: 2\n\n"}) {
    upstream.send(event);
    EXPECT_THAT(client.take_through("\n\n\r\n"), HasSubstr(event));
  }
  upstream.end();
  EXPECT_EQ(client.take_through("0\r\n\r\n"), "0\r\n\r\n");
}

TEST_F(RelayTest, passes_chunks_and_trailers) {
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
      "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\nContent-Length: 5\r\n\r\n");
  client.take_head();
  EXPECT_EQ(client.take_through("11\r\n\r\n"),
            "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n");
}

TEST_F(RelayTest, answers_an_old_client_without_chunks) {
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  const std::string answer = client.take_rest();
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nabc"));
}

TEST_F(RelayTest, works_with_an_old_upstream) {
  runtime::Peer client = connect();
  for (int i = 0; i < 2; ++i) {
    client.send(get);
    runtime::Peer upstream = listener.accept();
    upstream.take_head();
    upstream.send("HTTP/1.0 200 OK\r\n\r\nold words");
    upstream.close();
    EXPECT_THAT(client.take_head(), HasSubstr("transfer-encoding: chunked\r\n"));
    EXPECT_THAT(client.take_through("\r\n0\r\n\r\n"), HasSubstr("old words"));
  }
}

TEST_F(RelayTest, an_upstream_that_dies_in_mid_body_is_visible) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    for (const bool is_reset : {false, true}) {
      runtime::Peer client = connect();
      client.send(get);
      runtime::Peer upstream = listener.accept();
      upstream.take_head();
      upstream.send(answer);
      client.take_through("abc");
      is_reset ? upstream.reset() : upstream.close();
      EXPECT_THAT(client.take_rest(), Not(HasSubstr("0\r\n\r\n"))) << answer;
      EXPECT_TRUE(client.was_reset()) << answer;
    }
  }
  EXPECT_EQ(count_of(&EndpointCounters::failed_response), 4u);

  runtime::Peer old = connect();  // For whom only a reset differs from the end.
  old.send("GET / HTTP/1.0\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  old.take_through("abc");
  upstream.close();
  EXPECT_TRUE(old.sees_end());
  EXPECT_TRUE(old.was_reset());
}

TEST_F(RelayTest, an_answer_that_falls_silent_is_cut_after_idle) {
  config.timeouts.idle = 50ms;
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_THAT(client.take_rest(), EndsWith("abc"));
  EXPECT_TRUE(client.was_reset());
}

TEST_F(RelayTest, a_slow_reader_does_not_grow_memory_and_gets_every_byte) {
  runtime::Peer client = connect();
  client.shrink_receive_buffer();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  const std::string body = long_text(16'000'000);
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  std::string_view rest = stuff(upstream, body);
  EXPECT_FALSE(rest.empty()) << "everything was taken in";
  EXPECT_LE(lent_most, size_t{512} << 10);
  ASSERT_TRUE(runtime::turn_until(loop, [&] {
    rest = rest.empty() ? rest : stuff(upstream, rest);
    return client.received().size() > body.size();
  }));
  EXPECT_LE(lent_most, size_t{512} << 10);
  client.take_head();
  EXPECT_TRUE(client.take_bytes(body.size()) == body);
}

TEST_F(RelayTest, the_slowness_of_a_reader_is_not_held_against_the_upstream) {
  config.timeouts.total = 100ms;
  runtime::Peer client = connect();
  client.shrink_receive_buffer();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  const std::string body = long_text(1'000'000);
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  std::string_view rest = body;
  const Instant pause = loop.now() + 200ms;
  while (loop.now() < pause) {
    const ssize_t count = ::send(upstream.fd(), rest.data(), rest.size() - 10, MSG_DONTWAIT);
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    loop.run_once(loop.now() + 1ms);
  }
  client.take_bytes(body.size() / 2);
  upstream.send(rest);
  client.take_through(body.substr(body.size() - 20));
  EXPECT_FALSE(client.was_reset());
}

TEST_F(RelayTest, asks_the_client_for_its_body_when_the_upstream_does) {
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  EXPECT_THAT(upstream.take_head(), HasSubstr("Expect: 100-continue\r\n"));
  EXPECT_TRUE(client.stays_silent());
  upstream.send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.take_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_EQ(upstream.take_bytes(4), "body");
  upstream.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(client.stays_silent()) << "asked twice";
}

TEST_F(RelayTest, a_refusal_spares_the_client_its_upload) {
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
  const std::string answer = client.take_rest();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 417"));
  EXPECT_THAT(answer, HasSubstr("connection: close"));
  EXPECT_TRUE(upstream.sees_end()) << "it may still expect the body";
}

TEST_F(RelayTest, an_upstream_that_ignores_expect_gets_the_body_after_a_while) {
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  EXPECT_EQ(client.take_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_EQ(upstream.take_bytes(4), "body");
  upstream.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(RelayTest, passes_interim_answers_on_but_not_to_old_clients) {
  for (const bool is_old : {false, true}) {
    runtime::Peer client = connect();
    client.send(is_old ? "GET / HTTP/1.0\r\n\r\n" : get);
    runtime::Peer upstream = listener.accept();
    upstream.take_head();
    upstream.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    if (!is_old) {
      EXPECT_EQ(client.take_head(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    }
    upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(RelayTest, endless_interim_answers_are_an_error) {
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  for (int i = 0; i < 20; ++i) upstream.send("HTTP/1.1 103 Early Hints\r\n\r\n");
  EXPECT_TRUE(client.sees("HTTP/1.1 502 "));
}

TEST_F(RelayTest, passes_an_early_answer_and_stays_in_step) {
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  {
    runtime::Peer upstream = listener.accept();
    upstream.take_through("hello");
    upstream.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    EXPECT_THAT(client.take_through("no"), StartsWith("HTTP/1.1 403"));
    EXPECT_TRUE(upstream.sees_end()) << "half a request is no basis for another";
  }
  client.send("6\r\n world\r\n0\r\n\r\n" + get);
  runtime::Peer upstream = listener.accept();
  EXPECT_THAT(upstream.take_head(), StartsWith("GET / "));
  upstream.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(RelayTest, an_answer_that_outran_the_upload_counts_although_the_upstream_closed) {
  options.body_kept_max = 1 << 20;
  limits.body_bytes_max = 1 << 30;
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send(
      "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
  upstream.close();
  const std::string chunk(1 << 20, 'x');
  EXPECT_TRUE(runtime::turn_until(loop, [&] {
    (void)::send(client.fd(), chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return client.received().ends_with("no") || client.has_ended();
  }));
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 413"));
}

TEST_F(RelayTest, streams_a_long_upload_without_holding_it) {
  limits.body_bytes_max = 1 << 30;
  runtime::Peer client = connect();
  const std::string body = long_text(8'000'000);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  std::string_view rest = stuff(client, body);
  EXPECT_LE(lent_most, size_t{512} << 10);
  EXPECT_TRUE(runtime::turn_until(loop, [&] {
    rest = rest.empty() ? rest : stuff(client, rest);
    return upstream.received().size() == body.size();
  }));
  EXPECT_TRUE(upstream.take_bytes(body.size()) == body);
  upstream.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(RelayTest, passes_the_trailers_of_an_upload) {
  runtime::Peer client = connect();
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  EXPECT_EQ(upstream.take_through("5\r\n\r\n"), "5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n");
}

// Some services take trailers for headers.
TEST_F(RelayTest, trailers_say_nothing_that_headers_may_not) {
  route.request_headers.set.emplace("x-tier", *ValueTemplate::parse("plain"));
  runtime::Peer client = connect();
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\nClient-Cert: :AA==:\r\nX_Forwarded_User: root\r\nX-Forwarded-Prefix: /\r\n"
      "X_Tier: gold\r\nX-Sum: 5\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  EXPECT_EQ(upstream.take_through("5\r\n\r\n"), "0\r\nX-Sum: 5\r\n\r\n");
}

const std::string upgrade =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: x\r\n\r\n";
const std::string switching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

TEST_F(RelayTest, carries_a_websocket_and_loses_no_byte_behind_the_heads) {
  runtime::Peer client = connect();
  client.send(upgrade + "first from client");
  runtime::Peer upstream = listener.accept();
  const std::string request = upstream.take_head();
  EXPECT_THAT(request, HasSubstr("connection: upgrade\r\n"));
  EXPECT_THAT(request, HasSubstr("upgrade: websocket\r\n"));
  EXPECT_THAT(request, HasSubstr("Sec-WebSocket-Key: x\r\n"));
  upstream.send(switching + "first from upstream");
  const std::string head = client.take_head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(head, HasSubstr("connection: upgrade\r\n"));
  EXPECT_THAT(head, HasSubstr("Upgrade: websocket\r\n"));
  EXPECT_EQ(client.take_bytes(19), "first from upstream");
  EXPECT_EQ(upstream.take_bytes(17), "first from client");
  client.send("ping");
  EXPECT_EQ(upstream.take_bytes(4), "ping");
  upstream.send("pong");
  EXPECT_EQ(client.take_bytes(4), "pong");
  EXPECT_EQ(in_flight(), 1u);
  upstream.close();
  EXPECT_TRUE(client.sees_end());
  client.close();
  ASSERT_TRUE(runtime::turn_until(loop, [&] { return in_flight() == 0; }));
}

TEST_F(RelayTest, a_tunnel_goes_on_through_a_drain_and_ends_with_a_cut) {
  runtime::Peer client = connect();
  client.send(upgrade);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send(switching);
  client.take_head();
  connections.back()->drain();
  client.send("ping");
  EXPECT_EQ(upstream.take_bytes(4), "ping");
  client.end();  // One direction is over; the other waits for the upstream.
  EXPECT_TRUE(upstream.sees_end());
  connections.back()->cut();
  EXPECT_TRUE(client.sees_end());
  finish();
}

TEST_F(RelayTest, a_refused_upgrade_is_an_ordinary_answer) {
  runtime::Peer client = connect();
  client.send(upgrade);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send(ok);
  client.take_through("ok");
  client.send(get);
  EXPECT_THAT(upstream.take_head(), StartsWith("GET / "));
}

TEST_F(RelayTest, no_upgrade_without_being_asked) {
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  EXPECT_THAT(upstream.take_head(), Not(HasSubstr("pgrade")));
  upstream.send(switching);
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 502 "));
}

TEST_F(RelayTest, a_tunnel_has_its_own_idle_limit) {
  config.timeouts.websocket_idle = 50ms;
  runtime::Peer client = connect();
  client.send(upgrade);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send(switching);
  client.take_head();
  EXPECT_TRUE(client.sees_end());
  EXPECT_TRUE(upstream.sees_end());
}

}  // namespace
}  // namespace spillway::gateway
