// http/tunnel_test.cc: bytes both ways until either side has had enough.
#include "http/tunnel.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "runtime/loop_testing.h"

namespace spillway::http {
namespace {

using runtime::Task;

class TunnelTest : public runtime::PeerTest {
 public:
  ~TunnelTest() override {
    client.close();
    upstream.close();
    finish();
  }

 protected:
  void open(Duration idle_max = 1h, std::string_view from_client = {},
            std::string_view from_upstream = {}) {
    start(serve(idle_max, buffer_of(from_client), buffer_of(from_upstream)));
  }
  runtime::Buffer buffer_of(std::string_view text) {
    runtime::Buffer buffer = loop.buffers().borrow(runtime::BufferSize::small);
    std::copy(text.begin(), text.end(), buffer.space().begin());
    buffer.add(text.size());
    return buffer;
  }
  Task<void> serve(Duration idle_max, runtime::Buffer from_client, runtime::Buffer from_upstream) {
    end = co_await run_tunnel(client_side.socket, from_client, upstream_side.socket, from_upstream,
                              idle_max);
    client_side.socket.close();
    upstream_side.socket.close();
  }

  runtime::SocketAndPeer client_side = runtime::connected_pair(loop);
  runtime::SocketAndPeer upstream_side = runtime::connected_pair(loop);
  runtime::Peer& client = client_side.peer;
  runtime::Peer& upstream = upstream_side.peer;
  std::optional<TunnelEnd> end;
};

TEST_F(TunnelTest, carries_bytes_both_ways_and_holds_no_buffer_in_silence) {
  open();
  client.send("ping");
  EXPECT_EQ(upstream.take_bytes(4), "ping");
  upstream.send("pong");
  EXPECT_EQ(client.take_bytes(4), "pong");
  EXPECT_EQ(loop.buffers().bytes_lent(), 0u);
  client.close();
  EXPECT_TRUE(upstream.sees_end());
  upstream.close();
  finish();
  EXPECT_EQ(end->bytes_to_upstream, 4u);
  EXPECT_EQ(end->bytes_to_client, 4u);
  EXPECT_FALSE(end->was_idle);
}

TEST_F(TunnelTest, sends_first_what_came_behind_the_heads) {
  open(1h, "from client ", "from upstream ");
  client.send("more");
  upstream.send("and more");
  EXPECT_EQ(upstream.take_bytes(16), "from client more");
  EXPECT_EQ(client.take_bytes(22), "from upstream and more");
}

TEST_F(TunnelTest, passes_on_the_end_of_one_side_while_the_other_goes_on) {
  open();
  client.send("last words");
  client.end();
  EXPECT_EQ(upstream.take_rest(), "last words");
  upstream.send("an answer");
  EXPECT_EQ(client.take_bytes(9), "an answer");
  upstream.end();
  EXPECT_TRUE(client.sees_end());
  finish();
  EXPECT_EQ(end->bytes_to_client, 9u);
}

TEST_F(TunnelTest, ends_when_nothing_moves_for_too_long) {
  open(50ms);
  const Instant began = loop.now();
  client.send("x");
  upstream.take_bytes(1);
  EXPECT_TRUE(client.sees_end());
  EXPECT_TRUE(upstream.sees_end());
  finish();
  EXPECT_TRUE(end->was_idle);
  EXPECT_GE(loop.now() - began, 50ms);
}

TEST_F(TunnelTest, one_direction_keeps_the_other_awake) {
  open(80ms);
  const Instant until = loop.now() + 250ms;
  while (loop.now() < until) {
    client.send("x");
    ASSERT_TRUE(client.stays_silent(10ms)) << "ended although bytes moved";
  }
}

TEST_F(TunnelTest, a_half_closed_tunnel_is_woken_to_see_its_shorter_limit) {
  // The other direction was waiting with the long limit when this one ended.
  open(1h);
  turn();
  const uint64_t timers = loop.timers_armed();
  client.end();
  EXPECT_TRUE(upstream.sees_end());
  turn();
  EXPECT_FALSE(end.has_value());
  EXPECT_GE(loop.timers_armed(), timers);
  upstream.send("still here");
  EXPECT_EQ(client.take_bytes(10), "still here");
}

TEST_F(TunnelTest, a_reset_on_one_side_ends_both) {
  open();
  turn();
  upstream.reset();
  EXPECT_TRUE(client.sees_end());
}

TEST_F(TunnelTest, an_interruption_from_outside_ends_it) {
  open();
  turn();
  client_side.socket.interrupt_reader();
  EXPECT_TRUE(client.sees_end());
  EXPECT_TRUE(upstream.sees_end());
}

TEST_F(TunnelTest, an_interruption_ends_it_even_after_a_half_close) {
  open();
  upstream.end();
  EXPECT_TRUE(client.sees_end());
  turn();
  client_side.socket.interrupt_reader();
  finish();
  EXPECT_TRUE(end.has_value());
}

TEST_F(TunnelTest, a_slow_reader_slows_the_sender_and_gets_every_byte) {
  open();
  std::string sent;
  for (size_t i = 0; sent.size() < 8'000'000; ++i) sent += std::to_string(i);
  std::string_view rest = sent;
  // As much as the kernel's buffers take, and no more.
  for (int quiet = 0; quiet < 100 && !rest.empty();) {
    const ssize_t count = ::send(upstream.fd(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    quiet = count > 0 ? 0 : quiet + 1;
    turn(1);
    EXPECT_LE(loop.buffers().bytes_lent(), runtime::bytes_in(runtime::BufferSize::small) * 2);
  }
  ASSERT_TRUE(runtime::turn_until(loop, [&] {
    const ssize_t count = ::send(upstream.fd(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    return client.received().size() >= sent.size();
  }));
  EXPECT_TRUE(client.received() == sent);
}

}  // namespace
}  // namespace spillway::http
