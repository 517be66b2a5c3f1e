// gateway/limit_key_fuzz.cc: whatever the keys and the times, no window lets more through.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "gateway/limit_config.h"
#include "gateway/rate_limit.h"

namespace {

using namespace spillway;
using gateway::LimitKey;

// What a plan writes is read back as it was meant.
void check_words(std::string_view text) {
  if (const auto key = LimitKey::parse(text)) {
    CHECK(LimitKey::parse(gateway::to_string(*key)) == *key);
  }
  if (const auto rate = upstream::RateRule::parse(text)) {
    CHECK(upstream::RateRule::parse(upstream::to_string(*rate)) == *rate);
  }
}

// Every byte is a request: some bits say whose, the others how much later.
void check_counts(std::string_view requests) {
  constexpr uint32_t count = 3;
  constexpr Duration window = 100ms;
  gateway::RateLimit limit(
      "fuzz",
      {.rate = {.kind = upstream::RateRule::Kind::window, .count = count, .per = window},
       .by = {},
       .keys = 4096},
      {1, 2});
  struct Window {
    Instant opened;
    uint32_t used = 0;
  };
  std::map<std::string, Window> model;
  Instant now = Instant() + 1s;
  for (const char c : requests) {
    const auto byte = static_cast<uint8_t>(c);
    now = now + Duration(1ms) * (byte >> 3);
    const std::string key(1, static_cast<char>(byte & 3));
    const bool gives_back = (byte & 4) != 0;
    Window& known = model[key];
    if (known.used == 0 || now - known.opened >= window) known = {.opened = now};
    const Hash128 hash = limit.key_of(key);
    const upstream::RateAnswer answer = limit.take(hash, now);
    CHECK(answer.allowed == (known.used < count));
    CHECK(answer.remaining <= count);
    CHECK(answer.retry_after >= Duration::zero() && answer.retry_after <= window);
    if (!answer.allowed) continue;
    ++known.used;
    if (!gives_back) continue;
    limit.give_back(hash, answer, now);
    --known.used;
  }
  CHECK(limit.usage().evictions == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_words(input);
  check_counts(input.substr(0, 4096));
  return 0;
}
