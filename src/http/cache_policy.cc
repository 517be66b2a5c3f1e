// http/cache_policy.cc: the sections of RFC 9111 in their order: storing, freshness, age, use.
#include "http/cache_policy.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "http/http_date.h"
#include "http/vary.h"

namespace spillway::http {
namespace {

constexpr auto understood = std::to_array<uint16_t>(
    {200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 401, 402,
     403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417,
     421, 422, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 511});
// RFC 9110 section 15.1, those that may be kept without being told so.
constexpr auto heuristically_cacheable =
    std::to_array<uint16_t>({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501});

bool is_understood(uint16_t status) { return std::ranges::binary_search(understood, status); }
bool is_heuristically_cacheable(uint16_t status) {
  return std::ranges::binary_search(heuristically_cacheable, status);
}

bool lists(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(
      names, [name](const std::string& listed) { return equals_ignoring_case(listed, name); });
}

// Of a field that may be there once: twice, it says nothing.
std::optional<CacheTime> date_of(const HeaderList& fields, Field id) {
  if (fields.count(id) != 1) return std::nullopt;
  const auto date = parse_http_date(fields.value(id));
  if (!date) return std::nullopt;
  return date->time_since_epoch().count();
}

std::optional<int64_t> plan_ttl(const CacheTerms& terms, uint16_t status) {
  if (!is_heuristically_cacheable(status)) return std::nullopt;
  return status < 400 ? terms.ttl : terms.negative_ttl;
}

// Expires less Date (section 4.2.1). What is malformed, such as "0", or contradicts itself lies in
// the past (section 5.3).
int64_t lifetime_by_expires(const Exchanged& exchanged) {
  const HeaderList& fields = exchanged.answer.fields;
  const HeaderField* first = fields.find(Field::expires);
  for (const HeaderField& field : fields) {
    if (field.id == Field::expires && field.value != first->value) return 0;
  }
  const auto expires = parse_http_date(first->value);
  if (!expires) return 0;
  const CacheTime date = date_of(fields, Field::date).value_or(exchanged.answered_at);
  return std::max<int64_t>(expires->time_since_epoch().count() - date, 0);
}

int64_t heuristic_lifetime(const Exchanged& exchanged, const CacheTerms& terms) {
  const HeaderList& fields = exchanged.answer.fields;
  const auto modified = date_of(fields, Field::last_modified);
  if (!modified) return 0;
  const CacheTime date = date_of(fields, Field::date).value_or(exchanged.answered_at);
  const int64_t unchanged = std::max<int64_t>(date - *modified, 0);
  return std::min(unchanged * terms.heuristic_percent / 100, terms.heuristic_max);
}

// What the answer says, as far as it has a say.
class Word {
 public:
  Word(const Exchanged& exchanged, const CacheTerms& terms)
      : exchanged_(exchanged), terms_(terms), ttl_(plan_ttl(terms, exchanged.answer.status)) {
    if (terms.overrides) return;
    said_ = answer_directives(exchanged.answer.fields);
    has_expires_ = !said_.is_targeted && exchanged.answer.fields.has(Field::expires);
  }
  const AnswerDirectives& said() const { return said_; }

  // Section 3: something says that it may be kept.
  bool is_allowed() const {
    if (terms_.overrides) return ttl_.has_value();
    return said_.max_age || said_.s_maxage || has_expires_ || said_.is_public || ttl_ ||
           is_heuristically_cacheable(exchanged_.answer.status);
  }

  int64_t lifetime() const {
    if (said_.s_maxage) return *said_.s_maxage;
    if (said_.max_age) return *said_.max_age;
    if (has_expires_) return lifetime_by_expires(exchanged_);
    if (ttl_) return *ttl_;
    const bool may_guess = said_.is_public || is_heuristically_cacheable(exchanged_.answer.status);
    return may_guess && !terms_.overrides ? heuristic_lifetime(exchanged_, terms_) : 0;
  }

  int64_t stale_while_revalidate() const {
    return said_.stale_while_revalidate >= 0 ? said_.stale_while_revalidate
                                             : terms_.stale_while_revalidate.value_or(-1);
  }
  int64_t stale_if_error() const {
    return said_.stale_if_error >= 0 ? said_.stale_if_error : terms_.stale_if_error.value_or(-1);
  }

 private:
  const Exchanged& exchanged_;
  const CacheTerms& terms_;
  const std::optional<int64_t> ttl_;  // The plan's.
  AnswerDirectives said_;
  bool has_expires_ = false;
};

// Section 4.2.3, corrected_initial_age.
int64_t initial_age(const Exchanged& exchanged) {
  const HeaderList& fields = exchanged.answer.fields;
  int64_t told = 0;
  if (const HeaderField* age = fields.find(Field::age); age != nullptr) {
    // A list is an error whose first member counts (section 5.1).
    const std::string_view first = age->value.substr(0, age->value.find(','));
    told = parse_delta_seconds(trimmed(first)).value_or(0);
  }
  const int64_t delay = std::max<int64_t>(exchanged.answered_at - exchanged.asked_at, 0);
  const auto date = date_of(fields, Field::date);
  const int64_t apparent = date ? std::max<int64_t>(exchanged.answered_at - *date, 0) : 0;
  return std::max(apparent, told + delay);
}

StoredFreshness freshness_of(const Exchanged& exchanged, const Word& word) {
  const AnswerDirectives& said = word.said();
  return {.answered_at = exchanged.answered_at,
          .initial_age = initial_age(exchanged),
          .lifetime = word.lifetime(),
          .stale_while_revalidate = word.stale_while_revalidate(),
          .stale_if_error = word.stale_if_error(),
          .is_always_validated = said.no_cache,
          .is_never_stale = said.no_cache || said.must_revalidate || said.proxy_revalidate,
          .heeds_staleness_wanted = !said.s_maxage};
}

bool has_cookie_of_its_own(const HeaderList& answer, const AnswerDirectives& said,
                           const CacheTerms& terms) {
  if (!answer.has(Field::set_cookie)) return false;
  const bool is_private = !terms.is_per_user && lists(said.private_fields, "set-cookie");
  return !is_private && !lists(said.no_cache_fields, "set-cookie");
}

std::optional<NotStored> forbids(const Exchanged& exchanged, const CacheTerms& terms,
                                 const Word& word) {
  const RequestHead& request = exchanged.request;
  const ResponseHead& answer = exchanged.answer;
  const AnswerDirectives& said = word.said();
  if (request.method != Method::get) return NotStored::method;
  if (answer.status < 200 || answer.status == 206 || answer.status == 304) {
    return NotStored::status;
  }
  if (heeded(request.fields, terms).no_store) return NotStored::request_no_store;
  if (said.must_understand && !is_understood(answer.status)) return NotStored::not_understood;
  // must-understand makes no-store a word to others (section 5.2.2.3).
  if (said.no_store && !said.must_understand) return NotStored::no_store;
  if (said.is_private && !terms.is_per_user) return NotStored::is_private;
  if (!vary_names(answer.fields)) return NotStored::vary_star;
  if (has_cookie_of_its_own(answer.fields, said, terms)) return NotStored::set_cookie;
  const bool is_for_all = said.is_public || said.s_maxage || said.must_revalidate;
  if (request.fields.has(Field::authorization) && !terms.is_per_user && !is_for_all) {
    return NotStored::authorization;
  }
  if (!word.is_allowed()) return NotStored::not_cacheable;
  return std::nullopt;
}

bool is_worth_storing(const StoredFreshness& freshness, const HeaderList& answer) {
  const bool may_be_sent_stale =
      !freshness.is_never_stale &&
      (freshness.stale_while_revalidate > 0 || freshness.stale_if_error > 0);
  return freshness.lifetime > 0 || may_be_sent_stale || answer.has(Field::etag) ||
         date_of(answer, Field::last_modified).has_value();
}

bool takes_stale(const StoredFreshness& stored, const RequestDirectives& request,
                 int64_t stale_by) {
  return stored.heeds_staleness_wanted && request.min_fresh < 0 && request.max_stale >= 0 &&
         stale_by <= request.max_stale;
}

}  // namespace

std::string_view to_string(NotStored reason) {
  switch (reason) {
    case NotStored::method: return "method";
    case NotStored::status: return "status";
    case NotStored::request_no_store: return "request-no-store";
    case NotStored::not_understood: return "must-understand";
    case NotStored::no_store: return "no-store";
    case NotStored::is_private: return "private";
    case NotStored::vary_star: return "vary";
    case NotStored::set_cookie: return "set-cookie";
    case NotStored::authorization: return "authorization";
    case NotStored::not_cacheable: return "not-cacheable";
    case NotStored::nothing_to_gain: return "nothing-to-gain";
  }
  return "";
}

std::expected<Storable, NotStored> may_store(const Exchanged& exchanged, const CacheTerms& terms) {
  const Word word(exchanged, terms);
  if (const auto reason = forbids(exchanged, terms, word)) return std::unexpected(*reason);
  Storable storable{.freshness = freshness_of(exchanged, word),
                    .withheld = word.said().no_cache_fields};
  if (!is_worth_storing(storable.freshness, exchanged.answer.fields)) {
    return std::unexpected(NotStored::nothing_to_gain);
  }
  if (!terms.is_per_user) {
    const auto& fields = word.said().private_fields;
    storable.withheld.insert(storable.withheld.end(), fields.begin(), fields.end());
  }
  return storable;
}

CacheUse use_of(const StoredFreshness& stored, const RequestDirectives& request, CacheTime now) {
  const CacheUse otherwise = request.only_if_cached ? CacheUse::unsatisfiable : CacheUse::validate;
  if (stored.is_always_validated || request.no_cache) return otherwise;
  const int64_t age = stored.age(now);
  int64_t stale_by = age - stored.lifetime;
  const bool is_too_old = request.max_age >= 0 && age > request.max_age;
  if (is_too_old) {
    stale_by = std::max(stale_by, age - request.max_age);
  } else if (stale_by < 0) {
    return request.min_fresh <= -stale_by ? CacheUse::fresh : otherwise;
  }
  if (stored.is_never_stale) return otherwise;
  if (takes_stale(stored, request, stale_by)) return CacheUse::stale;
  // Who says what they take gets nothing staler (sections 5.2.1.1 to 5.2.1.3).
  const bool may_lag = request.max_age < 0 && request.min_fresh < 0 && request.max_stale < 0;
  if (may_lag && stored.stale_while_revalidate >= stale_by) return CacheUse::background;
  return otherwise;
}

bool may_cover_error(const StoredFreshness& stored, const RequestDirectives& request,
                     CacheTime now) {
  if (stored.is_always_validated || request.no_cache) return false;
  const int64_t stale_by = std::max<int64_t>(stored.stale_by(now), 0);
  if (stored.is_never_stale && !stored.is_fresh(now)) return false;
  const int64_t asked = stored.heeds_staleness_wanted ? request.stale_if_error : -1;
  return stale_by <= std::max(stored.stale_if_error, asked);
}

}  // namespace spillway::http
