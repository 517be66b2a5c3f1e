// sim/client.cc: what the simulated clients ask, and how they judge the answers.
#include "sim/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "runtime/event.h"

namespace spillway::sim {

using runtime::Socket;
using runtime::Task;

namespace {

constexpr uint32_t batch_max = 6;       // Requests that a pipelining client sends at once.
constexpr Duration continue_wait = 1s;  // Then the body goes without (RFC 9110 section 10.1.1).

Duration up_to(Random& random, Duration most) {
  return Duration(static_cast<int64_t>(random.below(static_cast<uint64_t>(most.count()) + 1)));
}

}  // namespace

std::string_view to_string(ClientKind kind) {
  constexpr std::array<std::string_view, client_kinds> names = {
      "keep_alive", "one_shot", "pipelining", "slow", "aborting", "posting", "upgrading", "old"};
  return names[static_cast<size_t>(kind)];
}

struct Clients::Client {
  ClientKind kind;
  ClientOptions options;
  Random random;
  bool answer_began = false;  // That which is being read, or was when the connection ended.
};

Clients::Clients(World& world, Ledger& ledger, std::string name, IpAddress ip, SocketAddress target)
    : world_(world),
      ledger_(ledger),
      name_(std::move(name)),
      host_(world.network().add_host(name_, ip)),
      target_(std::move(target)),
      loop_(world.make_loop(host_, 0)),
      gate_(*loop_) {}

void Clients::add(ClientKind kind, uint32_t count, const ClientOptions& options) {
  for (uint32_t i = 0; i < count; ++i) {
    const std::string name = fmt::format("{}/{}", name_, clients_++);
    ++coming_;
    loop_->post([this, kind, options, name] {
      --coming_;
      gate_.spawn(
          live(std::make_unique<Client>(Client{kind, options, world_.random_for(name), false})));
    });
  }
}

Deadline Clients::patience(const Client& client) const {
  return Deadline::after(loop_->now(), client.options.patience);
}

void Clients::settle(const Asked& asked, const Error& error, bool has_begun) {
  if (error.code == Error::Code::protocol) {
    ledger_.violated(fmt::format("the answer to {} breaks HTTP: {}", asked.id, error.detail));
  }
  const bool timed_out = error.code == Error::Code::deadline_exceeded;
  ledger_.ended(asked.id,
                timed_out   ? Fate::timed_out
                : has_begun ? Fate::cut
                            : Fate::broken,
                error.detail);
}

Task<void> Clients::live(std::unique_ptr<Client> client) {
  co_await runtime::sleep(*loop_, up_to(client->random, client->options.start_max) + 1us);
  uint32_t left = client->options.requests;
  while (left > 0 && !is_stopping_) {
    const bool is_single = client->kind == ClientKind::one_shot;
    left -= co_await converse(*client, is_single ? 1 : left);
    co_await runtime::sleep(*loop_, up_to(client->random, client->options.think_max) + 1us);
  }
}

Task<uint32_t> Clients::converse(Client& client, uint32_t most) {
  auto socket = co_await Socket::connect(*loop_, target_, patience(client));
  if (!socket) {
    const Asked asked = ask(client);
    settle(asked, socket.error(), false);
    co_return 1;
  }
  const bool is_slow = client.kind == ClientKind::slow;
  WireReader reader(*socket, is_slow ? Pace{1 + client.random.below(3000), 2ms} : Pace{});
  uint32_t made = 0;
  while (made < most && !is_stopping_) {
    uint32_t count = 1;
    if (client.kind == ClientKind::pipelining) {
      count += static_cast<uint32_t>(client.random.below(std::min(batch_max, most - made)));
    }
    made += count;
    if (co_await batch(client, *socket, reader, count) == After::close) break;
    co_await runtime::sleep(*loop_, up_to(client.random, client.options.think_max) + 1us);
  }
  co_return made;
}

Task<Clients::After> Clients::batch(Client& client, Socket& socket, WireReader& reader,
                                    uint32_t count) {
  std::vector<Asked> asked;
  for (uint32_t i = 0; i < count; ++i) asked.push_back(ask(client));
  if (client.kind == ClientKind::aborting && client.random.chance(0.5)) {
    co_return co_await abort(client, socket, reader, asked.front());
  }
  After after = After::keep;
  for (const Asked& each : asked) {
    // A failed write is not the end: an answer may have come before the connection broke.
    if (after == After::keep) after = co_await send(client, socket, reader, each);
  }
  size_t answered = 0;
  std::optional<Error> error;
  for (; answered < asked.size() && !error; ++answered) {
    auto taken = co_await take_answer(client, socket, reader, asked[answered]);
    if (!taken) {
      error = taken.error();
      break;
    }
    client.answer_began = false;
    if (*taken == After::close) {
      after = After::close;
      error = Error{.code = Error::Code::connection_closed, .detail = "closed by agreement"};
    }
  }
  for (; answered < asked.size(); ++answered) {
    // Those behind a cut answer share its fate: there was no other way to show the cut.
    settle(asked[answered], *error, client.answer_began);
  }
  co_return error ? After::close : after;
}

Clients::Asked Clients::ask(Client& client) {
  Random& random = client.random;
  Asked asked;
  asked.id = ledger_.new_id();
  asked.size = random.below(random.chance(0.7) ? std::min(client.options.size_max, size_t{2000})
                                               : client.options.size_max + 1);
  asked.is_upgrade = client.kind == ClientKind::upgrading;
  const bool posts = client.kind == ClientKind::posting;
  asked.method = posts ? "POST" : !asked.is_upgrade && random.chance(0.1) ? "HEAD" : "GET";
  asked.head =
      fmt::format("{} /{}/{}?size={} HTTP/1.{}\r\nHost: app.example\r\nUser-Agent: sim\r\n",
                  asked.method, asked.is_upgrade ? "echo" : "item", asked.id, asked.size,
                  client.kind == ClientKind::old ? 0 : 1);
  if (client.kind == ClientKind::one_shot) asked.head += "Connection: close\r\n";
  if (client.kind == ClientKind::old && random.chance(0.5)) {
    asked.head += "Connection: keep-alive\r\n";
  }
  if (asked.is_upgrade) asked.head += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  if (posts) frame_body(client, asked, body_for(asked.id, random.below(client.options.body_max)));
  asked.head += "\r\n";
  ledger_.began(asked.id, asked.method, to_string(client.kind));
  return asked;
}

void Clients::frame_body(Client& client, Asked& asked, std::string_view body) {
  if (client.random.chance(0.5)) {
    asked.head += "Transfer-Encoding: chunked\r\n";
    asked.body = chunked(body, client.random);
  } else {
    asked.head += fmt::format("Content-Length: {}\r\n", body.size());
    asked.body = body;
  }
  asked.waits_for_continue = !body.empty() && client.random.chance(0.2);
  if (asked.waits_for_continue) asked.head += "Expect: 100-continue\r\n";
}

Task<Clients::After> Clients::send(Client& client, Socket& socket, WireReader& reader,
                                   const Asked& asked) {
  if (!co_await socket.write(asked.head, patience(client))) co_return After::close;
  if (asked.waits_for_continue && !reader.has_unread()) {
    // Whatever comes, 100 or a final answer, is read by take_answer; time lets the body go too.
    auto waited = co_await socket.wait_readable(Deadline::after(loop_->now(), continue_wait));
    if (!waited && waited.error().code != Error::Code::deadline_exceeded) co_return After::close;
  }
  const bool drips = client.random.chance(0.2);
  auto written = drips ? co_await drip(socket, asked.body, client.random, 5ms, patience(client))
                       : co_await socket.write(asked.body, patience(client));
  co_return written ? After::keep : After::close;
}

Task<Clients::After> Clients::abort(Client& client, Socket& socket, WireReader& reader,
                                    const Asked& asked) {
  const size_t sent = client.random.below(asked.head.size() + 1);
  auto written =
      co_await socket.write(std::string_view(asked.head).substr(0, sent), patience(client));
  co_await runtime::sleep(*loop_, up_to(client.random, 20ms) + 1us);
  if (written && sent == asked.head.size()) {
    // Goes away somewhere in the answer. Nobody minds if it ends earlier.
    (void)co_await reader.read_exactly(client.random.below(asked.size + 100), patience(client));
  }
  if (client.random.chance(0.5)) socket.reset_on_close();
  ledger_.ended(asked.id, Fate::given_up, "went away");
  co_return After::close;
}

Task<Result<WireHead>> Clients::read_final_head(Client& client, WireReader& reader,
                                                const Asked& asked) {
  for (int interim = 0; interim < 10; ++interim) {
    CO_TRY(head, co_await reader.read_head(patience(client)));
    if (!head) co_return fail(Error::Code::connection_closed, "end before the answer");
    if (!head->start.starts_with("HTTP/1.1 ") && !head->start.starts_with("HTTP/1.0 ")) {
      co_return fail(Error::Code::protocol, "not a status line: " + head->start);
    }
    if (head->start[9] != '1' || head->start.substr(9, 3) == "101") co_return std::move(*head);
    if (client.kind == ClientKind::old) {
      ledger_.violated(fmt::format("HTTP/1.0 client got {} for {}", head->start, asked.id));
    }
  }
  co_return fail(Error::Code::protocol, "ten interim answers and no end");
}

Task<Result<Clients::After>> Clients::take_answer(Client& client, Socket& socket,
                                                  WireReader& reader, const Asked& asked) {
  client.answer_began = false;
  CO_TRY(head, co_await read_final_head(client, reader, asked));
  client.answer_began = true;
  const std::string_view status = std::string_view(head.start).substr(9, 3);
  if (status == "101") co_return co_await talk(client, socket, reader, asked);
  std::string body;
  if (asked.method != "HEAD") {
    CO_TRY(read, co_await reader.read_body(head, true, patience(client)));
    body = std::move(read);
  }
  const bool has_frame = head.field("content-length") || head.field("transfer-encoding");
  const bool is_old = head.start.starts_with("HTTP/1.0") || client.kind == ClientKind::old;
  const bool keeps = (has_frame || asked.method == "HEAD") && !head.says("connection", "close") &&
                     (!is_old || head.says("connection", "keep-alive"));
  if (status == "200") {
    const auto id = head.field("x-sim-id");
    if (!id || *id != std::to_string(asked.id)) {
      ledger_.violated(fmt::format("{} got the answer to {}", asked.id, id.value_or("nobody")));
    } else if (asked.method != "HEAD" && body != body_for(asked.id, asked.size)) {
      ledger_.violated(fmt::format("{} got {} bytes that end in order, but are not its {}",
                                   asked.id, body.size(), asked.size));
    }
    ledger_.ended(asked.id, Fate::answered, "");
  } else {
    if (!status.starts_with('5')) {
      ledger_.violated(fmt::format("{} {} got {}", asked.method, asked.id, head.start));
    }
    ledger_.ended(asked.id, Fate::refused, head.start);
  }
  // One that was not waited for may still come, or have been sent in vain: not for reuse.
  co_return keeps ? After::keep : After::close;
}

// Sends lumps and expects them back, then ends its side and expects the other to end.
Task<Result<Clients::After>> Clients::talk(Client& client, Socket& socket, WireReader& reader,
                                           const Asked& asked) {
  const uint64_t lumps = 1 + client.random.below(10);
  for (uint64_t i = 0; i < lumps; ++i) {
    const std::string lump = body_for(asked.id + i, 1 + client.random.below(400));
    CO_TRY_VOID(co_await socket.write(lump, patience(client)));
    CO_TRY(back, co_await reader.read_exactly(lump.size(), patience(client)));
    if (back != lump) ledger_.violated(fmt::format("the tunnel of {} mixes up bytes", asked.id));
    co_await runtime::sleep(*loop_, up_to(client.random, client.options.think_max) + 1us);
  }
  ledger_.ended(asked.id, Fate::answered, "");
  socket.shutdown_write();
  (void)co_await reader.read_exactly(1, patience(client));
  co_return After::close;
}

}  // namespace spillway::sim
