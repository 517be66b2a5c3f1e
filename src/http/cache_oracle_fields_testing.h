// http/cache_oracle_fields_testing.h: fields, lists and dates, read slowly, for the cache's oracle.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spillway::http::oracle {

using Fields = std::vector<std::pair<std::string, std::string>>;

// Deltas saturate here (RFC 9111 section 1.2.2).
inline constexpr int64_t greatest_delta = 2147483648;

inline bool is_space(char c) { return c == ' ' || c == '\t'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
inline bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

// RFC 9110 section 5.6.2.
inline bool is_token_char(char c) {
  return is_alpha(c) || is_digit(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").contains(c));
}

inline bool is_token(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

inline std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

inline std::string trim(std::string text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
  while (!text.empty() && is_space(text.front())) text.erase(0, 1);
  return text;
}

// The values of all lines of a field, in order. The name is given in lower case.
inline std::vector<std::string> lines_of(const Fields& fields, const std::string& name) {
  std::vector<std::string> lines;
  for (const auto& [field_name, value] : fields) {
    if (lower(field_name) == name) lines.push_back(value);
  }
  return lines;
}

inline bool has_field(const Fields& fields, const std::string& name) {
  return !lines_of(fields, name).empty();
}

inline std::string join(const std::vector<std::string>& parts, const std::string& separator) {
  std::string whole;
  for (size_t i = 0; i < parts.size(); ++i) whole += (i == 0 ? "" : separator) + parts[i];
  return whole;
}

// The members of a comma-separated list that knows no quotes, trimmed. Empty ones do not count
// (RFC 9110 section 5.6.1.2).
inline std::vector<std::string> members_of(const std::string& list) {
  std::vector<std::string> members(1);
  for (const char c : list) {
    if (c == ',') {
      members.emplace_back();
    } else {
      members.back() += c;
    }
  }
  for (std::string& member : members) member = trim(member);
  std::erase(members, "");
  return members;
}

// All lines of a field are one list (RFC 9110 section 5.3).
inline std::vector<std::string> members_of(const Fields& fields, const std::string& name) {
  return members_of(join(lines_of(fields, name), ", "));
}

// RFC 9111 section 1.2.2: digits and nothing else.
inline std::optional<int64_t> parse_delta(const std::string& text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  int64_t delta = 0;
  for (const char c : text) delta = std::min(delta * 10 + (c - '0'), greatest_delta);
  return delta;
}

// Takes an expected text from the front.
inline bool take(std::string_view& rest, std::string_view expected) {
  if (!rest.starts_with(expected)) return false;
  rest.remove_prefix(expected.size());
  return true;
}

// Takes exactly that many digits from the front.
inline bool take_number(std::string_view& rest, size_t digits, int& number) {
  if (rest.size() < digits || !std::ranges::all_of(rest.substr(0, digits), is_digit)) return false;
  number = 0;
  for (size_t i = 0; i < digits; ++i) number = number * 10 + (rest[i] - '0');
  rest.remove_prefix(digits);
  return true;
}

// Takes one of some names from the front. The first has the index 1.
template <size_t count>
bool take_name(std::string_view& rest, const std::array<std::string_view, count>& names,
               int& index) {
  for (size_t i = 0; i < count; ++i) {
    index = static_cast<int>(i) + 1;
    if (take(rest, names[i])) return true;
  }
  return false;
}

inline constexpr std::array<std::string_view, 7> short_days = {"mon", "tue", "wed", "thu",
                                                               "fri", "sat", "sun"};
inline constexpr std::array<std::string_view, 7> long_days = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
inline constexpr std::array<std::string_view, 12> months = {
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

struct DateParts {
  int weekday = 0, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

inline bool take_time(std::string_view& rest, DateParts& date) {
  return take_number(rest, 2, date.hour) && take(rest, ":") && take_number(rest, 2, date.minute) &&
         take(rest, ":") && take_number(rest, 2, date.second);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
inline bool is_imf_date(std::string_view rest, DateParts& date) {
  return take_name(rest, short_days, date.weekday) && take(rest, ", ") &&
         take_number(rest, 2, date.day) && take(rest, " ") && take_name(rest, months, date.month) &&
         take(rest, " ") && take_number(rest, 4, date.year) && take(rest, " ") &&
         take_time(rest, date) && rest == " gmt";
}

// "Sunday, 06-Nov-94 08:49:37 GMT". The years 70 to 99 are of the last century.
inline bool is_rfc850_date(std::string_view rest, DateParts& date) {
  const bool is_one = take_name(rest, long_days, date.weekday) && take(rest, ", ") &&
                      take_number(rest, 2, date.day) && take(rest, "-") &&
                      take_name(rest, months, date.month) && take(rest, "-") &&
                      take_number(rest, 2, date.year) && take(rest, " ") && take_time(rest, date) &&
                      rest == " gmt";
  date.year += date.year <= 69 ? 2000 : 1900;
  return is_one;
}

// "Sun Nov  6 08:49:37 1994". The day is two digits, or a space and a digit.
inline bool is_asctime_date(std::string_view rest, DateParts& date) {
  if (!take_name(rest, short_days, date.weekday) || !take(rest, " ")) return false;
  if (!take_name(rest, months, date.month) || !take(rest, " ")) return false;
  const size_t digits = take(rest, " ") ? 1 : 2;
  return take_number(rest, digits, date.day) && take(rest, " ") && take_time(rest, date) &&
         take(rest, " ") && take_number(rest, 4, date.year) && rest.empty();
}

// RFC 9110 section 5.6.7, in seconds since 1970. The weekday need not fit the date. Names are taken
// in any case, which is more than the RFC asks.
inline std::optional<int64_t> parse_date(const std::string& written) {
  const std::string text = lower(written);
  DateParts date;
  if (!is_imf_date(text, date) && !is_rfc850_date(text, date) && !is_asctime_date(text, date)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day day(std::chrono::year(date.year),
                                        std::chrono::month(static_cast<unsigned>(date.month)),
                                        std::chrono::day(static_cast<unsigned>(date.day)));
  if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60) return std::nullopt;
  const int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  return ((days * 24 + date.hour) * 60 + date.minute) * 60 + date.second;
}

// A date counts only if there is exactly one line of it.
inline std::optional<int64_t> date_of(const Fields& fields, const std::string& name) {
  const std::vector<std::string> lines = lines_of(fields, name);
  return lines.size() == 1 ? parse_date(lines[0]) : std::nullopt;
}

}  // namespace spillway::http::oracle
