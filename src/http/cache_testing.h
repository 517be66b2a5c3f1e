// http/cache_testing.h: requests and answers for tests of the cache policy, from a few words.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/cache_policy.h"
#include "http/http_date.h"

namespace spillway::http {

using TestFields = std::vector<std::pair<std::string, std::string>>;

// Sun, 06 Nov 1994 08:49:37 GMT, when all answers of these tests arrive unless they say otherwise.
inline constexpr CacheTime test_time = 784'111'777;

inline std::string date_at(CacheTime time) {
  std::string text(http_date_size, ' ');
  write_http_date(std::chrono::sys_seconds(std::chrono::seconds(time)), text.data());
  return text;
}

inline void put_fields(const TestFields& from, HeaderList& to) {
  to.clear();
  for (const auto& [name, value] : from) EXPECT_TRUE(to.add(name, value));
}

// One request and its answer. The texts stay where they are.
class TestExchange {
 public:
  explicit TestExchange(TestFields answer, uint16_t status = 200, TestFields request = {},
                        Method method = Method::get)
      : answer_fields_(std::move(answer)), request_fields_(std::move(request)) {
    request_->method = method;
    answer_->status = status;
    put_fields(request_fields_, request_->fields);
    put_fields(answer_fields_, answer_->fields);
  }
  Exchanged at(CacheTime asked, CacheTime answered) const {
    return {*request_, *answer_, asked, answered};
  }
  Exchanged at(CacheTime both) const { return at(both, both); }
  const HeaderList& answer() const { return answer_->fields; }
  const HeaderList& request() const { return request_->fields; }

  // Why it is not stored; nothing: it is.
  std::optional<NotStored> refused(const CacheTerms& terms = {}) const {
    const auto storable = may_store(at(test_time), terms);
    return storable ? std::nullopt : std::optional(storable.error());
  }
  StoredFreshness stored(const CacheTerms& terms = {}) const {
    const auto storable = may_store(at(test_time), terms);
    EXPECT_TRUE(storable) << to_string(storable.error());
    return storable ? storable->freshness : StoredFreshness{};
  }

 private:
  TestFields answer_fields_;
  TestFields request_fields_;
  std::unique_ptr<RequestHead> request_ = std::make_unique<RequestHead>();
  std::unique_ptr<ResponseHead> answer_ = std::make_unique<ResponseHead>();
};

}  // namespace spillway::http
