// http/upstream_tls.h: how connections to upstreams are secured, and opened.
#pragma once

#include <memory>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "runtime/interruption.h"
#include "runtime/socket.h"
#include "runtime/task.h"
#include "runtime/tls_context.h"

namespace spillway::http {

// Of one upstream. Immutable, any core; a new certificate makes a new one, and what was opened with
// the old one ages away.
struct UpstreamTls {
  std::shared_ptr<const runtime::TlsClientContext> context;
  std::string name;  // What the certificate must be for; empty: the address that we connect to.
};
using UpstreamTlsPtr = std::shared_ptr<const UpstreamTls>;  // Null: no TLS.

// A connection that is ready for a request, with TLS if `tls` is there. `protocol` is what ALPN has
// to agree on, "h2" or "http/1.1"; for http/1.1 silence will do. Errors as Socket::connect;
// protocol, with the reason, if the upstream cannot prove who it is. Retry is safe.
runtime::Task<Result<runtime::Socket>> connect(runtime::Loop& loop, SocketAddress to,
                                               UpstreamTlsPtr tls, std::string_view protocol,
                                               Deadline deadline,
                                               runtime::Interruption* interruption = nullptr);

// Which of an upstream's connections may be used for another request: those to the same address,
// secured in the same way.
struct UpstreamKey {
  SocketAddress address;
  UpstreamTlsPtr tls;
  bool operator==(const UpstreamKey&) const = default;
};
// The same without owning it, to look up by.
struct UpstreamKeyView {
  const SocketAddress& address;
  const UpstreamTlsPtr& tls;
};
struct UpstreamKeyHash {
  using is_transparent = void;
  static size_t of(const SocketAddress& address, const UpstreamTls* tls) {
    return std::hash<SocketAddress>{}(address) ^ (reinterpret_cast<uintptr_t>(tls) >> 4);
  }
  size_t operator()(const UpstreamKey& key) const { return of(key.address, key.tls.get()); }
  size_t operator()(const UpstreamKeyView& key) const { return of(key.address, key.tls.get()); }
};
struct UpstreamKeyEqual {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return a.address == b.address && a.tls == b.tls;
  }
};

}  // namespace spillway::http
