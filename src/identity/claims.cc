// identity/claims.cc: finds, compares and writes claims.
#include "identity/claims.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "identity/jws.h"

namespace spillway::identity {
namespace {

using Kind = JsonValue::Kind;

// Strings inside arrays and objects are read when they are asked for.
using NestedSpace = std::array<char, limits::token_bytes_max>;

bool is_field_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
  });
}

bool has_word(std::string_view text, std::string_view wanted) {
  while (!text.empty()) {
    const size_t space = std::min(text.find(' '), text.size());
    if (text.substr(0, space) == wanted) return true;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return false;
}

bool is_scalar(const JsonValue& value) {
  return value.kind == Kind::string || value.kind == Kind::number || value.kind == Kind::boolean;
}

// Writes into a span of fixed length and remembers whether all had room.
class FieldText {
 public:
  explicit FieldText(std::span<char> out) : out_(out) {}
  bool add(std::string_view text) {
    if (text.size() > out_.size() - size_ || !is_field_text(text)) return false;
    std::ranges::copy(text, out_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += text.size();
    return true;
  }
  std::string_view written() const { return {out_.data(), size_}; }

 private:
  std::span<char> out_;
  size_t size_ = 0;
};

bool write_items(std::string_view text, FieldText& out) {
  NestedSpace space;
  JsonArray array;
  if (!array.read(text, space)) return false;
  bool is_first = true;
  for (const JsonValue& item : array.items()) {
    if (!is_scalar(item) || item.text.contains(',')) return false;
    if (!is_first && !out.add(",")) return false;
    if (!out.add(item.text)) return false;
    is_first = false;
  }
  return true;
}

}  // namespace

std::optional<JsonValue> Claims::find(std::string_view name) const {
  const auto present = [](const JsonValue* value) -> std::optional<JsonValue> {
    if (value == nullptr || value->kind == Kind::null) return std::nullopt;
    return *value;
  };
  if (const JsonValue* value = members_->find(name)) return present(value);
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const JsonValue* outer = members_->find(name.substr(0, dot));
  if (outer == nullptr || outer->kind != Kind::object) return std::nullopt;
  // The views of what is found must outlive this call, so there is no space for escapes here: an
  // object that needs it is as if it were not there.
  if (outer->text.contains('\\')) return std::nullopt;
  NestedSpace unused;
  JsonObject inner;
  if (!inner.read(outer->text, unused)) return std::nullopt;
  return Claims(inner).find(name.substr(dot + 1));
}

std::string_view Claims::text(std::string_view name) const {
  const auto value = find(name);
  return value && value->is_string() ? value->text : std::string_view();
}

bool Claims::has(std::string_view name, std::string_view wanted) const {
  const auto value = find(name);
  if (!value) return false;
  if (value->is_string()) return value->text == wanted || has_word(value->text, wanted);
  if (value->kind != Kind::array) return is_scalar(*value) && value->text == wanted;
  NestedSpace space;
  JsonArray array;
  return array.read(value->text, space) &&
         std::ranges::any_of(array.items(), [wanted](const JsonValue& item) {
           return is_scalar(item) && item.text == wanted;
         });
}

std::optional<std::string_view> Claims::write(std::string_view name, std::span<char> out) const {
  const auto value = find(name);
  if (!value) return std::nullopt;
  FieldText text(out);
  if (value->kind == Kind::array) {
    if (!write_items(value->text, text)) return std::nullopt;
  } else if (!is_scalar(*value) || !text.add(value->text)) {
    return std::nullopt;
  }
  return text.written();
}

std::optional<WallTime> parse_numeric_date(const JsonValue& value) {
  if (value.kind != Kind::number) return std::nullopt;
  const char* begin = value.text.data();
  const char* end = begin + value.text.size();
  constexpr int64_t seconds_max = INT64_MAX / 1'000'000'000;
  int64_t whole = 0;
  if (const auto [rest, error] = std::from_chars(begin, end, whole);
      error == std::errc{} && rest == end) {
    return WallTime(std::chrono::seconds(std::clamp(whole, -seconds_max, seconds_max)));
  }
  double seconds = 0;
  const auto [rest, error] = std::from_chars(begin, end, seconds);
  if (error == std::errc::result_out_of_range) {  // 1e999, or 1e-999.
    const bool is_tiny = value.text.contains("e-") || value.text.contains("E-");
    seconds = is_tiny ? 0 : value.text.starts_with('-') ? -HUGE_VAL : HUGE_VAL;
  } else if (error != std::errc{} || rest != end) {
    return std::nullopt;
  }
  const double bound = static_cast<double>(seconds_max);
  const double nanoseconds = std::clamp(seconds, -bound, bound) * 1e9;
  return WallTime(Duration(static_cast<int64_t>(nanoseconds)));
}

}  // namespace spillway::identity
