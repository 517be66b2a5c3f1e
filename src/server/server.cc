// server/server.cc: start, reload and drain of all workers.
#include "server/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace spillway::server {

using runtime::Task;

namespace {

http::ServerLimits limits_of(const plan::Plan& plan) {
  return {.head = {.head_bytes_max = plan.request.head.bytes,
                   .url_bytes_max = plan.request.url.bytes,
                   .fields_max = plan.request.headers},
          .body_bytes_max = plan.request.body.bytes,
          .head_timeout = plan.connections.head_timeout,
          .idle_timeout = plan.connections.idle_timeout,
          .body_timeout = plan.connections.body_timeout,
          .body_rate_min = plan.connections.body_rate.bytes,
          .write_timeout = plan.connections.write_timeout,
          .pipelined = plan.connections.pipelined,
          .http2 = {.streams = plan.connections.http2.streams,
                    .window = static_cast<uint32_t>(plan.connections.http2.window.bytes),
                    .connection_window =
                        static_cast<uint32_t>(plan.connections.http2.connection_window.bytes)}};
}

std::optional<identity::JwksConfig> jwks_of(const plan::Plan& plan) {
  return plan.auth.jwt ? plan.auth.jwt->jwks : std::nullopt;
}

// Unique to this instance, so that two proxies of one name in a row are no loop.
std::string via_pseudonym(const plan::Plan& plan, Random& random) {
  return fmt::format("{}-{:08x}", plan.name, random.next() & 0xFFFFFFFF);
}

}  // namespace

uint32_t Server::worker_count(const plan::Plan& plan) {
  return plan.workers.value_or(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

Server::Server(runtime::Loop& control, telemetry::Registry& registry, telemetry::Log& log,
               runtime::Resolver& resolver, const plan::Plan& plan, const LoopFactory& make_loop)
    : control_(control),
      registry_(registry),
      log_(log),
      families_(registry),
      via_(via_pseudonym(plan, control.random())),
      resolver_(resolver),
      redis_reach_(log),
      connections_(plan.resources.connections),
      services_(control),
      certificates_(runtime::TlsTicketKeys::make(control.wall_now())),
      key_fetcher_(control, resolver, log, registry,
                   [this](std::shared_ptr<const identity::KeySet> keys) {
                     tasks_.spawn(use_fetched_keys(std::move(keys)));
                   }),
      prober_(control, services_, log),
      cache_(plan.cache.memory.bytes),
      build_keeper_(control, file_pool_, log, registry),
      tasks_(control) {
  const auto routing = services_.apply(plan);
  const auto want_keys = [this] { control_.post([this] { key_fetcher_.want(); }); };
  const gateway::ProxyOptions proxy{.body_kept_max = plan.request.kept_for_retries.bytes,
                                    .write_timeout = plan.connections.write_timeout};
  for (uint32_t core = 0; core < worker_count(plan); ++core) {
    loops_.push_back(make_loop(core));
    workers_.push_back(std::make_unique<Worker>(
        *loops_.back(),
        WorkerShared{registry_, log_, families_, via_, connections_, connections_by_ip_, want_keys,
                     resolver_, redis_reach_, &file_pool_, &cache_},
        proxy, worker_plan(routing)));
    drains_.push_back(std::make_unique<runtime::Gate>(*loops_.back()));
  }
}

Server::~Server() { threads_.stop(); }

WorkerPlan Server::worker_plan(std::shared_ptr<const gateway::Routing> routing) const {
  return {.routing = std::move(routing),
          .limits = limits_of(services_.plan()),
          .access_log = access_log_.get(),
          .tls = certificates_.context(),
          .handshake_timeout = services_.plan().tls.handshake_timeout,
          .client_rules = client_rules_,
          .switches = switches_};
}

Result<void> Server::open_access_log(const AccessLogConfig& config) {
  if (access_log_ != nullptr) retired_logs_.push_back(std::move(access_log_));
  if (config.is_off()) return {};
  const auto cores = static_cast<uint32_t>(workers_.size());
  auto writer = config.is_stdout() ? runtime::LineWriter::from_descriptor(STDOUT_FILENO, cores)
                                   : runtime::LineWriter::open_file(config.to, cores);
  if (!writer) return fail(std::move(writer).error());
  access_log_ = std::move(*writer);
  return {};
}

// When each ends, so that an alert can come before.
void Server::show_certificates() {
  auto series = std::make_unique<telemetry::Scope>(registry_);
  const auto& family =
      registry_.family({.name = "spillway_tls_certificate_expiry_timestamp_seconds",
                        .help = "When a certificate in use expires.",
                        .type = telemetry::MetricType::gauge,
                        .label_names = {"certificate"}});
  const auto& staples =
      registry_.family({.name = "spillway_tls_ocsp_expiry_timestamp_seconds",
                        .help = "When the stapled OCSP answer of a certificate is too old; from "
                                "then on none is stapled.",
                        .type = telemetry::MetricType::gauge,
                        .label_names = {"certificate"}});
  const auto show = [&](const telemetry::Family& of, const std::string& name, WallTime at) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch());
    series->global_gauge(of, {name}).set(static_cast<double>(seconds.count()));
  };
  if (certificates_.context() != nullptr) {
    for (const auto& certificate : certificates_.context()->certificates()) {
      show(family, certificate.name, certificate.expires);
      if (certificate.expires < control_.wall_now()) {
        log_.warn("a certificate in use has ended", {{"certificate", certificate.name}});
      }
      if (certificate.staple_expires) show(staples, certificate.name, *certificate.staple_expires);
    }
  }
  certificate_series_ = std::move(series);
}

Task<Result<void>> Server::reload_certificates() {
  UpstreamCertificates upstreams = upstreams_;
  auto theirs = upstreams.load(services_.plan());
  upstreams_ = std::move(upstreams);  // What could not be read is as it was, and is followed.
  CO_TRY_VOID(certificates_.load(services_.plan()));
  show_certificates();
  // Made here: what it is made of belongs to this loop.
  const plan::Plan plan = services_.plan();
  const WorkerPlan next = worker_plan(services_.apply(plan, files_read()));
  co_await on_all_workers([&next](Worker& worker) { worker.use(next); });
  key_fetcher_.follow(jwks_of(plan), upstreams_.issuer());
  co_return theirs;
}

Task<Result<void>> Server::change_clients(admin::ClientChange change) {
  CO_TRY_VOID(clients_.add(change, control_.now()));
  co_await tell_client_rules();
  co_return Result<void>{};
}

Task<Result<void>> Server::forget_client(IpPrefix prefix) {
  CO_TRY_VOID(clients_.remove(prefix, control_.now()));
  co_await tell_client_rules();
  co_return Result<void>{};
}

Task<Result<void>> Server::reload_countries() {
  CO_TRY_VOID(clients_.load(services_.plan()));
  co_await tell_client_rules();
  co_return Result<void>{};
}

Task<void> Server::tell_client_rules() {
  client_rules_ = clients_.rules(control_.now());
  co_await on_all_workers([rules = client_rules_](Worker& worker) { worker.use(rules); });
}

Task<void> Server::tell_switches() {
  switches_ = switchboard_.switches();
  co_await on_all_workers([switches = switches_](Worker& worker) { worker.use(switches); });
}

Task<void> Server::set_maintenance(std::optional<bool> is_on, std::optional<Duration> within) {
  switchboard_.set_maintenance(is_on, within, control_.now());
  co_await tell_switches();
}

Task<Result<void>> Server::set_split(std::string service,
                                     std::optional<gateway::SplitChange> change) {
  CO_TRY_VOID(switchboard_.set_split(service, change));
  co_await tell_switches();
  co_return Result<void>{};
}

Task<void> Server::use_fetched_keys(std::shared_ptr<const identity::KeySet> keys) {
  if (auto used = identities_.use_fetched(std::move(keys)); !used) {
    log_.warn("the issuer's keys are not used", {{"error", used.error().detail}});
    co_return;
  }
  const WorkerPlan next = worker_plan(services_.routing(files_read()));
  co_await on_all_workers([next](Worker& worker) { worker.use(next); });
}

Result<void> Server::prepare() {
  TRY_VOID(certificates_.load(services_.plan()));
  TRY_VOID(upstreams_.load(services_.plan()));
  TRY_VOID(identities_.load(services_.plan()));
  show_certificates();
  TRY_VOID(clients_.load(services_.plan()));
  client_rules_ = clients_.rules(control_.now());
  TRY(pages, load_pages(services_.plan()));
  pages_ = std::move(pages);
  switchboard_.follow(services_.plan());
  TRY_VOID(open_access_log(services_.plan().access_log));
  const plan::Plan plan = services_.plan();
  const auto routing = services_.apply(plan, files_read());
  for (const auto& worker : workers_) worker->use(worker_plan(routing));
  key_fetcher_.follow(jwks_of(plan), upstreams_.issuer());
  build_keeper_.follow(plan);
  return {};
}

Result<void> Server::start(const std::vector<ListeningSockets>& sockets) {
  const plan::Plan& plan = services_.plan();
  CHECK(sockets.size() == plan.listen.size());
  const auto secure = std::ranges::find_if(
      plan.listen, [](const ListenConfig& entry) { return entry.at.is_secure; });
  uint16_t https_port = 0;
  if (secure != plan.listen.end()) {
    const auto& fds = sockets[static_cast<size_t>(secure - plan.listen.begin())].fds;
    TRY(address, runtime::bound_address(fds.front()));
    https_port = address.port;
  }
  for (size_t entry = 0; entry < sockets.size(); ++entry) {
    const auto& fds = sockets[entry].fds;
    const size_t places = std::max(fds.size(), workers_.size());
    // Fewer sockets than workers are shared; more (after a plan with more workers) are all
    // served.
    for (size_t place = 0; place < places; ++place) {
      const int fd = ::fcntl(fds[place % fds.size()], F_DUPFD_CLOEXEC, 0);
      if (fd < 0) return fail(system_error(errno, "duplicate a listening socket"));
      const auto& redirect = plan.listen[entry].redirect;
      const uint16_t redirect_port = redirect ? redirect->port.value_or(https_port) : 0;
      TRY_VOID(workers_[place % workers_.size()]->listen(fd, plan.listen[entry], redirect_port));
    }
  }
  CHECK(tasks_.spawn(prober_.run()));
  CHECK(tasks_.spawn(key_fetcher_.run()));
  CHECK(tasks_.spawn(build_keeper_.run()));
  return {};
}

void Server::run_workers() {
  for (const auto& loop : loops_) threads_.start(*loop);
}

Task<void> Server::on_all_workers(std::function<void(Worker&)> function) {
  runtime::Event all_done(control_);
  size_t left = workers_.size();
  for (const auto& worker : workers_) {
    worker->loop().post([&, worker = worker.get()] {
      function(*worker);
      control_.post([&] {
        if (--left == 0) all_done.set();
      });
    });
  }
  CHECK((co_await all_done.wait(Deadline::never())).has_value());
}

Task<Result<void>> Server::apply(const plan::Plan& plan) {
  Certificates certificates = certificates_;
  CO_TRY_VOID(certificates.load(plan));
  UpstreamCertificates upstreams = upstreams_;
  CO_TRY_VOID(upstreams.load(plan));
  ClientLists clients = clients_;
  CO_TRY_VOID(clients.load(plan));
  Identities identities = identities_;
  CO_TRY_VOID(identities.load(plan));
  CO_TRY(pages, load_pages(plan));
  const bool log_changes = plan.access_log.to != services_.plan().access_log.to;
  if (log_changes) CO_TRY_VOID(open_access_log(plan.access_log));
  certificates_ = std::move(certificates);
  upstreams_ = std::move(upstreams);
  identities_ = std::move(identities);
  show_certificates();
  clients_ = std::move(clients);
  client_rules_ = clients_.rules(control_.now());
  pages_ = std::move(pages);
  for (const std::string& service : switchboard_.follow(plan)) {
    log_.warn("the changed share of a split is forgotten: it does not fit the plan",
              {{"service", service}});
  }
  switches_ = switchboard_.switches();
  const auto routing = services_.apply(plan, files_read());
  key_fetcher_.follow(jwks_of(plan), upstreams_.issuer());
  build_keeper_.follow(plan);
  cache_.memory.set_bytes_max(plan.cache.memory.bytes);
  connections_.set_maximum(std::min<uint64_t>(plan.resources.connections, connections_most_));
  const WorkerPlan next = worker_plan(routing);
  co_await on_all_workers([&next](Worker& worker) { worker.use(next); });
  retired_logs_.clear();
  prober_.wake();
  co_return Result<void>{};
}

void Server::limit_connections(uint64_t most) {
  connections_most_ = most;
  connections_.set_maximum(std::min(connections_.maximum(), most));
}

void Server::reopen_logs() {
  if (access_log_ != nullptr) access_log_->reopen();
}

Task<void> Server::drain_worker(Worker& worker, Deadline deadline, std::function<void(bool)> done) {
  const bool in_order = co_await worker.drain(deadline);
  done(in_order);
}

Task<bool> Server::drain(Deadline deadline) {
  is_draining_ = true;
  runtime::Event all_done(control_);
  size_t left = workers_.size();
  bool in_order = true;
  for (size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    runtime::Gate& gate = *drains_[i];
    const auto done = [&](bool worker_in_order) {
      control_.post([&, worker_in_order] {
        in_order &= worker_in_order;
        if (--left == 0) all_done.set();
      });
    };
    worker.loop().post(
        [&worker, &gate, deadline, done] { gate.spawn(drain_worker(worker, deadline, done)); });
  }
  CHECK((co_await all_done.wait(Deadline::never())).has_value());
  prober_.stop();
  key_fetcher_.stop();
  build_keeper_.stop();
  (void)co_await tasks_.close(Deadline::after(control_.now(), 5s));
  co_return in_order;
}

}  // namespace spillway::server
