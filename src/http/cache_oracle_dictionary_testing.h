// http/cache_oracle_dictionary_testing.h: structured fields, read slowly, for the cache's oracle.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "http/cache_oracle_fields_testing.h"

namespace spillway::http::oracle {

// A member's value. Its parameters are dropped.
struct Item {
  enum class Kind : uint8_t { integer, text, boolean, other } kind = Kind::other;
  int64_t number = 0;  // Of an integer or a boolean.
  std::string text;    // Of a string or a token.
};
using Dictionary = std::map<std::string, Item>;

// The algorithms of RFC 8941 section 4.2, as they are written there.
class DictionaryReader {
 public:
  explicit DictionaryReader(std::string text) : rest_(std::move(text)) {}

  // Section 4.2.2. Nothing if any of it is malformed.
  std::optional<Dictionary> read() {
    Dictionary dictionary;
    skip(" ");
    while (!rest_.empty()) {
      const std::string key = take_key();
      if (key.empty()) return std::nullopt;
      std::optional<Item> item = Item{Item::Kind::boolean, 1, ""};
      if (take("=")) item = next() == '(' ? take_inner_list() : take_bare_item();
      if (!item || !take_parameters()) return std::nullopt;
      dictionary[key] = *item;
      skip(" \t");
      if (rest_.empty()) break;
      if (!take(",")) return std::nullopt;
      skip(" \t");
      if (rest_.empty()) return std::nullopt;  // A comma at the end.
    }
    return dictionary;
  }

 private:
  // NUL at the end. It begins nothing that is valid.
  char next() const { return rest_.empty() ? '\0' : rest_[0]; }

  char take_one() {
    const char c = next();
    rest_.erase(0, 1);
    return c;
  }

  bool take(const std::string& expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.erase(0, expected.size());
    return true;
  }

  void skip(const std::string& what) {
    while (!rest_.empty() && what.contains(rest_[0])) rest_.erase(0, 1);
  }

  // Section 4.2.3.3. Empty if there is none.
  std::string take_key() {
    std::string key;
    if (!is_lower(next()) && next() != '*') return key;
    while (is_lower(next()) || is_digit(next()) || next() == '_' || next() == '-' ||
           next() == '.' || next() == '*') {
      key += take_one();
    }
    return key;
  }

  // Section 4.2.3.2.
  bool take_parameters() {
    while (take(";")) {
      skip(" ");
      if (take_key().empty()) return false;
      if (take("=") && !take_bare_item()) return false;
    }
    return true;
  }

  // Section 4.2.1.2, but for the parameters at its end. What is in it does not matter.
  std::optional<Item> take_inner_list() {
    take("(");
    while (!rest_.empty()) {
      skip(" ");
      if (take(")")) return Item{};
      if (!take_bare_item() || !take_parameters()) return std::nullopt;
      if (next() != ' ' && next() != ')') return std::nullopt;
    }
    return std::nullopt;
  }

  // Section 4.2.3.1.
  std::optional<Item> take_bare_item() {
    if (next() == '-' || is_digit(next())) return take_number();
    if (next() == '"') return take_string();
    if (next() == '*' || is_alpha(next())) return take_token();
    if (next() == ':') return take_bytes();
    if (take("?0")) return Item{Item::Kind::boolean, 0, ""};
    if (take("?1")) return Item{Item::Kind::boolean, 1, ""};
    return std::nullopt;
  }

  // Section 4.2.4. At most 15 digits, or 12 and 3 behind the point.
  std::optional<Item> take_number() {
    const bool is_negative = take("-");
    std::string whole, fraction;
    while (is_digit(next())) whole += take_one();
    if (whole.empty() || whole.size() > 15) return std::nullopt;
    if (take(".")) {
      while (is_digit(next())) fraction += take_one();
      if (whole.size() > 12 || fraction.empty() || fraction.size() > 3) return std::nullopt;
      return Item{};
    }
    int64_t number = 0;
    for (const char c : whole) number = number * 10 + (c - '0');
    return Item{Item::Kind::integer, is_negative ? -number : number, ""};
  }

  // Section 4.2.5.
  std::optional<Item> take_string() {
    Item item{Item::Kind::text, 0, ""};
    take("\"");
    while (!rest_.empty()) {
      char c = take_one();
      if (c == '"') return item;
      if (c == '\\') {
        c = take_one();
        if (c != '"' && c != '\\') return std::nullopt;
      } else if (c < ' ' || c > '~') {
        return std::nullopt;
      }
      item.text += c;
    }
    return std::nullopt;
  }

  // Section 4.2.6.
  std::optional<Item> take_token() {
    Item item{Item::Kind::text, 0, ""};
    while (is_token_char(next()) || next() == ':' || next() == '/') item.text += take_one();
    return item;
  }

  // Section 4.2.7. Only the alphabet is looked at: what the bytes are does not matter.
  std::optional<Item> take_bytes() {
    take(":");
    while (is_alpha(next()) || is_digit(next()) || next() == '+' || next() == '/' ||
           next() == '=') {
      take_one();
    }
    return take(":") ? std::optional(Item{}) : std::nullopt;
  }

  std::string rest_;
};

}  // namespace spillway::http::oracle
