// deploy/supervisor_test.cc: the real supervisor: deaths, upgrades and the end.
#include "deploy/supervisor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/ascii.h"
#include "runtime/epoll_driver.h"
#include "runtime/listener.h"
#include "runtime/process_tree.h"
#include "runtime/socket_address.h"

namespace spillway::deploy {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Seen {
  std::string text;
  pid_t server = 0;
  std::string program;
  std::map<std::string, pid_t> ready;  // Replicas by name.
  bool is_ok = false;
};

Seen parse_answer(std::string text) {
  Seen seen{.text = std::move(text), .program = {}, .ready = {}};
  std::istringstream lines(seen.text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first == "server") {
      seen.server = parse_decimal<pid_t>(second).value_or(0);
      words >> seen.program;
    } else if (second == "ready") {
      words >> seen.ready[first];
    } else if (first == "ok") {
      seen.is_ok = true;
    }
  }
  return seen;
}

bool lives(pid_t pid) {
  const auto all = runtime::descendants_of(1);
  return std::ranges::find(all, pid) != all.end();
}

class SupervisorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "spillway_supervisor_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    program_ = directory_ / "spillway";
    fs::copy_file(FAKE_SPILLWAY, program_);
    // The port is free until the supervisor has it. Tests beside this one take theirs on 127.0.0.1:
    // what asks here must never reach one of them.
    const int probe = *runtime::listen_on(*SocketAddress::parse("127.0.0.2:0"), {});
    at_ = *runtime::bound_address(probe);
    ::close(probe);
  }
  void TearDown() override {
    if (supervisor_ > 0) {
      ::kill(supervisor_, SIGTERM);
      ::kill(supervisor_, SIGTERM);
      EXPECT_TRUE(ends(10s)) << "the supervisor does not stop";
    }
    EXPECT_EQ(log().find("Sanitizer"), std::string::npos) << log();
    EXPECT_EQ(log().find("CHECK"), std::string::npos) << log();
    fs::remove_all(directory_);
  }

  void write_plan(const std::string& services) {
    std::ofstream(directory_ / "plan") << "listen " << to_string(at_) << "\n" << services;
  }
  static std::string service(const std::string& counts, const std::string& mode = "well",
                             const std::string& extra = "") {
    return "service web " + counts + " " + FAKE_SPILLWAY + " replica " + mode + " " + extra + "\n";
  }
  void start(const std::string& services) {
    write_plan(services);
    const runtime::FileHandle log(
        ::open((directory_ / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    auto pid = runtime::spawn_process({.arguments = {program_, "up", directory_ / "plan", user_},
                                       .environment = runtime::inherited_environment(),
                                       .descriptors = {{log.fd(), 2}}});
    ASSERT_TRUE(pid.has_value());
    supervisor_ = *pid;
  }
  std::string log() {
    std::ifstream file(directory_ / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // True once the supervisor has ended; its status is in status_.
  bool ends(Duration patience) {
    const auto end = Clock::now() + patience;
    while (Clock::now() < end) {
      if (::waitpid(supervisor_, &status_, WNOHANG) == supervisor_) {
        supervisor_ = 0;
        return true;
      }
      pause();
    }
    return false;
  }

  // Other processes have their turn.
  void pause() { loop_.run_once(loop_.now() + 3ms); }

  // Connects and says `words`; nothing if nobody listens or no answer comes.
  std::optional<Seen> ask(const std::string& words = "", Duration patience = 5s) {
    const runtime::FileHandle socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto seconds = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
    const timeval limit{.tv_sec = seconds / 1'000'000, .tv_usec = seconds % 1'000'000};
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_storage system{};
    const socklen_t length = runtime::to_system(at_, system);
    if (::connect(socket.fd(), reinterpret_cast<sockaddr*>(&system), length) != 0) return {};
    const std::string line = words + "\n";
    ::send(socket.fd(), line.data(), line.size(), MSG_NOSIGNAL);
    std::string text;
    char bytes[4096];
    while (true) {
      const ssize_t count = ::recv(socket.fd(), bytes, sizeof bytes, 0);
      if (count < 0) return {};
      if (count == 0) break;
      text.append(bytes, static_cast<size_t>(count));
    }
    if (text.empty()) return {};
    return parse_answer(std::move(text));
  }
  // Asks until the answer pleases.
  template <class Condition>
  Seen ask_until(Condition condition, Duration patience = 10s) {
    const auto end = Clock::now() + patience;
    Seen last;
    while (Clock::now() < end) {
      if (auto seen = ask("", 1s)) {
        last = std::move(*seen);
        if (condition(last)) return last;
      }
      pause();
    }
    ADD_FAILURE() << "not seen in time; last answer:\n" << last.text << "\nlog:\n" << log();
    return last;
  }
  Seen ask_until_ready(size_t count) {
    return ask_until([count](const Seen& seen) { return seen.ready.size() == count; });
  }
  std::vector<pid_t> all_processes() { return runtime::descendants_of(supervisor_); }
  bool all_gone(const std::vector<pid_t>& pids, Duration patience) {
    const auto end = Clock::now() + patience;
    while (Clock::now() < end) {
      if (std::ranges::none_of(pids, lives)) return true;
      pause();
    }
    return false;
  }

  runtime::Loop loop_{*runtime::make_epoll_driver(), 0, 1};
  fs::path directory_;
  fs::path program_;
  SocketAddress at_;
  std::string user_;
  pid_t supervisor_ = 0;
  int status_ = 0;
};

TEST_F(SupervisorTest, starts_a_server_and_its_replicas_and_stops_all_in_order) {
  start(service("2 4", "family"));
  const Seen seen = ask_until_ready(2);
  EXPECT_NE(seen.text.find("line web.1 stdout hello from web.1"), std::string::npos) << seen.text;
  const auto all = all_processes();
  EXPECT_GE(all.size(), 7u) << "a server, and per replica: guard, main process, child";
  ::kill(supervisor_, SIGTERM);
  ASSERT_TRUE(ends(10s));
  EXPECT_TRUE(WIFEXITED(status_) && WEXITSTATUS(status_) == 0) << log();
  EXPECT_TRUE(all_gone(all, 1s));
}

TEST_F(SupervisorTest, a_killed_server_accepts_again_within_200_ms_with_its_replicas) {
  start(service("2 4"));
  const Seen before = ask_until_ready(2);
  ::kill(before.server, SIGKILL);
  const auto killed = Clock::now();
  // Connections are never refused meanwhile: they wait in the kernel's queue.
  std::optional<Seen> after;
  while (!after || after->server == before.server) {
    after = ask("", 2s);
    ASSERT_LT(Clock::now() - killed, 5s);
  }
  EXPECT_LT(Clock::now() - killed, 200ms);
  EXPECT_EQ(ask_until_ready(2).ready, before.ready) << "replicas untouched";
}

TEST_F(SupervisorTest, a_killed_supervisor_leaves_no_orphan) {
  start(service("2 4", "family"));
  ask_until_ready(2);
  const auto all = all_processes();
  ::kill(supervisor_, SIGKILL);
  ASSERT_TRUE(ends(1s));
  EXPECT_TRUE(all_gone(all, 8s));
}

TEST_F(SupervisorTest, a_killed_guard_leaves_no_orphan_and_its_replica_is_replaced) {
  start(service("1 1", "family"));
  const Seen before = ask_until_ready(1);
  const auto all = all_processes();
  const auto children = runtime::children_of(supervisor_);
  for (const pid_t child : children) {
    if (child != before.server) ::kill(child, SIGKILL);
  }
  const pid_t old = before.ready.at("web.1");
  const Seen after = ask_until([old](const Seen& seen) {
    return seen.ready.contains("web.1") && seen.ready.at("web.1") != old;
  });
  EXPECT_EQ(after.server, before.server);
  std::vector<pid_t> others = all;
  std::erase(others, before.server);
  EXPECT_TRUE(all_gone(others, 3s));
}

TEST_F(SupervisorTest, a_killed_replica_is_started_again_at_once) {
  start(service("2 4"));
  const Seen before = ask_until_ready(2);
  ::kill(before.ready.at("web.2"), SIGKILL);
  const auto killed = Clock::now();
  const Seen after = ask_until([&before](const Seen& seen) {
    return seen.ready.size() == 2 && seen.ready.at("web.2") != before.ready.at("web.2");
  });
  EXPECT_LT(Clock::now() - killed, 2s);
  EXPECT_EQ(after.ready.at("web.1"), before.ready.at("web.1"));
}

TEST_F(SupervisorTest, a_command_that_does_not_exist_is_reported_with_its_reason) {
  start("service web 1 1 no-such-program\n");
  ask_until([this](const Seen&) {
    return log().find("start no-such-program: exec: No such file or directory") !=
           std::string::npos;
  });
}

TEST_F(SupervisorTest, a_server_that_cannot_begin_ends_the_program_with_its_status) {
  at_ = *SocketAddress::parse("192.0.2.1:1");  // Nobody's address here.
  start(service("1 1"));
  ASSERT_TRUE(ends(10s));
  EXPECT_TRUE(WIFEXITED(status_) && WEXITSTATUS(status_) == 4);
}

TEST_F(SupervisorTest, a_deploy_replaces_each_replica_while_others_serve) {
  start(service("2 4"));
  const Seen before = ask_until_ready(2);
  const auto deployed = ask("deploy web");
  ASSERT_TRUE(deployed && deployed->is_ok) << log();
  const Seen after = ask_until_ready(2);
  for (const auto& [name, pid] : after.ready) EXPECT_NE(pid, before.ready.at(name));
  for (const auto& [name, pid] : before.ready) EXPECT_FALSE(lives(pid));
}

TEST_F(SupervisorTest, a_changed_command_is_rolled_out_and_a_failing_one_is_taken_back) {
  start(service("2 4"));
  const Seen before = ask_until_ready(2);
  write_plan(service("2 4", "well", "second"));
  ::kill(supervisor_, SIGHUP);
  const Seen second = ask_until([&before](const Seen& seen) {
    return seen.ready.size() == 2 && seen.ready.at("web.1") != before.ready.at("web.1") &&
           seen.ready.at("web.2") != before.ready.at("web.2");
  });
  write_plan(service("2 4", "deaf"));
  ::kill(supervisor_, SIGHUP);
  ask_until([this](const Seen&) { return log().find("rollout failed") != std::string::npos; });
  EXPECT_EQ(ask_until_ready(2).ready, second.ready) << "the old replicas are kept";
  EXPECT_NE(log().find("it was not ready in time"), std::string::npos) << log();
}

TEST_F(SupervisorTest, scales_within_the_bounds_of_the_plan) {
  start(service("1 3"));
  ask_until_ready(1);
  EXPECT_TRUE(ask("scale web 3")->is_ok);
  const Seen three = ask_until_ready(3);
  EXPECT_EQ(
      (std::set<pid_t>{three.ready.at("web.1"), three.ready.at("web.2"), three.ready.at("web.3")})
          .size(),
      3u);
  EXPECT_NE(ask("scale web 4")->text.find("the plan allows: 1 to 3"), std::string::npos);
  EXPECT_TRUE(ask("scale web 1")->is_ok);
  ask_until([](const Seen& seen) {
    return seen.text.find("web.2") == std::string::npos ||
           seen.text.find("line web.2") != std::string::npos;
  });
  EXPECT_EQ(ask_until_ready(1).ready.at("web.1"), three.ready.at("web.1"));
}

TEST_F(SupervisorTest, an_upgrade_keeps_pid_sockets_and_replicas_and_refuses_nobody) {
  start(service("2 4"));
  const Seen before = ask_until_ready(2);
  fs::copy_file(FAKE_SPILLWAY, directory_ / "newer");
  fs::rename(directory_ / "newer", program_);
  std::optional<Seen> slow;
  std::optional<Seen> upgraded;
  const pid_t helper = ::fork();  // A request that is under way while the server changes.
  if (helper == 0) {
    bool all_answered = true;
    for (int i = 0; i < 10; ++i) all_answered = all_answered && ask("slow").has_value();
    ::_exit(all_answered ? 0 : 1);
  }
  upgraded = ask("upgrade " + program_.string());
  ASSERT_TRUE(upgraded && upgraded->is_ok) << (upgraded ? upgraded->text : "") << log();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(ask().has_value()) << "refused at " << i << log();
  const Seen after = ask_until([&before](const Seen& seen) {
    return seen.server != before.server && seen.ready.size() == 2;
  });
  EXPECT_EQ(after.ready, before.ready);
  int status = 0;
  ASSERT_EQ(::waitpid(helper, &status, 0), helper);
  EXPECT_EQ(status, 0) << "a slow request was cut";
  EXPECT_TRUE(all_gone({before.server}, 5s)) << "the old server drained and left";
  ask_until([this](const Seen&) { return log().find("upgrade done") != std::string::npos; });
  char running[4096] = {};
  ASSERT_GT(::readlink(("/proc/" + std::to_string(supervisor_) + "/exe").c_str(), running,
                       sizeof running - 1),
            0);
  EXPECT_EQ(std::string(running), program_.string()) << "not the deleted old file";

  // The new supervisor is as good as the old one was.
  ::kill(after.server, SIGKILL);
  const Seen third = ask_until(
      [&after](const Seen& seen) { return seen.server != after.server && seen.ready.size() == 2; });
  EXPECT_EQ(third.ready, before.ready);
  ::kill(before.ready.at("web.1"), SIGKILL);
  ask_until([&before](const Seen& seen) {
    return seen.ready.size() == 2 && seen.ready.at("web.1") != before.ready.at("web.1");
  });
  const auto all = all_processes();
  ::kill(supervisor_, SIGTERM);
  ASSERT_TRUE(ends(10s));
  EXPECT_EQ(status_, 0);
  EXPECT_TRUE(all_gone(all, 1s));
}

TEST_F(SupervisorTest, a_new_program_that_fails_its_check_is_refused) {
  start(service("1 1"));
  const Seen before = ask_until_ready(1);
  fs::copy_file(FAKE_SPILLWAY, directory_ / "bad");
  const auto answer = ask("upgrade " + (directory_ / "bad").string());
  ASSERT_TRUE(answer.has_value());
  EXPECT_NE(answer->text.find("the new program's `check` ended with: exit status 2"),
            std::string::npos)
      << answer->text;
  const auto missing = ask("upgrade /no/such/file");
  EXPECT_NE(missing->text.find("open /no/such/file: No such file"), std::string::npos);
  const Seen after = ask_until_ready(1);
  EXPECT_EQ(after.server, before.server);
  EXPECT_EQ(after.ready, before.ready);
}

TEST_F(SupervisorTest, a_new_server_that_is_never_ready_is_killed_and_the_old_stays) {
  start(service("1 1"));
  const Seen before = ask_until_ready(1);
  fs::copy_file(FAKE_SPILLWAY, directory_ / "stuck");
  ::unlink(program_.c_str());
  fs::copy_file(FAKE_SPILLWAY, program_);
  const auto answer = ask("upgrade " + (directory_ / "stuck").string());
  ASSERT_TRUE(answer.has_value());
  EXPECT_NE(answer->text.find("not ready in time"), std::string::npos) << answer->text;
  EXPECT_EQ(runtime::children_of(supervisor_).size(), 2u) << "one server and one guard";
  const Seen after = ask_until([&before](const Seen& seen) {
    return seen.server == before.server && seen.ready == before.ready;
  });
  EXPECT_EQ(after.program, "spillway");
}

TEST_F(SupervisorTest, a_second_term_stops_at_once) {
  start(service("1 1", "family"));
  ask_until_ready(1);
  const auto all = all_processes();
  ::kill(supervisor_, SIGTERM);
  ::kill(supervisor_, SIGTERM);
  ASSERT_TRUE(ends(5s));
  EXPECT_EQ(status_, 0);
  EXPECT_TRUE(all_gone(all, 1s));
}

TEST_F(SupervisorTest, the_server_may_ask_for_the_end_of_all) {
  start(service("1 1"));
  ask_until_ready(1);
  EXPECT_TRUE(ask("stop")->is_ok);
  ASSERT_TRUE(ends(5s));
  EXPECT_EQ(status_, 0);
}

TEST_F(SupervisorTest, the_server_and_its_replicas_run_as_the_given_user) {
  if (::getuid() != 0) GTEST_SKIP() << "needs root";
  user_ = "nobody";
  fs::permissions(directory_, fs::perms(0755));
  start("service web 1 1 " + program_.string() + " replica well\n");
  const Seen seen = ask_until_ready(1);
  ASSERT_EQ(seen.ready.size(), 1u);
  for (const pid_t pid : {seen.server, seen.ready.at("web.1")}) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NE(text.find("Uid:\t65534\t65534\t65534\t65534"), std::string::npos) << text;
    EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos);
  }
  const auto upgraded = ask("upgrade " + program_.string());
  EXPECT_TRUE(upgraded && upgraded->is_ok) << log();
}

TEST_F(SupervisorTest, serves_on_a_socket_that_the_service_manager_opened) {
  const runtime::FileHandle socket(*runtime::listen_on(at_, {.reuse_port = false}));
  write_plan(service("1 1"));
  // LISTEN_PID has to be the pid of the program itself, which a shell knows before its exec.
  const std::string script = "LISTEN_FDS=1 LISTEN_PID=$$ exec " + program_.string() + " up " +
                             (directory_ / "plan").string();
  auto pid = runtime::spawn_process({.arguments = {"sh", "-c", script},
                                     .environment = runtime::inherited_environment(),
                                     .descriptors = {{socket.fd(), 3}}});
  ASSERT_TRUE(pid.has_value());
  supervisor_ = *pid;
  const Seen before = ask_until_ready(1);
  ::kill(before.server, SIGKILL);
  ask_until([&before](const Seen& seen) { return seen.server != before.server; });
}

TEST_F(SupervisorTest, a_server_that_dies_again_and_again_is_started_more_slowly) {
  start(service("1 1"));
  pid_t last = ask_until_ready(1).server;
  for (int i = 0; i < 4; ++i) {
    ::kill(last, SIGKILL);
    last = ask_until([last](const Seen& seen) { return seen.server != last; }).server;
  }
  EXPECT_NE(log().find("server dies again and again"), std::string::npos);
}

TEST_F(SupervisorTest, a_server_that_never_lives_until_it_is_ready_is_given_up) {
  start("crash\n");
  ASSERT_TRUE(ends(10s));
  EXPECT_TRUE(WIFEXITED(status_) && WEXITSTATUS(status_) == 1);
  EXPECT_NE(log().find("giving up: no server lived until it was ready"), std::string::npos);
}

TEST_F(SupervisorTest, replicas_get_the_descriptor_limit_that_we_were_given) {
  start("service web 1 1 sh -c ulimit\t-S\t-n;exec\t" + std::string(FAKE_SPILLWAY) +
        "\treplica\twell\n");
  rlimit ours{};
  ::getrlimit(RLIMIT_NOFILE, &ours);
  const std::string line = "line web.1 stdout " + std::to_string(ours.rlim_cur) + "\n";
  ask_until([&line](const Seen& seen) { return seen.text.find(line) != std::string::npos; });
}

}  // namespace
}  // namespace spillway::deploy
