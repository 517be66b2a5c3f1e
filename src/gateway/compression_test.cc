// gateway/compression_test.cc: which answers are compressed, and what clients and caches are told.
#include <gmock/gmock.h>
#include <zlib.h>

#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::string page(4000, 'a');
const std::string json = "Content-Type: application/json; charset=utf-8\r\n";
const std::string gzip = "Accept-Encoding: gzip\r\n";

class CompressionTest : public GatewayTest {
 protected:
  CompressionTest() {
    endpoints = {origin.address()};
    compress.emplace();
  }

  // What a client gets whose request has `fields`, when the service answers so.
  std::string ask(const std::string& fields, const std::string& answered,
                  const std::string& body = page, const std::string& start = "GET",
                  const std::string& status = "200 OK") {
    runtime::Peer peer = connect();
    peer.send(start + " / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n");
    runtime::Peer asked = origin.accept();
    asked.take_head();
    asked.send("HTTP/1.1 " + status + "\r\n" + answered +
               "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
               (start == "HEAD" ? "" : body));
    return peer.take_rest();
  }

  runtime::PeerListener origin{loop};
};

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

// The data of a chunked body.
std::string dechunked(std::string body) {
  std::string data;
  while (true) {
    const size_t size = std::stoul(body, nullptr, 16);
    const size_t begin = body.find("\r\n") + 2;
    if (size == 0) return data;
    data += body.substr(begin, size);
    body.erase(0, begin + size + 2);
  }
}

std::string gunzipped(const std::string& bytes) {
  std::string out(1 << 20, '\0');
  z_stream stream = {};
  EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::inflate(&stream, Z_SYNC_FLUSH);
  out.resize(out.size() - stream.avail_out);
  ::inflateEnd(&stream);
  return out;
}

TEST_F(CompressionTest, a_client_gets_what_it_likes_and_a_cache_is_told) {
  const std::string answer =
      ask(gzip, json + "ETag: \"v1\"\r\nAccept-Ranges: bytes\r\nVary: Origin\r\n");
  EXPECT_THAT(answer,
              AllOf(HasSubstr("content-encoding: gzip\r\n"), HasSubstr("vary: Accept-Encoding\r\n"),
                    HasSubstr("etag: W/\"v1\"\r\n"), HasSubstr("transfer-encoding: chunked\r\n"),
                    Not(HasSubstr("content-length")), Not(HasSubstr("Accept-Ranges"))));
  EXPECT_LT(answer.size(), 700u);
  EXPECT_EQ(gunzipped(dechunked(body_of(answer))), page);
  EXPECT_THAT(ask("Accept-Encoding: gzip, br, zstd\r\n", json),
              HasSubstr("content-encoding: zstd\r\n"));
  EXPECT_THAT(ask("Accept-Encoding: gzip, br;q=0.9\r\n", json),
              HasSubstr("content-encoding: gzip\r\n"));
}

TEST_F(CompressionTest, a_client_that_wants_it_plain_gets_it_so) {
  const std::string answer = ask("", json + "ETag: \"v1\"\r\n");
  EXPECT_THAT(answer, AllOf(Not(HasSubstr("content-encoding")), HasSubstr("ETag: \"v1\"\r\n"),
                            HasSubstr("vary: Accept-Encoding\r\n")));
  EXPECT_EQ(body_of(answer), page);
  for (const char* forbids : {"X-No-Compression: 1\r\n", "Cache-Control: no-transform\r\n"}) {
    EXPECT_THAT(ask(gzip + forbids, json), Not(HasSubstr("content-encoding"))) << forbids;
  }
}

TEST_F(CompressionTest, what_a_service_forbids_or_did_itself_stays_as_it_is) {
  for (const char* fields : {"Content-Type: image/png\r\n",
                             "Content-Type: text/css\r\nCache-Control: a, no-transform\r\n",
                             "Content-Type: text/css\r\nX-No-Compression: 1\r\n",
                             "Content-Type: text/css\r\nContent-Encoding: br\r\n",
                             "Content-Type: text/css\r\nRepr-Digest: sha-256=:YQ==:\r\n", ""}) {
    const std::string answer = ask(gzip, fields);
    EXPECT_THAT(answer, Not(HasSubstr("gzip"))) << fields;
    EXPECT_EQ(body_of(answer), page) << fields;
  }
  const std::string part =
      ask(gzip, json + "Content-Range: bytes 0-3999/9000\r\n", page, "GET", "206 Partial Content");
  EXPECT_EQ(body_of(part), page);
}

TEST_F(CompressionTest, an_answer_of_not_modified_says_what_the_whole_one_would) {
  const auto unchanged = [this](const std::string& fields) {
    return ask(gzip + fields, "ETag: \"x\"\r\n", "", "GET", "304 Not Modified");
  };
  EXPECT_THAT(unchanged("If-None-Match: W/\"x\"\r\n"),
              AllOf(HasSubstr("vary: Accept-Encoding\r\n"), HasSubstr(": W/\"x\"\r\n")));
  EXPECT_THAT(unchanged("If-None-Match: \"x\"\r\n"),
              AllOf(HasSubstr("vary: Accept-Encoding\r\n"), HasSubstr(": \"x\"\r\n")));
}

TEST_F(CompressionTest, a_head_request_hears_of_our_answers_what_get_would) {
  route.path = *PathPattern::parse("/only");
  const auto unrouted = [this](const std::string& method) {
    runtime::Peer peer = connect();
    peer.send(method + " / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + gzip + "\r\n");
    const std::string answer = peer.take_rest();
    return answer.substr(0, answer.find("\r\n\r\n"));
  };
  EXPECT_THAT(unrouted("HEAD"), AllOf(HasSubstr("content-length: "), Not(HasSubstr("gzip"))));
  EXPECT_EQ(unrouted("HEAD").size(), unrouted("GET").size());
}

TEST_F(CompressionTest, short_answers_are_not_worth_it) {
  EXPECT_THAT(ask(gzip, json, std::string(1023, 'a')), Not(HasSubstr("gzip")));
  EXPECT_THAT(ask(gzip, json, std::string(1024, 'a')), HasSubstr("content-encoding: gzip\r\n"));
}

TEST_F(CompressionTest, head_is_told_the_same_without_a_body) {
  const std::string answer = ask(gzip, json, page, "HEAD");
  EXPECT_THAT(answer, AllOf(HasSubstr("content-encoding: gzip\r\n"),
                            Not(HasSubstr("ontent-length")), HasSubstr("vary: Accept-Encoding")));
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(CompressionTest, events_are_let_through_one_by_one) {
  runtime::Peer peer = connect();
  peer.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + gzip + "\r\n");
  runtime::Peer asked = origin.accept();
  asked.take_head();
  asked.send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
      "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
  EXPECT_THAT(peer.take_head(), HasSubstr("content-encoding: gzip\r\n"));
  // What had come before compression and what it became at the flush may be two chunks.
  std::string got;
  while (gunzipped(got) != "data: 1\n\n") {
    const size_t size = std::stoul(peer.take_through("\r\n"), nullptr, 16);
    got += peer.take_bytes(size);
    peer.take_bytes(2);
    ASSERT_LT(got.size(), 200u);
  }
}

TEST_F(CompressionTest, pages_of_our_own_are_compressed_too) {
  compress->minimum = {10};
  route.path = *PathPattern::parse("/x");
  runtime::Peer peer = connect();
  peer.send("GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + gzip + "\r\n");
  const std::string answer = peer.take_rest();
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("content-encoding: gzip\r\n")));
  EXPECT_THAT(gunzipped(dechunked(body_of(answer))), StartsWith("404 Not Found"));
}

TEST(MediaPattern, knows_types_and_suffixes) {
  const auto matches = [](std::string_view pattern, std::string_view type) {
    return MediaPattern::parse(pattern)->matches(type);
  };
  EXPECT_TRUE(matches("text/*", "Text/HTML; charset=utf-8"));
  EXPECT_TRUE(matches("*+json", "application/ld+json"));
  EXPECT_TRUE(matches("application/json", "application/json ;x=y"));
  EXPECT_FALSE(matches("application/json", "application/json5"));
  EXPECT_FALSE(matches("*+json", "+json"));
  EXPECT_FALSE(matches("text/*", "text"));
  EXPECT_FALSE(matches("text/*", ""));
  for (const char* bad : {"", "text", "*/*", "text/", "/css", "*+", "a b/c", "*"}) {
    EXPECT_FALSE(MediaPattern::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace spillway::gateway
