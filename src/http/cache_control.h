// http/cache_control.h: what requests and answers say to caches, as values (RFC 9111 section 5.2).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/field.h"

namespace spillway::http {

// RFC 9111 section 1.2.2: what is longer counts as this many seconds, 68 years.
inline constexpr int64_t delta_seconds_max = int64_t{1} << 31;

// 1*DIGIT; nothing if it is anything else.
std::optional<int64_t> parse_delta_seconds(std::string_view text);

// Walks the directives of one field line. Quotes around a value are taken off; a quote that is
// never closed is an ordinary character, so that it hides no directive behind it.
class DirectiveReader {
 public:
  struct Directive {
    std::string_view name;
    std::string_view text;       // Of the value, escapes undone. Valid until the next one.
    bool has_value = false;      // There is an "=".
    bool is_well_formed = true;  // False: the name counts, its value does not.
    bool may_be_seconds = true;  // False: it is text, whatever it looks like.
    bool may_be_names = true;    // False: it is a number, and nothing else.

    std::optional<int64_t> seconds() const {
      const bool is_number = has_value && is_well_formed && may_be_seconds;
      return is_number ? parse_delta_seconds(text) : std::nullopt;
    }
  };
  explicit DirectiveReader(std::string_view line) : rest_(line) {}
  // Nothing: the end.
  std::optional<Directive> next();

 private:
  std::string_view take_element();
  void read_value(std::string_view value, Directive& directive);

  std::string_view rest_;
  std::string unescaped_;
};

// Of a request. -1: not there.
struct RequestDirectives {
  static constexpr int64_t any_staleness = std::numeric_limits<int64_t>::max();

  bool no_cache = false;  // By Pragma too, where there is no Cache-Control (section 5.4).
  bool no_store = false;
  bool only_if_cached = false;
  int64_t max_age = -1;  // 0 if it is malformed: the client wants something, and that is safe.
  int64_t min_fresh = -1;
  int64_t max_stale = -1;       // any_staleness: without a value.
  int64_t stale_if_error = -1;  // RFC 5861 section 4.
};
RequestDirectives request_directives(const HeaderList& request);

// Of an answer: those of the targeted field that is for us, or else of Cache-Control.
struct AnswerDirectives {
  bool no_store = false;
  bool no_cache = false;    // Without field names.
  bool is_private = false;  // Without field names.
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool is_targeted = false;        // Then Expires means nothing either (RFC 9213 section 2.2).
  std::optional<int64_t> max_age;  // 0 if it is malformed, or said twice and differently.
  std::optional<int64_t> s_maxage;
  int64_t stale_while_revalidate = -1;  // RFC 5861; -1: not there.
  int64_t stale_if_error = -1;
  std::vector<std::string> no_cache_fields;  // As written; empty if the directive is unqualified.
  std::vector<std::string> private_fields;
};
// By Spillway-Cache-Control, else CDN-Cache-Control (RFC 9213), else Cache-Control.
AnswerDirectives answer_directives(const HeaderList& answer);

}  // namespace spillway::http
