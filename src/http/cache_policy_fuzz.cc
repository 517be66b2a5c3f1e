// http/cache_policy_fuzz.cc: the cache policy beside a second one, written from the RFC's text.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/check.h"
#include "http/cache_oracle_testing.h"
#include "http/cache_policy.h"
#include "http/cache_update.h"
#include "http/http_date.h"
#include "http/vary.h"

namespace spillway::http {
namespace {

constexpr int64_t noon = 1'800'000'000;

// Makes messages out of the fuzzer's bytes: mostly of pieces that mean something.
class Source {
 public:
  Source(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  size_t below(size_t bound) {
    if (size_ == 0) return 0;
    --size_;
    return *data_++ % bound;
  }
  bool flip() { return below(2) == 1; }
  int64_t seconds() {
    constexpr std::array<int64_t, 8> all = {0, 1, 5, 9, 10, 11, 60, 90'000};
    return all[below(all.size())];
  }
  template <size_t count>
  std::string one_of(const std::array<const char*, count>& words) {
    return words[below(count)];
  }

  std::string directives() {
    constexpr std::array pieces = {"max-age",
                                   "s-maxage",
                                   "=",
                                   "10",
                                   "0",
                                   "\"",
                                   ",",
                                   ", ",
                                   " ",
                                   "no-store",
                                   "no-cache",
                                   "private",
                                   "public",
                                   "\\",
                                   "5",
                                   "must-revalidate",
                                   "proxy-revalidate",
                                   "must-understand",
                                   "stale-while-revalidate=5",
                                   "stale-if-error=9",
                                   "max-stale",
                                   "min-fresh",
                                   "only-if-cached",
                                   "set-cookie",
                                   "X-A",
                                   "max-age=10",
                                   "s-maxage=10",
                                   "-",
                                   ";",
                                   "'",
                                   "99999999999999999999",
                                   "max-stale=5",
                                   "no-cache=\"set-cookie\"",
                                   "private=\"x-a, set-cookie\"",
                                   "?0",
                                   ".5",
                                   "(a)",
                                   ":YQ==:",
                                   "MAX-AGE",
                                   "*",
                                   "\t"};
    std::string text;
    for (size_t left = below(12); left > 0; --left) text += one_of(pieces);
    return std::string(trimmed(text));
  }

  std::string date() {
    if (below(8) == 0) {
      return one_of(std::array{"0", "Thursday", "", "Sun, 06 Nov 1994 08:49:37 GMT",
                               "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                               "Sunday, 06-Nov-50 08:49:37 GMT", "Sun Nov 06 08:49:37 1994",
                               "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 2026 08:49:37 GMT",
                               "sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:60 GMT"});
    }
    const int64_t ago = flip() ? seconds() : -seconds();
    std::string text(http_date_size, ' ');
    write_http_date(std::chrono::sys_seconds(std::chrono::seconds(noon - ago)), text.data());
    return text;
  }

  oracle::Fields request() {
    oracle::Fields fields;
    for (size_t left = below(4); left > 0; --left) {
      switch (below(6)) {
        case 0: fields.emplace_back("Cache-Control", directives()); break;
        case 1:
          fields.emplace_back("Pragma", one_of(std::array{"no-cache", "x, No-Cache", "no-cache=x",
                                                          "x=\"no-cache", "x=\", no-cache\""}));
          break;
        case 2: fields.emplace_back("Authorization", "x"); break;
        case 3:
          fields.emplace_back(
              "Accept-Encoding",
              one_of(std::array{"gzip", "br, gzip", "*", "gzip;q=0, *", "", "x", "x-gzip;q=0.5",
                                "gzip;q=2, br;Q=1", "identity", "gzip;q=0, gzip"}));
          break;
        default:
          fields.emplace_back(
              one_of(std::array{"X-A", "x-b"}),
              one_of(std::array{"", "1", "1,2", "1, 2", "2,1", "\"1,2\"", "\"1, 2\"", ",1,,2 ,"}));
      }
    }
    return fields;
  }

  oracle::Fields answer() {
    oracle::Fields fields;
    for (size_t left = below(7); left > 0; --left) {
      switch (below(12)) {
        case 0: fields.emplace_back("CDN-Cache-Control", directives()); break;
        case 1: fields.emplace_back("spillway-cache-control", directives()); break;
        case 2: fields.emplace_back("Expires", date()); break;
        case 3: fields.emplace_back("Date", date()); break;
        case 4: fields.emplace_back("Last-Modified", date()); break;
        case 5:
          fields.emplace_back("Age", one_of(std::array{"5", "0", "-1", "5, 9", ", 5", "5.0", "",
                                                       "99999999999999", "\"5\"", "005"}));
          break;
        case 6:
          fields.emplace_back("ETag", one_of(std::array{"\"a\"", "W/\"a\"", "\"b\"", "a", ""}));
          break;
        case 7: fields.emplace_back("Set-Cookie", "a=b"); break;
        case 8:
          fields.emplace_back(
              "Vary", one_of(std::array{"x-a", "X-B, x-a", "*", "x-a, *", "", "Accept-Encoding",
                                        "accept-encoding,X-A", ",", "x-c"}));
          break;
        case 9:
          fields.emplace_back(one_of(std::array{"Connection", "Content-Type", "X-A", "x-b"}),
                              one_of(std::array{"x-a", "close, X-B", "2"}));
          break;
        default: fields.emplace_back("Cache-Control", directives());
      }
    }
    return fields;
  }

  std::optional<int64_t> maybe_seconds() {
    return below(3) == 0 ? std::optional(seconds()) : std::nullopt;
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

HeaderList list_of(const oracle::Fields& fields) {
  HeaderList list;
  for (const auto& [name, value] : fields) CHECK(list.add(name, value));
  return list;
}

std::string key_of(const HeaderList& answer, const HeaderList& request) {
  std::string key;
  append_vary_key(*vary_names(answer), request, key);
  return key;
}

void compare_use(const StoredFreshness& stored, const oracle::Exchanged& theirs, Source& source,
                 const CacheTerms& terms, const oracle::Terms& their_terms) {
  const oracle::Fields request = source.request();
  const HeaderList fields = list_of(request);
  const RequestDirectives directives = heeded(fields, terms);
  const int64_t now = theirs.answered_at + source.seconds() - (source.below(8) == 0 ? 20 : 0);
  CHECK(stored.age(now) == oracle::age_at(theirs, now));
  CHECK(static_cast<int>(use_of(stored, directives, now)) ==
        static_cast<int>(oracle::use_at(theirs, request, their_terms, now)));
  CHECK(may_cover_error(stored, directives, now) ==
        oracle::may_cover_error(theirs, request, their_terms, now));
  const HeaderList answer = list_of(theirs.response);
  const HeaderList first = list_of(theirs.request);
  CHECK((key_of(answer, first) == key_of(answer, fields)) == oracle::varies_alike(theirs, request));
}

void compare_update(const oracle::Exchanged& theirs, Source& source) {
  const oracle::Fields update = source.answer();
  const HeaderList stored = list_of(theirs.response);
  const HeaderList fields = list_of(update);
  CHECK(is_validated_by(stored, fields) == oracle::is_validated_by(theirs, update));
  HeaderList merged;
  CHECK(merge_update(stored, fields, merged));
  const oracle::Fields expected = oracle::merged(theirs.response, update);
  CHECK(std::ranges::equal(merged, expected, [](const HeaderField& one, const auto& other) {
    return equals_ignoring_case(one.name, other.first) && one.value == other.second;
  }));
}

void compare_storable(const Storable& ours, const oracle::Exchanged& theirs,
                      const oracle::Terms& terms) {
  CHECK(ours.freshness.lifetime == oracle::lifetime_of(theirs, terms));
  std::set<std::string> withheld;
  for (const std::string& name : ours.withheld) withheld.insert(lowered(name));
  CHECK(withheld == oracle::withheld_fields(theirs, terms));
}

}  // namespace
}  // namespace spillway::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway::http;
  Source source(data, size);
  constexpr std::array<uint16_t, 14> statuses = {200, 200, 200, 200, 404, 302, 301,
                                                 500, 206, 304, 299, 204, 501, 103};
  oracle::Exchanged theirs;
  theirs.method = source.below(16) == 0 ? "POST" : "GET";
  theirs.status = statuses[source.below(statuses.size())];
  theirs.answered_at = noon;
  theirs.asked_at = noon - (source.flip() ? 0 : source.seconds());
  const CacheTerms terms{.ttl = source.maybe_seconds(),
                         .negative_ttl = source.maybe_seconds(),
                         .overrides = source.below(8) == 0,
                         .stale_while_revalidate = source.maybe_seconds(),
                         .stale_if_error = source.maybe_seconds(),
                         .heeds_requests = source.below(8) != 0,
                         .is_per_user = source.below(8) == 0};
  const oracle::Terms their_terms{.ttl = terms.ttl,
                                  .negative_ttl = terms.negative_ttl,
                                  .overrides = terms.overrides,
                                  .stale_while_revalidate = terms.stale_while_revalidate,
                                  .stale_if_error = terms.stale_if_error,
                                  .heeds_requests = terms.heeds_requests,
                                  .per_user = terms.is_per_user};
  theirs.request = source.request();
  theirs.response = source.answer();

  const auto request = std::make_unique<RequestHead>();
  const auto answer = std::make_unique<ResponseHead>();
  request->method = method_from(theirs.method);
  request->fields = list_of(theirs.request);
  answer->status = static_cast<uint16_t>(theirs.status);
  answer->fields = list_of(theirs.response);
  const auto ours = may_store({*request, *answer, theirs.asked_at, theirs.answered_at}, terms);
  const int refusal = ours ? 0 : static_cast<int>(ours.error()) + 1;
  CHECK(refusal == static_cast<int>(oracle::may_store(theirs, their_terms)));
  compare_update(theirs, source);
  if (!ours) return 0;
  compare_storable(*ours, theirs, their_terms);
  for (int i = 0; i < 4; ++i) {
    compare_use(ours->freshness, theirs, source, terms, their_terms);
  }
  return 0;
}
