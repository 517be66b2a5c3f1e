// upstream/cluster.h: the endpoints of one service, and which of them may take this unit of work.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "upstream/balancer.h"
#include "upstream/config.h"
#include "upstream/pick.h"
#include "upstream/retry_budget.h"
#include "upstream/status.h"

namespace spillway::upstream {

struct Endpoint;

// What set_endpoints() did.
struct EndpointsChange {
  uint32_t added = 0;
  uint32_t kept = 0;
  uint32_t removed = 0;
  uint32_t ignored = 0;  // Named twice, or beyond limits::endpoints_max.
};

struct ProbeTarget {
  EndpointId id;
  std::string name;
  SocketAddress address;
};

// The one record of a service's endpoints for all cores: in-flight counts, health, breakers and
// budgets are exact. Pure: it never waits, and reads no clock. Not thread-safe: its owner shares it
// through a lock. pick() and settle() do not allocate. `now` may lag a little between callers.
//
// Invariants: an endpoint holds at most `concurrency` tickets; one that is removed or drained is
// never picked, and its record lives until its last ticket is settled.
class Cluster {
 public:
  Cluster(std::string name, ClusterConfig config);
  Cluster(Cluster&&) noexcept;
  Cluster& operator=(Cluster&&) noexcept;
  ~Cluster();

  // The whole list as it is now. Those already known keep their state, those missing drain.
  EndpointsChange set_endpoints(std::span<const EndpointSpec> specs, Instant now);
  // No new picks, until undrain() or until it is removed. False: there is none.
  bool drain(EndpointId id);
  bool undrain(EndpointId id);
  // After a reload of the plan. Endpoints and what they have in flight stay; breakers, ejections
  // and budgets start anew if their own configuration has changed.
  void reconfigure(ClusterConfig config, Instant now);

  std::expected<Ticket, PickRefusal> pick(const PickRequest& request);
  // Tells an outcome before the work ends, at the head of a long answer; settle() then takes
  // nothing_learned.
  void learn(const Ticket& ticket, Outcome outcome, Instant now);
  // Ends a ticket. True: somebody waits in the queue and this endpoint could take it now.
  bool settle(const Ticket& ticket, Outcome outcome, Instant now);

  // Once per unit of work, before its first attempt: what the budgets are shares of.
  void count_request(Instant now);
  // After `attempts` attempts, may there be another? Takes it from the budget.
  bool allows_retry(uint32_t attempts, Instant now);
  // An endpoint for a second attempt beside a slow one at `request.tried`: another one, fit and
  // free at once. Takes it from the budget. Nothing: there is none, or it may not be.
  std::optional<Ticket> pick_hedge(const PickRequest& request);

  // The caller may wait until the returned deadline, and calls leave_queue() whatever happens.
  // Nothing: the queue is full, or the turn would come after `deadline`.
  std::optional<Deadline> enter_queue(Deadline deadline, Instant now);
  void leave_queue(bool was_served);
  uint32_t queue_length() const { return queue_length_; }
  // So many more could be picked now. To wake as many waiters after set_endpoints(), undrain(),
  // reconfigure() or record_probe(). Without `concurrency`: UINT32_MAX, or 0 if none is fit.
  uint32_t slots_free(Instant now);

  // Endpoints whose next probe is due; each is asked once and answered with record_probe().
  std::vector<ProbeTarget> take_due_probes(Random& random, Instant now);
  // When to call it next; Instant::max() without `health`, or while all probes are out.
  Instant next_probe_at() const;
  // `detail` is for people: "200 in 3ms", "connection refused". True: its state has changed.
  bool record_probe(EndpointId id, bool is_good, std::string_view detail, Instant now);

  const std::string& name() const { return name_; }
  const ClusterConfig& config() const { return config_; }
  ClusterStatus status(Instant now);

 private:
  struct Slot {
    uint32_t generation = 0;
    std::unique_ptr<Endpoint> endpoint;  // Null: free.
  };

  Endpoint* find(EndpointId id);
  Endpoint* find_same(const EndpointSpec& spec);
  Endpoint& add(const EndpointSpec& spec, Instant now);
  void erase(Endpoint& endpoint);
  uint32_t remove_all_but(std::span<Endpoint* const> wanted);
  uint64_t identity_of(const EndpointSpec& spec) const;
  // What one caller has seen of time holds for the next, though its core's loop may lag.
  Instant latest(Instant now) { return latest_ = std::max(latest_, now); }
  void rebuild_candidates();
  void refresh(Instant now);
  void refresh_fitness(Endpoint& endpoint, Instant now);
  void refresh_at_once() { refresh_at_ = Instant::from_nanoseconds(INT64_MIN); }
  Share panic_share() const;
  void update_candidate(Endpoint& endpoint);
  std::optional<uint32_t> choose(const PickRequest& request);
  std::optional<uint32_t> choose_untried(const PickRequest& request, bool& all_at_capacity);
  bool any_available() const;
  Ticket take(uint32_t place, const PickRequest& request);
  std::expected<Ticket, PickRefusal> refuse(PickRefusal refusal, const PickRequest& request);
  void explain(uint32_t place, const PickRequest& request) const;
  void learn_from(Endpoint& endpoint, const Ticket& ticket, Outcome outcome, Instant now);
  void eject_if_allowed(Endpoint& endpoint, Instant now);
  EndpointStatus endpoint_status(const Endpoint& endpoint, Instant now) const;

  std::string name_;
  ClusterConfig config_;
  std::unique_ptr<Balancer> balancer_;
  RetryBudget retry_budget_;
  std::optional<RetryBudget> hedge_budget_;

  std::vector<Slot> slots_;            // By EndpointId::index.
  std::vector<Endpoint*> listed_;      // Those that may be picked if fit, in the list's order.
  std::vector<Candidate> candidates_;  // The same, as the balancer sees them.
  Instant refresh_at_;                 // When what candidates_ says of fitness must be renewed.
  Instant latest_;                     // The latest `now` of any caller.
  bool is_in_panic_ = false;

  uint32_t in_flight_ = 0;     // Tickets out, of all endpoints.
  uint32_t queue_length_ = 0;  // Callers waiting.
  Duration work_mean_{};       // How long a ticket is held, a moving mean.
  ClusterCounters counters_;
};

}  // namespace spillway::upstream
