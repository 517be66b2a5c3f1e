// identity/base64.h: strict base64 and base64url (RFC 4648); one text for each value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace spillway::identity {

// How many bytes `characters` of base64 stand for at most.
constexpr size_t base64_bytes(size_t characters) { return characters / 4 * 3 + 3; }

// Both decode all of `text` into `out`, which holds base64_bytes(text.size()), and return the
// number of bytes. Nothing for any other character, space included, and for trailing bits that are
// not zero (RFC 4648 section 3.5), so that no two texts mean the same.

// Without padding, as tokens and keys have it (RFC 7515 section 2).
std::optional<size_t> decode_base64url(std::string_view text, std::span<char> out);
// With its padding, as HTTP has it (RFC 7617 section 2).
std::optional<size_t> decode_base64(std::string_view text, std::span<char> out);

}  // namespace spillway::identity
