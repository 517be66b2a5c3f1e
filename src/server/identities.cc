// server/identities.cc: from paths and secrets in the plan to rules that requests are held to.
#include "server/identities.h"

#include <utility>

#include "identity/jwk.h"
#include "identity/plan_keys.h"
#include "server/plan_reader.h"

namespace spillway::server {
namespace {

// A second of one thread for each password that is tried: two threads leave the rest of the machine
// to requests. Who waits longer than the filter's patience is answered 503.
constexpr runtime::BlockingPoolOptions password_pool{.threads = 2, .queue_max = 256};

}  // namespace

Result<gateway::IdentityRules> Identities::read(const plan::Plan& plan) {
  PlanReader reader(plan);
  const identity::ReadFile read_file = [&reader](const std::string& path) {
    return reader.read(path, identity::limits::key_file_bytes_max);
  };
  gateway::IdentityRules rules{.config = plan.auth, .secret = *secret_};
  if (plan.auth.jwt) {
    TRY(keys, identity::make_keys(*plan.auth.jwt, read_file));
    TRY(policy, identity::make_policy(*plan.auth.jwt));
    rules.keys = std::move(keys);
    rules.policy = std::move(policy);
  }
  if (plan.auth.api_keys) {
    TRY(keys, identity::ApiKeys::make(plan.auth.api_keys->keys, *secret_));
    rules.api_keys = std::move(keys);
  }
  if (plan.auth.basic) {
    TRY(hashes, identity::make_users(*plan.auth.basic, read_file));
    TRY(users, identity::BasicUsers::make(hashes));
    rules.users = std::move(users);
  }
  return rules;
}

Result<void> Identities::load(const plan::Plan& plan) {
  if (!plan.auth.is_used()) {
    of_plan_ = rules_ = nullptr;
    fetched_ = nullptr;
    return {};
  }
  if (!secret_) {
    TRY(secret, identity::ProcessSecret::make());
    secret_ = secret;
  }
  TRY(rules, read(plan));
  if (rules.users.has_slow() && pool_ == nullptr) {
    pool_ = std::make_shared<runtime::BlockingPool>(password_pool);
  }
  rules.pool = pool_.get();
  // Keys of one issuer prove nothing to another plan's.
  const auto url_of = [](const identity::AuthConfig& config) {
    return config.jwt && config.jwt->jwks ? config.jwt->jwks->url : std::string();
  };
  const bool keeps_fetched = of_plan_ != nullptr && url_of(of_plan_->config) == url_of(plan.auth);
  of_plan_ = std::make_shared<const gateway::IdentityRules>(std::move(rules));
  return use_fetched(keeps_fetched ? fetched_ : nullptr);
}

Result<void> Identities::use_fetched(std::shared_ptr<const identity::KeySet> keys) {
  fetched_ = std::move(keys);
  rules_ = of_plan_;
  if (of_plan_ == nullptr || !of_plan_->config.jwt || !of_plan_->config.jwt->jwks) return {};
  gateway::IdentityRules joined = *of_plan_;
  joined.awaits_keys = fetched_ == nullptr;
  if (fetched_ != nullptr) TRY_VOID(joined.keys.add_all(*fetched_));
  rules_ = std::make_shared<const gateway::IdentityRules>(std::move(joined));
  return {};
}

Result<void> check_identities(const plan::Plan& plan) { return Identities().load(plan); }

}  // namespace spillway::server
