// cli/main.cc: the program.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "plan/loader.h"
#include "runtime/epoll_driver.h"
#include "server/server.h"
#include "telemetry/log.h"

using namespace spillway;

class Stderr final : public telemetry::LogSink {
 public:
  void write_line(std::string_view line) override { (void)!::write(2, line.data(), line.size()); }
};
runtime::Loop* stop_me;
int main(int argc, char** argv) {
  plan::Plan plan;
  if (argc == 4 && std::string_view(argv[2]) == "--to") {
    auto p = plan::to_address(argv[3]);
    if (!p) { fmt::print("{}\n", p.error().detail); return 2; }
    plan = *p;
  } else {
    auto loaded = plan::load_file(argv[2]);
    for (auto& e : loaded.errors) fmt::print("{}\n", to_string(e));
    if (!loaded.plan) return 2;
    plan = *loaded.plan;
  }
  Stderr sink;
  telemetry::Log log(sink, [] { return std::chrono::system_clock::now(); }, telemetry::LogLevel::info, telemetry::LogFormat::human);
  uint32_t workers = server::Server::worker_count(plan);
  telemetry::Registry registry(workers + 1);
  runtime::Loop control(*runtime::make_epoll_driver(), workers, 1);
  stop_me = &control;
  server::Server server(control, registry, log, plan, [](uint32_t core) {
    return std::make_unique<runtime::Loop>(*runtime::make_epoll_driver(), core, core + 7);
  });
  std::vector<server::ListeningSockets> sockets;
  for (auto& l : plan.listen) {
    server::ListeningSockets s;
    for (uint32_t i = 0; i < workers; ++i) s.fds.push_back(*runtime::listen_on(l.at.socket, {}));
    sockets.push_back(s);
  }
  auto r = server.start(sockets);
  if (!r) fmt::print("{}\n", r.error().detail);
  server.run_workers();
  std::signal(SIGTERM, [](int) { _exit(0); });
  control.run();
}
