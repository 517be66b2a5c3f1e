// server/key_fetcher.cc: resolve, connect, ask, read, parse; then wait.
#include "server/key_fetcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "http/client_connection.h"
#include "http/list.h"
#include "http/url.h"
#include "identity/jwk.h"

namespace spillway::server {

using runtime::Task;

namespace {

const telemetry::Family& fetches(telemetry::Registry& registry) {
  return registry.family({.name = "spillway_jwks_fetches_total",
                          .help = "Fetches of an issuer's keys by result: good, bad.",
                          .label_names = {"result"}});
}

Task<Result<runtime::Socket>> connect_to_any(runtime::Loop& loop,
                                             const std::vector<IpAddress>& addresses, uint16_t port,
                                             http::UpstreamTlsPtr tls, Deadline deadline) {
  Result<runtime::Socket> socket = fail(Error::Code::not_found, "no address");
  for (const IpAddress& ip : addresses) {
    socket = co_await http::connect(loop, {.ip = ip, .port = port}, tls, "http/1.1", deadline);
    if (socket) break;
  }
  co_return socket;
}

Task<Result<std::string>> read_body(http::ClientCall& call, Deadline deadline) {
  std::string body;
  while (!call.body_ended()) {
    CO_TRY(piece, co_await call.read_body(deadline));
    body += piece;
    if (body.size() > identity::limits::key_file_bytes_max) {
      co_return fail(Error::Code::limit_exceeded,
                     fmt::format("longer than {} KiB", identity::limits::key_file_bytes_max >> 10));
    }
  }
  co_return body;
}

// Trusting others, too, is to ask somebody else.
bool asks_the_same(const identity::JwksConfig& one, const identity::JwksConfig& other) {
  return one.url == other.url && one.ca == other.ca;
}

}  // namespace

std::optional<Duration> max_age_of(std::string_view cache_control) {
  constexpr std::string_view name = "max-age=";
  constexpr int64_t longest = 86'400 * 365;
  std::optional<Duration> result;
  http::ListReader list(cache_control);
  for (std::string_view directive; list.next(directive);) {
    if (equals_ignoring_case(directive, "no-store") || equals_ignoring_case(directive, "no-cache"))
      return Duration{};
    if (!equals_ignoring_case(directive.substr(0, name.size()), name)) continue;
    const auto seconds = parse_decimal<int64_t>(directive.substr(name.size()));
    result = std::chrono::seconds(std::min(seconds.value_or(0), longest));
  }
  return result;
}

void FetchSchedule::fetched(Instant now, std::optional<Duration> max_age) {
  not_before_ = now + config_.retry;
  constexpr int share_of_ten = 8;  // So that they are new before they are old.
  const Duration fresh = max_age ? *max_age / 10 * share_of_ten : config_.refresh;
  next_ = std::max(now + std::min(fresh, config_.refresh), not_before_);
}

void FetchSchedule::failed(Instant now) { next_ = not_before_ = now + config_.retry; }

// What is known stays; it is only asked for as often as the new plan says.
void FetchSchedule::follow(Instant now, const identity::JwksConfig& config) {
  config_ = config;
  not_before_ = std::min(not_before_, now + config_.retry);
  next_ = std::max(std::min(next_, now + config_.refresh), not_before_);
}

void FetchSchedule::wanted() { next_ = std::min(next_, not_before_); }

KeyFetcher::KeyFetcher(runtime::Loop& control, runtime::Resolver& resolver, telemetry::Log& log,
                       telemetry::Registry& registry, Deliver deliver)
    : control_(control),
      resolver_(resolver),
      log_(log),
      deliver_(std::move(deliver)),
      good_(registry.counter(fetches(registry), {"good"}, control.core())),
      bad_(registry.counter(fetches(registry), {"bad"}, control.core())),
      keys_(registry.global_gauge(
          registry.family({.name = "spillway_jwks_keys",
                           .help = "Keys in the issuer's set that was fetched last.",
                           .type = telemetry::MetricType::gauge}),
          {})),
      wake_(control) {}

void KeyFetcher::follow(const std::optional<identity::JwksConfig>& config,
                        http::UpstreamTlsPtr tls) {
  tls_ = std::move(tls);
  const bool is_same = config && config_ && asks_the_same(*config, *config_);
  config_ = config;
  if (!is_same) schedule_.reset();
  if (!config_) {
    schedule_.reset();
  } else if (schedule_) {
    schedule_->follow(control_.now(), *config_);
  } else {
    schedule_.emplace(*config_);
  }
  wake_.set();
}

void KeyFetcher::want() {
  if (schedule_) schedule_->wanted();
  wake_.set();
}

void KeyFetcher::stop() {
  is_stopping_ = true;
  wake_.set();
}

Task<void> KeyFetcher::run() {
  while (!is_stopping_) {
    wake_.reset();
    if (schedule_ && schedule_->next() <= control_.now()) {
      co_await fetch_once();
      continue;
    }
    (void)co_await wake_.wait(schedule_ ? Deadline::at(schedule_->next()) : Deadline::never());
  }
}

Task<void> KeyFetcher::fetch_once() {
  const identity::JwksConfig config = *config_;
  auto fetched = co_await fetch(config);
  if (!config_ || !asks_the_same(*config_, config)) co_return;  // The plan has changed meanwhile.
  if (!fetched) co_return fail_once(fetched.error());
  take(config, *fetched);
}

void KeyFetcher::take(const identity::JwksConfig& config, const Fetched& fetched) {
  auto parsed = identity::parse_jwks(fetched.body);
  if (!parsed) return fail_once(parsed.error());
  good_.add();
  keys_.set(static_cast<double>(parsed->keys.keys().size()));
  for (const std::string& reason : parsed->passed_over) {
    log_.warn("a key of the issuer is not used", {{"url", config.url}, {"why", reason}});
  }
  schedule_->fetched(control_.now(), fetched.max_age);
  deliver_(std::make_shared<const identity::KeySet>(std::move(parsed->keys)));
}

void KeyFetcher::fail_once(const Error& error) {
  bad_.add();
  schedule_->failed(control_.now());
  log_.warn("cannot fetch the issuer's keys; those that are there stay",
            {{"url", config_->url}, {"error", error.detail}});
}

Task<Result<KeyFetcher::Fetched>> KeyFetcher::fetch(const identity::JwksConfig& config) {
  const Deadline deadline = Deadline::after(control_.now(), config.timeout);
  const auto url = http::parse_url(config.url);
  if (!url || url->is_https != (tls_ != nullptr)) {
    co_return fail(Error::Code::invalid, "not an http:// or https:// URL");
  }
  CO_TRY(addresses, co_await resolver_.resolve(
                        control_, std::string(http::without_brackets(url->host)), deadline));
  CO_TRY(socket, co_await connect_to_any(control_, addresses, url->port, tls_, deadline));
  const auto response = std::make_unique<http::ResponseHead>();
  const http::HeadLimits limits;
  http::ClientCall call({.socket = std::move(socket)}, *response, limits, config.timeout);
  CO_TRY_VOID(call.writer().begin({}, [&](http::HeadWriter& head) {
    head.request_line("GET", url->path, url->query, url->has_query);
    head.field("host", url->authority);
    head.field("user-agent", "spillway");
    head.field("accept", "application/jwk-set+json, application/json");
    head.field("connection", "close");
    head.end_of_head();
  }));
  CO_TRY_VOID(co_await call.writer().flush());
  CO_TRY_VOID(co_await call.read_final_head(http::Method::get, deadline));
  if (call.response().status != 200) {
    co_return fail(Error::Code::protocol, fmt::format("answered {}", call.response().status),
                   Error::Blame::upstream);
  }
  Fetched fetched{.max_age = max_age_of(call.response().fields.value(http::Field::cache_control))};
  CO_TRY(body, co_await read_body(call, deadline));
  fetched.body = std::move(body);
  co_return fetched;
}

}  // namespace spillway::server
