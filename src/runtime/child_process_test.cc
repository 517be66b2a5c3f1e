// runtime/child_process_test.cc: real children: what they inherit, how they end, failed starts.
#include "runtime/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>

#include "runtime/epoll_driver.h"
#include "runtime/gate.h"
#include "runtime/process_tree.h"

namespace spillway::runtime {
namespace {

class ChildProcessTest : public ::testing::Test {
 protected:
  void run(Task<void> task) {
    Gate gate(loop);
    gate.spawn(std::move(task));
    for (int turn = 0; turn < 10'000 && gate.count() > 0; ++turn) loop.run_once(loop.now() + 10ms);
    ASSERT_EQ(gate.count(), 0u) << "the task has not ended";
  }
  static Task<void> wait(ChildProcess& child, Deadline deadline, Result<ExitStatus>& into) {
    into = co_await child.exited(deadline);
  }
  Result<ExitStatus> end_of(ChildProcess& child, Duration patience = 5s) {
    Result<ExitStatus> status;
    run(wait(child, Deadline::after(loop.now(), patience), status));
    return status;
  }
  // What a shell script prints, run with the given options.
  std::string output_of(ChildOptions options, const std::string& script) {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    const FileHandle reader(fds[0]);
    FileHandle writer(fds[1]);
    options.arguments = {"sh", "-c", script};
    if (options.environment.empty()) options.environment = inherited_environment();
    options.descriptors.push_back({.ours = writer.fd(), .theirs = 1});
    auto child = ChildProcess::start(loop, options);
    EXPECT_TRUE(child.has_value());
    writer.close();
    std::string text;
    char bytes[1024];
    while (true) {
      const ssize_t count = ::read(reader.fd(), bytes, sizeof bytes);
      if (count <= 0) break;
      text.append(bytes, static_cast<size_t>(count));
    }
    EXPECT_TRUE(end_of(*child).has_value());
    return text;
  }

  Loop loop{*make_epoll_driver(), 0, 1};
};

TEST_F(ChildProcessTest, tells_exit_codes_from_signals) {
  auto leaves = ChildProcess::start(loop, {.arguments = {"sh", "-c", "exit 7"}});
  ASSERT_TRUE(leaves.has_value());
  EXPECT_EQ(*end_of(*leaves), ExitStatus{.code = 7});
  EXPECT_EQ(*end_of(*leaves), ExitStatus{.code = 7}) << "the answer is kept";

  auto stays = ChildProcess::start(loop, {.arguments = {"sleep", "60"}});
  ASSERT_TRUE(stays.has_value());
  EXPECT_EQ(end_of(*stays, 20ms).error().code, Error::Code::deadline_exceeded);
  stays->signal(SIGKILL);
  const auto status = end_of(*stays);
  EXPECT_EQ(*status, ExitStatus{.signal = SIGKILL});
  EXPECT_EQ(to_string(*status), "killed by SIGKILL (9)");
}

TEST_F(ChildProcessTest, a_failed_exec_is_an_error_with_its_reason) {
  const auto missing = ChildProcess::start(loop, {.arguments = {"no-such-program-here"}});
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Error::Code::not_found);
  EXPECT_EQ(missing.error().detail, "start no-such-program-here: exec: No such file or directory");
  const auto forbidden = ChildProcess::start(loop, {.arguments = {"/etc/passwd"}});
  EXPECT_EQ(forbidden.error().code, Error::Code::permission);
  const auto nowhere =
      ChildProcess::start(loop, {.arguments = {"true"}, .directory = "/no/such/place"});
  EXPECT_EQ(nowhere.error().code, Error::Code::not_found);
  EXPECT_NE(nowhere.error().detail.find("/no/such/place"), std::string::npos);
  EXPECT_TRUE(children_of(::getpid()).empty()) << "a failed start left a child behind";
}

TEST_F(ChildProcessTest, a_child_inherits_only_what_it_is_given) {
  const FileHandle stray(::open("/dev/null", O_RDONLY));  // Without close-on-exec.
  const FileHandle given(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const std::string listed = output_of(
      {.descriptors = {{.ours = given.fd(), .theirs = 5}}},
      "for fd in /proc/$$/fd/*; do n=${fd##*/}; [ $n -gt 2 ] && readlink $fd; done; true");
  EXPECT_EQ(listed, "/dev/zero\n");
}

TEST_F(ChildProcessTest, descriptors_may_swap_places) {
  const FileHandle zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const FileHandle full(::open("/dev/full", O_RDONLY | O_CLOEXEC));
  const std::string listed = output_of({.descriptors = {{.ours = zero.fd(), .theirs = full.fd()},
                                                        {.ours = full.fd(), .theirs = zero.fd()}}},
                                       "readlink /proc/$$/fd/" + std::to_string(zero.fd()) +
                                           " /proc/$$/fd/" + std::to_string(full.fd()));
  EXPECT_EQ(listed, "/dev/full\n/dev/zero\n");
}

TEST_F(ChildProcessTest, signals_environment_group_and_limit_are_fresh) {
  sigset_t blocked;
  sigset_t before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  ::signal(SIGPIPE, SIG_IGN);
  ChildOptions options;
  options.environment = {"PATH=/usr/bin:/bin", "WHO=world"};
  options.descriptor_limit = 256;
  const std::string text = output_of(
      options,
      "grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f2 | tr -d '0\\n'; echo \"$WHO\"; "
      "ulimit -S -n; [ \"$(cut -d' ' -f5 /proc/$$/stat)\" = $$ ] && echo own group; pwd -P");
  ::signal(SIGPIPE, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  char here[4096];
  ASSERT_NE(::getcwd(here, sizeof here), nullptr);
  EXPECT_EQ(text, "world\n256\nown group\n" + std::string(here) + "\n");
}

TEST_F(ChildProcessTest, becomes_another_user_for_good) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root";
  auto nobody = find_user("nobody");
  ASSERT_TRUE(nobody.has_value());
  EXPECT_EQ(
      output_of({.credentials = *nobody}, "id -un; grep NoNewPrivs /proc/self/status | cut -f2"),
      "nobody\n1\n");
  EXPECT_EQ(find_user("no-such-user-here").error().code, Error::Code::not_found);
}

TEST_F(ChildProcessTest, signals_reach_the_whole_group) {
  auto child = ChildProcess::start(loop, {.arguments = {"sh", "-c", "sleep 60 & sleep 60"}});
  ASSERT_TRUE(child.has_value());
  while (descendants_of(child->pid()).size() < 2) loop.run_once(loop.now() + 5ms);
  const pid_t grandchild = descendants_of(child->pid()).front();
  child->signal_group(SIGKILL);
  EXPECT_EQ(end_of(*child)->signal, SIGKILL);
  for (int i = 0; i < 200 && ::kill(grandchild, 0) == 0; ++i) {
    if (::access(("/proc/" + std::to_string(grandchild)).c_str(), F_OK) != 0) break;
    const auto living = descendants_of(1);
    if (std::find(living.begin(), living.end(), grandchild) == living.end()) break;
    loop.run_once(loop.now() + 5ms);
  }
  const auto living = descendants_of(1);
  EXPECT_EQ(std::find(living.begin(), living.end(), grandchild), living.end());
}

TEST(Environment, variables_are_replaced_not_doubled) {
  std::vector<std::string> environment = {"A=1", "AB=2", "A=3"};
  set_variable(environment, "A", "4");
  EXPECT_EQ(environment, (std::vector<std::string>{"AB=2", "A=4"}));
}

}  // namespace
}  // namespace spillway::runtime
