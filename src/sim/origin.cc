// sim/origin.cc: how the scripted origin reads, thinks, answers and misbehaves.
#include "sim/origin.h"

#include <fmt/format.h>

#include <utility>

#include "base/ascii.h"
#include "base/check.h"
#include "runtime/event.h"

namespace spillway::sim {

using runtime::Socket;
using runtime::Task;

namespace {

Duration up_to(Random& random, Duration most) {
  return Duration(static_cast<int64_t>(random.below(static_cast<uint64_t>(most.count()) + 1)));
}

}  // namespace

Origin::Origin(World& world, Ledger& ledger, std::string name, IpAddress ip, uint16_t port)
    : world_(world),
      ledger_(ledger),
      name_(std::move(name)),
      host_(world.network().add_host(name_, ip)),
      address_{ip, port, {}},
      loop_(world.make_loop(host_, 0)),
      random_(world.random_for(name_)),
      gate_(*loop_) {}

void Origin::start() {
  is_up_ = true;
  const int fd = world_.network().listen(host_, address_);
  CHECK(fd >= 0);
  listeners_.push_back(*runtime::Listener::adopt(*loop_, fd));
  gate_.spawn(accept_loop(listeners_.back()));
}

void Origin::stop() {
  if (!std::exchange(is_up_, false)) return;
  // By mail, as anything that is done to a loop outside its turn.
  loop_->post([&listener = listeners_.back()] {
    listener.interrupt();
    listener.close();
  });
}

void Origin::crash() {
  stop();
  world_.network().crash(host_);
}

Task<void> Origin::accept_loop(runtime::Listener& listener) {
  while (true) {
    auto accepted = co_await listener.accept();
    if (!accepted) co_return;
    gate_.spawn(serve(std::move(accepted->socket)));
  }
}

Task<void> Origin::serve(Socket socket) {
  WireReader reader(socket, {});
  while (true) {
    const Duration idle = habits_.idle_max / 2 + up_to(random_, habits_.idle_max / 2);
    if (!reader.has_unread()) {
      const auto waited = co_await socket.wait_readable(Deadline::after(loop_->now(), idle));
      if (!waited) co_return;
      // The request is here, but we had already decided: it gets a reset (PITFALLS of keep-alive).
      if (random_.chance(habits_.slams)) co_return;
    }
    auto head = co_await reader.read_head(soon());
    if (!head || !*head) co_return;
    const After after = co_await serve_one(socket, reader, std::move(**head));
    if (after == After::reset) socket.reset_on_close();
    if (after != After::keep) co_return;
  }
}

bool Origin::understand(const WireHead& head, Request& request) {
  const std::string_view start = head.start;
  const size_t space = start.find(' ');
  if (space == std::string_view::npos || !start.ends_with(" HTTP/1.1")) return false;
  request.method = start.substr(0, space);
  std::string_view target = start.substr(space + 1);
  target.remove_suffix(std::string_view(" HTTP/1.1").size());
  const bool is_item = target.starts_with("/item/");
  request.is_upgrade = target.starts_with("/echo/");
  if (!is_item && !request.is_upgrade) return false;
  target.remove_prefix(6);
  const size_t mark = target.find("?size=");
  if (mark == std::string_view::npos) return false;
  const auto id = parse_decimal<uint64_t>(target.substr(0, mark));
  const auto size = parse_decimal<uint64_t>(target.substr(mark + 6));
  if (!id || !size) return false;
  request.id = *id;
  request.size = *size;
  request.expects_continue = head.says("expect", "100-continue");
  return true;
}

Task<Origin::After> Origin::serve_one(Socket& socket, WireReader& reader, WireHead head) {
  if (head.start == "GET /health HTTP/1.1") {
    (void)co_await socket.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", soon());
    co_return After::close;
  }
  Request request;
  if (!understand(head, request)) {
    ledger_.violated(fmt::format("{} cannot read \"{}\"", name_, head.start));
    co_return After::reset;
  }
  ++requests_;
  ledger_.reached(request.id, name_);
  if (!head.field("host")) ledger_.violated(fmt::format("{} got no Host", name_));
  if (request.is_upgrade) co_return co_await echo(socket, request, reader);
  const bool has_body = head.field("content-length") || head.field("transfer-encoding");
  if (has_body && random_.chance(habits_.answers_early)) {
    const After after = co_await answer(socket, request);
    co_return after == After::reset ? after : After::close;
  }
  if (request.expects_continue) {
    if (!co_await socket.write("HTTP/1.1 100 Continue\r\n\r\n", soon())) co_return After::close;
  }
  auto body = co_await reader.read_body(head, false, soon());
  if (!body) {
    if (body.error().code == Error::Code::protocol) {
      ledger_.violated(
          fmt::format("{} got a bad body of {}: {}", name_, request.id, body.error().detail));
    }
    co_return After::close;
  }
  if (has_body && *body != body_for(request.id, body->size())) {
    ledger_.violated(fmt::format("{} got another body than {} sent", name_, request.id));
  }
  co_return co_await answer(socket, request);
}

std::string Origin::head_for(const Request& request, After after, bool is_chunked,
                             bool until_close) {
  std::string head =
      fmt::format("HTTP/1.1 200 OK\r\nX-Sim-Id: {}\r\nX-Sim-Origin: {}\r\n", request.id, name_);
  if (is_chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (!until_close) {
    head += fmt::format("Content-Length: {}\r\n", request.size);
  }
  if (after != After::keep) head += "Connection: close\r\n";
  return head + "\r\n";
}

Task<Origin::After> Origin::answer(Socket& socket, const Request& request) {
  if (random_.chance(habits_.slow))
    co_await runtime::sleep(*loop_, up_to(random_, habits_.think_max));
  if (random_.chance(habits_.dies_silently)) co_return After::close;
  if (random_.chance(habits_.errors)) {
    constexpr std::string_view busy =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nbusy\n";
    const std::string_view bytes = busy.substr(0, busy.size() - (request.method == "HEAD" ? 5 : 0));
    co_return co_await socket.write(bytes, soon()) ? After::keep : After::close;
  }
  if (random_.chance(habits_.hints) &&
      !co_await socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", soon())) {
    co_return After::close;
  }
  const bool is_head = request.method == "HEAD";
  const bool until_close = !is_head && random_.chance(habits_.until_close);
  const bool is_chunked = !until_close && !is_head && random_.chance(habits_.chunked);
  After after = until_close || random_.chance(habits_.closes_after) ? After::close : After::keep;
  const std::string body = is_head ? std::string() : body_for(request.id, request.size);
  std::string message = head_for(request, after, is_chunked, until_close);
  message += is_chunked ? chunked(body, random_) : body;
  // A body that ends with the connection cannot be seen to be short: that one is only ever reset.
  const bool truncates = random_.chance(habits_.truncates) && !until_close && message.size() > 1;
  const bool resets = random_.chance(habits_.resets);
  if (truncates || resets) {
    message.resize(random_.below(message.size()));
    after = resets ? After::reset : After::close;
  }
  const Duration pause = random_.chance(habits_.drips) ? 5ms : 0ms;
  auto written = pause > 0ms ? co_await drip(socket, message, random_, pause, soon())
                             : co_await socket.write(message, soon());
  if (!written) co_return After::close;
  co_return after;
}

// Says everything back until the other side has ended.
Task<Origin::After> Origin::echo(Socket& socket, const Request& request, WireReader& reader) {
  const std::string head = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "X-Sim-Id: {}\r\n\r\n",
      request.id);
  if (!co_await socket.write(head, soon())) co_return After::close;
  while (true) {
    auto byte = co_await reader.read_exactly(1, soon());
    if (!byte) co_return After::close;
    if (!co_await socket.write(*byte, soon())) co_return After::close;
  }
}

}  // namespace spillway::sim
