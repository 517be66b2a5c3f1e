// runtime/tls_test.cc: TLS between two sockets of one loop: agreement, bytes, ends, refusals.
#include <gmock/gmock.h>

#include "runtime/loop_testing.h"
#include "runtime/tls_context.h"
#include "runtime/tls_testing.h"

namespace spillway::runtime {
namespace {

using ::testing::HasSubstr;

const WallTime noon{std::chrono::hours(500'000)};

class TlsTest : public PeerTest {
 protected:
  TlsTest() {
    server_options.certificates = {certificate.pem()};
    server_options.groups = {TlsGroup::x25519, TlsGroup::p256};
    server_options.tickets = TlsTicketKeys::make(noon);
    client_options.ca = certificate.chain();
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    ours = *Socket::adopt(loop, fds[0]);
    theirs = *Socket::adopt(loop, fds[1]);
  }

  Task<void> accept(Duration within = test_patience, Buffer received = {}) {
    accepted = co_await ours.start_tls(TlsServerContext::accept(server, loop, std::move(received)),
                                       soon(within));
  }
  Task<void> read_into(Buffer& buffer, size_t count) {
    auto read = co_await ours.read(buffer.space().first(count), soon());
    buffer.add(*read);
  }
  Task<void> connect(std::string host) {
    connected = co_await theirs.start_tls(TlsClientContext::connect(client, loop, host), soon());
  }
  // Both handshakes; whether both ended well.
  bool shake_hands(const std::string& host = "shop.example") {
    if (server == nullptr) server = *TlsServerContext::make(server_options);
    client = *TlsClientContext::make(client_options);
    start(accept());
    start(connect(host));
    turn_until(loop, [this] { return tasks.count() == 0 || !accepted || !connected; });
    if (!accepted) ours.close();
    if (!connected) theirs.close();
    finish();
    return accepted && connected;
  }
  static Task<void> send(Socket& socket, std::string_view bytes, Result<void>& result) {
    result = co_await socket.write(bytes, Deadline::after(socket.loop().now(), 20s));
  }
  static Task<void> send_parts(Socket& socket, std::span<iovec> parts) {
    EXPECT_TRUE(co_await socket.write(parts, 20s));
  }
  static Task<void> receive(Socket& socket, size_t wanted, std::string& got, Error& error) {
    std::vector<char> space(100'000);
    while (got.size() < wanted) {
      auto count = co_await socket.read(space, Deadline::after(socket.loop().now(), 20s));
      if (!count) {
        error = count.error();
        co_return;
      }
      if (*count == 0) co_return;
      got.append(space.data(), *count);
    }
  }
  // Sends `bytes` through and returns what came out.
  std::string pass(Socket& from, Socket& to, std::string_view bytes) {
    Result<void> sent;
    std::string got;
    Error error;
    start(send(from, bytes, sent));
    start(receive(to, bytes.size(), got, error));
    finish();
    EXPECT_TRUE(sent);
    return got;
  }

  const TestCertificate certificate{{"shop.example"}};
  TlsServerOptions server_options;
  TlsClientOptions client_options;
  std::shared_ptr<const TlsServerContext> server;
  std::shared_ptr<const TlsClientContext> client;
  Socket ours;
  Socket theirs;
  Result<void> accepted;
  Result<void> connected;
};

TEST_F(TlsTest, carries_bytes_both_ways_and_agrees_on_the_newest_version) {
  ASSERT_TRUE(shake_hands());
  EXPECT_EQ(ours.tls()->version(), "TLSv1.3");
  EXPECT_EQ(ours.tls()->group(), TlsGroup::x25519);
  EXPECT_FALSE(ours.tls()->is_resumed());
  EXPECT_EQ(pass(theirs, ours, "hello"), "hello");
  EXPECT_EQ(pass(ours, theirs, "good day"), "good day");
}

TEST_F(TlsTest, carries_more_than_the_kernel_takes_at_once) {
  ASSERT_TRUE(shake_hands());
  std::string bytes(3'000'000, 'x');
  for (size_t i = 0; i < bytes.size(); i += 97) bytes[i] = static_cast<char>('a' + i % 26);
  EXPECT_EQ(pass(ours, theirs, bytes), bytes);
  EXPECT_EQ(pass(theirs, ours, bytes), bytes);
}

TEST_F(TlsTest, gathers_the_parts_of_a_message) {
  ASSERT_TRUE(shake_hands());
  const std::string large(40'000, 'b');
  std::string head = "head ";
  std::string tail = " tail";
  std::array<iovec, 4> parts = {iovec{head.data(), head.size()}, iovec{head.data(), 0},
                                iovec{const_cast<char*>(large.data()), large.size()},
                                iovec{tail.data(), tail.size()}};
  std::string got;
  Error error;
  start(send_parts(ours, parts));
  start(receive(theirs, head.size() + large.size() + tail.size(), got, error));
  finish();
  EXPECT_EQ(got, head + large + tail);
}

TEST_F(TlsTest, holds_no_buffer_while_it_is_idle) {
  ASSERT_TRUE(shake_hands());
  EXPECT_EQ(pass(theirs, ours, "hello"), "hello");
  EXPECT_EQ(pass(ours, theirs, std::string(200'000, 'x')).size(), 200'000u);
  turn();
  EXPECT_EQ(loop.buffers().bytes_lent(), 0u);
}

TEST_F(TlsTest, tells_an_orderly_end_from_a_cut) {
  ASSERT_TRUE(shake_hands());
  std::string got;
  Error error;
  start(receive(theirs, 1, got, error));
  ours.shutdown_write();
  finish();
  EXPECT_EQ(error.detail, "");  // It read 0.

  const int fd = theirs.release();  // No close_notify.
  ::close(fd);
  start(receive(ours, 1, got, error));
  finish();
  EXPECT_EQ(error.code, Error::Code::connection_closed);
}

TEST_F(TlsTest, takes_session_tickets_for_no_news) {
  ASSERT_TRUE(shake_hands());
  turn();
  EXPECT_FALSE(theirs.has_news());
  Result<void> sent;
  start(send(ours, "unasked", sent));
  finish();
  turn();
  EXPECT_TRUE(theirs.has_news());
}

TEST_F(TlsTest, sees_the_end_of_an_idle_connection_as_news) {
  ASSERT_TRUE(shake_hands());
  turn();
  EXPECT_FALSE(theirs.has_news());
  ours.close();
  turn();
  EXPECT_TRUE(theirs.has_news());
}

TEST_F(TlsTest, chooses_the_certificate_by_name_then_by_wildcard_then_the_first) {
  const TestCertificate root{{}};
  const TestCertificate exact({"a.shop.example"}, &root);
  const TestCertificate wild({"*.shop.example"}, &root);
  server_options.certificates = {exact.pem(), wild.pem()};
  server = *TlsServerContext::make(server_options);
  client_options.ca = root.chain();
  EXPECT_EQ(server->certificates().at(1).hosts, std::vector<std::string>{"*.shop.example"});
  EXPECT_TRUE(shake_hands("B.Shop.Example"));
}

TEST_F(TlsTest, shows_the_first_certificate_for_a_name_that_none_has) {
  EXPECT_FALSE(shake_hands("other.example"));
  EXPECT_THAT(connected.error().detail, HasSubstr("certificate verify failed"));
  EXPECT_EQ(connected.error().code, Error::Code::protocol);
}

TEST_F(TlsTest, a_wildcard_stands_for_one_label_only) {
  const TestCertificate wild({"*.shop.example"});
  server_options.certificates = {wild.pem()};
  client_options.ca = wild.chain();
  EXPECT_FALSE(shake_hands("a.b.shop.example"));
}

TEST_F(TlsTest, agrees_on_a_protocol_in_our_order) {
  server_options.protocols = {"h2", "http/1.1"};
  client_options.protocols = {"http/1.1", "h2"};
  ASSERT_TRUE(shake_hands());
  EXPECT_EQ(ours.tls()->protocol(), "h2");
  EXPECT_EQ(theirs.tls()->protocol(), "h2");
}

TEST_F(TlsTest, refuses_a_client_that_speaks_no_protocol_of_ours) {
  server_options.protocols = {"h2", "http/1.1"};
  client_options.protocols = {"imap"};
  EXPECT_FALSE(shake_hands());
}

TEST_F(TlsTest, verifies_the_certificates_of_clients_where_they_are_required) {
  const TestCertificate root{{}};
  const TestCertificate caller({"batch.internal"}, &root);
  server_options.client_certificates = TlsClientCertificates::required;
  server_options.client_ca = root.chain();
  client_options.certificate = caller.pem();
  ASSERT_TRUE(shake_hands());
  EXPECT_EQ(pass(theirs, ours, "x"), "x");
  EXPECT_EQ(ours.tls()->peer_subject(), "CN=batch.internal");
  EXPECT_FALSE(ours.tls()->peer_certificate().empty());
}

TEST_F(TlsTest, refuses_a_client_without_the_required_certificate_or_with_a_strangers) {
  const TestCertificate root{{}};
  server_options.client_certificates = TlsClientCertificates::required;
  server_options.client_ca = root.chain();
  shake_hands();
  EXPECT_FALSE(accepted);
  EXPECT_THAT(accepted.error().detail, HasSubstr("peer did not return a certificate"));
}

TEST_F(TlsTest, tells_a_client_that_speaks_plain_http) {
  server = *TlsServerContext::make(server_options);
  start(accept());
  Result<void> sent;
  start(send(theirs, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", sent));
  finish();
  EXPECT_FALSE(accepted);
  EXPECT_TRUE(ours.tls()->met_plain_http());
}

TEST_F(TlsTest, gives_up_a_handshake_at_its_deadline) {
  server = *TlsServerContext::make(server_options);
  start(accept(10ms));
  finish();
  EXPECT_EQ(accepted.error().code, Error::Code::deadline_exceeded);
}

TEST_F(TlsTest, goes_on_from_what_had_arrived_before_and_in_single_bytes) {
  server = *TlsServerContext::make(server_options);
  client = *TlsClientContext::make(client_options);
  start(connect("shop.example"));
  turn();
  Buffer received = loop.buffers().borrow(BufferSize::small);
  // Half of the client's first flight came with what was read before, as behind a PROXY header.
  start(read_into(received, 100));
  turn_until(loop, [&] { return received.filled().size() == 100; });
  start(accept(test_patience, std::move(received)));
  finish();
  EXPECT_TRUE(accepted && connected);
}

// A client that does what ours never would: OpenSSL on the descriptor itself.
class RawClient {
 public:
  RawClient(Loop& loop, int fd, const TestCertificate* certificate = nullptr)
      : loop_(loop), fd_(fd), context_(SSL_CTX_new(TLS_client_method())) {
    if (certificate != nullptr) {
      EXPECT_TRUE(use_certificate(context_.get(), certificate->pem()));
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd);
    SSL_set_connect_state(ssl_.get());
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  // As after a close_notify: of a connection that was cut OpenSSL resumes no session.
  ~RawClient() {
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN);
    ::close(fd_);
  }

  void resume(SSL_SESSION* session) { SSL_set_session(ssl_.get(), session); }
  void shake_hands() {
    turn_until(loop_, [this] { return SSL_do_handshake(ssl_.get()) == 1; });
  }
  // What the server sends of itself: tickets.
  void read() {
    char byte = 0;
    SSL_read(ssl_.get(), &byte, 1);
  }
  // False: the kernel takes no more yet.
  bool ask_for_keys() {
    if (!is_asking_) is_asking_ = SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) == 1;
    is_asking_ = SSL_do_handshake(ssl_.get()) != 1;
    return !is_asking_;
  }
  SSL* ssl() { return ssl_.get(); }

 private:
  Loop& loop_;
  const int fd_;
  OpenSsl<SSL_CTX> context_;
  OpenSsl<SSL> ssl_;
  bool is_asking_ = false;
};

TEST_F(TlsTest, breaks_off_with_a_peer_that_has_it_answer_and_does_not_read) {
  server = *TlsServerContext::make(server_options);
  RawClient peer(loop, theirs.release());
  start(accept());
  peer.shake_hands();
  turn_until(loop, [this] { return tasks.count() == 0; });
  ASSERT_TRUE(accepted);
  std::string got;
  Error error;
  start(receive(ours, 1, got, error));
  constexpr int updates_max = 100'000;
  for (int i = 0; i < updates_max && tasks.count() > 0; ++i) {
    if (!peer.ask_for_keys()) turn();
  }
  turn_until(loop, [this] { return tasks.count() == 0; });
  EXPECT_EQ(got, "");
  EXPECT_THAT(error.detail, HasSubstr("has us answer and does not read"));
}

TEST_F(TlsTest, resumes_no_session_of_a_client_whose_certificate_has_expired) {
  const TestCertificate root{{}};
  constexpr long lifetime = 1;
  const TestCertificate caller({"batch.internal"}, &root, "P-256", lifetime);
  server_options.client_certificates = TlsClientCertificates::required;
  server_options.client_ca = root.chain();
  server = *TlsServerContext::make(server_options);
  const auto ends = std::chrono::system_clock::now() + std::chrono::seconds(lifetime + 1);
  OpenSsl<SSL_SESSION> session;
  {
    RawClient peer(loop, theirs.release(), &caller);
    start(accept());
    peer.shake_hands();
    finish();
    ASSERT_TRUE(accepted);
    peer.read();
    session.reset(SSL_get1_session(peer.ssl()));
    ASSERT_EQ(SSL_SESSION_is_resumable(session.get()), 1);
  }
  turn_until(loop, [&] { return std::chrono::system_clock::now() > ends; });
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  ours = *Socket::adopt(loop, fds[0]);
  RawClient peer(loop, fds[1], &caller);
  peer.resume(session.get());
  start(accept());
  peer.shake_hands();
  finish();
  EXPECT_FALSE(accepted);
  EXPECT_THAT(accepted.error().detail, HasSubstr("certificate has expired"));
}

// A client's library decides about resumption; here: what the keys do to tickets.
TEST(TlsTicketKeys, keep_old_keys_for_a_while_and_survive_their_own_text) {
  const auto keys = TlsTicketKeys::make(noon);
  const TlsTicketKeys::Key first = keys->newest();
  EXPECT_FALSE(keys->rotate(noon + TlsTicketKeys::rotate_every - 1s));
  EXPECT_TRUE(keys->rotate(noon + TlsTicketKeys::rotate_every));
  EXPECT_NE(keys->newest().name, first.name);
  ASSERT_TRUE(keys->find(first.name.data()));
  EXPECT_FALSE(keys->find(first.name.data())->is_newest);

  const auto copy = *TlsTicketKeys::decode(keys->encode());
  EXPECT_EQ(copy->newest().cipher, keys->newest().cipher);
  EXPECT_EQ(copy->find(first.name.data())->key.mac, first.mac);
  EXPECT_EQ(copy->encode(), keys->encode());

  EXPECT_TRUE(keys->rotate(noon + 2 * TlsTicketKeys::rotate_every));
  EXPECT_TRUE(keys->rotate(noon + 3 * TlsTicketKeys::rotate_every));
  EXPECT_FALSE(keys->find(first.name.data()));  // Forgotten.
  EXPECT_TRUE(keys->rotate(noon));              // The clock was set back.
}

TEST(TlsTicketKeys, refuse_a_text_that_is_none) {
  const std::string good = TlsTicketKeys::make(noon)->encode();
  for (const std::string& bad : {std::string(), std::string("00"), good.substr(1), good + "0",
                                 "g" + good.substr(1), good + good + good + good}) {
    EXPECT_FALSE(TlsTicketKeys::decode(bad)) << bad.size();
  }
}

TEST(TlsServerContext, says_what_is_wrong_with_a_certificate) {
  const TestCertificate good({"shop.example"});
  const TestCertificate other({"other.example"});
  struct Case {
    std::string chain;
    std::string key;
    std::string ocsp;
    const char* words;
  };
  const Case cases[] = {
      {"", good.key(), "", "holds no certificate"},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", good.key(), "",
       "cannot be read"},
      {good.chain(), "", "", "holds no private key"},
      {good.chain(), good.chain(), "", "holds no private key"},
      {good.chain(), other.key(), "", "is not the private key of"},
      {good.chain(), good.key("secret"), "", "is encrypted"},
      {good.chain(), good.key(), "nonsense", "shop.ocsp holds no OCSP answer"},
      {good.chain(), good.key(), good.ocsp(other, 60),
       "shop.ocsp is an OCSP answer that says nothing of the certificate"},
  };
  for (const Case& each : cases) {
    TlsServerOptions options;
    options.certificates = {{.name = "shop.pem",
                             .key_name = "shop.key of shop.pem",
                             .chain = each.chain,
                             .key = each.key,
                             .ocsp = each.ocsp,
                             .ocsp_name = "shop.ocsp"}};
    options.groups = {TlsGroup::x25519};
    options.tickets = TlsTicketKeys::make(noon);
    const auto made = TlsServerContext::make(options);
    ASSERT_FALSE(made) << each.words;
    EXPECT_THAT(made.error().detail, HasSubstr(each.words));
    EXPECT_THAT(made.error().detail, HasSubstr("shop."));
    EXPECT_EQ(made.error().code, Error::Code::invalid);
  }
}

TEST(TlsServerContext, knows_when_an_ocsp_answer_is_too_old) {
  const TestCertificate certificate({"shop.example"});
  for (const long seconds : {60, -60}) {
    TlsServerOptions options;
    options.certificates = {certificate.pem()};
    options.certificates.front().ocsp = certificate.ocsp(certificate, seconds);
    options.groups = {TlsGroup::x25519};
    options.tickets = TlsTicketKeys::make(noon);
    const auto made = TlsServerContext::make(options);
    ASSERT_TRUE(made) << made.error().detail;
    const auto until = (*made)->certificates().front().staple_expires;
    ASSERT_TRUE(until);
    EXPECT_EQ(*until > std::chrono::system_clock::now(), seconds > 0);
  }
}

TEST(TlsServerContext, leaves_out_the_groups_that_the_library_lacks_and_needs_one) {
  TlsServerOptions options;
  options.certificates = {TestCertificate({"shop.example"}).pem()};
  options.tickets = TlsTicketKeys::make(noon);
  options.groups = {TlsGroup::x25519_mlkem768, TlsGroup::x25519, TlsGroup::p256};
  EXPECT_TRUE(TlsServerContext::make(options));
  options.require_post_quantum = true;
  const auto made = TlsServerContext::make(options);
  EXPECT_EQ(made.has_value(), has_tls_group(TlsGroup::x25519_mlkem768));
  if (!made) EXPECT_THAT(made.error().detail, HasSubstr("has none of them"));
}

}  // namespace
}  // namespace spillway::runtime
