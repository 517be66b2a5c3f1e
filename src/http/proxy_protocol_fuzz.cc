// http/proxy_protocol_fuzz.cc: PROXY headers in any pieces; what is read can be written and reread.
#include <array>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "http/proxy_protocol.h"

namespace spillway::http {
namespace {

using Kind = ProxyHeaderResult::Kind;

void check_same(const ProxyHeader& a, const ProxyHeader& b) {
  CHECK(a.has_addresses == b.has_addresses);
  CHECK(a.source == b.source && a.source_port == b.source_port);
  CHECK(a.destination == b.destination && a.destination_port == b.destination_port);
}

void check_round_trips(const ProxyHeader& header) {
  ProxyHeader again;
  std::array<char, proxy_v1_bytes_max> v1;
  const size_t v1_size = write_proxy_v1(header, v1);
  CHECK(parse_proxy_header({v1.data(), v1_size}, again).consumed == v1_size);
  check_same(header, again);
  std::array<char, proxy_v2_written_max> v2;
  const size_t v2_size = write_proxy_v2(header, v2);
  CHECK(parse_proxy_header({v2.data(), v2_size}, again).consumed == v2_size);
  check_same(header, again);
}

void fuzz(std::string_view bytes) {
  ProxyHeader header;
  const ProxyHeaderResult result = parse_proxy_header(bytes, header);
  for (size_t size = 0; size <= bytes.size(); ++size) {
    ProxyHeader prefix_header;
    const auto prefix = parse_proxy_header(bytes.substr(0, size), prefix_header);
    if (prefix.kind == Kind::need_more) {
      CHECK(size < proxy_v2_bytes_max);
      continue;
    }
    CHECK(prefix.kind == result.kind && prefix.consumed == result.consumed);
    check_same(header, prefix_header);
    break;
  }
  if (result.kind == Kind::complete) check_round_trips(header);
}

}  // namespace
}  // namespace spillway::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::vector<char> bytes(data, data + size);
  spillway::http::fuzz({bytes.data(), bytes.size()});
  return 0;
}
