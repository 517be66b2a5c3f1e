// http/http2_pool.cc: finding room for a call, or making it.
#include "http/http2_pool.h"

#include <utility>

#include "base/check.h"

namespace spillway::http {

using runtime::Task;

class Http2Pool::Use {
 public:
  Use(Http2Pool& pool, const UpstreamKey& key) : pool_(pool), key_(key) {
    auto& found = pool.upstreams_[key];
    if (found == nullptr) found = std::make_unique<Upstream>(pool.loop_);
    upstream_ = found.get();
    ++upstream_->uses;
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() {
    if (--upstream_->uses == 0) pool_.upstreams_.erase(key_);
  }
  Upstream& operator*() const { return *upstream_; }

 private:
  Http2Pool& pool_;
  const UpstreamKey key_;
  Upstream* upstream_;
};

Task<Result<Http2Client*>> Http2Pool::acquire(UpstreamKey to, Http2ClientOptions options,
                                              Deadline deadline,
                                              runtime::Interruption* interruption) {
  const Use use(*this, to);
  co_return co_await find(to, *use, options, deadline, interruption);
}

Task<Result<Http2Client*>> Http2Pool::find(const UpstreamKey& key, Upstream& to,
                                           const Http2ClientOptions& options, Deadline deadline,
                                           runtime::Interruption* interruption) {
  while (true) {
    for (Http2Client* client = to.clients.first(); client != nullptr;
         client = to.clients.next(*client)) {
      if (client->has_room()) co_return client;
    }
    if (to.is_connecting || to.connections >= connections_max) {
      CO_TRY_VOID(co_await wait_for_room(to, deadline, interruption));
      continue;
    }
    to.is_connecting = true;
    auto socket = co_await http::connect(loop_, key.address, key.tls, "h2", deadline, interruption);
    to.is_connecting = false;
    to.changed.set();
    if (!socket) co_return fail(std::move(socket).error());
    if (!tasks_.spawn(keep(key, std::move(*socket), options))) {
      co_return fail(Error::Code::cancelled, "we are about to end");
    }
  }
}

Task<Result<void>> Http2Pool::wait_for_room(Upstream& to, Deadline deadline,
                                            runtime::Interruption* interruption) {
  to.changed.reset();
  const runtime::OnInterruption wake(interruption, [&to] { to.changed.set(); });
  auto changed = co_await to.changed.wait(deadline);
  if (interruption != nullptr && interruption->is_interrupted()) {
    co_return fail(Error::Code::cancelled, "interrupted while waiting for a connection");
  }
  if (!changed) {
    co_return fail(Error::Code::deadline_exceeded, "no connection had room for a call in time",
                   Error::Blame::upstream, Error::Retry::safe);
  }
  co_return Result<void>{};
}

Task<void> Http2Pool::keep(UpstreamKey key, runtime::Socket socket, Http2ClientOptions options) {
  const Use use(*this, key);
  Upstream& to = *use;
  ++to.connections;
  {
    Http2Client client(socket, options);
    client.set_listener(&to.changed);
    to.clients.push_back(client);
    co_await client.run();
  }
  --to.connections;
  to.changed.set();
}

Task<Result<void>> Http2Pool::close(Deadline deadline) {
  tasks_.shut();
  for (const auto& [address, to] : upstreams_) {
    for (Http2Client* client = to->clients.first(); client != nullptr;
         client = to->clients.next(*client)) {
      client->close();
    }
  }
  return tasks_.close(deadline);
}

}  // namespace spillway::http
