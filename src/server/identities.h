// server/identities.h: reads the keys and users that a plan names, and joins fetched keys to them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "gateway/identity_rules.h"
#include "identity/key.h"
#include "identity/sha256.h"
#include "plan/plan.h"
#include "runtime/blocking_pool.h"

namespace spillway::server {

// The `auth` side of a plan. A copy is a state to go back to. Reads files, so the caller is a loop
// that may wait a moment. On the control loop; rules point to what the last copy owns.
class Identities {
 public:
  // What `plan` says, without fetched keys; null if it has no `auth`. Errors: invalid, not_found,
  // permission, limit_exceeded; all stays as it was then.
  Result<void> load(const plan::Plan& plan);
  // From now on these keys are believed too; null: none was ever fetched. Error: limit_exceeded.
  Result<void> use_fetched(std::shared_ptr<const identity::KeySet> keys);

  const std::shared_ptr<const gateway::IdentityRules>& rules() const { return rules_; }

 private:
  Result<gateway::IdentityRules> read(const plan::Plan& plan);

  std::optional<identity::ProcessSecret> secret_;  // Made with the first plan that needs it.
  std::shared_ptr<runtime::BlockingPool> pool_;    // So are the threads for slow hashes.
  std::shared_ptr<const gateway::IdentityRules> of_plan_;  // Without fetched keys.
  std::shared_ptr<const identity::KeySet> fetched_;
  std::shared_ptr<const gateway::IdentityRules> rules_;
};

// The same without keeping anything, for `spillway check`.
Result<void> check_identities(const plan::Plan& plan);

}  // namespace spillway::server
