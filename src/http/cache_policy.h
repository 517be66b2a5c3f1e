// http/cache_policy.h: what a shared cache may keep, how long, and for whom (RFC 9111).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/cache_control.h"
#include "http/message.h"

namespace spillway::http {

// Seconds since 1970 in UTC. Caches reckon in whole ones; a clock that is set back makes nothing
// younger than it was.
using CacheTime = int64_t;
inline CacheTime cache_time(WallTime now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
}

// What the plan says of a route, beyond the standard. Where an answer says nothing of its own
// freshness the plan's word counts; with `overrides`, everywhere.
struct CacheTerms {
  std::optional<int64_t> ttl = {};           // Of 200, 203, 204, 300, 301 and 308.
  std::optional<int64_t> negative_ttl = {};  // Of 404, 405, 410, 414 and 501.
  // The answer's Cache-Control and Expires count as not there, no-store and private included.
  bool overrides = false;
  std::optional<int64_t> stale_while_revalidate = {};  // Where the answer has none of its own.
  std::optional<int64_t> stale_if_error = {};
  int64_t heuristic_percent = 10;  // Of the time since Last-Modified (RFC 9111 section 4.2.2).
  int64_t heuristic_max = 86'400;
  bool heeds_requests = true;  // False: clients cannot ask past the cache.
  bool is_per_user = false;    // The key has the user in it: each has a cache of their own.
};

// A request that went to the origin, and the answer. The views outlive the call.
struct Exchanged {
  const RequestHead& request;
  const ResponseHead& answer;
  CacheTime asked_at = 0;     // When the request left.
  CacheTime answered_at = 0;  // When the answer's head was here.
};

// Why an answer is not kept; the order in which they are looked for.
enum class NotStored : uint8_t {
  method,            // Only answers to GET are.
  status,            // 206, 304: a part, or no answer of its own.
  request_no_store,  // RFC 9111 section 5.2.1.5.
  not_understood,    // must-understand (section 5.2.2.3), and we do not know the status.
  no_store,          // Section 5.2.2.5.
  is_private,        // Section 5.2.2.7.
  vary_star,         // Section 4.1: it fits no other request.
  set_cookie,        // Somebody's own (section 7.3).
  authorization,     // Section 3.5.
  not_cacheable,     // Section 3: nothing allows it.
  nothing_to_gain,   // It would never be fresh, and nothing can tell whether it still is.
};
std::string_view to_string(NotStored reason);  // "no-store", for logs and Cache-Status.

// All that later decisions need of a stored answer's head: worked out once, kept beside it.
struct StoredFreshness {
  CacheTime answered_at = 0;
  int64_t initial_age = 0;  // Section 4.2.3, corrected_initial_age.
  int64_t lifetime = 0;
  int64_t stale_while_revalidate = -1;  // -1: no.
  int64_t stale_if_error = -1;
  bool is_always_validated = false;    // no-cache.
  bool is_never_stale = false;         // must-revalidate, proxy-revalidate, no-cache.
  bool heeds_staleness_wanted = true;  // False, with s-maxage: no max-stale of clients.

  int64_t age(CacheTime now) const {
    return initial_age + (now > answered_at ? now - answered_at : 0);
  }
  int64_t stale_by(CacheTime now) const { return age(now) - lifetime; }  // Fresh below 0.
  bool is_fresh(CacheTime now) const { return lifetime > age(now); }
};

struct Storable {
  StoredFreshness freshness;
  // Names, as written, that may not be kept with it (sections 5.2.2.4 and 5.2.2.7).
  std::vector<std::string> withheld;
};

// Whether the answer, once it is complete, may be kept (RFC 9111 section 3).
std::expected<Storable, NotStored> may_store(const Exchanged& exchanged, const CacheTerms& terms);

// What to do with a stored answer that the request has chosen (section 4).
enum class CacheUse : uint8_t {
  fresh,          // Send it.
  stale,          // Send it: the client takes it as it is.
  background,     // Send it, and ask the origin meanwhile (RFC 5861 section 3).
  validate,       // Ask the origin first.
  unsatisfiable,  // 504: the client wants nothing but what is here (section 5.2.1.7).
};
CacheUse use_of(const StoredFreshness& stored, const RequestDirectives& request, CacheTime now);

// Whether it may be sent because the origin has failed: 500, 502, 503, 504, or no word at all
// (RFC 5861 section 4).
bool may_cover_error(const StoredFreshness& stored, const RequestDirectives& request,
                     CacheTime now);

// Those of the request, or none where the plan does not heed them.
inline RequestDirectives heeded(const HeaderList& request, const CacheTerms& terms) {
  return terms.heeds_requests ? request_directives(request) : RequestDirectives{};
}

}  // namespace spillway::http
