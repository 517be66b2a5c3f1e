// http/http2_frames_testing.h: for tests: frames and field sections of HTTP/2, written by hand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spillway::http {

inline std::string big_endian(uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}
inline uint32_t from_big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

inline std::string http2_frame(uint8_t type, uint8_t flags, uint32_t stream,
                               std::string_view payload) {
  std::string frame = big_endian(static_cast<uint32_t>(payload.size()), 3);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  return frame + big_endian(stream, 4) + std::string(payload);
}

// Literal fields without indexing or Huffman code (RFC 7541 section 6.2.2).
using TestFields = std::vector<std::pair<std::string, std::string>>;
inline std::string hpack(const TestFields& fields) {
  const auto text = [](std::string_view bytes) {
    std::string coded;
    size_t size = bytes.size();
    if (size < 127) {
      coded += static_cast<char>(size);
    } else {
      coded += '\x7f';
      for (size -= 127; size >= 128; size /= 128) coded += static_cast<char>(size % 128 + 128);
      coded += static_cast<char>(size);
    }
    return coded + std::string(bytes);
  };
  std::string block;
  for (const auto& [name, value] : fields) block += '\0' + text(name) + text(value);
  return block;
}

}  // namespace spillway::http
