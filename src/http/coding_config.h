// http/coding_config.h: the content codings that a plan and the encoders share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway::http {

// How a body is compressed (RFC 9110 section 8.4.1): Zstandard (RFC 8878, RFC 9659), Brotli (RFC
// 7932), gzip (RFC 1952).
enum class ContentCoding : uint8_t { zstd, br, gzip };
inline constexpr size_t content_coding_count = 3;
constexpr std::array<std::string_view, content_coding_count> enum_names(ContentCoding) {
  return {"zstd", "br", "gzip"};
}
constexpr std::string_view to_string(ContentCoding coding) {
  return enum_names(coding)[static_cast<size_t>(coding)];
}

}  // namespace spillway::http
