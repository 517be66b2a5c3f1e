// redis/resp_parser.h: bytes of Redis to replies, RESP2 and RESP3, in whatever pieces they come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "redis/reply.h"

namespace spillway::redis {

// What one reply may be. Beyond any of them the peer is no Redis that we asked, and is left.
struct RespLimits {
  size_t line_bytes_max = 16 << 10;   // Simple strings, errors and numbers.
  size_t bulk_bytes_max = 4 << 20;    // One string.
  size_t reply_bytes_max = 16 << 20;  // All strings of a reply together.
  size_t elements_max = 100'000;      // At all depths together; some 90 bytes each.
  size_t depth_max = 16;              // CLUSTER SLOTS has 4.
};

struct RespEvent {
  enum class Kind : uint8_t {
    need_more,  // All bytes are used up.
    reply,      // RespParser::take() has it; the bytes after `consumed` belong to the next.
    violation,  // The stream means nothing from here on.
  };
  Kind kind = Kind::need_more;
  size_t consumed = 0;
  std::string_view trouble;  // Of a violation: a literal.
};

// Memory grows with what has arrived, never with what was announced. Strict: lines end in CR LF
// and hold neither. Streamed strings and aggregates ("$?") are refused; Redis does not send them.
class RespParser {
 public:
  explicit RespParser(const RespLimits& limits = {}) : limits_(limits) {}

  // Reads to the end of one reply, or of `bytes`. Not to be called again after a violation.
  RespEvent parse(std::string_view bytes);
  // REQUIRES: the last event was a reply.
  Reply take() { return std::move(whole_); }

 private:
  // An aggregate whose items are still to come.
  struct Open {
    Reply reply;
    size_t left = 0;
    bool is_attribute = false;
  };

  bool read_line(std::string_view& bytes);
  bool read_bulk(std::string_view& bytes);
  void on_line(std::string_view line);
  void on_scalar(char type, std::string_view rest);
  void begin_bulk(char type, std::string_view length);
  void end_bulk();
  void begin_aggregate(char type, std::string_view count);
  void complete(Reply reply);
  void refuse(std::string_view trouble) {
    if (trouble_.empty()) trouble_ = trouble;
  }

  const RespLimits limits_;
  std::string line_;  // The part of a line that has come.
  Reply bulk_;        // Being read, while in_bulk_.
  size_t bulk_size_ = 0;
  bool in_bulk_ = false;
  bool is_verbatim_ = false;
  std::vector<Open> open_;  // Outermost first.
  size_t elements_ = 0;     // Of this reply so far, and what open aggregates still expect.
  size_t bytes_ = 0;
  Reply whole_;
  bool is_whole_ = false;
  std::string_view trouble_;
};

}  // namespace spillway::redis
