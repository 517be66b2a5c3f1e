// http/cache_status.h: how a cache has handled a request, for whoever looks (RFC 9211).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/serializer.h"

namespace spillway::http {

// Why a request went on to the origin (RFC 9211 section 2.2).
enum class CacheForward : uint8_t {
  none,       // It did not.
  bypass,     // The plan says so.
  method,     // Its method has to.
  uri_miss,   // Nothing is stored for the URI.
  vary_miss,  // What is stored is for other requests.
  request,    // The client wants it.
  stale,      // What is stored has to be validated.
};

struct CacheStatus {
  bool is_hit = false;
  CacheForward forward = CacheForward::none;
  uint16_t forward_status = 0;  // What the origin answered, if that is not what the client gets.
  std::optional<int64_t> ttl;   // Seconds left; negative: stale for so long. Of a hit.
  bool is_stored = false;
  bool is_collapsed = false;     // It waited for another's fetch.
  std::string_view detail = {};  // A token: why it is not stored, say.
};

// `spillway; hit; ttl=30`, or `spillway; fwd=uri-miss; stored`. The name is a token.
void write_cache_status(HeadWriter& to, std::string_view name, const CacheStatus& status);

}  // namespace spillway::http
