// deploy/guard_test.cc: nothing of a replica survives, with real processes.
#include "deploy/guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "runtime/epoll_driver.h"
#include "runtime/gate.h"
#include "runtime/process_tree.h"

namespace spillway::deploy {
namespace {

using runtime::Task;

class GuardTest : public ::testing::Test {
 protected:
  template <class Condition>
  bool eventually(Condition condition, Duration patience = 5s) {
    const Instant end = loop.now() + patience;
    while (!condition()) {
      if (loop.now() >= end) return false;
      loop.run_once(loop.now() + 2ms);
    }
    return true;
  }
  void run(Task<void> task) {
    runtime::Gate gate(loop);
    gate.spawn(std::move(task));
    ASSERT_TRUE(eventually([&] { return gate.count() == 0; }, 10s));
  }
  static Task<void> take_report(Guard& guard, Deadline deadline, Result<GuardReport>& report) {
    auto message = co_await guard.socket.receive(deadline);
    if (message) {
      report = decode_guard_report(message->bytes);
    } else {
      report = fail(message.error());
    }
  }
  Result<GuardReport> report_of(Guard& guard) {
    Result<GuardReport> report;
    run(take_report(guard, Deadline::after(loop.now(), 5s), report));
    return report;
  }
  static Task<void> tell_stop(Guard& guard, Duration grace, Deadline deadline) {
    EXPECT_TRUE((co_await guard.socket.send(encode_guard_stop(grace), {}, deadline)).has_value());
  }
  static Task<void> await_end(Guard& guard, Deadline deadline, bool& ended) {
    ended = (co_await guard.process.exited(deadline)).has_value();
  }
  bool ends(Guard& guard, Duration patience = 5s) {
    bool ended = false;
    run(await_end(guard, Deadline::after(loop.now(), patience), ended));
    return ended;
  }
  Guard start(const std::string& script, Duration grace = 200ms) {
    auto guard = start_guard(loop, {.name = "web.1",
                                    .replica = {.arguments = {"sh", "-c", script},
                                                .environment = runtime::inherited_environment()},
                                    .grace = grace});
    EXPECT_TRUE(guard.has_value());
    return std::move(*guard);
  }
  size_t descendants(Guard& guard) { return runtime::descendants_of(guard.process.pid()).size(); }

  runtime::Loop loop{*runtime::make_epoll_driver(), 0, 1};
};

bool lives(pid_t pid) {
  const auto all = runtime::descendants_of(1);
  return std::ranges::find(all, pid) != all.end();
}
bool any_lives(const std::vector<pid_t>& pids) { return std::ranges::any_of(pids, lives); }

// A shell with a child, a child in a session of its own, and one that ignores TERM there.
constexpr const char* family =
    "sleep 100 & setsid sleep 101 & setsid sh -c 'trap \"\" TERM; sleep 102 & wait; sleep 103' & "
    "wait";

TEST_F(GuardTest, tells_of_the_start_and_the_end_of_a_replica) {
  Guard guard = start("exit 5");
  const auto started = report_of(guard);
  ASSERT_TRUE(started.has_value());
  EXPECT_GT(std::get<GuardStarted>(*started).replica, 0);
  const auto ended = report_of(guard);
  EXPECT_EQ(std::get<ReplicaEnded>(*ended).status, runtime::ExitStatus{.code = 5});
  EXPECT_TRUE(ends(guard));
}

TEST_F(GuardTest, tells_why_a_replica_did_not_start) {
  auto guard = start_guard(loop, {.name = "web.1", .replica = {.arguments = {"no-such-program"}}});
  const auto report = report_of(*guard);
  const Error& error = std::get<GuardFailed>(*report).error;
  EXPECT_EQ(error.code, Error::Code::not_found);
  EXPECT_EQ(error.detail, "start no-such-program: exec: No such file or directory");
  EXPECT_TRUE(ends(*guard));
}

TEST_F(GuardTest, a_stop_ends_grandchildren_and_those_in_other_sessions) {
  Guard guard = start(family);
  ASSERT_TRUE(report_of(guard).has_value());
  ASSERT_TRUE(eventually([&] { return descendants(guard) >= 5; }));
  const auto all = runtime::descendants_of(guard.process.pid());
  run(tell_stop(guard, 300ms, Deadline::after(loop.now(), 1s)));
  EXPECT_TRUE(ends(guard));
  EXPECT_FALSE(any_lives(all));
}

TEST_F(GuardTest, the_end_of_the_main_process_ends_what_it_left_behind) {
  Guard guard = start("setsid sleep 100 & sleep 101 & sleep 0.3; exit 1");
  ASSERT_TRUE(report_of(guard).has_value());
  ASSERT_TRUE(eventually([&] { return descendants(guard) >= 4; }));
  const auto all = runtime::descendants_of(guard.process.pid());
  EXPECT_EQ(std::get<ReplicaEnded>(*report_of(guard)).status.code, 1);
  EXPECT_TRUE(ends(guard));
  EXPECT_FALSE(any_lives(all));
}

TEST_F(GuardTest, the_end_of_the_socket_ends_everything) {
  Guard guard = start(family);
  ASSERT_TRUE(report_of(guard).has_value());
  ASSERT_TRUE(eventually([&] { return descendants(guard) >= 5; }));
  const auto all = runtime::descendants_of(guard.process.pid());
  guard.socket.close();
  EXPECT_TRUE(ends(guard));
  EXPECT_FALSE(any_lives(all));
}

TEST_F(GuardTest, a_signal_to_the_guard_that_is_not_kill_does_nothing) {
  Guard guard = start("exec sleep 100");
  ASSERT_TRUE(report_of(guard).has_value());
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) guard.process.signal(number);
  EXPECT_FALSE(ends(guard, 100ms));
  EXPECT_EQ(descendants(guard), 1u);
  run(tell_stop(guard, 300ms, Deadline::after(loop.now(), 1s)));
  EXPECT_TRUE(ends(guard));
}

TEST_F(GuardTest, a_killed_guard_takes_the_replica_with_it) {
  Guard guard = start("exec sleep 100");
  const pid_t replica = std::get<GuardStarted>(*report_of(guard)).replica;
  guard.process.signal(SIGKILL);
  EXPECT_TRUE(ends(guard));
  EXPECT_TRUE(eventually([&] { return !lives(replica); }));
}

TEST_F(GuardTest, the_pipes_of_a_replica_end_with_it) {
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  runtime::FileHandle reader(fds[0]);
  runtime::FileHandle writer(fds[1]);
  auto guard = start_guard(loop, {.name = "web.1",
                                  .replica = {.arguments = {"echo", "hello"},
                                              .environment = runtime::inherited_environment(),
                                              .descriptors = {{writer.fd(), 1}}}});
  ASSERT_TRUE(guard.has_value());
  writer.close();
  ASSERT_TRUE(report_of(*guard).has_value());
  char bytes[16];
  EXPECT_EQ(::read(reader.fd(), bytes, sizeof bytes), 6);
  EXPECT_EQ(::read(reader.fd(), bytes, sizeof bytes), 0);
  EXPECT_TRUE(ends(*guard));
}

}  // namespace
}  // namespace spillway::deploy
