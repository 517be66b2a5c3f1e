// gateway/read_ahead_test.cc: what is taken from a service before its client has read it.
#include "gateway/read_ahead.h"

#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

using runtime::Task;
using ::testing::StartsWith;

class ReadAheadQueueTest : public runtime::PeerTest {
 protected:
  Task<void> put_all(std::string_view text, size_t piece_size, Result<void> how) {
    for (size_t at = 0; at < text.size(); at += piece_size) {
      if (auto put = co_await ahead.put(text.substr(at, piece_size)); !put) {
        put_error = put.error();
        co_return;
      }
      put_bytes += std::min(piece_size, text.size() - at);
    }
    ahead.end(std::move(how));
  }
  Task<void> take_all() {
    while (true) {
      auto piece = co_await ahead.take();
      if (!piece) {
        take_error = piece.error();
        co_return;
      }
      if (piece->empty()) co_return;
      taken += *piece;
    }
  }

  ReadAhead ahead{loop, 40'000};
  std::string taken;
  size_t put_bytes = 0;
  std::optional<Error> put_error;
  std::optional<Error> take_error;
};

TEST_F(ReadAheadQueueTest, hands_on_every_byte_in_order) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  start(put_all(text, 777, {}));
  start(take_all());
  finish();
  EXPECT_TRUE(taken == text);
  EXPECT_FALSE(take_error);
}

TEST_F(ReadAheadQueueTest, takes_in_no_more_than_its_bound) {
  const std::string text(1'000'000, 'x');
  start(put_all(text, 1000, {}));
  turn();
  EXPECT_EQ(put_bytes, 40'000u);
  EXPECT_LE(loop.buffers().bytes_lent(), 48u << 10);
  start(take_all());
  finish();
  EXPECT_EQ(taken.size(), text.size());
}

TEST_F(ReadAheadQueueTest, gives_what_came_before_an_error) {
  start(put_all("all that came", 5, fail(Error::Code::connection_closed, "cut")));
  start(take_all());
  finish();
  EXPECT_EQ(taken, "all that came");
  ASSERT_TRUE(take_error);
  EXPECT_EQ(take_error->code, Error::Code::connection_closed);
}

TEST_F(ReadAheadQueueTest, a_stop_ends_whoever_waits_for_room) {
  const std::string text(1'000'000, 'x');
  start(put_all(text, 1000, {}));
  turn();
  ahead.stop();
  finish();
  ASSERT_TRUE(put_error);
  EXPECT_EQ(put_error->code, Error::Code::cancelled);
}

class ReadAheadTest : public GatewayTest {
 protected:
  ReadAheadTest() {
    endpoints = {listener.address()};
    route.buffer = ByteSize::kib(256);
    for (size_t i = 0; body.size() < 200'000; ++i) body += std::to_string(i) + " ";
    head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  }
  runtime::PeerListener listener{loop};
  std::string body;
  std::string head;
};

TEST_F(ReadAheadTest, frees_the_endpoint_before_a_slow_client_has_read) {
  config.concurrency = 1;
  runtime::Peer client = connect();
  client.shrink_receive_buffer();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send(head + body);
  ASSERT_TRUE(runtime::turn_until(loop, [&] { return in_flight() == 0; }));
  EXPECT_GT(loop.buffers().bytes_lent(), 0u) << "the client had read it all";

  runtime::Peer next = connect();
  next.send(get);
  upstream.take_head();  // On the connection of the answer that is still being read.
  upstream.send(ok);
  EXPECT_THAT(next.take_through("ok"), StartsWith("HTTP/1.1 200"));

  client.take_head();
  EXPECT_TRUE(client.take_bytes(body.size()) == body);
  client.send(get);
  EXPECT_THAT(upstream.take_head(), StartsWith("GET /"));
}

TEST_F(ReadAheadTest, holds_no_more_than_the_plan_allows) {
  route.buffer = ByteSize::kib(64);
  runtime::Peer client = connect();
  client.shrink_receive_buffer();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  const std::string much(8'000'000, 'x');
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n");
  std::string_view rest = much;
  for (int quiet = 0; quiet < 200 && !rest.empty();) {
    const ssize_t count = ::send(upstream.fd(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    quiet = count > 0 ? 0 : quiet + 1;
    turn(1);
    // And the buffers of the heads and of the piece that waits for room.
    EXPECT_LE(loop.buffers().bytes_lent(), (64u + 16 + 16 + 128 + 16) << 10);
  }
  EXPECT_EQ(in_flight(), 1u);
  ASSERT_TRUE(runtime::turn_until(loop, [&] {
    const ssize_t count = ::send(upstream.fd(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    return client.received().size() > much.size();
  }));
  client.take_head();
  EXPECT_TRUE(client.take_bytes(much.size()) == much);
}

TEST_F(ReadAheadTest, never_holds_back_what_has_arrived) {
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.take_head();
  upstream.send("5\r\nfirst\r\n");
  EXPECT_EQ(client.take_through("first\r\n"), "5\r\nfirst\r\n");
  upstream.send("4\r\nlast\r\n0\r\nX-Sum: 9\r\n\r\n");
  EXPECT_EQ(client.take_through("\r\n\r\n"), "4\r\nlast\r\n0\r\nX-Sum: 9\r\n\r\n");
}

TEST_F(ReadAheadTest, an_upstream_that_dies_is_visible_after_what_it_sent) {
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.0\r\n\r\n");
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  client.take_through("abc");
  upstream.close();
  EXPECT_TRUE(client.sees_end());
  EXPECT_TRUE(client.was_reset());
  EXPECT_EQ(count_of(&upstream::EndpointCounters::failed_response), 1u);
}

TEST_F(ReadAheadTest, a_client_that_leaves_ends_both_sides) {
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nabc");
  client.take_through("abc");
  client.close();
  EXPECT_TRUE(upstream.sees_end());
  ASSERT_TRUE(runtime::turn_until(loop, [&] { return in_flight() == 0; }));
  EXPECT_EQ(count_of(&upstream::EndpointCounters::client_aborted), 1u);
}

TEST_F(ReadAheadTest, a_cut_ends_it_while_it_waits_for_a_slow_client) {
  runtime::Peer client = connect();
  client.shrink_receive_buffer();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
  upstream.send(std::string(400'000, 'x'));
  turn(20);
  connections.back()->cut();
  EXPECT_TRUE(upstream.sees_end());
  finish();
}

TEST_F(ReadAheadTest, events_are_not_read_ahead) {
  runtime::Peer client = connect();
  client.shrink_receive_buffer();
  client.send(get);
  runtime::Peer upstream = listener.accept();
  upstream.take_head();
  upstream.send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/Event-Stream; charset=utf-8\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  upstream.send(body);
  turn(50);
  EXPECT_EQ(in_flight(), 1u);
  client.take_head();
  EXPECT_TRUE(client.take_bytes(body.size()) == body);
}

}  // namespace
}  // namespace spillway::gateway
