// runtime/tls_session.cc: OpenSSL between two buffers of ours.
#include "runtime/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "runtime/descriptor.h"
#include "runtime/loop.h"
#include "runtime/tls_bio.h"

namespace spillway::runtime {
namespace {

constexpr size_t record_plain_max = size_t{16} << 10;  // RFC 8446 section 5.1.
// Header, nonce, padding and tag of the ciphers we speak, and a key update before them.
constexpr size_t record_extra_max = 256;

size_t size_of(std::span<const iovec> parts) {
  size_t size = 0;
  for (const iovec& part : parts) size += part.iov_len;
  return size;
}

void advance(std::span<iovec>& parts, size_t count) {
  while (!parts.empty() && count >= parts.front().iov_len) {
    count -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (parts.empty()) return;
  parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + count;
  parts.front().iov_len -= count;
}

// What OpenSSL says of its last error, less its codes.
std::string reason_of_last_error() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "the connection ended" : reason;
}

// OpenSSL takes an old error for one of the next call. Most often there is none, and to look is
// much cheaper than to clear.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

TlsSession::TlsSession(Loop& loop, ssl_st* ssl, std::shared_ptr<const void> owner, Buffer received)
    : loop_(loop), ssl_(ssl), owner_(std::move(owner)), received_(std::move(received)) {
  bio_st* bio = make_tls_bio(*this);
  SSL_set_bio(ssl_, bio, bio);  // Which takes it over.
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

size_t TlsSession::take_received(std::span<char> into) {
  if (!received_) return 0;
  const std::string_view filled = received_.filled();
  const size_t count = std::min(into.size(), filled.size());
  std::memcpy(into.data(), filled.data(), count);
  received_.consume(count);
  return count;
}

// Room was made before OpenSSL was asked to write, but for what it writes unasked, such as an
// answer to each KeyUpdate (RFC 8446 section 4.6.3): a peer that asks for more of that than it
// reads is broken off with.
bool TlsSession::append_output(std::string_view records) {
  if (!output_) output_ = loop_.buffers().borrow(BufferSize::small);
  if (output_.space().size() < records.size()) {
    if (output_.capacity() == bytes_in(BufferSize::large)) return refuse_output();
    Buffer larger = loop_.buffers().borrow(BufferSize::large);
    const std::string_view filled = output_.filled();
    std::memcpy(larger.space().data(), filled.data(), filled.size());
    larger.add(filled.size());
    output_ = std::move(larger);
    if (output_.space().size() < records.size()) return refuse_output();
  }
  std::memcpy(output_.space().data(), records.data(), records.size());
  output_.add(records.size());
  return true;
}

bool TlsSession::refuse_output() {
  trouble_ = "the peer has us answer and does not read";
  return false;
}

void TlsSession::give_up_empty() {
  if (received_ && received_.filled().empty()) received_.release();
}

int64_t TlsSession::flush(Watch& watch) {
  while (output_ && !output_.filled().empty()) {
    if (!(watch.ready & writable)) return -EAGAIN;
    const std::string_view filled = output_.filled();
    const iovec part{const_cast<char*>(filled.data()), filled.size()};
    const int64_t sent = loop_.driver().send(watch.fd, {&part, 1});
    if (sent == -EAGAIN) {
      watch.ready &= static_cast<uint8_t>(~writable);
      return -EAGAIN;
    }
    if (sent < 0) {
      watch.write_failed = true;
      return sent;
    }
    output_.consume(static_cast<size_t>(sent));
    sent_ += static_cast<uint64_t>(sent);
  }
  output_.release();
  return 0;
}

// More records from the descriptor. Edge-triggered, as Socket::Read has it.
int64_t TlsSession::receive(Watch& watch, size_t wanted) {
  if (!(watch.ready & readable) || has_received_end_) return -EAGAIN;
  if (!received_) {
    const bool is_large = wanted > bytes_in(BufferSize::small);
    received_ = loop_.buffers().borrow(is_large ? BufferSize::large : BufferSize::small);
  }
  const std::span<char> space = received_.space();
  const int64_t count = loop_.driver().receive(watch.fd, space);
  if (count == -EAGAIN) {
    watch.ready &= static_cast<uint8_t>(~readable);
    return count;
  }
  if (count < 0) return count;
  if (count == 0) {
    has_received_end_ = true;
    return 0;
  }
  received_.add(static_cast<size_t>(count));
  const bool is_drained = static_cast<size_t>(count) < space.size();
  if (is_drained && !(watch.ready & (peer_ended | broken))) {
    watch.ready &= static_cast<uint8_t>(~readable);
  }
  return count;
}

TlsSession::Step TlsSession::step_of(bool succeeded) {
  if (succeeded) return Step::done;
  switch (SSL_get_error(ssl_, 0)) {
    case SSL_ERROR_WANT_READ: return Step::again;
    // Nothing to wait for: append_output refused, and will again.
    case SSL_ERROR_WANT_WRITE: return Step::failed;
    case SSL_ERROR_ZERO_RETURN: return Step::ended;
    default: return Step::failed;
  }
}

// The alert that OpenSSL wrote is still sent (RFC 8446 section 6.2).
int64_t TlsSession::failure(Watch& watch) {
  has_failed_ = true;
  const bool was_cut = has_received_end_ && (!received_ || received_.filled().empty());
  if (trouble_.empty()) {
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    met_plain_http_ = !is_established_ && reason == SSL_R_HTTP_REQUEST;
    trouble_ = was_cut ? "the peer left" : reason_of_last_error();
  }
  ERR_clear_error();
  if (met_plain_http_) output_.release();  // It would not understand the alert.
  (void)flush(watch);
  received_.release();
  return was_cut ? -ECONNRESET : -EPROTO;
}

int64_t TlsSession::handshake(Watch& watch) {
  while (!has_failed_) {
    forget_errors();
    const Step step = step_of(SSL_do_handshake(ssl_) == 1);
    if (step == Step::failed || step == Step::ended) break;
    const int64_t flushed = flush(watch);
    if (flushed < 0 && flushed != -EAGAIN) return flushed;
    if (step == Step::done) {
      if (has_expired_peer()) break;
      is_established_ = true;
      give_up_empty();
      return 0;
    }
    const int64_t count = receive(watch, 0);
    if (count < 0) {
      give_up_empty();
      return count;
    }
  }
  return failure(watch);
}

// A session that is resumed again and again must not outlive the certificate that began it: OpenSSL
// looks at its dates in the first handshake only.
bool TlsSession::has_expired_peer() {
  if (!is_resumed()) return false;
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr || X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0) {
    return false;
  }
  trouble_ = "the peer's certificate has expired";
  return true;
}

int64_t TlsSession::read(Watch& watch, std::span<char> into) {
  size_t total = 0;
  while (!has_failed_ && !has_ended_ && total < into.size()) {
    if (!has_input() && !has_received_end_) {  // OpenSSL could only say that it wants more.
      const int64_t arrived = receive(watch, into.size());
      if (arrived < 0) {
        const int64_t flushed = arrived == -EAGAIN ? flush(watch) : 0;
        give_up_empty();
        return flushed < 0 && flushed != -EAGAIN ? flushed : arrived;
      }
    }
    size_t count = 0;
    forget_errors();
    const auto space = into.subspan(total);
    const Step step = step_of(SSL_read_ex(ssl_, space.data(), space.size(), &count) == 1);
    total += count;
    if (step == Step::done) {
      // What is here already goes along, so that the caller sees it in one piece.
      if (!has_input()) break;
      continue;
    }
    if (step == Step::ended) has_ended_ = true;
    if (step == Step::failed) {
      const int64_t error = failure(watch);
      if (total == 0) return error;
    }
    if (total > 0 || step != Step::again) break;
  }
  if (total == 0 && has_failed_) return -EPROTO;
  give_up_empty();
  if (output_) (void)flush(watch);
  return static_cast<int64_t>(total);
}

// Full records as long as there is room; several small parts share one.
bool TlsSession::encrypt(std::span<iovec>& parts) {
  Buffer gathered;
  while (!parts.empty()) {
    if (!output_) {
      const size_t size = size_of(parts);
      const bool is_small = size + record_extra_max <= bytes_in(BufferSize::small);
      output_ = loop_.buffers().borrow(is_small ? BufferSize::small : BufferSize::large);
    }
    const size_t room = output_.space().size();
    std::string_view plain(static_cast<const char*>(parts.front().iov_base),
                           std::min(parts.front().iov_len, record_plain_max));
    if (parts.size() > 1 && plain.size() < record_plain_max) {
      if (!gathered) gathered = loop_.buffers().borrow(BufferSize::small);
      gathered.consume(gathered.filled().size());
      for (const iovec& part : parts) {
        const size_t count = std::min(part.iov_len, gathered.space().size());
        std::memcpy(gathered.space().data(), part.iov_base, count);
        gathered.add(count);
        if (gathered.space().empty()) break;
      }
      plain = gathered.filled();
    }
    if (room < plain.size() + record_extra_max) return true;  // After a flush.
    if (plain.empty()) {
      parts = {};
      return true;
    }
    size_t written = 0;
    forget_errors();
    if (SSL_write_ex(ssl_, plain.data(), plain.size(), &written) != 1) return false;
    advance(parts, written);
  }
  return true;
}

int64_t TlsSession::write(Watch& watch, std::span<iovec>& parts) {
  if (has_failed_) return -EPIPE;
  while (true) {
    if (!parts.empty() && !encrypt(parts)) return failure(watch);
    const int64_t flushed = flush(watch);
    if (flushed < 0) return flushed;
    if (parts.empty()) return 0;
  }
}

void TlsSession::end(Watch& watch) {
  if (!is_established_ || has_failed_ || is_silent_ || watch.write_failed) return;
  is_silent_ = true;  // It is said once.
  forget_errors();
  SSL_shutdown(ssl_);
  ERR_clear_error();
  (void)flush(watch);
}

bool TlsSession::has_input() const {
  return (received_ && !received_.filled().empty()) || SSL_pending(ssl_) > 0;
}

bool TlsSession::has_news(Watch& watch) {
  if (has_ended_ || has_failed_) return true;
  while (true) {
    char byte = 0;
    size_t count = 0;
    forget_errors();
    const Step step = step_of(SSL_peek_ex(ssl_, &byte, 1, &count) == 1);
    if (step != Step::again) return true;
    const int64_t arrived = receive(watch, 0);
    if (arrived < 0 || has_received_end_) {
      give_up_empty();
      return has_received_end_ || arrived != -EAGAIN;
    }
  }
}

std::string_view TlsSession::version() const { return SSL_get_version(ssl_); }

std::string_view TlsSession::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

TlsGroup TlsSession::group() const {
  // OpenSSL tells what it has no number of its own for by the protocol's (IANA TLS Supported
  // Groups).
  constexpr int by_protocol = TLSEXT_nid_unknown;
  switch (static_cast<int>(SSL_get_negotiated_group(ssl_))) {
    case 0: return TlsGroup::none;
    case by_protocol | 0x11EC: return TlsGroup::x25519_mlkem768;
    case by_protocol | 0x11EB: return TlsGroup::secp256r1_mlkem768;
    case by_protocol | 0x11ED: return TlsGroup::secp384r1_mlkem1024;
    case NID_X25519: return TlsGroup::x25519;
    case NID_X448: return TlsGroup::x448;
    case NID_X9_62_prime256v1: return TlsGroup::p256;
    case NID_secp384r1: return TlsGroup::p384;
    case NID_secp521r1: return TlsGroup::p521;
    default: return TlsGroup::other;
  }
}

bool TlsSession::is_resumed() const { return SSL_session_reused(ssl_) == 1; }

std::string TlsSession::peer_certificate() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr || SSL_get_verify_result(ssl_) != X509_V_OK) return {};
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string TlsSession::peer_subject() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr || SSL_get_verify_result(ssl_) != X509_V_OK) return {};
  BIO* memory = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string subject(text, static_cast<size_t>(std::max(size, 0L)));
  BIO_free(memory);
  return subject;
}

}  // namespace spillway::runtime
