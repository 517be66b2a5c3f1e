// cli/control_token.h: how the control API's token gets from `up` to the server it starts.
#pragma once

namespace spillway::cli {

// In the environment, which only the same user can read, and which replicas do not inherit: names
// that begin so are taken out of theirs (deploy/replica_table.cc).
inline constexpr const char* control_token_variable = "SPILLWAY_CONTROL_TOKEN";

}  // namespace spillway::cli
