// gateway/outcome.h: what an attempt's error teaches of its endpoint.
#pragma once

#include "base/error.h"
#include "upstream/pick.h"

namespace spillway::gateway {

inline upstream::Outcome outcome_of(const Error& error) {
  using upstream::Outcome;
  if (error.blame == Error::Blame::client) return {Outcome::Kind::client_aborted, 0};
  switch (error.code) {
    case Error::Code::cancelled: return {Outcome::Kind::nothing_learned, 0};
    case Error::Code::deadline_exceeded: return {Outcome::Kind::timed_out, 0};
    case Error::Code::connection_refused: return {Outcome::Kind::failed_connect, 0};
    case Error::Code::protocol:  // Before a request was sent: TLS.
      if (error.retry == Error::Retry::safe) return {Outcome::Kind::failed_connect, 0};
      return {Outcome::Kind::failed_response, 0};
    default: return {Outcome::Kind::failed_response, 0};
  }
}

}  // namespace spillway::gateway
