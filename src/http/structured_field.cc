// http/structured_field.cc: the parsing algorithms of RFC 8941 section 4.2.
#include "http/structured_field.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

using Kind = StructuredMember::Kind;

constexpr ByteSet token_rest_bytes = make_byte_set("!#$%&'*+-.^_`|~:/", true);
constexpr ByteSet base64_bytes = make_byte_set("+/=", true);

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_key_byte(char c) {
  return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}

// Takes one thing after another from the front of the text; false: it is malformed.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  bool dictionary(std::vector<StructuredMember>& members) {
    skip(" ");
    while (!rest_.empty()) {
      StructuredMember member;
      if (!key(member.key) || !value(member)) return false;
      put(members, std::move(member));
      skip(" \t");
      if (rest_.empty()) return true;
      if (!take(',')) return false;
      skip(" \t");
      if (rest_.empty()) return false;  // A comma at the end.
    }
    return true;
  }

 private:
  static void put(std::vector<StructuredMember>& members, StructuredMember member) {
    const auto same = std::ranges::find(members, member.key, &StructuredMember::key);
    if (same == members.end()) {
      members.push_back(std::move(member));
    } else {
      *same = std::move(member);
    }
  }

  void skip(std::string_view bytes) {
    const size_t end = rest_.find_first_not_of(bytes);
    rest_.remove_prefix(std::min(end, rest_.size()));
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  template <class Predicate>
  std::string_view take_while(Predicate matches) {
    const auto end = std::ranges::find_if_not(rest_, matches);
    const auto size = static_cast<size_t>(end - rest_.begin());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  bool key(std::string& name) {
    if (rest_.empty() || !(is_lower(rest_[0]) || rest_[0] == '*')) return false;
    name = take_while(is_key_byte);
    return true;
  }

  // Without "=" it is true.
  bool value(StructuredMember& member) {
    if (!take('=')) {
      member.is_true = true;
      return parameters();
    }
    if (rest_.starts_with('(')) return inner_list(member) && parameters();
    return bare_item(member) && parameters();
  }

  bool inner_list(StructuredMember& member) {
    member.kind = Kind::inner_list;
    take('(');
    while (true) {
      skip(" ");
      if (take(')')) return true;
      StructuredMember item;
      if (!bare_item(item) || !parameters()) return false;
      if (!rest_.starts_with(' ') && !rest_.starts_with(')')) return false;
    }
  }

  bool parameters() {
    while (take(';')) {
      skip(" ");
      std::string name;
      StructuredMember ignored;
      if (!key(name)) return false;
      if (take('=') && !bare_item(ignored)) return false;
    }
    return true;
  }

  bool bare_item(StructuredMember& item) {
    if (rest_.empty()) return false;
    const char first = rest_[0];
    if (first == '-' || is_digit(first)) return number(item);
    if (first == '"') return string(item);
    if (first == '*' || is_alpha(first)) return token(item);
    if (first == ':') return bytes(item);
    return first == '?' && boolean(item);
  }

  // At most 15 digits; of a decimal at most 12 before the point and 1 to 3 behind it.
  bool number(StructuredMember& item) {
    const bool is_negative = take('-');
    const std::string_view whole = take_while(is_digit);
    if (whole.empty()) return false;
    item.kind = Kind::integer;
    item.text = whole;
    const bool is_zero = std::ranges::all_of(whole, [](char c) { return c == '0'; });
    if (is_negative && !is_zero) item.text.insert(0, "-");
    if (!take('.')) return whole.size() <= 15;
    const std::string_view fraction = take_while(is_digit);
    item.kind = Kind::decimal;
    item.text.append(".").append(fraction);
    return whole.size() <= 12 && !fraction.empty() && fraction.size() <= 3;
  }

  bool string(StructuredMember& item) {
    item.kind = Kind::string;
    take('"');
    while (!rest_.empty()) {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c < ' ' || c > '~') return false;
      if (c == '\\') {
        if (!rest_.starts_with('"') && !rest_.starts_with('\\')) return false;
        c = rest_[0];
        rest_.remove_prefix(1);
      }
      item.text += c;
    }
    return false;
  }

  bool token(StructuredMember& item) {
    item.kind = Kind::token;
    item.text = take_while([](char c) { return contains(token_rest_bytes, c); });
    return true;
  }

  bool bytes(StructuredMember& item) {
    item.kind = Kind::bytes;
    take(':');
    take_while([](char c) { return contains(base64_bytes, c); });
    return take(':');
  }

  bool boolean(StructuredMember& item) {
    take('?');
    if (!rest_.starts_with('0') && !rest_.starts_with('1')) return false;
    item.is_true = rest_[0] == '1';
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::vector<StructuredMember>> parse_structured_dictionary(std::string_view value) {
  std::vector<StructuredMember> members;
  while (value.ends_with(' ')) value.remove_suffix(1);
  if (!Parser(value).dictionary(members)) return std::nullopt;
  return members;
}

}  // namespace spillway::http
