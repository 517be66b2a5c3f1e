// http/http_date.cc: fixed places for numbers and names.
#include "http/http_date.h"

#include <array>
#include <cstring>

#include "base/ascii.h"

namespace spillway::http {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::string_view days = "SunMonTueWedThuFriSat";
constexpr std::array<std::string_view, 7> long_days = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

void write_two(char* to, unsigned value) {
  to[0] = static_cast<char>('0' + value / 10);
  to[1] = static_cast<char>('0' + value % 10);
}

// Reads from the front, and remembers whether all was as it has to be.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // In any case, as senders do not always know better.
  void expect(std::string_view text) {
    is_good_ = is_good_ && starts_with(text);
    if (is_good_) rest_.remove_prefix(text.size());
  }
  unsigned number(size_t digits) {
    if (!is_good_ || rest_.size() < digits) {
      is_good_ = false;
      return 0;
    }
    const auto value = parse_decimal<unsigned>(rest_.substr(0, digits));
    is_good_ = value.has_value();
    rest_.remove_prefix(digits);
    return value.value_or(0);
  }
  // 1 for January.
  unsigned month() {
    for (unsigned number = 1; is_good_ && number <= 12; ++number) {
      const std::string_view name = months.substr(3 * (number - 1), 3);
      if (!starts_with(name)) continue;
      rest_.remove_prefix(name.size());
      return number;
    }
    is_good_ = false;
    return 0;
  }
  // The name of a day; whether it is the right one does not matter. True: in its long form.
  bool day_name() {
    for (const std::string_view name : long_days) {
      if (!starts_with(name.substr(0, 3))) continue;
      const bool is_long = starts_with(name);
      rest_.remove_prefix(is_long ? name.size() : 3);
      return is_long;
    }
    is_good_ = false;
    return false;
  }
  std::chrono::seconds time_of_day() {
    const unsigned hours = number(2);
    expect(":");
    const unsigned minutes = number(2);
    expect(":");
    const unsigned seconds = number(2);
    is_good_ = is_good_ && hours < 24 && minutes < 60 && seconds <= 60;
    return std::chrono::hours(hours) + std::chrono::minutes(minutes) +
           std::chrono::seconds(seconds);
  }
  bool skip(char c) {
    const bool is_there = rest_.starts_with(c);
    if (is_there) rest_.remove_prefix(1);
    return is_there;
  }
  bool ended_well() const { return is_good_ && rest_.empty(); }

 private:
  bool starts_with(std::string_view text) const {
    return equals_ignoring_case(rest_.substr(0, text.size()), text);
  }

  std::string_view rest_;
  bool is_good_ = true;
};

std::optional<sys_seconds> made_of(const Reader& reader, unsigned year, unsigned month,
                                   unsigned day, std::chrono::seconds time) {
  if (!reader.ended_well()) return {};
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok()) return {};
  return sys_days(date) + time;
}

}  // namespace

void write_http_date(sys_seconds time, char* to) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

  std::memcpy(to, "Sun, 06 Nov 1994 08:49:37 GMT", http_date_size);
  std::memcpy(to, days.data() + 3 * std::chrono::weekday(day).c_encoding(), 3);
  write_two(to + 5, static_cast<unsigned>(date.day()));
  std::memcpy(to + 8, months.data() + 3 * (static_cast<unsigned>(date.month()) - 1), 3);
  write_two(to + 12, year / 100 % 100);
  write_two(to + 14, year % 100);
  write_two(to + 17, static_cast<unsigned>(clock.hours().count()));
  write_two(to + 20, static_cast<unsigned>(clock.minutes().count()));
  write_two(to + 23, static_cast<unsigned>(clock.seconds().count()));
}

std::optional<sys_seconds> parse_http_date(std::string_view text) {
  Reader reader(text);
  const bool is_long = reader.day_name();  // RFC 850.
  if (reader.skip(',')) {
    const std::string_view between = is_long ? "-" : " ";
    reader.expect(" ");
    const unsigned day = reader.number(2);
    reader.expect(between);
    const unsigned month = reader.month();
    reader.expect(between);
    unsigned year = reader.number(is_long ? 2 : 4);
    if (is_long) year += year < 70 ? 2000 : 1900;
    reader.expect(" ");
    const auto time = reader.time_of_day();
    reader.expect(" GMT");
    return made_of(reader, year, month, day, time);
  }
  if (is_long) return {};
  reader.expect(" ");  // asctime()
  const unsigned month = reader.month();
  reader.expect(" ");
  const unsigned day = reader.skip(' ') ? reader.number(1) : reader.number(2);
  reader.expect(" ");
  const auto time = reader.time_of_day();
  reader.expect(" ");
  const unsigned year = reader.number(4);
  return made_of(reader, year, month, day, time);
}

}  // namespace spillway::http
