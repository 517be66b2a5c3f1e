// server/client_lists.h: whom we serve: what the plan says, and what people changed while running.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "admin/client_entry.h"
#include "base/error.h"
#include "base/time.h"
#include "gateway/client_rules.h"
#include "plan/plan.h"
#include "server/file_watch.h"

namespace spillway::server {

// Lives on the control loop. Changes made while running survive a reload, but not the process: what
// is to last belongs into the plan.
class ClientLists {
 public:
  // Each costs 40 bytes and a step of sorting at every change; the plan's own are beyond.
  static constexpr size_t changes_max = 65'536;

  // Reads the file of countries if the plan has one. Errors: those of GeoDatabase::open; all stays
  // as it was then. Blocks.
  Result<void> load(const plan::Plan& plan);
  // Whether the file of countries has changed since it was read.
  bool has_changed() { return file_.has_changed(); }

  // Replaces what was said of the same prefix. Error: limit_exceeded.
  Result<void> add(const admin::ClientChange& change, Instant now);
  // Error: not_found, also for what the plan says itself.
  Result<void> remove(const IpPrefix& prefix, Instant now);
  // The plan's first, then the changes in the order they were made.
  std::vector<admin::ClientEntry> entries(Instant now) const;
  // For the workers. Called after each change.
  std::shared_ptr<const gateway::ClientRules> rules(Instant now);

 private:
  struct Change {
    admin::ClientChange change;
    Instant until;
  };
  void forget_ended(Instant now);

  gateway::ClientsConfig plan_;
  std::shared_ptr<const gateway::GeoDatabase> database_;
  FileWatch file_;
  std::vector<Change> changes_;
};

// Reads what the plan names without keeping it, for `spillway check`.
Result<void> check_clients(const plan::Plan& plan);

}  // namespace spillway::server
