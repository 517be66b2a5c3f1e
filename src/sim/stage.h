// sim/stage.h: where a scenario plays: a world with origins, clients and the subject between them.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/client.h"
#include "sim/ledger.h"
#include "sim/origin.h"
#include "sim/subject.h"
#include "sim/world.h"

namespace spillway::sim {

// Ways in which a request may end besides being answered. What is not allowed fails the scenario.
struct Allowed {
  bool refused = false;    // A 5xx.
  bool cut = false;        // A visible end in mid-answer.
  bool broken = false;     // An end before the answer began.
  bool timed_out = false;  // The client's patience.
};

// One run of one scenario. Members live as long as the run; the world is the last to go.
class Stage {
 public:
  Stage(uint64_t seed, const WorldOptions& options);

  World& world() { return world_; }
  Ledger& ledger() { return ledger_; }
  Random& random() { return random_; }  // For the scenario's own choices.
  HostId gateway_host() const { return gateway_host_; }
  const SocketAddress& gateway_address() const { return gateway_address_; }

  Origin& add_origin();  // Started.
  Origin& origin(size_t index) { return *std::next(origins_.begin(), static_cast<long>(index)); }
  size_t origins() const { return origins_.size(); }
  std::vector<SocketAddress> origin_addresses() const;
  Clients& clients() { return clients_; }
  // Subjects start at once. Several share the address: one for each worker, or old and new.
  template <class T>
  T& add_subject(std::unique_ptr<T> subject) {
    T& added = *subject;
    subjects_.push_back(std::move(subject));
    added.start(gateway_address_);
    return added;
  }

  void expect(bool holds, std::string otherwise);
  // Lets all clients come to their end, then stops everything in order and looks for leftovers.
  void finish(const Allowed& allowed, Duration limit = std::chrono::minutes(10));
  const std::vector<std::string>& failures() const { return failures_; }
  // False: coroutines are still suspended somewhere, and the stage cannot be taken down.
  bool is_over() const { return is_over_; }

 private:
  void close_down();
  void look_for_leftovers();

  World world_;
  Ledger ledger_;
  Random random_;
  HostId gateway_host_;
  SocketAddress gateway_address_;
  std::list<Origin> origins_;
  Clients clients_;
  std::vector<std::unique_ptr<Subject>> subjects_;
  std::vector<std::string> failures_;
  bool is_over_ = false;
};

}  // namespace spillway::sim
