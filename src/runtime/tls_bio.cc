// runtime/tls_bio.cc: a BIO without a descriptor (BIO_meth_new(3)).
#include "runtime/tls_bio.h"

#include <openssl/bio.h>

#include "base/check.h"
#include "runtime/tls_session.h"

namespace spillway::runtime {
namespace {

TlsSession& session_of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

int read(BIO* bio, char* into, size_t size, size_t* count) {
  BIO_clear_retry_flags(bio);
  TlsSession& session = session_of(bio);
  *count = session.take_received({into, size});
  if (*count > 0) return 1;
  if (!session.has_received_end()) BIO_set_retry_read(bio);
  return 0;
}

int write(BIO* bio, const char* bytes, size_t size, size_t* count) {
  BIO_clear_retry_flags(bio);
  if (session_of(bio).append_output({bytes, size})) {
    *count = size;
    return 1;
  }
  BIO_set_retry_write(bio);
  return 0;
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;  // Whoever asked OpenSSL to write flushes.
  if (command == BIO_CTRL_EOF) return session_of(bio).has_received_end() ? 1 : 0;
  return 0;
}

int create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "spillway");
  CHECK(method != nullptr);
  BIO_meth_set_read_ex(method, read);
  BIO_meth_set_write_ex(method, write);
  BIO_meth_set_ctrl(method, control);
  BIO_meth_set_create(method, create);
  return method;
}

}  // namespace

bio_st* make_tls_bio(TlsSession& session) {
  static BIO_METHOD* const method = make_method();  // Never changed, so any thread's.
  BIO* bio = BIO_new(method);
  CHECK(bio != nullptr);
  BIO_set_data(bio, &session);
  return bio;
}

}  // namespace spillway::runtime
