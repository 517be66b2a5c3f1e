// http/cache_oracle_testing.h: a shared cache's decisions, slow and obvious, to compare with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "http/cache_oracle_directives_testing.h"
#include "http/cache_oracle_fields_testing.h"
#include "http/cache_oracle_selection_testing.h"
#include "http/cache_oracle_terms_testing.h"

namespace spillway::http::oracle {

enum class Refusal {
  none,
  method,
  status,
  request_no_store,
  not_understood,
  no_store,
  is_private,
  vary_star,
  set_cookie,
  authorization,
  not_cacheable,
  nothing_to_gain,
};

enum class Use { fresh, stale, background, validate, unsatisfiable };

// RFC 9110 section 15 and its registry.
inline bool is_understood(int status) {
  return std::set{200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402,
                  403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417,
                  421, 422, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 511}
      .contains(status);
}

// Whether a stored answer could ever be sent: fresh, stale, or validated.
inline bool is_of_use(const Exchanged& exchanged, const OriginsWord& word, const Terms& terms) {
  if (lifetime_of(exchanged, terms) > 0) return true;
  if (has_field(exchanged.response, "etag")) return true;
  if (date_of(exchanged.response, "last-modified")) return true;
  if (forbids_stale(word)) return false;
  return given(word, "stale-while-revalidate", terms.stale_while_revalidate).value_or(0) > 0 ||
         given(word, "stale-if-error", terms.stale_if_error).value_or(0) > 0;
}

// Whether there is a reason to store at all (the last item of RFC 9111 section 3).
inline bool is_cacheable(int status, const OriginsWord& word, const Terms& terms) {
  if (planned_ttl(status, terms)) return true;
  if (terms.overrides) return false;
  return has(word.directives, "max-age") || has(word.directives, "s-maxage") ||
         !word.expires.empty() || has(word.directives, "public") ||
         is_heuristically_cacheable(status);
}

// RFC 9111 sections 3 and 3.5. The first that applies refuses.
inline Refusal may_store(const Exchanged& exchanged, const Terms& terms) {
  const int status = exchanged.status;
  const Fields& response = exchanged.response;
  const OriginsWord word = origins_word(exchanged, terms);
  const Directives& said = word.directives;
  if (exchanged.method != "GET") return Refusal::method;
  if (status == 206 || status == 304 || (status >= 100 && status <= 199)) return Refusal::status;
  if (heeded_wishes(exchanged.request, terms).no_store) return Refusal::request_no_store;
  const bool must_understand = has(said, "must-understand");
  if (must_understand && !is_understood(status)) return Refusal::not_understood;
  if (has(said, "no-store") && !must_understand) return Refusal::no_store;
  const Reach is_private = private_reach(word, terms);
  if (is_private.is_unqualified) return Refusal::is_private;
  if (std::ranges::count(members_of(response, "vary"), "*") > 0) return Refusal::vary_star;
  const bool keeps_cookies = !is_private.names.contains("set-cookie") &&
                             !no_cache_reach(word).names.contains("set-cookie");
  if (has_field(response, "set-cookie") && keeps_cookies) return Refusal::set_cookie;
  const bool is_shareable = terms.per_user || has(said, "public") || has(said, "s-maxage") ||
                            has(said, "must-revalidate");
  if (has_field(exchanged.request, "authorization") && !is_shareable) return Refusal::authorization;
  if (!is_cacheable(status, word, terms)) return Refusal::not_cacheable;
  return is_of_use(exchanged, word, terms) ? Refusal::none : Refusal::nothing_to_gain;
}

// What a shared cache leaves out (RFC 9111 section 3.1), in lower case.
inline std::set<std::string> withheld_fields(const Exchanged& exchanged, const Terms& terms) {
  const OriginsWord word = origins_word(exchanged, terms);
  std::set<std::string> names = no_cache_reach(word).names;
  names.merge(private_reach(word, terms).names);
  return names;
}

// May a stored answer be sent (RFC 9111 section 4)?
inline Use use_at(const Exchanged& stored, const Fields& request, const Terms& terms, int64_t now) {
  const OriginsWord word = origins_word(stored, terms);
  const Wishes wishes = heeded_wishes(request, terms);
  const Use otherwise = wishes.only_if_cached ? Use::unsatisfiable : Use::validate;
  if (no_cache_reach(word).is_unqualified || wishes.no_cache) return otherwise;

  const int64_t age = age_at(stored, now);
  const int64_t lifetime = lifetime_of(stored, terms);
  const int64_t stale_by = age - lifetime;
  const bool is_too_old = wishes.max_age && *wishes.max_age < age;
  if (is_too_old && !wishes.max_stale) return otherwise;
  if (lifetime > age && !is_too_old) {
    return wishes.min_fresh.value_or(0) <= lifetime - age ? Use::fresh : otherwise;
  }

  // It is stale, or counts as stale to this client. Who wants it fresh for longer takes neither.
  if (wishes.min_fresh) return otherwise;
  const int64_t felt_stale_by = is_too_old ? std::max(stale_by, age - *wishes.max_age) : stale_by;
  const bool is_taken_stale = wishes.max_stale && felt_stale_by <= *wishes.max_stale;
  if (is_taken_stale && !forbids_wished_stale(word)) return Use::stale;
  const auto window = given(word, "stale-while-revalidate", terms.stale_while_revalidate);
  // Who says what they take gets nothing staler (RFC 9111 sections 5.2.1.1 and 5.2.1.2).
  const bool has_terms = wishes.max_age || wishes.max_stale;
  const bool is_in_window = window && *window >= stale_by;
  return is_in_window && !has_terms && !forbids_stale(word) ? Use::background : otherwise;
}

// May a stored answer be sent instead of an error (RFC 5861 section 4)?
inline bool may_cover_error(const Exchanged& stored, const Fields& request, const Terms& terms,
                            int64_t now) {
  const OriginsWord word = origins_word(stored, terms);
  const Wishes wishes = heeded_wishes(request, terms);
  if (no_cache_reach(word).is_unqualified || wishes.no_cache) return false;
  const int64_t stale_by = age_at(stored, now) - lifetime_of(stored, terms);
  if (stale_by >= 0 && forbids_stale(word)) return false;
  std::optional<int64_t> window = given(word, "stale-if-error", terms.stale_if_error);
  // With s-maxage the request's does not work at all, not even on a fresh answer.
  if (wishes.stale_if_error && !has(word.directives, "s-maxage")) {
    window = std::max(window.value_or(0), *wishes.stale_if_error);
  }
  return window && std::max<int64_t>(stale_by, 0) <= *window;
}

}  // namespace spillway::http::oracle
