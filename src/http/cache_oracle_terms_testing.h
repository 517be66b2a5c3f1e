// http/cache_oracle_terms_testing.h: who says what and how old it is, for the cache's oracle.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/cache_oracle_directives_testing.h"
#include "http/cache_oracle_fields_testing.h"

namespace spillway::http::oracle {

// What the plan says for a route. All in seconds, but for the percentage.
struct Terms {
  std::optional<int64_t> ttl, negative_ttl;
  bool overrides = false;
  std::optional<int64_t> stale_while_revalidate, stale_if_error;
  int64_t heuristic_percent = 10, heuristic_max = 86400;
  bool heeds_requests = true;
  bool per_user = false;
};

struct Exchanged {
  std::string method;
  Fields request;
  int status = 200;
  Fields response;
  int64_t asked_at = 0, answered_at = 0;
};

// What a request says (RFC 9111 section 5.2.1, RFC 5861 section 4).
struct Wishes {
  bool no_store = false, no_cache = false, only_if_cached = false;
  std::optional<int64_t> max_age, min_fresh, stale_if_error;
  std::optional<int64_t> max_stale;  // INT64_MAX: any staleness.
};

inline Wishes wishes_of(const Fields& request) {
  const Directives directives = cache_control_of(request);
  Wishes wishes;
  wishes.no_store = has(directives, "no-store");
  wishes.no_cache = has(directives, "no-cache");
  wishes.only_if_cached = has(directives, "only-if-cached");
  wishes.stale_if_error = smallest(directives, "stale-if-error");
  for (const Directive& directive : named(directives, "max-age")) {
    const int64_t delta = directive.delta.value_or(0);
    wishes.max_age = std::min(wishes.max_age.value_or(delta), delta);
  }
  for (const Directive& directive : named(directives, "min-fresh")) {
    if (!directive.delta) continue;
    wishes.min_fresh = std::max(wishes.min_fresh.value_or(0), *directive.delta);
  }
  for (const Directive& directive : named(directives, "max-stale")) {
    if (directive.has_argument && !directive.delta) continue;
    const int64_t limit = directive.delta.value_or(INT64_MAX);
    wishes.max_stale = std::min(wishes.max_stale.value_or(limit), limit);
  }
  if (has_field(request, "cache-control")) return wishes;
  // Pragma is the word of HTTP/1.0 (RFC 9111 section 5.4).
  for (const std::string& line : lines_of(request, "pragma")) {
    for (const std::string& element : elements_of(line)) {
      if (lower(element) == "no-cache") wishes.no_cache = true;
    }
  }
  return wishes;
}

inline bool is_positive(int status) {
  return std::set{200, 203, 204, 300, 301, 308}.contains(status);
}
inline bool is_negative(int status) { return std::set{404, 405, 410, 414, 501}.contains(status); }

// RFC 9110 section 15.1, without the partial 206.
inline bool is_heuristically_cacheable(int status) {
  return is_positive(status) || is_negative(status);
}

inline std::optional<int64_t> planned_ttl(int status, const Terms& terms) {
  if (is_positive(status)) return terms.ttl;
  if (is_negative(status)) return terms.negative_ttl;
  return std::nullopt;
}

// What the origin says, as far as it counts.
struct OriginsWord {
  Directives directives;
  std::vector<std::string> expires;  // All lines.
};

// A targeted field takes the place of both Cache-Control and Expires (RFC 9213 section 2.2).
inline OriginsWord origins_word(const Exchanged& exchanged, const Terms& terms) {
  if (terms.overrides) return {};
  if (const auto targeted = targeted_directives_of(exchanged.response)) return {*targeted, {}};
  return {cache_control_of(exchanged.response), lines_of(exchanged.response, "expires")};
}

// What the request says, as far as it counts.
inline Wishes heeded_wishes(const Fields& request, const Terms& terms) {
  return terms.heeds_requests ? wishes_of(request) : Wishes{};
}

// The reach of private. A cache of one user's answers is a private one.
inline Reach private_reach(const OriginsWord& word, const Terms& terms) {
  return terms.per_user ? Reach{} : reach_of(word.directives, "private");
}

inline Reach no_cache_reach(const OriginsWord& word) {
  return reach_of(word.directives, "no-cache");
}

// RFC 9111 section 4.2.4: the answer must not be used stale, whoever would allow it.
inline bool forbids_stale(const OriginsWord& word) {
  return has(word.directives, "must-revalidate") || has(word.directives, "proxy-revalidate") ||
         no_cache_reach(word).is_unqualified;
}

// s-maxage means proxy-revalidate (RFC 9111 section 5.2.2.10) to what a request allows. What the
// origin or the plan allow by name goes over that.
inline bool forbids_wished_stale(const OriginsWord& word) {
  return forbids_stale(word) || has(word.directives, "s-maxage");
}

// stale-while-revalidate or stale-if-error (RFC 5861): the origin's, else the plan's.
inline std::optional<int64_t> given(const OriginsWord& word, const std::string& name,
                                    std::optional<int64_t> planned) {
  const std::optional<int64_t> directive = smallest(word.directives, name);
  return directive ? directive : planned;
}

// RFC 9111 section 4.2.2.
inline int64_t heuristic_lifetime(const Exchanged& exchanged, const OriginsWord& word,
                                  const Terms& terms) {
  if (!is_heuristically_cacheable(exchanged.status) && !has(word.directives, "public")) return 0;
  const auto last_modified = date_of(exchanged.response, "last-modified");
  if (!last_modified) return 0;
  const int64_t made_at = date_of(exchanged.response, "date").value_or(exchanged.answered_at);
  const int64_t unchanged = std::max<int64_t>(0, made_at - *last_modified);
  return std::min(unchanged * terms.heuristic_percent / 100, terms.heuristic_max);
}

// RFC 9111 section 4.2.1.
inline int64_t lifetime_of(const Exchanged& exchanged, const Terms& terms) {
  const std::optional<int64_t> planned = planned_ttl(exchanged.status, terms);
  if (terms.overrides) return planned.value_or(0);
  const OriginsWord word = origins_word(exchanged, terms);
  if (const auto shared = response_max_age(word.directives, "s-maxage")) return *shared;
  if (const auto max_age = response_max_age(word.directives, "max-age")) return *max_age;
  if (!word.expires.empty()) {
    for (const std::string& line : word.expires) {
      if (line != word.expires[0]) return 0;
    }
    const std::optional<int64_t> expires = parse_date(word.expires[0]);
    if (!expires) return 0;
    const int64_t made_at = date_of(exchanged.response, "date").value_or(exchanged.answered_at);
    return std::max<int64_t>(0, *expires - made_at);
  }
  return planned ? *planned : heuristic_lifetime(exchanged, word, terms);
}

// RFC 9111 section 5.1: the first member of the first line.
inline int64_t age_field(const Fields& response) {
  const std::vector<std::string> lines = lines_of(response, "age");
  if (lines.empty()) return 0;
  return parse_delta(trim(lines[0].substr(0, lines[0].find(',')))).value_or(0);
}

// RFC 9111 section 4.2.3, with its names.
inline int64_t age_at(const Exchanged& exchanged, int64_t now) {
  const int64_t none = 0;
  const int64_t date_value = date_of(exchanged.response, "date").value_or(exchanged.answered_at);
  const int64_t apparent_age = std::max(none, exchanged.answered_at - date_value);
  const int64_t response_delay = std::max(none, exchanged.answered_at - exchanged.asked_at);
  const int64_t corrected_age_value = age_field(exchanged.response) + response_delay;
  const int64_t corrected_initial_age = std::max(apparent_age, corrected_age_value);
  const int64_t resident_time = std::max(none, now - exchanged.answered_at);
  return corrected_initial_age + resident_time;
}

}  // namespace spillway::http::oracle
