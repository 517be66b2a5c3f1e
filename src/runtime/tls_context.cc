// runtime/tls_context.cc: contexts per set of certificates, and what clients are asked and told.
#include "runtime/tls_context.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ranges>

#include "base/address.h"
#include "base/ascii.h"
#include "base/check.h"
#include "runtime/tls_pem.h"

namespace spillway::runtime {
namespace {

// TLS 1.2 with forward secrecy and authenticated encryption alone (RFC 9325 section 4.2).
constexpr const char* ciphers_tls12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

int number_of(TlsVersion version) {
  return version == TlsVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
}

// What both ends want: small memory, no old features.
void set_common(SSL_CTX* context, TlsVersion minimum) {
  SSL_CTX_set_min_proto_version(context, number_of(minimum));
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  CHECK(SSL_CTX_set_cipher_list(context, ciphers_tls12) == 1);
}

// ALPN as it is on the wire: each name with its length before it (RFC 7301 section 3.1).
std::string on_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

}  // namespace

bool has_tls_group(TlsGroup group) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  &SSL_CTX_free);
  const bool has =
      SSL_CTX_set1_groups_list(context.get(), std::string(to_string(group)).c_str()) == 1;
  ERR_clear_error();
  return has;
}

std::string tls_library() {
  return fmt::format("OpenSSL {}", OpenSSL_version(OPENSSL_VERSION_STRING));
}

void TlsServerContext::ContextFree::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

// What OpenSSL asks during a handshake.
struct TlsServerContext::Callbacks {
  static const TlsServerContext& of(SSL* ssl) {
    return *static_cast<const TlsServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  }

  // RFC 6066 section 3. A name that nobody has gets the first certificate, as without a name.
  static int choose_certificate(SSL* ssl, int*, void*) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const TlsServerContext& self = of(ssl);
    std::array<char, 256> lower;
    const std::string_view given(name);
    if (given.size() > lower.size()) return SSL_TLSEXT_ERR_NOACK;
    std::ranges::transform(given, lower.begin(), to_lower);
    SSL_CTX* context = self.find({lower.data(), given.size()});
    if (context != nullptr && context != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, context);
    return SSL_TLSEXT_ERR_OK;
  }

  // RFC 7301 section 3.2: no protocol in common ends the handshake.
  static int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                             const unsigned char* offered, unsigned offered_size, void* own) {
    const std::string& ours = *static_cast<const std::string*>(own);
    unsigned char* found = nullptr;
    const int result =
        SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, offered_size);
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
  }

  // One that is too old would be refused by clients who take it seriously.
  static int staple(SSL* ssl, void*) {
    const auto& staples = of(ssl).staples_;
    const auto found = staples.find(SSL_get_certificate(ssl));
    const bool is_good =
        found != staples.end() && std::chrono::system_clock::now() < found->second.expires;
    if (!is_good) return SSL_TLSEXT_ERR_NOACK;
    const std::string_view answer = found->second.answer;
    auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(answer.data(), answer.size()));
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(answer.size()));
    return SSL_TLSEXT_ERR_OK;
  }

  // Sealing and opening tickets (RFC 5077 section 4). 0: not ours, do a full handshake; 2: good,
  // but give out a new one.
  static int ticket_key(SSL* ssl, unsigned char* name, unsigned char* nonce, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int seals) {
    const TlsTicketKeys& keys = *of(ssl).options_.tickets;
    TlsTicketKeys::Key key;
    bool is_newest = true;
    if (seals == 1) {
      key = keys.newest();
      std::ranges::copy(key.name, name);
      if (RAND_bytes(nonce, EVP_MAX_IV_LENGTH) != 1) return -1;
    } else {
      const auto found = keys.find(name);
      if (!found) return 0;
      key = found->key;
      is_newest = found->is_newest;
    }
    std::array<char, 7> digest = {"SHA256"};
    const std::array<OSSL_PARAM, 3> parameters = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    if (EVP_MAC_CTX_set_params(mac, parameters.data()) != 1) return -1;
    if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), nonce, seals) !=
        1) {
      return -1;
    }
    // Of TLS 1.3 clients use a ticket once (RFC 8446 appendix C.4): each resumption brings more.
    const bool is_renewed = !is_newest || SSL_version(ssl) == TLS1_3_VERSION;
    return is_renewed ? 2 : 1;
  }
};

TlsServerContext::TlsServerContext(TlsServerOptions options)
    : options_(std::move(options)), alpn_(on_wire(options_.protocols)) {}

TlsServerContext::~TlsServerContext() = default;

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::make(TlsServerOptions options) {
  CHECK(!options.certificates.empty() && options.tickets != nullptr);
  std::shared_ptr<TlsServerContext> context(new TlsServerContext(std::move(options)));
  TRY_VOID(context->build());
  return context;
}

// Names that several certificates have (of one kind of key each, say) share a context that holds
// all of them, so that each client gets what it can use.
Result<void> TlsServerContext::build() {
  std::map<std::string, std::vector<size_t>> by_host;
  for (size_t i = 0; i < options_.certificates.size(); ++i) {
    const TlsCertificate& certificate = options_.certificates[i];
    TRY(chain, read_certificates(certificate.name, certificate.chain));
    std::vector<std::string> hosts = hosts_of(*chain.front());
    for (const std::string& host : hosts) by_host[host].push_back(i);
    infos_.push_back({.name = certificate.name,
                      .hosts = std::move(hosts),
                      .expires = expiry_of(*chain.front())});
  }
  std::map<std::vector<size_t>, ssl_ctx_st*> made;
  const auto context_for = [&](const std::vector<size_t>& certificates) -> Result<ssl_ctx_st*> {
    ssl_ctx_st*& known = made[certificates];
    if (known == nullptr) {
      TRY(context, make_context(certificates));
      known = context.get();
      contexts_.push_back(std::move(context));
    }
    return known;
  };
  const auto& first_hosts = infos_.front().hosts;
  const auto first = first_hosts.empty() ? std::vector<size_t>{0} : by_host.at(first_hosts.front());
  TRY_VOID(context_for(first));
  for (const auto& [host, certificates] : by_host) {
    TRY(context, context_for(certificates));
    by_host_[host] = context;
  }
  // None is left unread, whatever names it has.
  for (size_t i = 0; i < infos_.size(); ++i) {
    if (infos_[i].hosts.empty()) TRY_VOID(context_for({i}));
  }
  return {};
}

Result<TlsServerContext::Context> TlsServerContext::make_context(
    const std::vector<size_t>& certificates) {
  Context context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* raw = context.get();
  CHECK(raw != nullptr);
  set_common(raw, options_.require_post_quantum ? TlsVersion::tls13 : options_.minimum);
  SSL_CTX_set_app_data(raw, const_cast<TlsServerContext*>(this));

  std::string groups;
  for (const TlsGroup group : options_.groups) {
    if (options_.require_post_quantum && !is_post_quantum(group)) continue;
    if (!has_tls_group(group)) continue;
    if (!groups.empty()) groups += ':';
    groups += to_string(group);
  }
  if (groups.empty() || SSL_CTX_set1_groups_list(raw, groups.c_str()) != 1) {
    ERR_clear_error();
    return fail(Error::Code::invalid,
                fmt::format("tls.groups: {} has none of them", tls_library()));
  }
  // Of two certificates with one kind of key the first named one counts.
  for (const size_t place : std::views::reverse(certificates)) {
    const TlsCertificate& certificate = options_.certificates[place];
    TRY_VOID(use_certificate(raw, certificate));
    if (certificate.ocsp.empty()) continue;
    const X509* used = SSL_CTX_get0_certificate(raw);
    TRY(expires, check_ocsp(certificate.ocsp_name, certificate.ocsp, *used));
    infos_[place].staple_expires = expires;
    staples_[used] = {.answer = certificate.ocsp, .expires = expires};
    SSL_CTX_set_tlsext_status_cb(raw, &Callbacks::staple);
  }
  SSL_CTX_set_tlsext_servername_callback(raw, &Callbacks::choose_certificate);
  if (!alpn_.empty()) {
    SSL_CTX_set_alpn_select_cb(raw, &Callbacks::choose_protocol, const_cast<std::string*>(&alpn_));
  }
  SSL_CTX_set_tlsext_ticket_key_evp_cb(raw, &Callbacks::ticket_key);

  // A session that began under other rules for clients' certificates does not go on under ours.
  std::array<unsigned char, 32> rules{};
  unsigned size = 0;
  const std::string text =
      fmt::format("{} {}", static_cast<int>(options_.client_certificates), options_.client_ca);
  EVP_Digest(text.data(), text.size(), rules.data(), &size, EVP_sha256(), nullptr);
  SSL_CTX_set_session_id_context(raw, rules.data(), size);
  if (options_.client_certificates != TlsClientCertificates::ignored) {
    TRY_VOID(trust(raw, "tls.clients.ca", options_.client_ca));
    const bool is_required = options_.client_certificates == TlsClientCertificates::required;
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
  }
  return context;
}

// An exact name goes before a wildcard, which stands for one label (RFC 6125 section 6.4.3).
ssl_ctx_st* TlsServerContext::find(std::string_view host) const {
  if (const auto exact = by_host_.find(host); exact != by_host_.end()) return exact->second;
  const size_t dot = host.find('.');
  if (dot == std::string_view::npos || dot == 0) return nullptr;
  std::array<char, 257> pattern;
  pattern[0] = '*';
  const std::string_view rest = host.substr(dot);
  std::ranges::copy(rest, pattern.begin() + 1);
  const auto wild = by_host_.find(std::string_view(pattern.data(), rest.size() + 1));
  return wild == by_host_.end() ? nullptr : wild->second;
}

std::unique_ptr<TlsSession> TlsServerContext::accept(
    const std::shared_ptr<const TlsServerContext>& context, Loop& loop, Buffer received) {
  SSL* ssl = SSL_new(context->contexts_.front().get());
  CHECK(ssl != nullptr);
  SSL_set_accept_state(ssl);
  return std::make_unique<TlsSession>(loop, ssl, context, std::move(received));
}

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::make(TlsClientOptions options) {
  std::shared_ptr<TlsClientContext> context(new TlsClientContext(std::move(options)));
  TRY_VOID(context->build());
  return context;
}

TlsClientContext::~TlsClientContext() { SSL_CTX_free(context_); }

Result<void> TlsClientContext::build() {
  context_ = SSL_CTX_new(TLS_client_method());
  CHECK(context_ != nullptr);
  set_common(context_, options_.minimum);
  if (options_.certificate) {
    const TlsCertificate& certificate = *options_.certificate;
    TRY_VOID(use_certificate(context_, certificate));
  }
  if (options_.verify) {
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    if (options_.ca.empty()) {
      if (SSL_CTX_set_default_verify_paths(context_) != 1) {
        return openssl_failure("the system's certificates", "cannot be read");
      }
    } else {
      TRY_VOID(trust(context_, "tls.ca", options_.ca));
    }
  }
  if (!options_.protocols.empty()) {
    const std::string wire = on_wire(options_.protocols);
    SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
  }
  return {};
}

std::unique_ptr<TlsSession> TlsClientContext::connect(
    const std::shared_ptr<const TlsClientContext>& context, Loop& loop, std::string_view host) {
  SSL* ssl = SSL_new(context->context_);
  CHECK(ssl != nullptr);
  SSL_set_connect_state(ssl);
  const std::string name(context->options_.server_name.empty()
                             ? host
                             : std::string_view(context->options_.server_name));
  // An empty name would fit every certificate: the plan gives one where an address is none.
  CHECK(!name.empty());
  if (IpAddress::parse(name)) {
    CHECK(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1);
  } else {
    CHECK(SSL_set_tlsext_host_name(ssl, name.c_str()) == 1);
    CHECK(SSL_set1_host(ssl, name.c_str()) == 1);
  }
  return std::make_unique<TlsSession>(loop, ssl, context, Buffer());
}

}  // namespace spillway::runtime
