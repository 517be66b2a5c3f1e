// runtime/loop_test.cc: tasks, deadlines, sockets, gates and mail on real loops.
#include "runtime/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>
#include <thread>
#include <vector>

#include "runtime/epoll_driver.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/listener.h"
#include "runtime/socket.h"
#include "runtime/task.h"
#include "runtime/wait_line.h"

namespace spillway::runtime {
namespace {

class LoopTest : public ::testing::Test {
 protected:
  // Runs `task` to its end, or fails after a bounded number of turns.
  void run(Task<void> task) {
    Gate gate(loop);
    gate.spawn(std::move(task));
    for (int turn = 0; turn < 100'000 && gate.count() > 0; ++turn) {
      loop.run_once(loop.now() + 10ms);
    }
    ASSERT_EQ(gate.count(), 0u) << "the task has not ended";
  }
  Deadline soon(Duration d = 2s) { return Deadline::after(loop.now(), d); }

  Loop loop{*make_epoll_driver(), 0, 1};
};

struct Pair {
  Socket left;
  Socket right;
};
Pair connected_pair(Loop& loop) {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {*Socket::adopt(loop, fds[0]), *Socket::adopt(loop, fds[1])};
}

Task<int> add(int a, int b) { co_return a + b; }
Task<void> sum_into(int& into) { into = co_await add(1, co_await add(2, 3)); }

TEST_F(LoopTest, tasks_give_their_result_to_whoever_awaits_them) {
  int result = 0;
  run(sum_into(result));
  EXPECT_EQ(result, 6);
}

Task<void> echo_once(Listener& listener) {
  auto accepted = co_await listener.accept();
  char bytes[64];
  const auto deadline = Deadline::after(accepted->socket.loop().now(), 2s);
  auto count = co_await accepted->socket.read(bytes, deadline);
  CHECK(co_await accepted->socket.write(std::string_view(bytes, *count), deadline));
}
Task<void> ask(Loop& loop, SocketAddress to, std::string& answer, Deadline deadline) {
  auto socket = co_await Socket::connect(loop, to, deadline);
  CHECK(socket.has_value());
  CHECK(co_await socket->write("hello", deadline));
  char bytes[64];
  auto count = co_await socket->read(bytes, deadline);
  answer.assign(bytes, *count);
  count = co_await socket->read(bytes, deadline);
  answer += *count == 0 ? " end" : " more";
}
Task<void> echo_and_ask(Loop& loop, Listener& listener, SocketAddress at, std::string& answer,
                        Deadline deadline) {
  Gate gate(loop);
  gate.spawn(echo_once(listener));
  co_await ask(loop, at, answer, deadline);
  CHECK(co_await gate.close(deadline));
}

TEST_F(LoopTest, connects_over_ipv4_ipv6_and_unix) {
  const std::string path = ::testing::TempDir() + "spillway_loop_test.sock";
  for (const std::string& text :
       {std::string("127.0.0.1:0"), std::string("[::1]:0"), "unix:" + path}) {
    const int fd = *listen_on(*SocketAddress::parse(text), {});
    const SocketAddress at = *bound_address(fd);
    auto listener = Listener::adopt(loop, fd);
    std::string answer;
    run(echo_and_ask(loop, *listener, at, answer, soon()));
    EXPECT_EQ(answer, "hello end") << text;
  }
}

Task<void> read_code(Socket& socket, Deadline deadline, std::optional<Error::Code>& code) {
  char bytes[8];
  auto count = co_await socket.read(bytes, deadline);
  if (!count) code = count.error().code;
}

TEST_F(LoopTest, a_read_ends_at_its_deadline) {
  auto pair = connected_pair(loop);
  std::optional<Error::Code> code;
  const Instant before = loop.now();
  run(read_code(pair.left, soon(30ms), code));
  EXPECT_EQ(code, Error::Code::deadline_exceeded);
  EXPECT_GE(loop.now() - before, 30ms);
}

Task<void> interrupt_read(Loop& loop, Socket& socket, std::optional<Error::Code>& code,
                          Deadline deadline) {
  Gate gate(loop);
  gate.spawn(read_code(socket, deadline, code));
  socket.interrupt_reader();
  CHECK(co_await gate.close(deadline));
}

TEST_F(LoopTest, an_interrupted_read_ends_with_cancelled) {
  auto pair = connected_pair(loop);
  std::optional<Error::Code> code;
  run(interrupt_read(loop, pair.left, code, soon()));
  EXPECT_EQ(code, Error::Code::cancelled);
}

Task<void> write_all(Socket& socket, const std::string& bytes, Deadline deadline) {
  CHECK(co_await socket.write(bytes, deadline));
}
Task<void> read_all(Socket& socket, size_t total, std::string& into, Deadline deadline) {
  char bytes[10'000];
  while (into.size() < total) {
    auto count = co_await socket.read(bytes, deadline);
    CHECK(count && *count > 0);
    into.append(bytes, *count);
  }
}
Task<void> stream(Loop& loop, Pair& pair, const std::string& bytes, std::string& got,
                  Deadline deadline) {
  Gate gate(loop);
  gate.spawn(write_all(pair.left, bytes, deadline));
  co_await read_all(pair.right, bytes.size(), got, deadline);
  CHECK(co_await gate.close(deadline));
}

TEST_F(LoopTest, a_long_write_waits_for_the_reader_and_loses_nothing) {
  auto pair = connected_pair(loop);
  std::string bytes(5'000'000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 997) bytes[i] = static_cast<char>('a' + i % 26);
  std::string got;
  run(stream(loop, pair, bytes, got, soon(20s)));
  EXPECT_TRUE(got == bytes);
}

Task<void> reset_in_mid_answer(Listener& listener) {
  auto accepted = co_await listener.accept();
  const auto deadline = Deadline::after(accepted->socket.loop().now(), 2s);
  char bytes[8];
  CHECK(co_await accepted->socket.read(bytes, deadline));
  CHECK(co_await accepted->socket.write("part of an ans", deadline));
  accepted->socket.reset_on_close();
}
Task<void> write_and_read_to_end(Loop& loop, Listener& listener, SocketAddress at, std::string& got,
                                 std::optional<Error::Code>& code, Deadline deadline) {
  Gate gate(loop);
  gate.spawn(reset_in_mid_answer(listener));
  auto socket = co_await Socket::connect(loop, at, deadline);
  CHECK(socket && co_await socket->write("ask", deadline));
  CHECK(co_await gate.close(deadline));
  co_await sleep(loop, 20ms);
  CHECK(!co_await socket->write("more", deadline));  // This one is told of the reset.
  char bytes[64];
  while (true) {
    auto count = co_await socket->read(bytes, deadline);
    if (!count) code = count.error().code;
    if (!count || *count == 0) co_return;
    got.append(bytes, *count);
  }
}

// The kernel tells of a reset once. A body that ends with the connection would look whole if the
// reader were not told as well.
TEST_F(LoopTest, a_reset_that_a_write_was_told_of_is_no_orderly_end_for_a_reader) {
  const int fd = *listen_on(*SocketAddress::parse("127.0.0.1:0"), {});
  const SocketAddress at = *bound_address(fd);
  auto listener = Listener::adopt(loop, fd);
  std::string got;
  std::optional<Error::Code> code;
  run(write_and_read_to_end(loop, *listener, at, got, code, soon()));
  EXPECT_EQ(code, Error::Code::connection_closed);
}

Task<void> connect_code(Loop& loop, SocketAddress to, Deadline deadline,
                        std::optional<Error>& error) {
  auto socket = co_await Socket::connect(loop, std::move(to), deadline);
  if (!socket) error = socket.error();
}

TEST_F(LoopTest, a_refused_connect_is_safe_to_retry) {
  const int fd = *listen_on(*SocketAddress::parse("127.0.0.1:0"), {});
  const SocketAddress at = *bound_address(fd);
  loop.driver().close(fd);
  std::optional<Error> error;
  run(connect_code(loop, at, soon(), error));
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, Error::Code::connection_refused);
  EXPECT_EQ(error->retry, Error::Retry::safe);
}

Task<void> wait_for(Event& event, Deadline deadline, int& outcome) {
  outcome = (co_await event.wait(deadline)) ? 1 : -1;
}

TEST_F(LoopTest, an_event_wakes_all_and_time_wakes_the_rest) {
  Event event(loop);
  Gate gate(loop);
  int first = 0;
  int second = 0;
  gate.spawn(wait_for(event, soon(20ms), first));
  gate.spawn(wait_for(event, Deadline::never(), second));
  while (first == 0) loop.run_once(loop.now() + 10ms);
  EXPECT_EQ(first, -1);
  EXPECT_EQ(second, 0);
  event.set();
  loop.run_once(loop.now());
  loop.run_once(loop.now());
  EXPECT_EQ(second, 1);
}

TEST_F(LoopTest, a_shut_gate_runs_nothing_new) {
  Gate gate(loop);
  gate.shut();
  int result = 0;
  EXPECT_FALSE(gate.spawn(sum_into(result)));
  EXPECT_EQ(result, 0);
}

TEST_F(LoopTest, mail_from_other_threads_arrives_in_order) {
  std::vector<int> got;
  std::thread sender([this, &got] {
    for (int i = 0; i < 1000; ++i) loop.post([&got, i] { got.push_back(i); });
  });
  for (int turn = 0; turn < 100'000 && got.size() < 1000; ++turn) loop.run_once(loop.now() + 10ms);
  sender.join();
  ASSERT_EQ(got.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
}

struct Permits {
  int free = 0;
  WaitLine<int, int> waiting;
  WaitLine<int, int>& line() { return waiting; }
};
using SharedPermits = Guarded<Permits>;

Task<void> use_permit(SharedPermits& permits, Loop& loop, Deadline deadline, int rounds,
                      std::atomic<int>& in_use, std::atomic<int>& done) {
  for (int i = 0; i < rounds; ++i) {
    LineWait<SharedPermits, int, int> wait(permits, loop, deadline, 0);
    const bool got_one = permits.with([&wait](Permits& p) {
      if (p.free > 0 && p.waiting.length() == 0) {
        --p.free;
        return true;
      }
      p.waiting.join(wait.place());
      return false;
    });
    if (!got_one) CHECK((co_await wait).has_value());
    CHECK(in_use.fetch_add(1) < 3);
    co_await sleep(loop, 100us);
    in_use.fetch_sub(1);
    permits.with([](Permits& p) {
      if (!p.waiting.grant_next([](int) { return std::optional<int>(1); })) ++p.free;
    });
  }
  done.fetch_add(1);
}

TEST(WaitLine, holds_an_exact_limit_over_two_loops) {
  SharedPermits permits;
  permits.with([](Permits& p) { p.free = 3; });
  std::atomic<int> in_use{0};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (uint32_t core = 0; core < 2; ++core) {
    threads.emplace_back([&permits, &in_use, &done, core] {
      Loop loop(*make_epoll_driver(), core, core);
      Gate gate(loop);
      for (int i = 0; i < 10; ++i) {
        gate.spawn(use_permit(permits, loop, Deadline::after(loop.now(), 20s), 20, in_use, done));
      }
      while (gate.count() > 0) loop.run_once(loop.now() + 100ms);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done.load(), 20);
  EXPECT_EQ(permits.with([](Permits& p) { return p.free; }), 3);
}

TEST_F(LoopTest, a_wait_in_line_times_out_and_leaves_the_line) {
  SharedPermits permits;
  std::optional<Error::Code> code;
  struct Run {
    static Task<void> wait(SharedPermits& permits, Loop& loop, std::optional<Error::Code>& code) {
      LineWait<SharedPermits, int, int> wait(permits, loop, Deadline::after(loop.now(), 20ms), 0);
      permits.with([&wait](Permits& p) { p.waiting.join(wait.place()); });
      auto got = co_await wait;
      if (!got) code = got.error().code;
    }
  };
  run(Run::wait(permits, loop, code));
  EXPECT_EQ(code, Error::Code::deadline_exceeded);
  EXPECT_EQ(permits.with([](Permits& p) { return p.waiting.length(); }), 0u);
}

Task<void> count_newcomer(Socket& socket, int& count) {
  if (co_await socket.wait_for_newcomer(Deadline::never())) ++count;
}
Task<void> count_reader(Socket& socket, int& count) {
  if (co_await socket.wait_readable(Deadline::never())) ++count;
}

Task<void> note_time_of_news(Socket& socket, Instant& when) {
  (void)co_await socket.wait_readable(Deadline::never());
  when = socket.loop().now();
}

TEST_F(LoopTest, who_is_woken_sees_the_time_of_the_news) {
  Pair pair = connected_pair(loop);
  Instant seen;
  Gate gate(loop);
  gate.spawn(note_time_of_news(pair.left, seen));
  loop.run_once(loop.now());
  Instant later = loop.now();
  while (later - loop.now() < 5ms) later = loop.driver().now();
  pair.right.shutdown_write();
  loop.run_once(loop.now());
  EXPECT_GE(seen, later) << "reckoned from when the loop fell asleep";
}

TEST_F(LoopTest, begins_little_at_a_time_and_goes_on_with_everything) {
  constexpr size_t each = 50;
  std::vector<Pair> pairs;
  int newcomers = 0;
  int readers = 0;
  for (size_t i = 0; i < 2 * each; ++i) pairs.push_back(connected_pair(loop));
  Gate gate(loop);
  for (size_t i = 0; i < each; ++i) {
    gate.spawn(count_newcomer(pairs[2 * i].left, newcomers));
    gate.spawn(count_reader(pairs[2 * i + 1].left, readers));
  }
  loop.run_once(loop.now());
  for (Pair& pair : pairs) pair.right.shutdown_write();
  loop.run_once(loop.now() + 1s);
  EXPECT_EQ(readers, 50);
  EXPECT_EQ(newcomers, 32);
  loop.run_once(loop.now() + 1s);
  EXPECT_EQ(newcomers, 50) << "who waits for its turn does not wait for the network";
}

}  // namespace
}  // namespace spillway::runtime
