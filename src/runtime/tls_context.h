// runtime/tls_context.h: what TLS connections of one kind agree on: certificates, versions, groups.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "runtime/tls_session.h"
#include "runtime/tls_tickets.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX.
struct x509_st;     // OpenSSL's X509.

namespace spillway::runtime {

// Whether the linked OpenSSL has this group.
bool has_tls_group(TlsGroup group);
// The linked OpenSSL, for messages: "OpenSSL 3.0.19".
std::string tls_library();

// A certificate with what signs for it; contents of files, in PEM but for the OCSP answer.
struct TlsCertificate {
  std::string name;      // Where it is from, for messages.
  std::string key_name;  // The same of its key.
  std::string chain;     // The certificate, then those between it and a root.
  std::string key;       // Without a passphrase.
  // An OCSP answer in DER, stapled until its nextUpdate (RFC 6066 section 8); may be empty.
  std::string ocsp;
  std::string ocsp_name;  // Where that is from.
};

struct TlsServerOptions {
  std::vector<TlsCertificate> certificates;  // Not empty. The first is for names that none has.
  TlsVersion minimum = TlsVersion::tls12;
  std::vector<TlsGroup> groups;        // In our order; those that OpenSSL lacks are left out.
  bool require_post_quantum = false;   // Only hybrid groups, and only TLS 1.3.
  std::vector<std::string> protocols;  // ALPN, in our order: "h2", "http/1.1".
  TlsClientCertificates client_certificates = TlsClientCertificates::ignored;
  std::string client_ca;  // PEM: who may have signed them.
  std::shared_ptr<TlsTicketKeys> tickets;
};

// What a certificate says of itself, for status and metrics.
struct TlsCertificateInfo {
  std::string name;
  std::vector<std::string> hosts;
  WallTime expires;
  std::optional<WallTime> staple_expires;  // Of its OCSP answer, if it has one.
};

// For connections that clients open to us. Immutable, any core; sessions keep it alive.
class TlsServerContext {
 public:
  // Error: invalid, naming the file and what is wrong with it: no PEM, a key of another
  // certificate, an encrypted key, an OCSP answer that is none or of another certificate.
  static Result<std::shared_ptr<const TlsServerContext>> make(TlsServerOptions options);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  // A session for a connection that was accepted; see Socket::start_tls. `received`: what has
  // arrived on it already.
  static std::unique_ptr<TlsSession> accept(const std::shared_ptr<const TlsServerContext>& context,
                                            Loop& loop, Buffer received);

  const std::vector<TlsCertificateInfo>& certificates() const { return infos_; }

 private:
  struct Callbacks;
  struct ContextFree {
    void operator()(ssl_ctx_st* context) const;
  };
  using Context = std::unique_ptr<ssl_ctx_st, ContextFree>;

  explicit TlsServerContext(TlsServerOptions options);
  Result<void> build();
  Result<Context> make_context(const std::vector<size_t>& certificates);
  // The context whose certificates are for `host`, which is in small letters.
  ssl_ctx_st* find(std::string_view host) const;

  struct Staple {
    std::string_view answer;
    WallTime expires;
  };
  const TlsServerOptions options_;
  std::string alpn_;  // As on the wire.
  std::vector<TlsCertificateInfo> infos_;
  std::vector<Context> contexts_;                            // The first is the default.
  std::map<std::string, ssl_ctx_st*, std::less<>> by_host_;  // "shop.example", "*.shop.example".
  std::map<const x509_st*, Staple> staples_;                 // By certificates of contexts_.
};

struct TlsClientOptions {
  bool verify = true;
  std::string ca;           // PEM: whom we trust; empty: the system's.
  std::string server_name;  // Instead of the name that we connect to.
  std::optional<TlsCertificate> certificate;
  TlsVersion minimum = TlsVersion::tls12;
  std::vector<std::string> protocols;  // ALPN.
};

// For connections that we open. Immutable, any core; sessions keep it alive.
class TlsClientContext {
 public:
  // Error: invalid, as above.
  static Result<std::shared_ptr<const TlsClientContext>> make(TlsClientOptions options);
  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  // A session towards `host`, a name or an IP address, whose certificate must be for it.
  static std::unique_ptr<TlsSession> connect(const std::shared_ptr<const TlsClientContext>& context,
                                             Loop& loop, std::string_view host);

 private:
  explicit TlsClientContext(TlsClientOptions options) : options_(std::move(options)) {}
  Result<void> build();

  const TlsClientOptions options_;
  ssl_ctx_st* context_ = nullptr;
};

}  // namespace spillway::runtime
