// http/tunnel.h: carries bytes both ways once a connection has switched protocols.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "runtime/buffer_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

struct TunnelEnd {
  uint64_t bytes_to_upstream = 0;
  uint64_t bytes_to_client = 0;
  bool was_idle = false;  // Nothing moved for the idle limit.
};

// Relays until one side has ended and what it sent is delivered, either side fails, or nothing has
// moved in either direction for `idle_max`. The initial bytes are what came behind the heads; their
// buffers are let go once sent. Silent directions hold no buffer. One core.
runtime::Task<TunnelEnd> run_tunnel(runtime::Socket& client, runtime::Buffer& from_client,
                                    runtime::Socket& upstream, runtime::Buffer& from_upstream,
                                    Duration idle_max);

}  // namespace spillway::http
