// upstream/hash.cc: the text form of endpoint identities.
#include "upstream/hash.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace spillway::upstream {

std::string sticky_text(uint64_t identity) { return fmt::format("{:016x}", identity); }

std::optional<uint64_t> parse_sticky(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  uint64_t identity = 0;
  for (const char c : text) {
    const int digit = hex_value(c);
    if (digit < 0) return std::nullopt;
    identity = identity << 4 | static_cast<uint64_t>(digit);
  }
  return identity;
}

}  // namespace spillway::upstream
