// redis/command.cc: lengths before strings, so that nothing needs to be escaped.
#include "redis/command.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>

namespace spillway::redis {

CommandWriter::CommandWriter(std::string& to, size_t words) : to_(to) {
  fmt::format_to(std::back_inserter(to_), "*{}\r\n", words);
}

CommandWriter& CommandWriter::add(std::string_view word) {
  fmt::format_to(std::back_inserter(to_), "${}\r\n", word.size());
  to_.append(word).append("\r\n");
  return *this;
}

CommandWriter& CommandWriter::add(int64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  return add({digits.data(), static_cast<size_t>(end - digits.data())});
}

std::string command(std::initializer_list<std::string_view> words) {
  std::string text;
  CommandWriter writer(text, words.size());
  for (const std::string_view word : words) writer.add(word);
  return text;
}

}  // namespace spillway::redis
