// runtime/process_services_test.cc: signals, messages, the pool, names, files, the service manager.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <latch>
#include <string>

#include "runtime/blocking_pool.h"
#include "runtime/descriptor_limit.h"
#include "runtime/epoll_driver.h"
#include "runtime/event.h"
#include "runtime/file.h"
#include "runtime/gate.h"
#include "runtime/resolver.h"
#include "runtime/sd_notify.h"
#include "runtime/signals.h"
#include "runtime/unix_message.h"

namespace spillway::runtime {
namespace {

class ProcessServices : public ::testing::Test {
 protected:
  void run(Task<void> task) {
    Gate gate(loop);
    gate.spawn(std::move(task));
    for (int turn = 0; turn < 10'000 && gate.count() > 0; ++turn) loop.run_once(loop.now() + 10ms);
    ASSERT_EQ(gate.count(), 0u) << "the task has not ended";
  }
  Deadline soon(Duration d = 5s) { return Deadline::after(loop.now(), d); }

  Loop loop{*make_epoll_driver(), 0, 1};
};

template <class T>
Task<void> keep(Task<Result<T>> task, Result<T>& into) {
  into = co_await std::move(task);
}

TEST_F(ProcessServices, signals_arrive_through_the_loop) {
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  auto signals = Signals::open(loop);
  ASSERT_TRUE(signals.has_value());
  ::kill(::getpid(), SIGHUP);
  Result<int> got;
  run(keep(signals->next(soon()), got));
  EXPECT_EQ(*got, SIGHUP);
  run(keep(signals->next(soon(10ms)), got));
  EXPECT_EQ(got.error().code, Error::Code::deadline_exceeded);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
}

TEST(SignalTable, names_lead_to_numbers_and_have_meanings) {
  EXPECT_EQ(signal_number("USR2"), SIGUSR2);
  EXPECT_EQ(signal_number("KILL"), 0);
  for (const SignalMeaning& entry : signal_table()) EXPECT_FALSE(entry.meaning.empty());
}

struct Ends {
  MessageSocket left;
  MessageSocket right;
};
Ends message_pair(Loop& loop) {
  auto fds = MessageSocket::make_pair();
  return {*MessageSocket::adopt(loop, (*fds)[0].release()),
          *MessageSocket::adopt(loop, (*fds)[1].release())};
}

TEST_F(ProcessServices, messages_arrive_whole_with_their_descriptors) {
  auto ends = message_pair(loop);
  int pipe_fds[2];
  ASSERT_EQ(::pipe2(pipe_fds, O_CLOEXEC), 0);
  FileHandle reader(pipe_fds[0]);
  FileHandle writer(pipe_fds[1]);
  Result<void> sent;
  const int given[] = {writer.fd()};
  run(keep(ends.left.send("take this", given, soon()), sent));
  run(keep(ends.left.send("and this", {}, soon()), sent));
  ASSERT_TRUE(sent.has_value());
  writer.close();

  Result<UnixMessage> got;
  run(keep(ends.right.receive(soon()), got));
  EXPECT_EQ(got->bytes, "take this");
  ASSERT_EQ(got->descriptors.size(), 1u);
  EXPECT_NE(::fcntl(got->descriptors[0].fd(), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(::write(got->descriptors[0].fd(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(reader.fd(), &byte, 1), 1);
  run(keep(ends.right.receive(soon()), got));
  EXPECT_EQ(got->bytes, "and this");
  run(keep(ends.right.receive(soon(10ms)), got));
  EXPECT_EQ(got.error().code, Error::Code::deadline_exceeded);
  ends.left.close();
  run(keep(ends.right.receive(soon()), got));
  EXPECT_EQ(got.error().code, Error::Code::connection_closed);
}

TEST_F(ProcessServices, a_message_that_is_too_large_is_refused_and_a_full_socket_waits) {
  auto ends = message_pair(loop);
  Result<void> sent;
  run(keep(ends.left.send(std::string(MessageSocket::bytes_max + 1, 'x'), {}, soon()), sent));
  EXPECT_EQ(sent.error().code, Error::Code::limit_exceeded);
  const std::string large(MessageSocket::bytes_max, 'x');
  int fitted = 0;
  do {
    run(keep(ends.left.send(large, {}, soon(20ms)), sent));
  } while (sent && ++fitted < 1000);
  EXPECT_GT(fitted, 0);
  EXPECT_EQ(sent.error().code, Error::Code::deadline_exceeded);
  Result<UnixMessage> got;
  for (int i = 0; i < fitted; ++i) run(keep(ends.right.receive(soon()), got));
  EXPECT_EQ(got->bytes, large);
  run(keep(ends.left.send(large, {}, soon()), sent));
  EXPECT_TRUE(sent.has_value());
}

TEST_F(ProcessServices, the_pool_runs_work_and_gives_its_result_back) {
  BlockingPool pool;
  Result<int> got;
  run(keep(pool.run<int>(loop, [] { return 42; }, soon()), got));
  EXPECT_EQ(*got, 42);
}

TEST_F(ProcessServices, a_late_result_of_the_pool_is_thrown_away) {
  std::latch let_go(1);
  std::atomic<int> ran{0};
  {
    BlockingPool pool({.threads = 1, .queue_max = 2});
    const auto hang = [&let_go, &ran] {
      let_go.wait();
      return ran.fetch_add(1);
    };
    Result<int> first;
    Result<int> second;
    run(keep(pool.run<int>(loop, hang, soon(20ms)), first));
    run(keep(pool.run<int>(loop, hang, soon(20ms)), second));
    EXPECT_EQ(first.error().code, Error::Code::deadline_exceeded);
    EXPECT_EQ(second.error().code, Error::Code::deadline_exceeded);
    let_go.count_down();
  }
  EXPECT_LE(ran.load(), 1) << "work given up in the queue must not run";
}

TEST_F(ProcessServices, a_full_pool_refuses_work) {
  std::latch has_begun(1);
  std::latch let_go(1);
  BlockingPool pool({.threads = 1, .queue_max = 1});
  const auto begin_and_hang = [&has_begun, &let_go] {
    has_begun.count_down();
    let_go.wait();
    return 0;
  };
  const auto hang = [&let_go] {
    let_go.wait();
    return 0;
  };
  Gate gate(loop);
  Result<int> results[3];
  gate.spawn(keep(pool.run<int>(loop, begin_and_hang, soon()), results[0]));
  has_begun.wait();
  gate.spawn(keep(pool.run<int>(loop, hang, soon()), results[1]));
  gate.spawn(keep(pool.run<int>(loop, hang, soon()), results[2]));
  let_go.count_down();
  while (gate.count() > 0) loop.run_once(loop.now() + 10ms);
  EXPECT_TRUE(results[0].has_value());
  EXPECT_EQ(results[2].error().code, Error::Code::overloaded);
}

TEST_F(ProcessServices, names_become_addresses) {
  BlockingPool pool;
  Resolver resolver(pool);
  Result<std::vector<IpAddress>> got;
  run(keep(resolver.resolve(loop, "localhost", soon()), got));
  ASSERT_TRUE(got.has_value());
  EXPECT_TRUE(got->front().is_loopback());
  run(keep(resolver.resolve(loop, "2001:db8::7", soon()), got));
  EXPECT_EQ(to_string(got->front()), "2001:db8::7");
  run(keep(resolver.resolve(loop, "no such name", soon()), got));
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().retry, Error::Retry::safe);
}

TEST_F(ProcessServices, files_are_read_and_replaced_whole) {
  BlockingPool pool;
  const std::string path = ::testing::TempDir() + "spillway_file_test";
  ASSERT_TRUE(write_file_blocking(path, "one", 0600).has_value());
  ASSERT_TRUE(write_file_blocking(path, "two", 0600).has_value());
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  Result<std::string> got;
  run(keep(read_file(pool, loop, path, 100, soon()), got));
  EXPECT_EQ(*got, "two");
  run(keep(read_file(pool, loop, path, 2, soon()), got));
  EXPECT_EQ(got.error().code, Error::Code::limit_exceeded);
  ::unlink(path.c_str());
  run(keep(read_file(pool, loop, path, 2, soon()), got));
  EXPECT_EQ(got.error().code, Error::Code::not_found);
}

std::string notified(const std::string& name) {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  if (name.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_TRUE(ServiceManager(name).ready("2 replicas").has_value());
  char bytes[256];
  const ssize_t count = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  ::close(fd);
  return count > 0 ? std::string(bytes, static_cast<size_t>(count)) : "";
}

TEST(ServiceManager, hears_of_readiness_at_a_path_and_at_an_abstract_name) {
  const std::string path = ::testing::TempDir() + "spillway_notify_test.sock";
  ::unlink(path.c_str());
  EXPECT_EQ(notified(path), "READY=1\nSTATUS=2 replicas");
  ::unlink(path.c_str());
  EXPECT_EQ(notified("@spillway_notify_test"), "READY=1\nSTATUS=2 replicas");
  EXPECT_TRUE(ServiceManager("").ready("nobody listens").has_value());
  EXPECT_FALSE(ServiceManager("relative/path").ready("").has_value());
}

TEST(SocketActivation, ignores_what_is_meant_for_another_process) {
  ::setenv("LISTEN_FDS", "2", 1);
  ::setenv("LISTEN_PID", "1", 1);
  EXPECT_TRUE(activated_sockets()->empty());
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "many", 1);
  EXPECT_EQ(activated_sockets().error().code, Error::Code::invalid);
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_PID");
}

TEST(DescriptorLimit, is_raised_to_the_hard_one) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const auto limit = raise_descriptor_limit();
  ASSERT_TRUE(limit.has_value());
  EXPECT_EQ(limit->inherited, before.rlim_cur);
  EXPECT_EQ(limit->usable, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace spillway::runtime
