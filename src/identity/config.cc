// identity/config.cc: reads digests of API keys.
#include "identity/config.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace spillway::identity {

Result<KeyDigest> KeyDigest::parse(std::string_view text) {
  constexpr std::string_view prefix = "sha256:";
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  KeyDigest result;
  bool is_digest = text.size() == 2 * result.sha256.size();
  for (size_t i = 0; is_digest && i < result.sha256.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    is_digest = high >= 0 && low >= 0;
    result.sha256[i] = static_cast<uint8_t>((high << 4 | low) & 0xff);
  }
  if (is_digest) return result;
  return fail(Error::Code::invalid,
              "not a SHA-256 digest; expected 64 hexadecimal digits, as sha256sum prints them");
}

std::string to_string(const KeyDigest& digest) {
  std::string text;
  for (const uint8_t byte : digest.sha256) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace spillway::identity
