// http/http2_server_fuzz.cc: any bytes behind the preface end in order, and leave nothing behind.
//
// The first byte of an input is the size of the pieces, the rest is what a client sends.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/server_connection.h"
#include "runtime/epoll_driver.h"
#include "runtime/gate.h"
#include "runtime/loop.h"
#include "runtime/socket.h"

namespace spillway::http {
namespace {

using runtime::Task;

// Answers with the body that came, and checks what a handler may rely on.
class Echo final : public RequestHandler {
 public:
  Task<void> serve(Exchange& exchange) override {
    const RequestHead& request = exchange.request();
    CHECK(!request.method_text.empty());
    CHECK(!request.host.empty());
    CHECK(request.method == Method::connect || request.path.starts_with('/') ||
          request.path == "*");
    for (const HeaderField& field : request.fields) {
      CHECK(field.name.find_first_of("\r\n\0:") == std::string_view::npos);
      CHECK(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
      CHECK(field.id != Field::connection && field.id != Field::transfer_encoding);
    }
    std::string body;
    while (true) {
      auto piece = co_await exchange.read_body();
      if (!piece || piece->empty()) break;
      body += *piece;
    }
    (void)co_await exchange.respond(200, "text/plain", body);
  }
};

struct World {
  runtime::Loop loop{*runtime::make_epoll_driver(), 0, 1};
  telemetry::Registry registry{1};
  ServerContext context{loop, registry};
  Echo handler;
};

void fuzz(World& world, std::string_view bytes, size_t piece) {
  std::array<int, 2> ends;
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
  const ClientInfo client{.speaks_http2 = true};
  ServerLimits limits;
  limits.head.head_bytes_max = 4096;
  limits.body_timeout = limits.head_timeout = limits.write_timeout = 5ms;
  runtime::Gate tasks(world.loop);
  {
    ServerConnection connection(*runtime::Socket::adopt(world.loop, ends[0]), client, world.context,
                                limits, world.handler);
    tasks.spawn(connection.run());
    std::array<char, 65536> sink;
    while (!bytes.empty() && tasks.count() > 0) {
      const std::string_view next = bytes.substr(0, piece);
      const ssize_t sent = ::send(ends[1], next.data(), next.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
      world.loop.run_once(world.loop.now());
      while (::recv(ends[1], sink.data(), sink.size(), 0) > 0) {
      }
      if (sent < 0 && errno != EAGAIN) break;
    }
    ::close(ends[1]);
    for (int turns = 0; tasks.count() > 0; ++turns) {
      CHECK(turns < 100'000);
      world.loop.run_once(world.loop.now() + 1ms);
    }
  }
  CHECK(world.loop.buffers().bytes_lent() == 0);
}

}  // namespace
}  // namespace spillway::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  spillway::http::World world;
  std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  spillway::http::fuzz(world, bytes, size_t{data[0]} * 16 + 16);
  return 0;
}
