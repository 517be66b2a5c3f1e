// upstream/pick.cc: names of refusals, outcomes and states.
#include "upstream/pick.h"

#include "upstream/status.h"

namespace spillway::upstream {

std::string_view to_string(PickRefusal refusal) {
  switch (refusal) {
    case PickRefusal::no_endpoints: return "no_endpoints";
    case PickRefusal::none_fit: return "none_fit";
    case PickRefusal::all_at_capacity: return "all_at_capacity";
  }
  return "unknown";
}

std::string_view to_string(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::answered: return "answered";
    case Outcome::Kind::failed_connect: return "failed_connect";
    case Outcome::Kind::failed_response: return "failed_response";
    case Outcome::Kind::timed_out: return "timed_out";
    case Outcome::Kind::client_aborted: return "client_aborted";
    case Outcome::Kind::nothing_learned: return "nothing_learned";
  }
  return "unknown";
}

std::string_view to_string(EndpointState state) {
  switch (state) {
    case EndpointState::starting: return "starting";
    case EndpointState::healthy: return "healthy";
    case EndpointState::unhealthy: return "unhealthy";
    case EndpointState::ejected: return "ejected";
    case EndpointState::draining: return "draining";
  }
  return "unknown";
}

}  // namespace spillway::upstream
