// redis/script.h: a Lua script that Redis runs as one step.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "redis/client.h"

namespace spillway::redis {

// Immutable value; any core.
class Script {
 public:
  // `text` lives as long, usually a literal.
  explicit Script(std::string_view text);

  std::string_view text() const { return text_; }
  // How Redis names it: the SHA-1 of its text in hexadecimal.
  std::string_view digest() const { return {digest_.data(), digest_.size()}; }

  // Runs it by its digest, or by its text where Redis does not have it yet. All keys lie in one
  // slot; there is at least one. `deadline` is for both. Errors as Client::call; what the script
  // or Redis refuses is a Reply.
  runtime::Task<Result<Reply>> run(Client& client, std::span<const std::string> keys,
                                   std::span<const std::string> arguments, Deadline deadline,
                                   runtime::Interruption* interruption = nullptr) const;

 private:
  std::string_view text_;
  std::array<char, 40> digest_;
};

}  // namespace spillway::redis
