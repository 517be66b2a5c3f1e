// http/upstream_tls_test.cc: handshakes that come to nothing, none of which sent a request.
#include "http/upstream_tls.h"

#include <gmock/gmock.h>

#include <optional>

#include "runtime/loop_testing.h"
#include "runtime/peer_testing.h"

namespace spillway::http {
namespace {

using runtime::Task;
using ::testing::HasSubstr;

class UpstreamTlsTest : public runtime::PeerTest {
 public:
  ~UpstreamTlsTest() override { finish(); }

 protected:
  Task<void> connect_into(Deadline deadline) {
    const UpstreamTls tls{.context = *runtime::TlsClientContext::make({}), .name = "api.internal"};
    result.emplace(co_await connect(loop, listener.address(),
                                    std::make_shared<const UpstreamTls>(tls), "http/1.1", deadline,
                                    &interruption));
  }
  void expect_failure(Error::Code code) {
    runtime::turn_until(loop, [&] { return result.has_value(); });
    ASSERT_TRUE(result && !*result);
    EXPECT_EQ(result->error().code, code) << result->error().detail;
    EXPECT_EQ(result->error().retry, Error::Retry::safe);
    EXPECT_EQ(result->error().blame, Error::Blame::upstream);
    EXPECT_THAT(result->error().detail, HasSubstr("TLS with 127.0.0.1:"));
  }

  runtime::PeerListener listener{loop};
  runtime::Interruption interruption;
  std::optional<Result<runtime::Socket>> result;
};

TEST_F(UpstreamTlsTest, an_upstream_that_says_nothing_is_given_up_in_time) {
  start(connect_into(Deadline::after(loop.now(), 50ms)));
  runtime::Peer silent = listener.accept();
  expect_failure(Error::Code::deadline_exceeded);
}

TEST_F(UpstreamTlsTest, an_upstream_that_speaks_no_tls_is_told_from_one_that_is_away) {
  start(connect_into(Deadline::after(loop.now(), 10s)));
  runtime::Peer plain = listener.accept();
  plain.sees("\x16\x03");  // The ClientHello.
  plain.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  expect_failure(Error::Code::protocol);
}

TEST_F(UpstreamTlsTest, an_interruption_ends_the_handshake) {
  start(connect_into(Deadline::after(loop.now(), 10s)));
  runtime::Peer silent = listener.accept();
  silent.sees("\x16\x03");
  interruption.interrupt();
  expect_failure(Error::Code::cancelled);
}

}  // namespace
}  // namespace spillway::http
