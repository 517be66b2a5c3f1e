// gateway/stored_answer.cc: heads to bytes and back, trusting no byte.
#include "gateway/stored_answer.h"

#include <bit>
#include <cstring>

#include "http/scan.h"
#include "http/serializer.h"
#include "http/vary.h"

namespace spillway::gateway {
namespace {

// The first byte says what it is, the second how it was written.
constexpr char answer_mark = 'A';
constexpr char vary_mark = 'V';
constexpr char version = 1;

enum FreshnessBit : uint8_t { always_validated = 1, never_stale = 2, heeds_staleness_wanted = 4 };

class Writer {
 public:
  explicit Writer(char mark) { bytes_ = {mark, version}; }
  template <class Integer>
  void number(Integer value) {
    static_assert(std::endian::native == std::endian::little);
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    bytes_.append(bytes, sizeof value);
  }
  void text(std::string_view text) {
    number(static_cast<uint32_t>(text.size()));
    bytes_ += text;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After anything that is not there all else is nothing.
class Reader {
 public:
  Reader(std::string_view bytes, char mark) : rest_(bytes) {
    is_good_ = bytes.size() >= 2 && bytes[0] == mark && bytes[1] == version;
    if (is_good_) rest_.remove_prefix(2);
  }
  template <class Integer>
  Integer number() {
    Integer value{};
    const std::string_view bytes = take(sizeof value);
    if (is_good_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string_view text() { return take(number<uint32_t>()); }
  bool is_good() const { return is_good_; }
  bool ended_well() const { return is_good_ && rest_.empty(); }

 private:
  std::string_view take(size_t size) {
    is_good_ = is_good_ && size <= rest_.size();
    if (!is_good_) return {};
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view rest_;
  bool is_good_ = false;
};

bool is_sound(const http::StoredFreshness& freshness) {
  return freshness.answered_at >= 0 && freshness.initial_age >= 0 && freshness.lifetime >= 0 &&
         freshness.stale_while_revalidate >= -1 && freshness.stale_if_error >= -1;
}

}  // namespace

std::string encode(const StoredAnswer& answer) {
  const http::StoredFreshness& freshness = answer.freshness;
  Writer to(answer_mark);
  to.number(answer.status);
  to.number(answer.body_bytes);
  to.number(freshness.answered_at);
  to.number(freshness.initial_age);
  to.number(freshness.lifetime);
  to.number(freshness.stale_while_revalidate);
  to.number(freshness.stale_if_error);
  uint8_t bits = freshness.is_always_validated ? always_validated : 0;
  if (freshness.is_never_stale) bits |= never_stale;
  if (freshness.heeds_staleness_wanted) bits |= heeds_staleness_wanted;
  to.number(bits);
  to.number(static_cast<uint32_t>(answer.fields.size()));
  for (const http::HeaderField& field : answer.fields) {
    to.text(field.name);
    to.text(field.value);
  }
  return to.take();
}

bool decode(std::string_view bytes, StoredAnswer& answer) {
  Reader from(bytes, answer_mark);
  answer.status = from.number<uint16_t>();
  answer.body_bytes = from.number<uint64_t>();
  http::StoredFreshness& freshness = answer.freshness;
  freshness.answered_at = from.number<int64_t>();
  freshness.initial_age = from.number<int64_t>();
  freshness.lifetime = from.number<int64_t>();
  freshness.stale_while_revalidate = from.number<int64_t>();
  freshness.stale_if_error = from.number<int64_t>();
  const auto bits = from.number<uint8_t>();
  freshness.is_always_validated = (bits & always_validated) != 0;
  freshness.is_never_stale = (bits & never_stale) != 0;
  freshness.heeds_staleness_wanted = (bits & heeds_staleness_wanted) != 0;
  if (answer.status < 200 || answer.status > 599 || !is_sound(freshness)) return false;
  answer.fields.clear();
  for (auto left = from.number<uint32_t>(); left > 0 && from.is_good(); --left) {
    const std::string_view name = from.text();
    const std::string_view value = from.text();
    // They go to clients as they are: no other instance may write a line of its own into them.
    if (!http::is_token(name) || !http::is_field_value(value)) return false;
    if (!answer.fields.add(name, value)) return false;
  }
  return from.ended_well();
}

std::string encode_vary(std::span<const std::string> names) {
  Writer to(vary_mark);
  to.number(static_cast<uint32_t>(names.size()));
  for (const std::string& name : names) to.text(name);
  return to.take();
}

std::optional<std::vector<std::string>> decode_vary(std::string_view bytes) {
  Reader from(bytes, vary_mark);
  const auto count = from.number<uint32_t>();
  if (count > http::vary_names_max) return std::nullopt;
  std::vector<std::string> names;
  for (uint32_t i = 0; i < count && from.is_good(); ++i) names.emplace_back(from.text());
  if (!from.ended_well()) return std::nullopt;
  return names;
}

}  // namespace spillway::gateway
