// deploy/control_protocol_test.cc: every message survives the way to JSON and back.
#include "deploy/control_protocol.h"

#include <gtest/gtest.h>

namespace spillway::deploy {
namespace {

ReplicaRecord web_2() {
  return {.number = 7,
          .service = "web",
          .index = 2,
          .port = 40'001,
          .pid = 4242,
          .started = WallTime(std::chrono::milliseconds(1'700'000'000'123)),
          .spec = "1f2e"};
}

TEST(ControlProtocol, requests_survive) {
  const Request requests[] = {
      {1, Listen{.at = *SocketAddress::parse("[::1]:8080"), .sockets = 4, .unix_mode = 0600}},
      {2, Unlisten{.at = *SocketAddress::parse("unix:/run/app.sock")}},
      {3, StartReplica{.service = "web",
                       .index = 2,
                       .arguments = {"node", "a \"quoted\" file.js"},
                       .environment = {{"NODE_ENV", "production"}},
                       .directory = "/srv",
                       .user = "www",
                       .spec = "1f2e",
                       .grace = 2500ms}},
      {4, StopReplica{.replica = 7, .grace = 0s}},
      {5, ServerReady{.version = 9}},
      {6, StopAll{}},
      {7, UpgradeTo{.program = "/usr/bin/spillway"}},
      {8, Keep{.name = "tickets", .text = "00ff"}},
  };
  for (const Request& request : requests) {
    const std::string text = encode(request);
    const auto decoded = decode_request(text);
    ASSERT_TRUE(decoded.has_value()) << text << decoded.error().detail;
    EXPECT_EQ(encode(*decoded), text);
    EXPECT_EQ(decoded->id, request.id);
    EXPECT_EQ(decoded->what.index(), request.what.index());
  }
}

TEST(ControlProtocol, notices_survive) {
  const Notice notices[] = {
      Answer{.id = 1},
      Answer{.id = 2, .error = Error{.code = Error::Code::permission, .detail = "no: \xff"}},
      Answer{.id = 3, .replica = web_2(), .bound = *SocketAddress::parse("127.0.0.1:80")},
      HeldListener{.at = *SocketAddress::parse("127.0.0.1:0"),
                   .bound = *SocketAddress::parse("127.0.0.1:4000")},
      HeldReplica{web_2()},
      HandoverEnd{},
      TakeOver{},
      ReplicaExited{.replica = web_2(), .status = {.code = 0, .signal = 9}, .ran = 12'345ms},
      Drain{.within = 30s},
      SignalArrived{"HUP"},
      Kept{.name = "tickets", .text = "00ff"},
  };
  for (const Notice& notice : notices) {
    const std::string text = encode(notice);
    const auto decoded = decode_notice(text);
    ASSERT_TRUE(decoded.has_value()) << text << decoded.error().detail;
    EXPECT_EQ(encode(*decoded), text);
    EXPECT_EQ(decoded->index(), notice.index());
  }
}

TEST(ControlProtocol, what_is_wrong_is_named) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "\"\" is missing or not an object"},
      {"[1]", "\"\" is missing or not an object"},
      {R"({"request":"dance","id":1})", "there is no request \"dance\""},
      {R"({"request":"listen","id":1,"sockets":1,"unix_mode":0})",
       "\"at\" is missing or not a text"},
      {R"({"request":"listen","id":1,"at":"nowhere","sockets":1,"unix_mode":0})",
       "\"at\" is missing or not an address"},
      {R"({"request":"listen","id":1,"at":"127.0.0.1:1","sockets":-1,"unix_mode":0})",
       "\"sockets\" is missing or not a number in range"},
      {R"({"request":"stop_replica","id":1,"replica":"1","grace_ms":0})",
       "\"replica\" is missing or not an integer"},
  };
  for (const auto& [text, complaint] : cases) {
    const auto decoded = decode_request(text);
    ASSERT_FALSE(decoded.has_value()) << text;
    EXPECT_EQ(decoded.error().code, Error::Code::protocol);
    if (!text.empty() && text[0] == '{') EXPECT_EQ(decoded.error().detail, complaint);
  }
  EXPECT_FALSE(decode_notice(R"({"notice":"held_replica","replica":{"number":1}})").has_value());
  EXPECT_FALSE(decode_notice("not json").has_value());
}

}  // namespace
}  // namespace spillway::deploy
