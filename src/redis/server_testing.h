// redis/server_testing.h: for tests: real Redis servers on free ports, which end with the test.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redis/command.h"
#include "redis/resp_parser.h"
#include "runtime/child_process.h"

namespace spillway::redis {

// Tests with a real server are passed over, and say so, where there is none.
inline bool has_redis_server() {
  return std::system("command -v redis-server >/dev/null 2>&1") == 0;
}

inline sockaddr_in loopback_at(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// One that nothing listens on.
inline uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback_at(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

// Runs from start() to stop() or the end of the object, in a folder of its own, keeping nothing.
class RedisServer {
 public:
  explicit RedisServer(std::vector<std::string> more = {}, uint16_t port = free_port())
      : more_(std::move(more)), port_(port) {
    std::string path = (std::filesystem::temp_directory_path() / "spillway-redis-XXXXXX").string();
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
    start();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  uint16_t port() const { return port_; }
  void start() {
    const std::string port = std::to_string(port_);
    runtime::ChildOptions options{
        .arguments = {"redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
                      "--appendonly", "no", "--dir", folder_.string(), "--logfile",
                      (folder_ / "log").string()},
        .environment = runtime::inherited_environment(),
        .directory = folder_.string(),
        .parent_death_signal = SIGKILL};
    options.arguments.insert(options.arguments.end(), more_.begin(), more_.end());
    const auto pid = runtime::spawn_process(options);
    ASSERT_TRUE(pid.has_value()) << pid.error().detail;
    pid_ = *pid;
    EXPECT_TRUE(answers()) << "redis-server does not come up";
  }
  // kill -9.
  void stop() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGCONT);
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  // SIGSTOP and SIGCONT: it takes connections and says nothing.
  void freeze() { ::kill(pid_, SIGSTOP); }
  void thaw() { ::kill(pid_, SIGCONT); }

  // A command on a connection of its own, blocking; an error if there was no answer.
  Reply ask(std::initializer_list<std::string_view> words) const {
    Reply reply{.kind = Reply::Kind::error, .text = "no answer"};
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback_at(port_);
    const std::string text = command(words);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size())) {
      RespParser parser;
      char bytes[4096];
      for (pollfd news{fd, POLLIN, 0}; ::poll(&news, 1, answer_limit_ms) > 0;) {
        const ssize_t count = ::recv(fd, bytes, sizeof bytes, 0);
        if (count <= 0) break;
        const auto event = parser.parse({bytes, static_cast<size_t>(count)});
        if (event.kind == RespEvent::Kind::need_more) continue;
        if (event.kind == RespEvent::Kind::reply) reply = parser.take();
        break;
      }
    }
    ::close(fd);
    return reply;
  }

 private:
  static constexpr int answer_limit_ms = 10'000;
  static constexpr int tries_max = 2000;

  bool answers() const {
    for (int i = 0; i < tries_max; ++i) {
      const Reply reply = ask({"PING"});
      if (reply.text == "PONG" || reply.error_code() == "NOAUTH") return true;
      (void)::poll(nullptr, 0, 5);  // It has not bound its port.
    }
    return false;
  }

  const std::vector<std::string> more_;
  const uint16_t port_;
  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

// Three nodes with a third of the slots each, and no replicas.
class RedisCluster {
 public:
  static constexpr size_t size = 3;

  RedisCluster() {
    for (size_t i = 0; i < size; ++i) {
      nodes_.push_back(std::make_unique<RedisServer>(
          std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                                   "--cluster-port", std::to_string(free_port())}));
    }
    const char* const ranges[size][2] = {{"0", "5460"}, {"5461", "10922"}, {"10923", "16383"}};
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(nodes_[i]->ask({"CLUSTER", "ADDSLOTSRANGE", ranges[i][0], ranges[i][1]}).text,
                "OK");
      if (i == 0) continue;
      const std::string port = std::to_string(nodes_[0]->port());
      const std::string bus = bus_port(0);
      EXPECT_EQ(nodes_[i]->ask({"CLUSTER", "MEET", "127.0.0.1", port, bus}).text, "OK");
    }
    for (size_t i = 0; i < size; ++i) EXPECT_TRUE(is_whole(i)) << "the cluster does not form";
  }

  RedisServer& node(size_t i) { return *nodes_[i]; }
  std::string id(size_t i) const { return nodes_[i]->ask({"CLUSTER", "MYID"}).text; }
  size_t owner(uint16_t slot) const { return slot <= 5460 ? 0 : slot <= 10922 ? 1 : 2; }

 private:
  static constexpr int tries_max = 2000;

  std::string bus_port(size_t i) const {
    const Reply reply = nodes_[i]->ask({"CONFIG", "GET", "cluster-port"});
    return reply.items.size() == 2 ? reply.items[1].text : "";
  }
  bool is_whole(size_t i) const {
    for (int tries = 0; tries < tries_max; ++tries) {
      const std::string info = nodes_[i]->ask({"CLUSTER", "INFO"}).text;
      if (info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")) return true;
      (void)::poll(nullptr, 0, 5);
    }
    return false;
  }

  std::vector<std::unique_ptr<RedisServer>> nodes_;
};

}  // namespace spillway::redis
