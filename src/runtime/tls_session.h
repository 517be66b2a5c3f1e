// runtime/tls_session.h: one TLS connection: plain bytes on our side, records on the descriptor's.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/buffer_pool.h"
#include "runtime/config.h"
#include "runtime/driver.h"

struct ssl_st;  // OpenSSL's SSL.
struct bio_st;  // OpenSSL's BIO.

namespace spillway::runtime {

class Loop;

// Lies in its descriptor's watch, which calls it; see Socket for what its users see. Between two
// operations it holds a buffer only if received bytes or bytes to be sent are left. Records are
// read from and written to memory, so that a small message is one receive and one send. One core.
//
// Results are as the driver's: a count, or a negative errno; -EAGAIN when the descriptor has to
// become ready first, -EPROTO when the peer broke TLS, which `trouble` then explains.
class TlsSession {
 public:
  // Takes over `ssl`, which is set up to accept or to connect. `owner` keeps alive what its
  // callbacks use. `received` may hold what has arrived already.
  TlsSession(Loop& loop, ssl_st* ssl, std::shared_ptr<const void> owner, Buffer received);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  int64_t handshake(Watch& watch);  // 0 once it is done.
  // As much as has arrived and fits; 0 when the peer has ended with a close_notify. An end without
  // one may be a cut (RFC 8446 section 6.1) and is -ECONNRESET.
  int64_t read(Watch& watch, std::span<char> into);
  // Uses up `parts`; 0 once all is with the kernel.
  int64_t write(Watch& watch, std::span<iovec>& parts);
  // Sends what is left to be sent, as far as that is possible now.
  int64_t flush(Watch& watch);
  // Says that we send no more (close_notify), if that can still be said.
  void end(Watch& watch);
  void end_without_word() { is_silent_ = true; }

  // Bytes for a reader are here already, or part of a record.
  bool has_input() const;
  // Looks at what has arrived: whether there are bytes for a reader, or the end. Session tickets
  // and the like are none.
  bool has_news(Watch& watch);

  uint64_t sent() const { return sent_; }                // Bytes of records that the kernel took.
  std::string_view trouble() const { return trouble_; }  // For a person.
  // A client that spoke HTTP without TLS.
  bool met_plain_http() const { return met_plain_http_; }

  // After the handshake.
  std::string_view version() const;   // "TLSv1.3"
  std::string_view protocol() const;  // By ALPN (RFC 7301): "h2"; empty if none was agreed.
  TlsGroup group() const;
  bool is_resumed() const;
  // The certificate that the peer showed and we verified, in DER; empty if there is none.
  std::string peer_certificate() const;
  std::string peer_subject() const;  // Its subject, as RFC 2253 writes it.

  // For the BIO below OpenSSL.
  size_t take_received(std::span<char> into);
  bool has_received_end() const { return has_received_end_; }
  bool append_output(std::string_view records);

 private:
  enum class Step : uint8_t { done, again, ended, failed };
  Step step_of(bool succeeded);
  int64_t receive(Watch& watch, size_t wanted);
  int64_t failure(Watch& watch);
  bool refuse_output();  // False.
  bool has_expired_peer();
  bool encrypt(std::span<iovec>& parts);
  void give_up_empty();

  Loop& loop_;
  ssl_st* const ssl_;
  const std::shared_ptr<const void> owner_;
  Buffer received_;
  Buffer output_;
  std::string trouble_;
  uint64_t sent_ = 0;
  bool is_established_ = false;
  bool has_received_end_ = false;  // Of the descriptor.
  bool has_ended_ = false;         // close_notify was received.
  bool has_failed_ = false;
  bool is_silent_ = false;
  bool met_plain_http_ = false;
};

}  // namespace spillway::runtime
