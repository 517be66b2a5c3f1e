// http/http2_testing.h: for tests: a peer in HTTP/2 that sends any frame, right or wrong.
#pragma once

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/http2_frames_testing.h"
#include "runtime/peer_testing.h"

namespace spillway::http {

struct Http2TestFrame {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;
};

// What came on one stream.
struct Http2TestAnswer {
  std::vector<TestFields> heads;  // Interim ones and trailers too.
  std::string body;
  std::optional<uint32_t> reset;  // The code of RST_STREAM.
  bool ended = false;
  std::string field(std::string_view name) const {
    for (const TestFields& head : heads) {
      for (const auto& [key, value] : head) {
        if (key == name) return value;
      }
    }
    return {};
  }
  std::string status() const { return field(":status"); }
};

class Http2Peer {
 public:
  static constexpr uint8_t end_stream = 1;
  static constexpr uint8_t end_headers = 4;

  explicit Http2Peer(runtime::Peer peer) : peer_(std::move(peer)) {
    EXPECT_EQ(nghttp2_hd_inflate_new(&inflater_), 0);
  }
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;
  ~Http2Peer() { nghttp2_hd_inflate_del(inflater_); }

  static std::string preface() {
    return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(NGHTTP2_SETTINGS, 0, 0, "");
  }
  void greet() { peer_.send(preface()); }
  // As a server: takes the client's preface and answers it.
  void accept() {
    EXPECT_EQ(peer_.take_bytes(24), preface().substr(0, 24));
    send(NGHTTP2_SETTINGS, 0, 0, "");
  }
  void send(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
    peer_.send(http2_frame(type, flags, stream, payload));
  }
  void headers(uint32_t stream, const TestFields& fields, uint8_t flags = end_stream) {
    send(NGHTTP2_HEADERS, flags | end_headers, stream, hpack(fields));
  }
  void data(uint32_t stream, std::string_view bytes, uint8_t flags = 0) {
    send(NGHTTP2_DATA, flags, stream, bytes);
  }
  void reset(uint32_t stream, uint32_t code = NGHTTP2_CANCEL) {
    send(NGHTTP2_RST_STREAM, 0, stream, big_endian(code, 4));
  }
  void window(uint32_t stream, uint32_t bytes) {
    send(NGHTTP2_WINDOW_UPDATE, 0, stream, big_endian(bytes, 4));
  }
  void settings(std::initializer_list<std::pair<uint16_t, uint32_t>> values) {
    std::string payload;
    for (const auto& [id, value] : values) payload += big_endian(id, 2) + big_endian(value, 4);
    send(NGHTTP2_SETTINGS, 0, 0, payload);
  }

  // All that a stream brought, once it has ended or was reset.
  const Http2TestAnswer& answer(uint32_t stream) {
    until([&] { return answers_[stream].ended || answers_[stream].reset; });
    return answers_[stream];
  }
  // So far.
  const Http2TestAnswer& answer_so_far(uint32_t stream) {
    take();
    return answers_[stream];
  }
  // Reads frames until `done()`, or the end.
  template <class Done>
  bool until(Done done) {
    while (!done()) {
      if (take()) continue;
      if (peer_.has_ended()) return done();
      if (!peer_.sees_more()) return false;
    }
    return true;
  }
  // The code of the last GOAWAY, once the connection has ended.
  std::optional<uint32_t> end_code() {
    until([] { return false; });
    return goaways.empty() ? std::nullopt : std::optional(goaways.back().second);
  }
  bool waits_for_goaways(size_t count) {
    return until([&] { return goaways.size() >= count; });
  }
  uint32_t count_of(uint8_t type) const {
    const auto found = counts_.find(type);
    return found == counts_.end() ? 0 : found->second;
  }
  runtime::Peer& peer() { return peer_; }

  std::vector<std::pair<uint32_t, uint32_t>> goaways;  // Last stream and code.
  std::map<uint16_t, uint32_t> their_settings;
  std::map<uint32_t, uint64_t> windows;  // What WINDOW_UPDATEs brought, by stream.

 private:
  bool take() {
    bool took = false;
    while (peer_.received().size() >= 9) {
      const size_t size = from_big_endian(std::string_view(peer_.received()).substr(0, 3));
      if (peer_.received().size() < 9 + size) break;
      const std::string bytes = peer_.take_bytes(9 + size);
      digest({.type = static_cast<uint8_t>(bytes[3]),
              .flags = static_cast<uint8_t>(bytes[4]),
              .stream = from_big_endian(std::string_view(bytes).substr(5, 4)),
              .payload = bytes.substr(9)});
      took = true;
    }
    return took;
  }
  void digest(const Http2TestFrame& frame) {
    ++counts_[frame.type];
    const std::string_view payload = frame.payload;
    Http2TestAnswer& answer = answers_[frame.stream];
    switch (frame.type) {
      case NGHTTP2_HEADERS: answer.heads.push_back(inflate(frame.payload)); break;
      case NGHTTP2_DATA: answer.body += frame.payload; break;
      case NGHTTP2_RST_STREAM: answer.reset = from_big_endian(payload); break;
      case NGHTTP2_WINDOW_UPDATE: windows[frame.stream] += from_big_endian(payload); break;
      case NGHTTP2_GOAWAY:
        goaways.emplace_back(from_big_endian(payload.substr(0, 4)),
                             from_big_endian(payload.substr(4, 4)));
        break;
      case NGHTTP2_SETTINGS:
        if ((frame.flags & NGHTTP2_FLAG_ACK) != 0) break;
        for (size_t at = 0; at + 6 <= payload.size(); at += 6) {
          their_settings[static_cast<uint16_t>(from_big_endian(payload.substr(at, 2)))] =
              from_big_endian(payload.substr(at + 2, 4));
        }
        if (acknowledges) send(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, "");
        break;
      default: break;
    }
    const bool may_end = frame.type == NGHTTP2_HEADERS || frame.type == NGHTTP2_DATA;
    if (may_end && (frame.flags & end_stream) != 0) answer.ended = true;
  }
  TestFields inflate(std::string_view block) {
    TestFields fields;
    const auto* at = reinterpret_cast<const uint8_t*>(block.data());
    size_t left = block.size();
    while (true) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
      if (used < 0) {
        ADD_FAILURE() << "a head that cannot be read";
        break;
      }
      at += used;
      left -= static_cast<size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.emplace_back(std::string(reinterpret_cast<char*>(field.name), field.namelen),
                            std::string(reinterpret_cast<char*>(field.value), field.valuelen));
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    return fields;
  }

 public:
  bool acknowledges = true;

 private:
  runtime::Peer peer_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::map<uint32_t, Http2TestAnswer> answers_;
  std::map<uint8_t, uint32_t> counts_;
};

}  // namespace spillway::http
