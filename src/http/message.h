// http/message.h: the heads of HTTP/1 requests and responses as values that point into the bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/field.h"

namespace spillway::http {

enum class Method : uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  connect,
  options,
  trace,
  patch,
  other,  // Any other token; RequestHead::method_text has it.
};

// Upper case only: methods are case-sensitive (RFC 9110 section 9.1).
Method method_from(std::string_view text);
std::string_view to_string(Method method);  // Empty for `other`.
// RFC 9110 section 9.2.1: the client asks for nothing to change.
constexpr bool is_safe(Method method) {
  return method == Method::get || method == Method::head || method == Method::options ||
         method == Method::trace;
}
// RFC 9110 section 9.2.2: doing it twice is doing it once.
constexpr bool is_idempotent(Method method) {
  return is_safe(method) || method == Method::put || method == Method::delete_;
}

// How the end of a body is found (RFC 9112 section 6.3).
struct BodyFraming {
  enum class Kind : uint8_t {
    none,         // No body follows.
    length,       // Exactly `length` bytes; may be 0.
    chunked,      // Chunks up to the last one, then trailers.
    until_close,  // Responses only: all bytes until the peer closes.
  };
  Kind kind = Kind::none;
  uint64_t length = 0;

  // True if not one byte of body follows.
  constexpr bool is_empty() const {
    return kind == Kind::none || (kind == Kind::length && length == 0);
  }
  constexpr bool operator==(const BodyFraming&) const = default;
};

// One request head. Owns no bytes: every view points into what was parsed, or at a literal. Big
// (5 KiB): kept in pooled storage and parsed into again and again. One core.
struct RequestHead {
  Method method = Method::other;
  uint8_t minor_version = 1;  // 0 or 1; of HTTP/2 it says 1, for what 1.1 brought holds there.
  bool is_http2 = false;
  bool keep_alive = false;        // The client lets the connection live on (RFC 9112 section 9.3).
  bool expects_continue = false;  // Expect: 100-continue (RFC 9110 section 10.1.1).
  // Connection and Upgrade ask for another protocol (RFC 9110 section 7.8) and there is no body.
  // Never set for h2c, which is deprecated (RFC 9113 section 3.1) and a way around a proxy.
  bool wants_upgrade = false;
  bool has_query = false;         // "/a?" has an empty query, "/a" has none.
  bool is_absolute_form = false;  // The target named scheme and authority.
  uint16_t port = 0;              // Of `authority`; 0 if it names none.
  BodyFraming framing;
  std::string_view method_text;
  std::string_view target;  // As received.
  std::string_view
      authority;           // The effective one: the target's, else Host's. Empty only in HTTP/1.0.
  std::string_view host;   // `authority` less its port; the brackets of an IPv6 literal stay.
  std::string_view path;   // As received: "/..." or "*"; empty for CONNECT.
  std::string_view query;  // As received, without '?'.
  std::string_view upgrade_protocol;  // If wants_upgrade: the Upgrade field, such as "websocket".
  HeaderList fields;

  // "HTTP/1.0", "HTTP/1.1" or "HTTP/2".
  std::string_view protocol() const {
    return is_http2 ? "HTTP/2" : minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1";
  }
  // A call of gRPC: over HTTP/2, with a content type of application/grpc, "+proto" and the like.
  bool is_grpc() const;
  void clear();
};

// One response head, with the same rules.
struct ResponseHead {
  uint16_t status = 0;  // 100 to 599.
  uint8_t minor_version = 1;
  bool is_http2 = false;
  bool keep_alive = false;  // The upstream lets the connection live on after this response.
  BodyFraming framing;
  std::string_view reason;
  HeaderList fields;

  // 100 to 199 except 101: another head follows (RFC 9110 section 15.2).
  bool is_interim() const { return status < 200 && status != 101; }
  void clear();
};

// The usual words of a status, for example "Not Found"; "Unknown" for what RFC 9110 does not name.
std::string_view reason_of(uint16_t status);

}  // namespace spillway::http
