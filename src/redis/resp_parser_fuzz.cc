// redis/resp_parser_fuzz.cc: any bytes, in any pieces, are read the same way; replies round-trip.
//
// The first byte of an input is the size of the pieces, the rest is what a peer sends.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "redis/resp_parser.h"

namespace spillway::redis {
namespace {

using Kind = Reply::Kind;

constexpr RespLimits limits{.line_bytes_max = 256,
                            .bulk_bytes_max = 512,
                            .reply_bytes_max = 2048,
                            .elements_max = 200,
                            .depth_max = 6};

struct Outcome {
  std::vector<Reply> replies;
  bool is_refused = false;
};

bool same(const Reply& a, const Reply& b) {
  const bool same_number = a.number == b.number || (std::isnan(a.number) && std::isnan(b.number));
  return a.kind == b.kind && a.integer == b.integer && same_number && a.text == b.text &&
         std::ranges::equal(a.items, b.items, same);
}

size_t size_of(const Reply& reply, size_t depth) {
  CHECK(depth <= limits.depth_max + 1);
  CHECK(reply.text.size() <= limits.bulk_bytes_max);
  CHECK(reply.items.empty() || reply.is_aggregate());
  size_t elements = 1;
  for (const Reply& item : reply.items) elements += size_of(item, depth + 1);
  return elements;
}

Outcome parse(std::string_view bytes, size_t piece) {
  RespParser parser(limits);
  Outcome outcome;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    while (!part.empty()) {
      const RespEvent event = parser.parse(part);
      CHECK(event.consumed <= part.size());
      if (event.kind == RespEvent::Kind::violation) {
        CHECK(!event.trouble.empty());
        outcome.is_refused = true;
        return outcome;
      }
      if (event.kind == RespEvent::Kind::need_more) CHECK(event.consumed == part.size());
      part.remove_prefix(event.consumed);
      if (event.kind == RespEvent::Kind::reply) {
        CHECK(event.consumed > 0);
        outcome.replies.push_back(parser.take());
        CHECK(size_of(outcome.replies.back(), 0) <= limits.elements_max);
      }
    }
  }
  return outcome;
}

void write(const Reply& reply, std::string& to) {
  const auto all = [&](char type, size_t count) {
    to += fmt::format("{}{}\r\n", type, count);
    for (const Reply& item : reply.items) write(item, to);
  };
  switch (reply.kind) {
    case Kind::null: to += "_\r\n"; break;
    case Kind::status: to += fmt::format("+{}\r\n", reply.text); break;
    case Kind::error: to += fmt::format("!{}\r\n{}\r\n", reply.text.size(), reply.text); break;
    case Kind::integer: to += fmt::format(":{}\r\n", reply.integer); break;
    case Kind::string: to += fmt::format("${}\r\n{}\r\n", reply.text.size(), reply.text); break;
    case Kind::boolean: to += reply.integer == 1 ? "#t\r\n" : "#f\r\n"; break;
    case Kind::number: to += fmt::format(",{}\r\n", reply.number); break;
    case Kind::big_number: to += fmt::format("({}\r\n", reply.text); break;
    case Kind::verbatim:
      to += fmt::format("={}\r\ntxt:{}\r\n", reply.text.size() + 4, reply.text);
      break;
    case Kind::array: all('*', reply.items.size()); break;
    case Kind::map: all('%', reply.items.size() / 2); break;
    case Kind::set: all('~', reply.items.size()); break;
    case Kind::push: all('>', reply.items.size()); break;
  }
}

void fuzz(std::string_view bytes, size_t piece) {
  const Outcome whole = parse(bytes, bytes.size() + 1);
  const Outcome pieces = parse(bytes, piece);
  CHECK(whole.is_refused == pieces.is_refused);
  CHECK(std::ranges::equal(whole.replies, pieces.replies, same));
  std::string again;
  for (const Reply& reply : whole.replies) write(reply, again);
  const Outcome second = parse(again, piece + 1);
  CHECK(!second.is_refused);
  CHECK(std::ranges::equal(whole.replies, second.replies, same));
}

}  // namespace
}  // namespace spillway::redis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::vector<char> bytes(data + 1, data + size);
  spillway::redis::fuzz({bytes.data(), bytes.size()}, size_t{data[0]} % 32 + 1);
  return 0;
}
