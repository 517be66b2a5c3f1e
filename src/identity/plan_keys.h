// identity/plan_keys.h: from what the plan says to what verifies.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/error.h"
#include "identity/config.h"
#include "identity/jwt.h"
#include "identity/key.h"

namespace spillway::identity {

// The bytes of a file that the plan names.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

// The keys under `keys`, without those of `jwks`. Error: invalid, with the number of the key, and
// never its secret; or what `read_file` answered.
Result<KeySet> make_keys(const JwtConfig& config, const ReadFile& read_file);
// Error: invalid, an algorithm that is not known.
Result<JwtPolicy> make_policy(const JwtConfig& config);
// The users of the plan and of its file, one hash each. Error: as above.
Result<std::map<std::string, std::string>> make_users(const BasicConfig& config,
                                                      const ReadFile& read_file);

}  // namespace spillway::identity
