// http/proxy_protocol.cc: a text line with five words, or a binary header with TLVs.
#include "http/proxy_protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/ascii.h"
#include "http/ip_text.h"
#include "http/serializer.h"

namespace spillway::http {
namespace {

constexpr std::string_view v1_start = "PROXY ";
constexpr std::string_view v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t v2_fixed_size = 16;
constexpr size_t v4_block_size = 12;     // Two addresses, two ports.
constexpr size_t v6_block_size = 36;     // The same.
constexpr size_t unix_block_size = 216;  // Two paths of 108.
constexpr uint8_t tlv_crc32c = 0x03;

ProxyHeaderResult need_more() { return {}; }
ProxyHeaderResult complete(size_t consumed) {
  return {.kind = ProxyHeaderResult::Kind::complete, .consumed = consumed};
}
ProxyHeaderResult violation(std::string_view text) {
  return {.kind = ProxyHeaderResult::Kind::violation, .text = text};
}

uint8_t byte_at(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }
uint16_t u16_at(std::string_view bytes, size_t i) {
  return static_cast<uint16_t>(byte_at(bytes, i) << 8 | byte_at(bytes, i + 1));
}

std::string_view next_word(std::string_view& line) {
  const size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return parse_decimal<uint16_t>(text);
}

ProxyHeaderResult parse_v1(std::string_view received, ProxyHeader& header) {
  const size_t line_feed = received.substr(0, proxy_v1_bytes_max).find('\n');
  if (line_feed == std::string_view::npos) {
    return received.size() >= proxy_v1_bytes_max ? violation("PROXY line too long") : need_more();
  }
  if (received[line_feed - 1] != '\r') return violation("PROXY line without CRLF");
  std::string_view line = received.substr(v1_start.size(), line_feed - 1 - v1_start.size());
  const std::string_view family = next_word(line);
  if (family == "UNKNOWN") return complete(line_feed + 1);
  if (family != "TCP4" && family != "TCP6") return violation("PROXY family is not TCP4 or TCP6");

  const std::string_view source_text = next_word(line);
  const std::string_view destination_text = next_word(line);
  const auto source_port = parse_port(next_word(line));
  const auto destination_port = parse_port(line);  // The rest: nothing may follow.
  const bool wants_v6 = family == "TCP6";
  const bool is_v6 = source_text.find(':') != std::string_view::npos &&
                     destination_text.find(':') != std::string_view::npos;
  const auto source = ip_from_text(source_text);
  const auto destination = ip_from_text(destination_text);
  if (!source || !destination || wants_v6 != is_v6) return violation("PROXY address malformed");
  if (!source_port || !destination_port) return violation("PROXY port malformed");
  header = ProxyHeader{.has_addresses = true,
                       .source_port = *source_port,
                       .destination_port = *destination_port,
                       .source = *source,
                       .destination = *destination};
  return complete(line_feed + 1);
}

// CRC-32C (Castagnoli), bit by bit: at most 536 bytes, once a connection. The four bytes at
// `hole` count as zero (specification, section 2.2.3).
uint32_t crc32c(std::string_view bytes, size_t hole) {
  uint32_t crc = ~uint32_t{0};
  for (size_t i = 0; i < bytes.size(); ++i) {
    crc ^= i >= hole && i < hole + 4 ? 0U : byte_at(bytes, i);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

// Empty if all is well.
std::string_view check_tlvs(std::string_view whole, size_t position) {
  while (position != whole.size()) {
    if (whole.size() - position < 3) return "PROXY TLV cut off";
    const uint8_t type = byte_at(whole, position);
    const size_t size = u16_at(whole, position + 1);
    position += 3;
    if (size > whole.size() - position) return "PROXY TLV longer than its header";
    if (type == tlv_crc32c) {
      if (size != 4) return "PROXY checksum malformed";
      const uint32_t expected =
          uint32_t{u16_at(whole, position)} << 16 | u16_at(whole, position + 2);
      if (crc32c(whole, position) != expected) return "PROXY checksum is wrong";
    }
    position += size;
  }
  return {};
}

IpAddress v4_at(std::string_view bytes, size_t i) {
  return IpAddress::from_v4(uint32_t{u16_at(bytes, i)} << 16 | u16_at(bytes, i + 2));
}
IpAddress v6_at(std::string_view bytes, size_t i) {
  std::array<uint8_t, 16> address;
  std::memcpy(address.data(), bytes.data() + i, address.size());
  return IpAddress::from_v6(address);
}

// The block behind the fixed part, by the high half of the family byte: its size, or nothing for
// a family that does not exist.
std::optional<size_t> block_size(uint8_t family) {
  switch (family) {
    case 0: return 0;
    case 1: return v4_block_size;
    case 2: return v6_block_size;
    case 3: return unix_block_size;
    default: return std::nullopt;
  }
}

void read_addresses(std::string_view whole, uint8_t family, ProxyHeader& header) {
  const std::string_view block = whole.substr(v2_fixed_size);
  if (family == 1) {
    header = {.has_addresses = true,
              .source_port = u16_at(block, 8),
              .destination_port = u16_at(block, 10),
              .source = v4_at(block, 0),
              .destination = v4_at(block, 4)};
  } else if (family == 2) {
    header = {.has_addresses = true,
              .source_port = u16_at(block, 32),
              .destination_port = u16_at(block, 34),
              .source = v6_at(block, 0),
              .destination = v6_at(block, 16)};
  }
}

ProxyHeaderResult parse_v2(std::string_view received, ProxyHeader& header) {
  if (received.size() < v2_fixed_size) return need_more();
  const uint8_t version_and_command = byte_at(received, 12);
  const uint8_t family = byte_at(received, 13) >> 4;
  const uint8_t transport = byte_at(received, 13) & 0xf;
  const size_t size = v2_fixed_size + u16_at(received, 14);
  if (version_and_command != 0x20 && version_and_command != 0x21) {
    return violation("PROXY version or command unknown");
  }
  if (size > proxy_v2_bytes_max) return violation("PROXY header too long");
  const bool is_local = version_and_command == 0x20;
  if (is_local) return received.size() < size ? need_more() : complete(size);

  const std::optional<size_t> block = block_size(family);
  const bool is_stream = transport == 1 || (family == 0 && transport == 0);
  if (!block || !is_stream) return violation("PROXY family is not a stream of a known kind");
  if (size < v2_fixed_size + *block) return violation("PROXY addresses cut off");
  if (received.size() < size) return need_more();
  const std::string_view whole = received.substr(0, size);
  // UNSPEC says nothing of what follows, so there are no TLVs to check.
  if (family != 0) {
    const std::string_view trouble = check_tlvs(whole, v2_fixed_size + *block);
    if (!trouble.empty()) return violation(trouble);
  }
  read_addresses(whole, family, header);
  return complete(size);
}

bool is_prefix_of_either(std::string_view a, std::string_view b) {
  const size_t size = std::min(a.size(), b.size());
  return a.substr(0, size) == b.substr(0, size);
}

}  // namespace

ProxyHeaderResult parse_proxy_header(std::string_view received, ProxyHeader& header) {
  header = ProxyHeader{};
  if (is_prefix_of_either(received, v1_start)) {
    return received.size() < v1_start.size() ? need_more() : parse_v1(received, header);
  }
  if (is_prefix_of_either(received, v2_signature)) {
    return received.size() < v2_signature.size() ? need_more() : parse_v2(received, header);
  }
  return violation("no PROXY header");
}

size_t write_proxy_v1(const ProxyHeader& header, std::span<char, proxy_v1_bytes_max> buffer) {
  HeadWriter writer(buffer);
  if (!header.has_addresses) {
    writer.text("PROXY UNKNOWN\r\n");
    return writer.size();
  }
  const bool is_v4 = header.source.is_v4() && header.destination.is_v4();
  writer.text(is_v4 ? "PROXY TCP4" : "PROXY TCP6");
  for (const IpAddress* address : {&header.source, &header.destination}) {
    // An IPv4 address beside an IPv6 one is written in its mapped form.
    const void* bytes = address->bytes().data() + (is_v4 ? 12 : 0);
    char text[INET6_ADDRSTRLEN];
    inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
    writer.text(" ");
    writer.text(text);
  }
  for (const uint16_t port : {header.source_port, header.destination_port}) {
    writer.text(" ");
    writer.decimal(port);
  }
  writer.text("\r\n");
  CHECK(!writer.overflowed());
  return writer.size();
}

size_t write_proxy_v2(const ProxyHeader& header, std::span<char, proxy_v2_written_max> buffer) {
  const bool is_v4 = header.source.is_v4() && header.destination.is_v4();
  const size_t address_size = is_v4 ? 4 : 16;
  const size_t block = header.has_addresses ? 2 * address_size + 4 : 0;
  char* to = std::copy(v2_signature.begin(), v2_signature.end(), buffer.data());
  *to++ = header.has_addresses ? 0x21 : 0x20;
  *to++ = static_cast<char>(!header.has_addresses ? 0x00 : is_v4 ? 0x11 : 0x21);
  *to++ = 0;
  *to++ = static_cast<char>(block);
  if (!header.has_addresses) return v2_fixed_size;
  for (const IpAddress* address : {&header.source, &header.destination}) {
    std::memcpy(to, address->bytes().data() + 16 - address_size, address_size);
    to += address_size;
  }
  for (const uint16_t port : {header.source_port, header.destination_port}) {
    *to++ = static_cast<char>(port >> 8);
    *to++ = static_cast<char>(port & 0xff);
  }
  return v2_fixed_size + block;
}

}  // namespace spillway::http
