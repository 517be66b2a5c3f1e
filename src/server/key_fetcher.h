// server/key_fetcher.h: keeps the keys that an issuer publishes, by HTTP.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "http/upstream_tls.h"
#include "identity/config.h"
#include "identity/key.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "runtime/resolver.h"
#include "runtime/task.h"
#include "telemetry/log.h"
#include "telemetry/registry.h"

namespace spillway::server {

// When keys are fetched again. Pure.
class FetchSchedule {
 public:
  explicit FetchSchedule(const identity::JwksConfig& config) : config_(config) {}

  // `max_age` as the answer's Cache-Control has it. Before it is over, but not sooner than `retry`.
  void fetched(Instant now, std::optional<Duration> max_age);
  void failed(Instant now);
  // The plan says other times.
  void follow(Instant now, const identity::JwksConfig& config);
  // A token with an unknown key was seen: at once, but not within `retry` of the last fetch.
  void wanted();
  Instant next() const { return next_; }

 private:
  identity::JwksConfig config_;
  Instant next_{};        // At once.
  Instant not_before_{};  // `retry` after the last fetch.
};

// Fetches the JWKS of the plan at the start, when it grows old and when a token has a key that is
// not in it, and hands each set on. Old keys stay while fetches fail. On the control loop.
class KeyFetcher {
 public:
  using Deliver = std::function<void(std::shared_ptr<const identity::KeySet> keys)>;

  KeyFetcher(runtime::Loop& control, runtime::Resolver& resolver, telemetry::Log& log,
             telemetry::Registry& registry, Deliver deliver);

  // The plan's `auth.jwt.jwks`; another URL than before is fetched at once.
  // `tls`: for https; null for http.
  void follow(const std::optional<identity::JwksConfig>& config,
              http::UpstreamTlsPtr tls = nullptr);
  // A token has an unknown key.
  void want();
  runtime::Task<void> run();  // Until stop().
  void stop();

 private:
  struct Fetched {
    std::string body;
    std::optional<Duration> max_age;
  };
  runtime::Task<Result<Fetched>> fetch(const identity::JwksConfig& config);
  runtime::Task<void> fetch_once();
  void take(const identity::JwksConfig& config, const Fetched& fetched);
  void fail_once(const Error& error);

  runtime::Loop& control_;
  runtime::Resolver& resolver_;
  telemetry::Log& log_;
  const Deliver deliver_;
  telemetry::Counter good_;
  telemetry::Counter bad_;
  telemetry::GlobalGauge keys_;
  std::optional<identity::JwksConfig> config_;
  http::UpstreamTlsPtr tls_;
  std::optional<FetchSchedule> schedule_;  // With config_.
  runtime::Event wake_;
  bool is_stopping_ = false;
};

// `max-age` of Cache-Control (RFC 9111 section 5.2.2.1); 0 for no-store and no-cache; nothing if it
// says nothing of time.
std::optional<Duration> max_age_of(std::string_view cache_control);

}  // namespace spillway::server
