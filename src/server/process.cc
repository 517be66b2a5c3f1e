// server/process.cc: builds everything in order, runs it, and takes it down in reverse.
#include "server/process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "admin/control_api.h"
#include "admin/control_listener.h"
#include "deploy/local_replicas.h"
#include "deploy/supervisor.h"
#include "deploy/supervisor_channel.h"
#include "runtime/blocking_pool.h"
#include "runtime/epoll_driver.h"
#include "runtime/resolver.h"
#include "server/control.h"
#include "server/descriptors.h"
#include "server/file_watch.h"
#include "server/local_operations.h"
#include "server/name_resolution.h"
#include "server/replica_endpoints.h"
#include "server/server.h"
#include "server/welcome.h"

namespace spillway::server {

using runtime::Task;

namespace {

constexpr Duration handover_timeout = 10s;
constexpr Duration request_timeout = 10s;
constexpr const char* ticket_keys_name = "tls_ticket_keys";  // Among what the supervisor keeps.
constexpr Duration drain_alone = 30s;  // The supervisor is gone, and its plan's word with it.

// One random seed per process, from the system.
uint64_t system_seed() {
  uint64_t seed = 0;
  if (::getentropy(&seed, sizeof seed) != 0) seed = static_cast<uint64_t>(::getpid());
  return seed;
}

std::unique_ptr<runtime::Loop> make_loop(uint32_t core) {
  auto driver = runtime::make_epoll_driver();
  if (!driver) return nullptr;
  return std::make_unique<runtime::Loop>(std::move(*driver), core, system_seed());
}

// All of the process, in the order of its construction.
class Process final : public deploy::ServerDuties {
 public:
  Process(ProcessOptions options, plan::Plan plan, runtime::Loop& control,
          runtime::LineWriter& output, LogTee& tee, telemetry::Log& log,
          telemetry::Registry& registry, std::unique_ptr<deploy::SupervisorChannel> channel);

  Task<void> run();
  int exit_status() const { return exit_status_; }

  void drain(std::optional<Duration> within) override;
  void reload() override { tasks_.spawn(reload_once("signal")); }
  void reopen_log_files() override { server_->reopen_logs(); }

 private:
  Task<Result<void>> start();
  Task<Result<void>> listen(const plan::Plan& plan);
  Task<void> await_replicas(size_t running);
  Task<Result<ListeningSockets>> take_sockets(deploy::Listen request, SocketAddress& bound);
  ControlOptions control_options();
  Task<void> finish();
  Task<void> ask_to_stop(bool now);
  Task<void> reload_once(std::string why);
  Task<void> watch_plan();
  Task<Result<void>> take_over_tickets(const std::map<std::string, std::string>& kept);
  Task<void> tend_files();
  Task<void> reload_countries();
  void replicas_changed();
  void say_welcome();

  ProcessOptions options_;
  const plan::Plan plan_;
  runtime::Loop& control_;
  runtime::LineWriter& output_;
  LogTee& tee_;
  telemetry::Log& log_;
  std::unique_ptr<deploy::SupervisorChannel> channel_;
  runtime::BlockingPool pool_;
  runtime::Resolver resolver_{pool_};
  runtime::Event ending_;
  Duration drain_within_ = drain_alone;
  int exit_status_ = 1;
  bool is_first_ = true;  // No server ran before us: people want to be told what was started.
  bool has_welcomed_ = false;

  std::unique_ptr<Server> server_;
  std::unique_ptr<ReplicaEndpoints> endpoints_;
  std::unique_ptr<deploy::LocalReplicas> replicas_;
  std::unique_ptr<LocalOperations> operations_;
  std::unique_ptr<Control> instance_;
  std::unique_ptr<admin::ControlApi> api_;
  std::unique_ptr<admin::ControlListener> control_listener_;
  std::unique_ptr<NameResolution> names_;
  std::vector<ListeningSockets> sockets_;
  std::vector<admin::ListenerStatus> listeners_;
  SocketAddress admin_bound_;
  int admin_socket_ = -1;
  runtime::Gate tasks_;
};

Process::Process(ProcessOptions options, plan::Plan plan, runtime::Loop& control,
                 runtime::LineWriter& output, LogTee& tee, telemetry::Log& log,
                 telemetry::Registry& registry, std::unique_ptr<deploy::SupervisorChannel> channel)
    : options_(std::move(options)),
      plan_(std::move(plan)),
      control_(control),
      output_(output),
      tee_(tee),
      log_(log),
      channel_(std::move(channel)),
      ending_(control),
      server_(std::make_unique<Server>(control, registry, log, resolver_, plan_, make_loop)),
      endpoints_(std::make_unique<ReplicaEndpoints>(control, server_->services(), output,
                                                    [this] { replicas_changed(); })),
      names_(std::make_unique<NameResolution>(control, server_->services(), resolver_, log)),
      tasks_(control) {
  server_->limit_connections(make_room_for_connections(plan_, log));
}

Task<void> Process::run() {
  if (auto started = co_await start(); !started) {
    log_.error("cannot start", {{"error", started.error().detail}});
    ending_.set();
  } else {
    exit_status_ = 0;
  }
  CHECK((co_await ending_.wait(Deadline::never())).has_value());
  co_await finish();
  control_.stop();
}

Task<Result<void>> Process::start() {
  CO_TRY(handover, co_await channel_->handover(Deadline::after(control_.now(), handover_timeout)));
  is_first_ = handover.listeners.empty();
  const deploy::KeeperContext context{.loop = control_,
                                      .channel = *channel_,
                                      .probe = *endpoints_,
                                      .observer = *endpoints_,
                                      .log = log_,
                                      .drain = plan_.shutdown.drain};
  const size_t running = handover.replicas.size();
  replicas_ = std::make_unique<deploy::LocalReplicas>(context, std::move(handover.replicas));
  operations_ =
      std::make_unique<LocalOperations>(control_, *channel_, *replicas_, *endpoints_, pool_);
  operations_->apply(plan_);
  channel_->run(*this, *replicas_);
  CO_TRY_VOID(co_await listen(plan_));
  co_await await_replicas(running);

  instance_ = std::make_unique<Control>(control_, *server_, log_, control_options());
  tee_.show_in(&instance_->logs());
  endpoints_->show_in(&instance_->logs());
  api_ = std::make_unique<admin::ControlApi>(
      *instance_, log_, admin::AccessRules{.token = options_.token, .at = admin_bound_});
  control_listener_ = std::make_unique<admin::ControlListener>(control_, *api_);
  CO_TRY_VOID(control_listener_->listen(std::exchange(admin_socket_, -1)));

  CO_TRY_VOID(co_await take_over_tickets(handover.kept));
  CO_TRY_VOID(server_->prepare());
  // Only then accept: until we are the server, the one before us takes what arrives.
  CO_TRY_VOID(co_await channel_->ready(Deadline::after(control_.now(), request_timeout)));
  CO_TRY_VOID(server_->start(sockets_));
  server_->run_workers();
  instance_->start();
  tasks_.spawn(names_->run());
  tasks_.spawn(operations_->measure());
  tasks_.spawn(tend_files());
  if (options_.watches && options_.has_plan_file) tasks_.spawn(watch_plan());
  replicas_changed();
  co_return Result<void>{};
}

// Replicas that ran before us answer a ready probe first. Clients wait in the listening sockets
// meanwhile rather than be told 503. After a death not for long: we must be back within 200 ms. In
// an upgrade the server before us still answers them, so there is time.
Task<void> Process::await_replicas(size_t running) {
  const Duration wait_max = replicas_->has_taken_over() ? Duration(120ms) : Duration(5s);
  constexpr Duration look_again = 2ms;
  const Deadline deadline = Deadline::after(control_.now(), wait_max);
  while (endpoints_->ready_count() < running && !deadline.has_passed(control_.now())) {
    co_await runtime::sleep(control_, look_again);
  }
}

Task<Result<ListeningSockets>> Process::take_sockets(deploy::Listen request, SocketAddress& bound) {
  CO_TRY(given, co_await channel_->listen(std::move(request),
                                          Deadline::after(control_.now(), request_timeout)));
  ListeningSockets sockets;
  for (runtime::FileHandle& handle : given.sockets) sockets.fds.push_back(handle.release());
  bound = given.bound;
  co_return sockets;
}

Task<Result<void>> Process::listen(const plan::Plan& plan) {
  for (const ListenConfig& entry : plan.listen) {
    deploy::Listen request{.at = entry.at.socket, .sockets = Server::worker_count(plan)};
    if (entry.mode) request.unix_mode = entry.mode->bits;
    SocketAddress bound;
    CO_TRY(sockets, co_await take_sockets(std::move(request), bound));
    sockets_.push_back(std::move(sockets));
    listeners_.push_back(
        {.at = to_string(entry.at),
         .bound = to_string(ListenAddress{.socket = bound, .is_secure = entry.at.is_secure})});
  }
  CO_TRY(sockets,
         co_await take_sockets({.at = plan.admin.socket, .unix_mode = 0600}, admin_bound_));
  admin_socket_ = sockets.fds.front();
  co_return Result<void>{};
}

ControlOptions Process::control_options() {
  return {.version = options_.version,
          .plan_source = options_.plan_source,
          .listeners = listeners_,
          .load = options_.has_plan_file ? options_.load : nullptr,
          .stop =
              [this](bool now) {
                // The supervisor ends all in order and tells us to drain.
                tasks_.spawn(ask_to_stop(now));
              },
          .operations = operations_.get()};
}

void Process::drain(std::optional<Duration> within) {
  drain_within_ = within.value_or(drain_alone);
  ending_.set();
}

// In reverse: nothing new, then what is under way, then what steers it.
Task<void> Process::finish() {
  names_->stop();
  if (operations_ != nullptr) operations_->stop();
  tee_.show_in(nullptr);
  endpoints_->show_in(nullptr);
  if (replicas_ != nullptr) co_await replicas_->close();  // They are the next server's.
  if (exit_status_ == 0) {
    const bool in_order = co_await server_->drain(Deadline::after(control_.now(), drain_within_));
    if (!in_order) log_.warn("connections were cut at the end of the drain");
  }
  if (api_ != nullptr) api_->end_streams();
  if (control_listener_ != nullptr) {
    co_await control_listener_->close(Deadline::after(control_.now(), 2s));
  }
  if (instance_ != nullptr) co_await instance_->close();
  co_await channel_->close();
  (void)co_await tasks_.close(Deadline::after(control_.now(), 5s));
}

Task<void> Process::reload_once(std::string why) {
  auto report = co_await instance_->reload();
  if (!report) {
    log_.error("the plan was not reloaded", {{"asked_by", why}, {"error", report.error().detail}});
  } else if (!report->was_applied) {
    log_.error("the plan was refused; the running one stays",
               {{"asked_by", why},
                {"reason", report->refusal},
                {"first_error",
                 report->errors.empty() ? std::string() : to_string(report->errors.front())}});
  }
  names_->wake();
}

// A second request means at once, as a second signal does.
Task<void> Process::ask_to_stop(bool now) {
  for (int requests = now ? 2 : 1; requests > 0; --requests) {
    auto asked =
        co_await channel_->stop_everything(Deadline::after(control_.now(), request_timeout));
    if (!asked) log_.error("cannot stop", {{"error", asked.error().detail}});
  }
}

Task<void> Process::watch_plan() {
  constexpr Duration look_every = 1s;
  FileWatch files;
  files.follow(options_.load().files);
  while (!co_await ending_.wait(Deadline::after(control_.now(), look_every))) {
    if (!files.has_changed()) continue;
    co_await reload_once("watch");
    files.follow(options_.load().files);
  }
}

// What was said to clients with the keys of the server before us is still understood.
Task<Result<void>> Process::take_over_tickets(const std::map<std::string, std::string>& kept) {
  const auto found = kept.find(ticket_keys_name);
  if (found != kept.end()) {
    if (auto keys = runtime::TlsTicketKeys::decode(found->second)) {
      server_->certificates().use_tickets(std::move(*keys));
      co_return Result<void>{};
    }
  }
  co_return co_await channel_->keep(ticket_keys_name, server_->certificates().tickets().encode(),
                                    Deadline::after(control_.now(), request_timeout));
}

// New keys for session tickets now and then; new certificates and countries when their files
// change.
Task<void> Process::tend_files() {
  constexpr Duration look_every = 2s;
  while (!co_await ending_.wait(Deadline::after(control_.now(), look_every))) {
    runtime::TlsTicketKeys& keys = server_->certificates().tickets();
    if (keys.rotate(control_.wall_now())) {
      auto kept = co_await channel_->keep(ticket_keys_name, keys.encode(),
                                          Deadline::after(control_.now(), request_timeout));
      if (!kept) log_.warn("ticket keys are not kept", {{"error", kept.error().detail}});
    }
    if (server_->clients().has_changed()) co_await reload_countries();
    if (!server_->have_certificates_changed()) continue;
    auto reloaded = co_await server_->reload_certificates();
    if (reloaded) {
      log_.info("certificates reloaded");
    } else {
      log_.error("the certificates were refused; those in use stay",
                 {{"error", reloaded.error().detail}});
    }
  }
}

Task<void> Process::reload_countries() {
  auto reloaded = co_await server_->reload_countries();
  if (reloaded) {
    log_.info("file of countries reloaded");
  } else {
    log_.error("the file of countries was refused; the one in use stays",
               {{"error", reloaded.error().detail}});
  }
}

void Process::replicas_changed() {
  server_->prober().wake();
  if (!is_first_ || has_welcomed_ || instance_ == nullptr) return;
  size_t wanted = 0;
  for (const auto& [name, service] : plan_.services) {
    if (service.is_supervised()) wanted += service.process.replicas.min;
  }
  if (endpoints_->ready_count() < wanted) return;
  has_welcomed_ = true;
  // In the next turn, when who told us has its own books in order.
  control_.post([this] { say_welcome(); });
}

void Process::say_welcome() {
  // By mail: whoever tells us of the last replica has not yet noted itself that it is ready.
  control_.post([this] {
    output_.write_line(welcome(plan_, listeners_, to_string(ListenAddress{admin_bound_}),
                               options_.plan_source, operations_->replicas()));
  });
}

}  // namespace

int run_process(ProcessOptions options) {
  plan::LoadResult loaded = options.load();
  if (!loaded.plan) {
    for (const plan::Problem& problem : loaded.errors) {
      fmt::print(stderr, "{}\n", to_string(problem));
    }
    return 2;
  }
  const uint32_t workers = Server::worker_count(*loaded.plan);
  const auto control = make_loop(workers);
  auto output = runtime::LineWriter::from_descriptor(STDOUT_FILENO, workers);
  auto errors = runtime::LineWriter::from_descriptor(STDERR_FILENO, workers);
  if (control == nullptr || !output || !errors) {
    fmt::print(stderr, "spillway: no descriptors left to start with\n");
    return 1;
  }
  LogTee tee(**errors, *control);
  const auto format =
      ::isatty(STDERR_FILENO) ? telemetry::LogFormat::human : telemetry::LogFormat::json;
  telemetry::Log log(
      tee, [] { return std::chrono::system_clock::now(); }, telemetry::LogLevel::info, format);
  telemetry::Registry registry(workers + 1);
  auto channel = deploy::SupervisorChannel::adopt(*control, deploy::server_control_descriptor);
  if (!channel) {
    fmt::print(stderr, "spillway: {}\n", channel.error().detail);
    return 1;
  }
  runtime::Gate gate(*control);
  Process process(std::move(options), std::move(*loaded.plan), *control, **output, tee, log,
                  registry, std::move(*channel));
  gate.spawn(process.run());
  control->run();
  return process.exit_status();
}

}  // namespace spillway::server
