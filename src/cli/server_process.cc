// cli/server_process.cc: bind, serve, follow signals, drain, end.
#include "cli/server_process.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "runtime/epoll_driver.h"
#include "runtime/listener.h"

namespace spillway::cli {

using runtime::Task;

namespace {

constexpr Duration watch_pause = 1s;
// After a stop that must not wait, what is cut has this long to leave.
constexpr Duration cut_pause = 100ms;

std::unique_ptr<runtime::Loop> worker_loop(uint32_t core) {
  auto driver = runtime::make_epoll_driver();
  CHECK(driver.has_value());  // At the start descriptors are not scarce.
  return std::make_unique<runtime::Loop>(std::move(*driver), core, core + 1);
}

// Each connection takes a descriptor here and most another to its endpoint.
void raise_descriptor_limit(const plan::Plan& plan, telemetry::Log& log) {
  constexpr uint64_t others = 1024;  // Listeners, logs, idle connections to endpoints.
  const uint64_t wanted =
      plan.resources.descriptors.value_or(plan.resources.connections * 2 + others);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_max = std::max<rlim_t>(limit.rlim_max, ::geteuid() == 0 ? wanted : 0);
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
    log.warn("fewer descriptors than the plan needs",
             {{"wanted", wanted}, {"granted", limit.rlim_cur}});
  }
}

}  // namespace

void ErrorStream::write_line(std::string_view line) {
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

ServerProcess::ServerProcess(std::unique_ptr<runtime::Driver> driver, PlanSource source,
                             const plan::Plan& plan, Output& output)
    : output_(output),
      source_(std::move(source)),
      loop_(std::move(driver), server::Server::worker_count(plan), 0),
      tee_(errors_, loop_),
      log_(
          tee_, [] { return std::chrono::system_clock::now(); }, telemetry::LogLevel::info,
          ::isatty(STDERR_FILENO) == 1 ? telemetry::LogFormat::human : telemetry::LogFormat::json),
      registry_(server::Server::worker_count(plan) + 1),
      server_(loop_, registry_, log_, plan, worker_loop),
      stop_now_(loop_),
      ended_(loop_),
      tasks_(loop_) {}

ServerProcess::~ServerProcess() { tee_.show_in(nullptr); }

Result<void> ServerProcess::listen() {
  const plan::Plan& plan = server_.plan();
  for (const server::ListenConfig& listener : plan.listen) {
    const SocketAddress& at = listener.at.socket;
    server::ListeningSockets& sockets = sockets_.emplace_back();
    SocketAddress bound = at;
    const size_t count = at.is_unix() ? 1 : server_.workers().size();
    for (size_t i = 0; i < count; ++i) {
      runtime::ListenOptions options;
      if (listener.mode) options.unix_mode = listener.mode->bits;
      TRY(fd, runtime::listen_on(bound, options));  // All on the port that the first was given.
      sockets.fds.push_back(fd);
      TRY(address, runtime::bound_address(fd));
      bound = address;
    }
    listeners_.push_back(
        {.at = to_string(listener.at), .bound = to_string(server::ListenAddress{bound})});
  }
  // The token guards a UNIX socket as well; its file is for its user alone all the same.
  TRY(fd, runtime::listen_on(plan.admin.socket, {.reuse_port = false, .unix_mode = 0600}));
  admin_socket_ = fd;
  TRY(address, runtime::bound_address(fd));
  admin_ = plan.admin.socket.is_unix() ? to_string(plan.admin)
                                       : to_string(server::ListenAddress{address});
  return {};
}

Result<void> ServerProcess::publish() {
  TRY(token, deploy::make_token());
  token_ = token;
  const deploy::Instance instance{.name = server_.plan().name,
                                  .admin = admin_,
                                  .token = token_,
                                  .pid = ::getpid(),
                                  .plan = source_.text};
  TRY(file, deploy::InstanceFile::publish(instance, deploy::instance_directories().front()));
  instance_file_.emplace(std::move(file));
  return {};
}

Result<void> ServerProcess::start() {
  TRY(signals, runtime::Signals::open(loop_));
  signals_.emplace(std::move(signals));
  raise_descriptor_limit(server_.plan(), log_);
  TRY_VOID(listen());
  TRY_VOID(publish());
  TRY_VOID(server_.start(sockets_));
  for (const server::ListeningSockets& sockets : sockets_) {
    for (const int fd : sockets.fds) ::close(fd);  // The workers have their own.
  }

  server::ControlOptions options{.version = version_text(),
                                 .plan_source = source_.text,
                                 .listeners = listeners_,
                                 .stop = [this](bool now) { begin_stop(now); }};
  if (source_.is_file) options.load = source_.load;
  control_.emplace(loop_, server_, log_, std::move(options));
  tee_.show_in(&control_->logs());
  TRY(admin, runtime::bound_address(admin_socket_));
  api_.emplace(*control_, log_, admin::AccessRules{.token = token_, .at = admin});
  api_listener_.emplace(loop_, *api_);
  TRY_VOID(api_listener_->listen(admin_socket_));
  CHECK(tasks_.spawn(follow_signals()));
  server_.run_workers();
  control_->start();
  announce();
  return {};
}

void ServerProcess::announce() {
  std::string where;
  for (const admin::ListenerStatus& listener : listeners_) {
    where += (where.empty() ? "" : ", ") + listener.bound;
  }
  log_.info("serving", {{"at", where}, {"plan", source_.text}});
  output_.note(fmt::format("Spillway {} serves {} at {}", version_text(), source_.text, where));
  output_.note(fmt::format("Control API and /metrics at {}. Try: spillway status", admin_));
}

void ServerProcess::watch(const std::vector<std::string>& files) {
  files_.follow(files);
  CHECK(tasks_.spawn(follow_files()));
}

Task<void> ServerProcess::follow_files() {
  while (!is_stopping_) {
    (void)co_await ended_.wait(Deadline::after(loop_.now(), watch_pause));
    if (is_stopping_ || !files_.has_changed()) continue;
    files_.follow(source_.load().files);
    co_await reload();
  }
}

Task<void> ServerProcess::reload() {
  auto report = co_await control_->reload();
  if (!report) co_return log_.warn("no reload", {{"why", report.error().detail}});
  for (const plan::Problem& problem : report->errors) {
    log_.error("plan", {{"problem", to_string(problem)}});
  }
}

Task<void> ServerProcess::follow_signals() {
  while (!ended_.is_set()) {
    const auto number = co_await signals_->next(Deadline::never());
    if (!number) continue;
    switch (*number) {
      case SIGTERM: begin_stop(false); break;
      case SIGINT: begin_stop(is_stopping_); break;  // The second one is impatient.
      case SIGHUP: co_await reload(); break;
      case SIGUSR1: server_.reopen_logs(); break;
      default: break;
    }
  }
}

void ServerProcess::begin_stop(bool now) {
  if (now) stop_now_.set();
  if (std::exchange(is_stopping_, true)) return;
  log_.info("stopping", {{"drain", now ? Duration::zero() : server_.plan().shutdown.drain}});
  stop_deadline_ = Deadline::after(loop_.now(), now ? cut_pause : server_.plan().shutdown.drain);
  CHECK(tasks_.spawn(stop()));
}

Task<void> ServerProcess::stop() {
  was_in_order_ = co_await server_.drain(stop_deadline_);
  api_->end_streams();
  co_await control_->close();
  co_await api_listener_->close(Deadline::after(loop_.now(), 1s));
  ended_.set();
  signals_->interrupt();
  loop_.stop();
}

int ServerProcess::run() {
  loop_.run();
  // What was interrupted has its last turns.
  while (tasks_.count() > 0) loop_.run_once(loop_.now() + 10ms);
  log_.info("stopped", {{"in_order", was_in_order_}});
  return exit_ok;
}

int run_server(const Options& options, Output& output) {
  PlanSource source = plan_source(options.up);
  plan::LoadResult loaded = source.load();
  for (const plan::Problem& problem : loaded.errors) output.error(to_string(problem));
  for (const plan::Problem& problem : loaded.warnings) {
    output.note("warning: " + to_string(problem));
  }
  if (!loaded.plan) return exit_bad_usage;
  auto driver = runtime::make_epoll_driver();
  if (!driver) {
    output.error(driver.error());
    return exit_failed;
  }
  ServerProcess process(std::move(*driver), std::move(source), *loaded.plan, output);
  if (auto started = process.start(); !started) {
    output.error(started.error());
    return exit_failed;
  }
  if (options.up.watch) process.watch(loaded.files);
  return process.run();
}

}  // namespace spillway::cli
