// sim/world_test.cc: a world keeps time, treats sockets as the kernel does, and can be replayed.
#include "sim/world.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/listener.h"
#include "runtime/socket.h"

namespace spillway::sim {
namespace {

using runtime::Gate;
using runtime::Listener;
using runtime::Loop;
using runtime::Socket;
using runtime::Task;

WorldOptions plain() {
  WorldOptions options;
  options.report_delay_share = 0;
  options.network.split_share = 0;
  options.network.false_full_share = 0;
  return options;
}

class WorldTest : public ::testing::Test {
 protected:
  // A connection: what was connected and what was accepted, both as bare descriptors.
  void connect_pair() {
    listener = net().listen(server, at);
    left = net().connect(client, at);
    world.run_for(10ms);
    SocketAddress peer;
    right = net().accept(listener, peer);
    ASSERT_EQ(net().connect_result(left), 0);
    ASSERT_GE(right, 0);
    EXPECT_EQ(peer.ip, net().ip(client));
  }
  Network& net() { return world.network(); }
  int64_t send(int fd, std::string_view bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    return net().send(fd, {&part, 1});
  }
  int64_t receive(int fd) { return net().receive(fd, into); }

  World world{7, plain()};
  HostId client = world.network().add_host("client", *IpAddress::parse("10.0.0.1"));
  HostId server = world.network().add_host("server", *IpAddress::parse("10.0.0.2"));
  SocketAddress at{*IpAddress::parse("10.0.0.2"), 80, {}};
  int listener = -1;
  int left = -1;
  int right = -1;
  char into[256];
};

TEST_F(WorldTest, bytes_arrive_after_a_while_and_then_the_end) {
  connect_pair();
  EXPECT_EQ(send(left, "hello"), 5);
  EXPECT_EQ(receive(right), -EAGAIN);
  net().shutdown_write(left);
  world.run_for(10ms);
  EXPECT_EQ(net().readiness(right), runtime::readable | runtime::writable | runtime::peer_ended);
  EXPECT_EQ(receive(right), 5);
  EXPECT_EQ(receive(right), 0);
  EXPECT_EQ(send(right, "still"), 5);
  world.run_for(10ms);
  EXPECT_EQ(receive(left), 5);
  EXPECT_EQ(send(left, "x"), -EPIPE);
}

TEST_F(WorldTest, ended_in_both_directions_is_a_hang_up_with_bytes_unread) {
  connect_pair();
  send(left, "hello");
  net().shutdown_write(left);
  net().shutdown_write(right);
  world.run_for(10ms);
  EXPECT_TRUE(net().readiness(right) & runtime::broken);
  EXPECT_EQ(receive(right), 5);
}

TEST_F(WorldTest, closing_with_bytes_unread_resets) {
  connect_pair();
  send(left, "hello");
  world.run_for(10ms);
  net().close(right);
  world.run_for(10ms);
  EXPECT_EQ(receive(left), -ECONNRESET);
  EXPECT_EQ(receive(left), 0);
}

TEST_F(WorldTest, what_arrived_before_a_reset_can_still_be_read) {
  connect_pair();
  send(left, "hello");
  world.run_for(10ms);
  net().reset_on_close(left);
  net().close(left);
  world.run_for(10ms);
  EXPECT_EQ(receive(right), 5);
  EXPECT_EQ(receive(right), -ECONNRESET);
}

TEST_F(WorldTest, bytes_for_a_closed_socket_are_answered_with_a_reset) {
  connect_pair();
  net().close(right);
  world.run_for(10ms);
  EXPECT_EQ(send(left, "x"), 1);
  world.run_for(10ms);
  EXPECT_EQ(send(left, "x"), -ECONNRESET);
  EXPECT_EQ(send(left, "x"), -EPIPE);
}

TEST_F(WorldTest, a_full_pipe_takes_no_more_until_the_reader_reads) {
  connect_pair();
  const std::string much(200'000, 'x');
  const int64_t taken = send(left, much);
  EXPECT_GT(taken, 0);
  EXPECT_EQ(send(left, much), -EAGAIN);
  world.run_for(10ms);
  int64_t read = 0;
  for (int64_t count = receive(right); count > 0; count = receive(right)) read += count;
  EXPECT_EQ(read, taken);
  world.run_for(10ms);
  EXPECT_TRUE(net().readiness(left) & runtime::writable);
}

TEST_F(WorldTest, nobody_listening_refuses) {
  left = net().connect(client, at);
  world.run_for(10ms);
  EXPECT_TRUE(net().readiness(left) & runtime::broken);
  EXPECT_EQ(net().connect_result(left), ECONNREFUSED);
}

TEST_F(WorldTest, a_cut_net_delays_and_a_long_cut_breaks) {
  connect_pair();
  net().partition(client, server);
  send(left, "hello");
  world.run_for(5s);
  EXPECT_EQ(receive(right), -EAGAIN);
  net().heal(client, server);
  world.run_for(1s);
  EXPECT_EQ(receive(right), 5);
  net().partition(client, server);
  send(left, "again");
  world.run_for(40s);
  EXPECT_EQ(receive(left), -ETIMEDOUT);
}

TEST_F(WorldTest, descriptors_run_out) {
  net().limit_descriptors(client, 1);
  EXPECT_GE(net().connect(client, at), 0);
  EXPECT_EQ(net().connect(client, at), -EMFILE);
  EXPECT_EQ(net().open_descriptors(client), 1u);
}

Task<void> sleep_and_note(Loop& loop, Duration duration, Instant& woke) {
  co_await runtime::sleep(loop, duration);
  woke = loop.now();
}

TEST_F(WorldTest, time_jumps_when_all_sleep) {
  auto loop = world.make_loop(client, 0);
  Gate gate(*loop);
  Instant woke{};
  const Instant before = world.now();
  gate.spawn(sleep_and_note(*loop, 1h, woke));
  EXPECT_TRUE(world.run_until([&gate] { return gate.count() == 0; }, 2h));
  EXPECT_GE(woke - before, 1h);
  EXPECT_LT(woke - before, 1h + 5ms);
  EXPECT_LT(world.turns(), 100u);
}

Task<void> echo(Listener& listener) {
  auto accepted = co_await listener.accept();
  char bytes[1000];
  const Deadline deadline = Deadline::after(accepted->socket.loop().now(), 60s);
  while (true) {
    auto count = co_await accepted->socket.read(bytes, deadline);
    if (!count || *count == 0) co_return;
    if (!co_await accepted->socket.write(std::string_view(bytes, *count), deadline)) co_return;
  }
}
Task<void> send_all(Socket& socket, const std::string& bytes, Deadline deadline) {
  CHECK(co_await socket.write(bytes, deadline));
  socket.shutdown_write();
}
Task<void> ask(Loop& loop, SocketAddress at, const std::string& bytes, std::string& back) {
  const Deadline deadline = Deadline::after(loop.now(), 60s);
  auto socket = co_await Socket::connect(loop, at, deadline);
  CHECK(socket.has_value());
  Gate gate(loop);
  gate.spawn(send_all(*socket, bytes, deadline));
  char buffer[777];
  while (true) {
    auto count = co_await socket->read(buffer, deadline);
    if (!count || *count == 0) break;
    back.append(buffer, *count);
  }
  CHECK(co_await gate.drained(deadline));
}

// An echo over two loops; returns the hash of the trace.
uint64_t echo_world(uint64_t seed, std::string& back) {
  World world(seed);
  const HostId client = world.network().add_host("client", *IpAddress::parse("10.0.0.1"));
  const HostId server = world.network().add_host("server", *IpAddress::parse("10.0.0.2"));
  const SocketAddress at{*IpAddress::parse("10.0.0.2"), 80, {}};
  auto left = world.make_loop(client, 0);
  auto right = world.make_loop(server, 0);
  auto listener = Listener::adopt(*right, world.network().listen(server, at));
  Gate left_gate(*left);
  Gate right_gate(*right);
  const std::string bytes(100'000, 'y');
  right_gate.spawn(echo(*listener));
  left_gate.spawn(ask(*left, at, bytes, back));
  const auto done = [&] { return left_gate.count() + right_gate.count() == 0; };
  EXPECT_TRUE(world.run_until(done, 2min));
  EXPECT_EQ(back == bytes, true);
  listener->close();
  EXPECT_EQ(world.network().open_descriptors(client), 0u);
  return world.trace().hash();
}

TEST(World, an_echo_survives_every_seed) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::string back;
    echo_world(seed, back);
  }
}

TEST(World, the_same_seed_gives_the_same_trace_and_another_seed_another) {
  std::string first;
  std::string second;
  std::string third;
  EXPECT_EQ(echo_world(3, first), echo_world(3, second));
  EXPECT_NE(echo_world(3, second = {}), echo_world(4, third));
}

TEST(World, a_fault_does_not_reshuffle_other_chances) {
  World calm(5);
  World rough(5);
  rough.random(Concern::faults).next();
  EXPECT_EQ(calm.random(Concern::delays).next(), rough.random(Concern::delays).next());
  EXPECT_EQ(calm.random_for("a").next(), rough.random_for("a").next());
  EXPECT_NE(calm.random_for("a").next(), calm.random_for("b").next());
}

}  // namespace
}  // namespace spillway::sim
