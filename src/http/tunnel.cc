// http/tunnel.cc: a tunnel between two sockets.
#include "http/tunnel.h"

#include "http/tunnel_relay.h"

namespace spillway::http {

runtime::Task<TunnelEnd> run_tunnel(runtime::Socket& client, runtime::Buffer& from_client,
                                    runtime::Socket& upstream, runtime::Buffer& from_upstream,
                                    Duration idle_max) {
  return relay_both_ways(client, from_client, upstream, from_upstream, idle_max);
}

}  // namespace spillway::http
