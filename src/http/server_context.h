// http/server_context.h: what all client connections of one core share.
#pragma once

#include <cstdint>
#include <vector>

#include "http/http2_limits.h"
#include "http/http2_request.h"
#include "http/message.h"
#include "http/serializer.h"
#include "runtime/loop.h"
#include "runtime/object_pool.h"
#include "telemetry/registry.h"

namespace spillway::http {

// Of all connections of one core.
struct ServerCounts {
  ServerCounts(telemetry::Registry& registry, uint32_t core);

  telemetry::Counter requests;
  telemetry::Counter bad_requests;  // Answered 400, 414, 431, 501 or 505 before any handler.
  telemetry::Counter head_timeouts;
  telemetry::Counter truncated;  // Answers cut in mid-body.
  telemetry::Counter http2_connections;
  telemetry::Counter http2_refused_streams;
  std::vector<telemetry::Counter> http2_floods;  // By Http2Burden.
};

// What all connections of one core share. Outlives them.
struct ServerContext {
  ServerContext(runtime::Loop& its_loop, telemetry::Registry& registry)
      : loop(its_loop), counts(registry, its_loop.core()) {}

  const DateField& current_date() {
    date.update(loop.wall_now());
    return date;
  }

  runtime::Loop& loop;
  runtime::ObjectPool<RequestHead> heads;
  runtime::ObjectPool<Http2Request> http2_requests;
  DateField date;
  ServerCounts counts;
};

}  // namespace spillway::http
