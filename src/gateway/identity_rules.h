// gateway/identity_rules.h: what a plan says of callers, with its keys and users read.
#pragma once

#include <optional>

#include "identity/api_key.h"
#include "identity/basic.h"
#include "identity/config.h"
#include "identity/jwt.h"
#include "identity/key.h"
#include "runtime/blocking_pool.h"

namespace spillway::gateway {

// Immutable once made; any core. Whoever fetches an issuer's keys makes new rules with them.
struct IdentityRules {
  identity::AuthConfig config;
  identity::JwtPolicy policy;
  identity::KeySet keys;     // Of the plan, and those fetched.
  bool awaits_keys = false;  // Not one fetch of `jwks` has succeeded yet.
  std::optional<identity::ApiKeys> api_keys;
  identity::BasicUsers users;
  identity::ProcessSecret secret;
  runtime::BlockingPool* pool =
      nullptr;  // For slow hashes; not null if a user has one. Outlives us.
};

}  // namespace spillway::gateway
