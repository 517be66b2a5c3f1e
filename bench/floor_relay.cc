// bench/floor_relay.cc: a relay that parses nothing: what the kernel alone costs a proxy.
//
// usage: floor_relay PORT UPSTREAM_PORT
//
// Each client socket is tied to an upstream socket of its own; a request costs four socket calls,
// recv and send on either side. No proxy that looks at its requests can be cheaper.
#include <memory>
#include <vector>

#include "stream.h"

namespace {

constexpr size_t buffer_bytes = 128 * 1024;
constexpr int events_max = 512;

// One direction's source: what is read here is sent to `peer`.
struct Side {
  int fd = -1;
  Side* peer = nullptr;
  bench::Outbox outbox;  // Owed to this side.
  bool closed = false;
};

struct Pair {
  Side client;
  Side upstream;
};

class Relay {
 public:
  Relay(int port, int upstream_port)
      : listener_(bench::listen_on(port)), upstream_port_(upstream_port), buffer_(buffer_bytes) {
    bench::watch(epoll_, listener_, nullptr);
  }

  [[noreturn]] void run() {
    epoll_event events[events_max];
    for (;;) {
      const int count = epoll_wait(epoll_, events, events_max, -1);
      for (int i = 0; i < count; ++i) {
        auto* side = static_cast<Side*>(events[i].data.ptr);
        if (side == nullptr) {
          accept_all();
        } else {
          serve(*side, events[i].events);
        }
      }
      ended_.clear();  // Only now: a later event of this round may have named them.
    }
  }

 private:
  void accept_all() {
    for (;;) {
      const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (client < 0) return;
      const int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = bench::loopback(upstream_port_);
      bench::set_plain_control(upstream);
      if (connect(upstream, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        bench::die("connect");
      }
      bench::set_no_delay(client);
      bench::set_no_delay(upstream);
      auto* pair = new Pair;
      pair->client = {client, &pair->upstream, {}};
      pair->upstream = {upstream, &pair->client, {}};
      bench::watch(epoll_, client, &pair->client);
      bench::watch(epoll_, upstream, &pair->upstream);
    }
  }

  void serve(Side& side, uint32_t events) {
    if (side.closed) return;
    if ((events & EPOLLOUT) != 0 && !side.outbox.flush(side.fd)) return end(side);
    if ((events & EPOLLIN) == 0) return;
    for (;;) {
      const ssize_t got = recv(side.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return end(side);
      const auto size = static_cast<size_t>(got);
      if (!side.peer->outbox.send(side.peer->fd, {buffer_.data(), size})) return end(side);
      // Less than was asked for: the socket is empty, and the next edge tells (epoll(7), Q9).
      if (size < buffer_.size() && (events & EPOLLRDHUP) == 0) return;
    }
  }

  void end(Side& side) {
    Side& peer = *side.peer;
    side.closed = peer.closed = true;
    close(side.fd);
    close(peer.fd);
    // A client side is the first member of its pair, so the pair begins where it does.
    ended_.emplace_back(reinterpret_cast<Pair*>(&side < &peer ? &side : &peer));
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int listener_;
  int upstream_port_;
  std::vector<char> buffer_;
  std::vector<std::unique_ptr<Pair>> ended_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: floor_relay PORT UPSTREAM_PORT\n", stderr);
    return 2;
  }
  Relay(std::atoi(argv[1]), std::atoi(argv[2])).run();
}
