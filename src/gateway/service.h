// gateway/service.h: a service's endpoints as all cores share them, and the queue before them.
#pragma once

#include <coroutine>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/time.h"
#include "http/upstream_tls.h"
#include "runtime/interruption.h"
#include "runtime/wait_line.h"
#include "upstream/cluster.h"

namespace spillway::gateway {

// What a waiting request would ask of the cluster; `tried` lies in its frame.
struct QueuedPick {
  std::optional<uint64_t> hash_key;
  std::optional<uint64_t> sticky;
  std::span<const upstream::EndpointId> tried;
};

// The decisions of upstream/ and the waiting of runtime/, under one lock: in-flight counts, health,
// breaker and retry budget are one record for all cores.
struct ServiceState {
  ServiceState(std::string name, const upstream::ClusterConfig& config)
      : cluster(std::move(name), config) {}
  using Line = runtime::WaitLine<upstream::Ticket, QueuedPick>;
  Line& line() { return waiting; }
  // Hands freed places to those who wait, in order of arrival.
  void grant(Instant now, Random& random);

  upstream::Cluster cluster;
  Line waiting;
};

class Service;

// The right to send one request to one endpoint. Dropped unsettled it means that nothing was
// learned of the endpoint; the place is freed either way. Moves within its core.
class Lease {
 public:
  Lease(Service& service, runtime::Loop& loop, const upstream::Ticket& ticket)
      : service_(&service), loop_(&loop), ticket_(ticket) {}
  Lease(Lease&& other) noexcept
      : service_(std::exchange(other.service_, nullptr)),
        loop_(other.loop_),
        ticket_(other.ticket_) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  const upstream::Ticket& ticket() const { return ticket_; }
  // Ends the lease.
  void settle(upstream::Outcome outcome);
  // Tells the outcome at the head of a long answer; the place stays taken until the end.
  void learn(upstream::Outcome outcome);

 private:
  Service* service_;  // Null once settled or moved from.
  runtime::Loop* loop_;
  upstream::Ticket ticket_;
};

// One entry of the plan's `services`. Shared by all cores; what is outside `state` is immutable.
class Service {
 public:
  Service(std::string name, const upstream::ClusterConfig& config,
          http::UpstreamTlsPtr tls = nullptr)
      : name_(std::move(name)),
        config_(config),
        tls_(std::move(tls)),
        state_(std::make_shared<Guarded<ServiceState>>(name_, config)) {}
  // The same service under a new plan: endpoints, what is in flight and who waits stay.
  Service(const Service& before, const upstream::ClusterConfig& config, http::UpstreamTlsPtr tls,
          Instant now)
      : name_(before.name_), config_(config), tls_(std::move(tls)), state_(before.state_) {
    state_->with([&](ServiceState& state) { state.cluster.reconfigure(config, now); });
  }

  const std::string& name() const { return name_; }
  const upstream::ClusterConfig& config() const { return config_; }
  const http::UpstreamTlsPtr& tls() const { return tls_; }  // Null: its endpoints speak none.

  class Acquire;
  // An endpoint, at once or after waiting in the bounded queue for at most `queue.wait`. Errors,
  // with code overloaded (answer 503) and safe to retry: no endpoint, none healthy, queue full,
  // waited too long; cancelled by `interruption`. A first attempt, one with nothing in `tried`,
  // counts as a request of the service.
  Acquire acquire(runtime::Loop& loop, const upstream::PickRequest& request, Deadline deadline,
                  runtime::Interruption& interruption);
  void settle(const upstream::Ticket& ticket, upstream::Outcome outcome, runtime::Loop& loop);

  // Runs `function` on the state with the lock held.
  template <class Function>
  decltype(auto) with(Function&& function) {
    return state_->with(std::forward<Function>(function));
  }

 private:
  const std::string name_;
  const upstream::ClusterConfig config_;
  const http::UpstreamTlsPtr tls_;
  const std::shared_ptr<Guarded<ServiceState>> state_;
};

// What `co_await service.acquire(...)` waits on: nothing, nearly always.
class Service::Acquire final {
 public:
  Acquire(Service& service, runtime::Loop& loop, const upstream::PickRequest& request,
          Deadline deadline, runtime::Interruption& interruption)
      : service_(service),
        loop_(loop),
        request_(request),
        deadline_(deadline),
        interruption_(interruption) {}

  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  Result<Lease> await_resume();

 private:
  using Wait = runtime::LineWait<Guarded<ServiceState>, upstream::Ticket, QueuedPick>;

  Service& service_;
  runtime::Loop& loop_;
  const upstream::PickRequest request_;
  const Deadline deadline_;
  runtime::Interruption& interruption_;
  std::expected<upstream::Ticket, upstream::PickRefusal> picked_;
  std::optional<Wait> wait_;
};

inline Service::Acquire Service::acquire(runtime::Loop& loop, const upstream::PickRequest& request,
                                         Deadline deadline, runtime::Interruption& interruption) {
  return Acquire(*this, loop, request, deadline, interruption);
}

}  // namespace spillway::gateway
