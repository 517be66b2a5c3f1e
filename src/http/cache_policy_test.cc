// http/cache_policy_test.cc: RFC 9111 clause by clause.
#include "http/cache_policy.h"

#include <gtest/gtest.h>

#include "http/cache_testing.h"

namespace spillway::http {
namespace {

constexpr CacheTime now = test_time;

TestFields cache_control(const char* value) { return {{"Cache-Control", value}}; }

// An answer that is kept, 10 seconds fresh, with what else Cache-Control says.
StoredFreshness fresh_for_ten(const std::string& more = "") {
  return TestExchange({{"Cache-Control", "max-age=10" + more}}).stored();
}

RequestDirectives asks(const char* value) {
  return request_directives(TestExchange({}, 200, cache_control(value)).request());
}

// What is done with an answer of ten seconds when it is `age` seconds old.
CacheUse use(const std::string& more, const char* request, int64_t age) {
  return use_of(fresh_for_ten(more), asks(request), now + age);
}

struct StoringCase {
  const char* clause;
  std::optional<NotStored> refused;
  TestFields answer;
  uint16_t status = 200;
  TestFields request = {};
  Method method = Method::get;
};

void expect_stored(const std::vector<StoringCase>& cases) {
  for (const StoringCase& one : cases) {
    EXPECT_EQ(TestExchange(one.answer, one.status, one.request, one.method).refused(), one.refused)
        << one.clause;
  }
}

TEST(CachePolicy, rfc9111_3_what_may_be_stored) {
  const auto cc = cache_control;
  const TestFields token = {{"Authorization", "Bearer x"}};
  expect_stored({
      {"3: explicit freshness", {}, cc("max-age=1")},
      {"3: s-maxage", {}, cc("s-maxage=1")},
      {"3: Expires", {}, {{"Expires", date_at(now + 1)}}},
      {"3: nothing said, nothing to validate", NotStored::nothing_to_gain, {}},
      {"3: heuristics", {}, {{"Last-Modified", date_at(now - 100)}}},
      {"3: a validator is something to gain", {}, {{"ETag", "\"a\""}}},
      {"3: a status without a default", NotStored::not_cacheable, {{"ETag", "\"a\""}}, 302},
      {"3: the same with public", {}, {{"ETag", "\"a\""}, {"Cache-Control", "public"}}, 302},
      {"3: the same with max-age", {}, cc("max-age=1"), 302},
      {"3: an error with max-age", {}, cc("max-age=1"), 500},
      {"3: an unknown status with max-age", {}, cc("max-age=1"), 299},
      {"3: the method", NotStored::method, cc("max-age=1"), 200, {}, Method::post},
      {"3: HEAD has no body", NotStored::method, cc("max-age=1"), 200, {}, Method::head},
      {"3.3: a part", NotStored::status, cc("max-age=1"), 206},
      {"4.3.4: no answer of its own", NotStored::status, cc("max-age=1"), 304},
      {"3.5: Authorization", NotStored::authorization, cc("max-age=1"), 200, token},
      {"3.5: public", {}, cc("max-age=1, public"), 200, token},
      {"3.5: s-maxage", {}, cc("s-maxage=1"), 200, token},
      {"3.5: must-revalidate", {}, cc("max-age=1, must-revalidate"), 200, token},
      {"3.5: proxy-revalidate is no permission", NotStored::authorization,
       cc("max-age=1, proxy-revalidate"), 200, token},
  });
}

TEST(CachePolicy, rfc9111_5_2_2_what_an_answer_says_of_being_stored) {
  const auto cc = cache_control;
  expect_stored({
      {"4.1: Vary: *", NotStored::vary_star, {{"Cache-Control", "max-age=1"}, {"Vary", "a, *"}}},
      {"5.2.1.5: request no-store", NotStored::request_no_store, cc("max-age=1"), 200,
       cc("no-store")},
      {"5.2.2.3: must-understand", {}, cc("max-age=1, must-understand, no-store")},
      {"5.2.2.3: not understood", NotStored::not_understood, cc("max-age=1, must-understand"), 299},
      {"5.2.2.4: no-cache is kept to be validated",
       {},
       {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}},
      {"5.2.2.5: no-store", NotStored::no_store, cc("max-age=1, no-store")},
      {"5.2.2.7: private", NotStored::is_private, cc("max-age=1, private")},
      {"5.2.2.7: private fields", {}, cc("max-age=1, private=\"x\"")},
      {"5.3: Expires in the past, nothing to validate",
       NotStored::nothing_to_gain,
       {{"Expires", "0"}}},
      {"7.3: Set-Cookie",
       NotStored::set_cookie,
       {{"Cache-Control", "max-age=1"}, {"Set-Cookie", "a=b"}}},
      {"7.3: public does not make it everybody's",
       NotStored::set_cookie,
       {{"Cache-Control", "max-age=1, public"}, {"Set-Cookie", "a=b"}}},
      {"7.3: a cookie that is left out",
       {},
       {{"Cache-Control", "max-age=1, no-cache=\"Set-Cookie\""}, {"Set-Cookie", "a=b"}}},
      {"RFC 9213: targeted",
       {},
       {{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=1"}}},
      {"RFC 9213: targeted",
       NotStored::no_store,
       {{"Cache-Control", "max-age=1"}, {"CDN-Cache-Control", "no-store"}}},
      {"RFC 9213: Expires means nothing beside it",
       NotStored::nothing_to_gain,
       {{"Expires", date_at(now + 9)}, {"CDN-Cache-Control", "public"}}},
  });
}

TEST(CachePolicy, every_status_that_rfc9110_15_1_calls_cacheable_is_kept_by_default) {
  std::vector<uint16_t> kept;
  for (uint16_t status = 200; status < 600; ++status) {
    if (!TestExchange({{"ETag", "\"a\""}}, status).refused()) kept.push_back(status);
  }
  EXPECT_EQ(kept, (std::vector<uint16_t>{200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}));
}

TEST(CachePolicy, rfc9111_5_2_2_fields_that_are_withheld) {
  const TestExchange exchange(cache_control("max-age=1, private=\"a, b\", no-cache=c"));
  const auto storable = may_store(exchange.at(now), {});
  ASSERT_TRUE(storable);
  EXPECT_EQ(storable->withheld, (std::vector<std::string>{"c", "a", "b"}));
  EXPECT_EQ(may_store(exchange.at(now), {.is_per_user = true})->withheld,
            std::vector<std::string>{"c"});
}

struct LifetimeCase {
  const char* clause;
  int64_t lifetime;
  TestFields answer;
  uint16_t status = 200;
};

TEST(CachePolicy, rfc9111_4_2_1_how_long_it_is_fresh) {
  const std::string date = date_at(now);
  const TestFields etag = {{"ETag", "\"a\""}};
  const auto with = [&](TestFields fields) {
    fields.insert(fields.end(), etag.begin(), etag.end());
    return fields;
  };
  const std::vector<LifetimeCase> cases = {
      {"s-maxage before max-age", 5, {{"Cache-Control", "max-age=9, s-maxage=5"}}},
      {"max-age before Expires",
       9,
       {{"Cache-Control", "max-age=9"}, {"Expires", date_at(now - 9)}}},
      {"a malformed max-age is no freshness", 0,
       with({{"Cache-Control", "max-age=x"}, {"Expires", date_at(now + 9)}})},
      {"Expires less Date", 7, {{"Expires", date_at(now + 5)}, {"Date", date_at(now - 2)}}},
      {"Expires without Date", 5, {{"Expires", date_at(now + 5)}}},
      {"Expires with a malformed Date", 5, {{"Expires", date_at(now + 5)}, {"Date", "today"}}},
      {"Expires before Date", 0, with({{"Expires", date_at(now - 5)}, {"Date", date}})},
      {"5.3: Expires: 0", 0, with({{"Expires", "0"}})},
      {"5.3: a malformed Expires", 0, with({{"Expires", "Thursday"}})},
      {"two that agree", 5, {{"Expires", date_at(now + 5)}, {"Expires", date_at(now + 5)}}},
      {"two that do not", 0, with({{"Expires", date_at(now + 5)}, {"Expires", date_at(now + 6)}})},
      {"an old form of dates", 5, {{"Expires", "Sunday, 06-Nov-94 08:49:42 GMT"}}},
      {"4.2.2: a tenth of the time unchanged", 10, {{"Last-Modified", date_at(now - 109)}}},
      {"4.2.2: at most a day", 86'400, {{"Last-Modified", date_at(now - 99'999'999)}}},
      {"4.2.2: changed after it was sent", 0, with({{"Last-Modified", date_at(now + 9)}})},
      {"4.2.2: two contradict each other", 0,
       with({{"Last-Modified", date_at(now - 99)}, {"Last-Modified", date_at(now - 98)}})},
      {"4.2.2: public allows it for any status",
       9,
       {{"Last-Modified", date_at(now - 90)}, {"Cache-Control", "public"}},
       302},
      {"4.2.2: not beside explicit freshness", 0,
       with({{"Last-Modified", date_at(now - 90)}, {"Cache-Control", "max-age=0"}})},
      {"RFC 9213: before Cache-Control",
       3,
       {{"CDN-Cache-Control", "max-age=3"}, {"Cache-Control", "s-maxage=9"}}},
  };
  for (const LifetimeCase& one : cases) {
    EXPECT_EQ(TestExchange(one.answer, one.status).stored().lifetime, one.lifetime) << one.clause;
  }
}

struct AgeCase {
  const char* clause;
  int64_t age;
  TestFields answer;
  int64_t delay = 0;
};

TEST(CachePolicy, rfc9111_4_2_3_how_old_it_is) {
  const std::vector<AgeCase> cases = {
      {"nothing said", 0, {}},
      {"Age", 7, {{"Age", "7"}}},
      {"Age and the time it was on its way", 9, {{"Age", "7"}}, 2},
      {"Date", 5, {{"Date", date_at(now - 5)}}},
      {"the larger of both", 7, {{"Age", "7"}, {"Date", date_at(now - 5)}}},
      {"the larger of both", 8, {{"Age", "7"}, {"Date", date_at(now - 8)}}},
      {"a Date in the future", 0, {{"Date", date_at(now + 5)}}},
      {"a malformed Date", 0, {{"Date", "now"}}},
      {"5.1: the first of a list", 7, {{"Age", "7, 9"}}},
      {"5.1: the first of several lines", 7, {{"Age", "7"}, {"Age", "9"}}},
      {"5.1: malformed", 0, {{"Age", "-7"}}},
      {"5.1: malformed", 0, {{"Age", "7.0"}}},
      {"5.1: malformed", 0, {{"Age", ", 7"}}},
      {"5.1: malformed", 0, {{"Age", "\"7\""}}},
      {"1.2.2: overflow", delta_seconds_max, {{"Age", "99999999999999999999"}}},
  };
  for (const AgeCase& one : cases) {
    TestFields fields = one.answer;
    fields.emplace_back("ETag", "\"a\"");
    fields.emplace_back("Cache-Control", "max-age=10");
    const TestExchange exchange(fields);
    const auto storable = may_store(exchange.at(now - one.delay, now), {});
    ASSERT_TRUE(storable);
    EXPECT_EQ(storable->freshness.initial_age, one.age) << one.clause;
  }
  const StoredFreshness stored = fresh_for_ten();
  EXPECT_EQ(stored.age(now + 3), 3);
  EXPECT_EQ(stored.age(now - 3), 0);  // A clock that was set back.
  EXPECT_TRUE(stored.is_fresh(now + 9));
  EXPECT_FALSE(stored.is_fresh(now + 10));
}

struct UseCase {
  const char* clause;
  CacheUse use;
  int64_t age;
  const char* answer = "";  // Beside max-age=10.
  const char* request = "";
};

TEST(CachePolicy, rfc9111_4_what_is_done_with_a_stored_answer) {
  using enum CacheUse;
  const std::vector<UseCase> cases = {
      {"4: fresh", fresh, 9},
      {"4: stale", validate, 10},
      {"5.2.1.1: max-age", fresh, 5, "", "max-age=5"},
      {"5.2.1.1: max-age", validate, 6, "", "max-age=5"},
      {"5.2.1.1: max-age with max-stale", stale, 6, "", "max-age=5, max-stale=1"},
      {"5.2.1.1: max-age with max-stale", validate, 7, "", "max-age=5, max-stale=1"},
      {"5.2.1.1: malformed", validate, 1, "", "max-age=x"},
      {"5.2.1.2: max-stale", stale, 15, "", "max-stale=5"},
      {"5.2.1.2: max-stale", validate, 16, "", "max-stale=5"},
      {"5.2.1.2: without a value", stale, 9999, "", "max-stale"},
      {"5.2.1.2: malformed", validate, 10, "", "max-stale=x"},
      {"5.2.1.3: min-fresh", fresh, 5, "", "min-fresh=5"},
      {"5.2.1.3: min-fresh", validate, 6, "", "min-fresh=5"},
      {"5.2.1.3: not with stale ones", validate, 11, ", stale-while-revalidate=9", "min-fresh=0"},
      {"5.2.1.4: no-cache", validate, 0, "", "no-cache"},
      {"5.2.1.5: no-store may still be answered from here", fresh, 0, "", "no-store"},
      {"5.2.1.7: only-if-cached", fresh, 9, "", "only-if-cached"},
      {"5.2.1.7: only-if-cached", unsatisfiable, 10, "", "only-if-cached"},
      {"5.2.1.7: only-if-cached, no-cache", unsatisfiable, 0, "", "only-if-cached, no-cache"},
      {"5.2.2.2: must-revalidate", validate, 10, ", must-revalidate", "max-stale"},
      {"5.2.2.2: must-revalidate", fresh, 9, ", must-revalidate"},
      {"5.2.2.2: before stale-while-revalidate", validate, 10,
       ", must-revalidate, stale-while-revalidate=9"},
      {"5.2.2.4: no-cache", validate, 0, ", no-cache"},
      {"5.2.2.4: no-cache of a field is no such word", fresh, 0, ", no-cache=\"x\""},
      {"5.2.2.8: proxy-revalidate", validate, 10, ", proxy-revalidate", "max-stale"},
      {"5.2.2.10: s-maxage", validate, 10, ", s-maxage=10", "max-stale"},
      {"RFC 5861 3: stale-while-revalidate", background, 13, ", stale-while-revalidate=3"},
      {"RFC 5861 3: stale-while-revalidate", validate, 14, ", stale-while-revalidate=3"},
      {"RFC 5861 3: said beside s-maxage", background, 13,
       ", s-maxage=10, stale-while-revalidate=3"},
      {"5.2.1.2: nothing staler", validate, 13, ", stale-while-revalidate=3", "max-stale=2"},
      {"5.2.1.1: who names an age wants nothing stale", validate, 13, ", stale-while-revalidate=3",
       "max-age=50"},
      {"RFC 5861 3: only-if-cached", background, 13, ", stale-while-revalidate=3",
       "only-if-cached"},
  };
  for (const UseCase& one : cases) {
    EXPECT_EQ(use(one.answer, one.request, one.age), one.use)
        << one.clause << ": " << one.answer << " | " << one.request << " | " << one.age;
  }
}

struct ErrorCase {
  bool is_covered;
  int64_t age;
  const char* answer = "";
  const char* request = "";
};

TEST(CachePolicy, rfc5861_4_an_origin_that_fails_is_covered_for_as_long_as_is_allowed) {
  const std::vector<ErrorCase> cases = {
      {false, 10},
      {true, 15, ", stale-if-error=5"},
      {false, 16, ", stale-if-error=5"},
      {true, 15, "", "stale-if-error=5"},
      {true, 15, ", stale-if-error=1", "stale-if-error=5"},
      {false, 15, ", must-revalidate, stale-if-error=9"},
      {false, 15, ", proxy-revalidate", "stale-if-error=9"},
      {false, 1, ", no-cache, stale-if-error=9"},
      {false, 1, ", stale-if-error=9", "no-cache"},
      {true, 6, ", stale-if-error=9", "max-age=5"},
      {true, 15, ", s-maxage=10, stale-if-error=5"},
      {false, 15, ", s-maxage=10", "stale-if-error=5"},
  };
  for (const ErrorCase& one : cases) {
    EXPECT_EQ(may_cover_error(fresh_for_ten(one.answer), asks(one.request), now + one.age),
              one.is_covered)
        << one.answer << " | " << one.request << " | " << one.age;
  }
}

TEST(CachePolicy, a_plan_speaks_where_the_answer_is_silent) {
  const CacheTerms terms{.ttl = 60, .negative_ttl = 5, .stale_while_revalidate = 30};
  EXPECT_EQ(TestExchange({}).stored(terms).lifetime, 60);
  EXPECT_EQ(TestExchange({}).stored(terms).stale_while_revalidate, 30);
  EXPECT_EQ(TestExchange({}, 404).stored(terms).lifetime, 5);
  EXPECT_EQ(TestExchange(cache_control("max-age=9")).stored(terms).lifetime, 9);
  EXPECT_EQ(TestExchange(cache_control("max-age=9, stale-while-revalidate=2"))
                .stored(terms)
                .stale_while_revalidate,
            2);
  EXPECT_EQ(TestExchange({{"Last-Modified", date_at(now - 99)}}).stored(terms).lifetime, 60);
  EXPECT_EQ(TestExchange({}, 302).refused(terms), NotStored::not_cacheable);
  EXPECT_EQ(TestExchange({}, 500).refused(terms), NotStored::not_cacheable);
  EXPECT_EQ(TestExchange(cache_control("no-store")).refused(terms), NotStored::no_store);
  EXPECT_EQ(TestExchange({}, 404).refused(CacheTerms{.ttl = 60}), NotStored::nothing_to_gain);
}

TEST(CachePolicy, a_plan_that_overrides_has_the_only_word) {
  const CacheTerms terms{.ttl = 60, .overrides = true};
  EXPECT_EQ(TestExchange(cache_control("no-store, private, max-age=1")).stored(terms).lifetime, 60);
  EXPECT_EQ(
      TestExchange({{"CDN-Cache-Control", "no-store"}, {"Expires", "0"}}).stored(terms).lifetime,
      60);
  EXPECT_FALSE(TestExchange(cache_control("no-cache")).stored(terms).is_always_validated);
  EXPECT_EQ(TestExchange(cache_control("max-age=9"), 404).refused(terms), NotStored::not_cacheable);
  // What is somebody's own stays theirs.
  EXPECT_EQ(TestExchange({{"Set-Cookie", "a=b"}}).refused(terms), NotStored::set_cookie);
  EXPECT_EQ(TestExchange({}, 200, {{"Authorization", "x"}}).refused(terms),
            NotStored::authorization);
}

TEST(CachePolicy, a_cache_of_each_user_may_keep_what_is_private) {
  const CacheTerms terms{.is_per_user = true};
  EXPECT_FALSE(TestExchange(cache_control("private, max-age=9")).refused(terms));
  EXPECT_FALSE(
      TestExchange(cache_control("max-age=9"), 200, {{"Authorization", "x"}}).refused(terms));
  EXPECT_EQ(
      TestExchange({{"Cache-Control", "max-age=9, private=\"set-cookie\""}, {"Set-Cookie", "a=b"}})
          .refused(terms),
      NotStored::set_cookie);
}

TEST(CachePolicy, clients_that_are_not_heeded_cannot_ask_past_the_cache) {
  const TestExchange exchange({}, 200, cache_control("no-cache, no-store"));
  EXPECT_FALSE(heeded(exchange.request(), {.heeds_requests = false}).no_cache);
  EXPECT_TRUE(heeded(exchange.request(), {}).no_cache);
  EXPECT_FALSE(TestExchange(cache_control("max-age=9"), 200, cache_control("no-store"))
                   .refused({.heeds_requests = false}));
}

}  // namespace
}  // namespace spillway::http
