// redis/command.h: a command as Redis reads it: an array of strings.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace spillway::redis {

// Writes one command behind what `to` holds. Exactly `words` words follow; a number is a word.
class CommandWriter {
 public:
  CommandWriter(std::string& to, size_t words);
  CommandWriter& add(std::string_view word);
  CommandWriter& add(int64_t number);

 private:
  std::string& to_;
};

std::string command(std::initializer_list<std::string_view> words);

}  // namespace spillway::redis
