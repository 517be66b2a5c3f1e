// deploy/testing/fake_spillway_main.cc: a program with the real supervisor and a server for tests.
//
//   fake_spillway up PLAN [USER] the supervisor; PLAN has lines "listen ADDRESS" and
//                                "service NAME MIN MAX COMMAND..."; with "crash" the server dies
//                                by a signal before it is ready
//   fake_spillway server PLAN    its child: answers each connection with "server PID" and a list of
//                                the replicas that are ready; the clients' words are commands
//   fake_spillway replica MODE   listens on PORT and answers "replica PID"
//   fake_spillway check PLAN     succeeds unless the program's own file name has "bad" in it
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "deploy/local_replicas.h"
#include "deploy/supervisor.h"
#include "runtime/descriptor_limit.h"
#include "runtime/epoll_driver.h"
#include "runtime/listener.h"

namespace spillway::deploy {
namespace {

using runtime::Loop;
using runtime::Task;

class ErrorOutput final : public telemetry::LogSink {
 public:
  void write_line(std::string_view line) override {
    [[maybe_unused]] const ssize_t count = ::write(2, line.data(), line.size());
  }
};

struct Plan {
  std::vector<SocketAddress> listen;
  std::map<std::string, ProcessConfig> services;
};

Plan read_plan(const std::string& path) {
  Plan plan;
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "crash") ::raise(SIGKILL);
    if (kind == "listen") {
      std::string address;
      words >> address;
      plan.listen.push_back(*SocketAddress::parse(address));
    } else if (kind == "service") {
      std::string name;
      uint32_t most = 0;
      ProcessConfig config;
      words >> name >> config.replicas.min >> most;
      config.replicas.max = most;
      config.ready.every = 10ms;
      config.ready.timeout = 2s;
      config.restart.pause = 100ms;
      config.stop.grace = 500ms;
      for (std::string word; std::getline(words, word, ' ');) {
        std::ranges::replace(word, '\t', ' ');  // A word may have spaces, written as tabs.
        if (!word.empty()) config.run.push_back(word);
      }
      plan.services[name] = config;
    }
  }
  return plan;
}

// The file that this process runs.
std::string own_file() {
  char path[4096];
  const ssize_t count = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string whole(path, static_cast<size_t>(std::max<ssize_t>(count, 0)));
  return whole.substr(whole.rfind('/') + 1);
}

class ConnectProbe final : public ReadyProbe {
 public:
  explicit ConnectProbe(Loop& loop) : loop_(loop) {}
  Task<Result<void>> probe_ready(ReplicaEndpoint endpoint, std::optional<std::string>,
                                 Deadline deadline) override {
    CO_TRY_VOID(co_await runtime::Socket::connect(loop_, endpoint.address, deadline));
    co_return Result<void>{};
  }

 private:
  Loop& loop_;
};

class FakeServer final : private ServerDuties, private EndpointObserver {
 public:
  FakeServer(Loop& loop, std::string plan, telemetry::Log& log)
      : loop_(loop), plan_(std::move(plan)), log_(log), probe_(loop), ended_(loop), gate_(loop) {}

  int run() {
    gate_.spawn(live());
    while (gate_.count() > 0) loop_.run_once(Instant::max());
    return 0;
  }

 private:
  Deadline soon() { return Deadline::after(loop_.now(), 5s); }

  Task<void> live() {
    channel_ = *SupervisorChannel::adopt(loop_, server_control_descriptor);
    auto handover = co_await channel_->handover(soon());
    CHECK(handover.has_value());
    const KeeperContext context{.loop = loop_,
                                .channel = *channel_,
                                .probe = probe_,
                                .observer = *this,
                                .log = log_,
                                .drain = 1s};
    replicas_.emplace(context, std::move(handover->replicas));
    const Plan plan = read_plan(plan_);
    replicas_->apply(plan.services);
    channel_->run(*this, *replicas_);
    for (const auto& at : plan.listen) co_await listen_on(at);
    if (own_file().find("stuck") == std::string::npos) {
      CHECK((co_await channel_->ready(soon())).has_value());
      for (auto& listener : listeners_) connections_.spawn(accept_on(listener));
    }
    [[maybe_unused]] const auto ended = co_await ended_.wait(Deadline::never());
    for (auto& listener : listeners_) listener.interrupt();
    co_await replicas_->close();
    [[maybe_unused]] const auto served = co_await connections_.close(soon());
    co_await channel_->close();
  }
  Task<void> listen_on(SocketAddress at) {
    auto sockets = co_await channel_->listen({.at = at, .sockets = 2}, soon());
    if (!sockets) {
      std::fprintf(stderr, "%s\n", sockets.error().detail.c_str());
      ::_exit(4);
    }
    for (auto& socket : sockets->sockets) {
      listeners_.push_back(*runtime::Listener::adopt(loop_, socket.release()));
    }
  }
  Task<void> accept_on(runtime::Listener& listener) {
    while (true) {
      auto accepted = co_await listener.accept();
      if (!accepted) break;
      connections_.spawn(converse(std::move(accepted->socket)));
    }
    listener.close();
  }
  // "\n": who is there. Others: see below; answered with "ok" or why not.
  Task<void> converse(runtime::Socket socket) {
    char bytes[512];
    auto count = co_await socket.read(bytes, soon());
    if (!count || *count == 0) co_return;
    std::istringstream words(std::string(bytes, *count));
    std::string command;
    std::string what;
    words >> command >> what;
    Result<void> done;
    if (command == "deploy") done = co_await replicas_->deploy(what, Deadline::never());
    if (command == "scale") {
      uint32_t number = 0;
      words >> number;
      done = replicas_->scale(what, number);
    }
    if (command == "upgrade") done = co_await channel_->upgrade(what, Deadline::never());
    if (command == "stop") done = co_await channel_->stop_everything(soon());
    if (command == "slow") co_await runtime::sleep(loop_, 300ms);
    std::string answer = fmt::format("server {} {}", ::getpid(), own_file());
    for (const auto& status : replicas_->status()) {
      answer += fmt::format("\n{} {} {} {}", status.name, to_string(status.state), status.pid,
                            status.port);
    }
    for (const auto& line : lines_) answer += "\nline " + line;
    answer += done ? "\nok\n" : "\nerror " + done.error().detail + "\n";
    [[maybe_unused]] const auto written = co_await socket.write(answer, soon());
  }

  void drain(std::optional<Duration>) override { ended_.set(); }
  void reload() override { replicas_->apply(read_plan(plan_).services); }
  void reopen_log_files() override {}
  void endpoint_ready(const ReplicaEndpoint&) override {}
  void endpoint_gone(const ReplicaEndpoint&) override {}
  Task<void> endpoint_leaving(ReplicaEndpoint, Deadline) override { co_return; }
  void endpoint_wrote(const std::string& name, bool is_error, std::string_view line) override {
    lines_.push_back(fmt::format("{} {} {}", name, is_error ? "stderr" : "stdout", line));
  }

  Loop& loop_;
  const std::string plan_;
  telemetry::Log& log_;
  ConnectProbe probe_;
  std::unique_ptr<SupervisorChannel> channel_;
  std::optional<LocalReplicas> replicas_;
  std::list<runtime::Listener> listeners_;
  std::vector<std::string> lines_;
  runtime::Event ended_;
  runtime::Gate gate_;
  runtime::Gate connections_{loop_};
};

int run_supervisor(Loop& loop, telemetry::Log& log, const std::string& plan,
                   const std::string& user) {
  const auto limit = runtime::raise_descriptor_limit();
  char path[4096];
  const ssize_t count = ::readlink("/proc/self/exe", path, sizeof path);
  Supervisor supervisor(
      loop,
      {.arguments = {"fake_spillway", "up", plan, user},
       .server_arguments = {"fake_spillway", "server", plan},
       .program = std::string(path, static_cast<size_t>(count)),
       .upgrade_checks = {{"check", plan}},
       .user = user.empty() ? std::nullopt : std::optional(user),
       .replica_descriptor_limit = limit ? std::optional(limit->inherited) : std::nullopt,
       .drain = 3s,
       .ready_within = 1s,
       .replica_grace = 1s},
      log, runtime::ServiceManager::from_environment());
  auto activated = runtime::activated_sockets();
  for (auto& socket : *activated) {
    if (!supervisor.adopt(std::move(socket))) return 1;
  }
  return supervisor.run();
}

// Modes: "well"; "deaf" never listens; "family" leaves children in other sessions.
int run_replica(const std::string& mode) {
  const char* port = ::getenv("PORT");
  if (port == nullptr) return 3;
  std::printf("hello from %s\n", ::getenv("SPILLWAY_REPLICA"));
  std::fflush(stdout);
  if (mode == "family" && ::fork() == 0) {
    ::setsid();
    ::signal(SIGTERM, SIG_IGN);
    while (true) ::pause();
  }
  if (mode == "deaf") {
    while (true) ::pause();
  }
  auto address = SocketAddress::parse(std::string("127.0.0.1:") + port);
  const auto listener = runtime::listen_on(*address, {.reuse_port = false});
  if (!listener) return 5;
  ::fcntl(*listener, F_SETFL, 0);
  while (true) {
    const int connection = ::accept(*listener, nullptr, nullptr);
    ::dprintf(connection, "replica %d\n", ::getpid());
    ::close(connection);
  }
}

int run(int count, char** words) {
  const std::string command = count > 1 ? words[1] : "";
  const std::string argument = count > 2 ? words[2] : "";
  if (command == "check") return own_file().find("bad") == std::string::npos ? 0 : 2;
  if (command == "replica") return run_replica(argument);
  ErrorOutput output;
  telemetry::Log log(
      output, [] { return std::chrono::system_clock::now(); }, telemetry::LogLevel::info,
      telemetry::LogFormat::json);
  Loop loop(*runtime::make_epoll_driver(), 0, 1);
  if (command == "up") return run_supervisor(loop, log, argument, count > 3 ? words[3] : "");
  if (command == "server") return FakeServer(loop, argument, log).run();
  return 64;
}

}  // namespace
}  // namespace spillway::deploy

int main(int count, char** words) { return spillway::deploy::run(count, words); }
