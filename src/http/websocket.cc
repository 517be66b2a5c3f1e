// http/websocket.cc: a nonce, and what SHA-1 makes of it.
#include "http/websocket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>

#include "base/base64.h"
#include "base/check.h"

namespace spillway::http {

namespace {

std::string_view text_of(const unsigned char* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

std::string make_websocket_key() {
  std::array<unsigned char, 16> nonce;
  CHECK(RAND_bytes(nonce.data(), nonce.size()) == 1);
  return to_base64(text_of(nonce.data(), nonce.size()));
}

std::string websocket_accept(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
  return to_base64(text_of(digest.data(), size));
}

}  // namespace spillway::http
