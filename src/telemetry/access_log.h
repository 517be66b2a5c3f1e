// telemetry/access_log.h: one finished request as one line of JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"

namespace spillway::telemetry {

// What is known of a request when it is over. Views into the caller's memory, any bytes at all.
// Empty views and absent values leave their key out, except those marked "always".
struct AccessRecord {
  WallTime time{};  // When the request's head was complete. Always.
  std::string_view method;
  std::string_view protocol;  // "HTTP/1.0", "HTTP/1.1", "HTTP/2".
  std::string_view scheme;    // As the client used it; behind a trusted proxy, as that says.
  std::string_view host;
  std::string_view path;   // Normalised, without the query.
  std::string_view query;  // Without the "?". Secrets in it are written as "redacted".
  std::string_view route;
  std::string_view service;
  std::string_view endpoint;
  uint16_t status = 0;                             // Always; 0: the client left before an answer.
  uint64_t bytes_in = 0;                           // Of the request's body. Always.
  uint64_t bytes_out = 0;                          // Of the answer's body. Always.
  Duration duration{};                             // To the last byte handed to the kernel. Always.
  std::optional<Duration> upstream_duration = {};  // Of the last attempt.
  uint32_t retries = 0;                            // Always.
  uint32_t hedges = 0;                             // Absent if 0.
  std::string_view client_ip;
  std::string_view user;  // Who the caller proved to be.
  std::string_view user_agent;
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view error;  // An error's code and detail, for failed requests.
};

// Longest line. Each text field has its own limit (path and query 4 KiB, the rest 256 bytes to
// 1 KiB, after escaping) and ends in "..." if cut, so that a line always is one whole JSON object.
inline constexpr size_t access_line_bytes_max = 14 * 1024;

// Writes the line with its newline and returns its length. Never allocates, never fails.
size_t format_access_line(const AccessRecord& record, std::span<char, access_line_bytes_max> out);

// True if a query parameter of this name (percent-encoded or not, any case, `-` as `_`, also as
// the last part of `user[password]`) holds a secret. The names, after that normalisation:
//   access_token api_key apikey auth authorization client_secret code credential id_token jwt
//   password passwd pwd refresh_token secret session session_id sessionid sig signature token
//   x_amz_credential x_amz_security_token x_amz_signature
bool is_secret_parameter(std::string_view name);

}  // namespace spillway::telemetry
