// http/http2_pool.h: connections of HTTP/2 to upstreams, per core and address, shared by calls.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/address.h"
#include "base/error.h"
#include "http/http2_client.h"
#include "http/upstream_tls.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/interruption.h"
#include "runtime/object_pool.h"
#include "runtime/task.h"

namespace spillway::http {

// A connection is opened when those that are there are full. One core.
class Http2Pool {
 public:
  // So many connections to one address and core, with 100 calls each; beyond that a call waits.
  static constexpr uint32_t connections_max = 16;

  explicit Http2Pool(runtime::Loop& loop) : loop_(loop), tasks_(loop) {}

  // A connection that has room for a call, which must begin before the next await. Errors as
  // http::connect; retry is safe.
  runtime::Task<Result<Http2Client*>> acquire(UpstreamKey to, Http2ClientOptions options,
                                              Deadline deadline,
                                              runtime::Interruption* interruption = nullptr);
  Http2Call::Stream stream() { return responses_.borrow(); }

  // Cuts all connections, and waits for their ends.
  runtime::Task<Result<void>> close(Deadline deadline);
  uint64_t connections() const { return tasks_.count(); }

 private:
  struct Upstream {
    explicit Upstream(runtime::Loop& loop) : changed(loop) {}
    IntrusiveList<Http2Client> clients;
    uint32_t connections = 0;
    uint32_t uses = 0;
    bool is_connecting = false;
    runtime::Event changed;  // There may be room.
  };

  // Held by whoever uses it; the last one to leave forgets it.
  class Use;
  runtime::Task<Result<Http2Client*>> find(const UpstreamKey& key, Upstream& upstream,
                                           const Http2ClientOptions& options, Deadline deadline,
                                           runtime::Interruption* interruption);
  runtime::Task<Result<void>> wait_for_room(Upstream& upstream, Deadline deadline,
                                            runtime::Interruption* interruption);
  runtime::Task<void> keep(UpstreamKey key, runtime::Socket socket, Http2ClientOptions options);

  runtime::Loop& loop_;
  runtime::ObjectPool<Http2Response> responses_;
  std::unordered_map<UpstreamKey, std::unique_ptr<Upstream>, UpstreamKeyHash, UpstreamKeyEqual>
      upstreams_;
  runtime::Gate tasks_;  // One for each connection.
};

}  // namespace spillway::http
