// runtime/tls_bio.h: the end of OpenSSL that reads from and writes to a session's buffers.
#pragma once

struct bio_st;  // OpenSSL's BIO.

namespace spillway::runtime {

class TlsSession;

// For SSL_set_bio, which takes it over. `session` outlives it.
bio_st* make_tls_bio(TlsSession& session);

}  // namespace spillway::runtime
