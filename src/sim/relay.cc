// sim/relay.cc: copying bytes both ways, half-closes and resets included.
#include "sim/relay.h"

#include <utility>

#include "base/check.h"
#include "runtime/event.h"

namespace spillway::sim {

using runtime::Socket;
using runtime::Task;

namespace {

constexpr Duration idle_max = 120s;
constexpr Duration connect_max = 3s;
constexpr Duration famine_pause = 50ms;

}  // namespace

Relay::Relay(World& world, HostId host, uint32_t core, std::vector<SocketAddress> origins)
    : world_(world),
      host_(host),
      origins_(std::move(origins)),
      loop_(world.make_loop(host, core)),
      gate_(*loop_) {}

void Relay::start(const SocketAddress& address) {
  const int fd = world_.network().listen(host_, address);
  CHECK(fd >= 0);
  listener_ = std::make_unique<runtime::Listener>(*runtime::Listener::adopt(*loop_, fd));
  gate_.spawn(accept_loop());
}

void Relay::stop() {
  loop_->post([this] {
    listener_->interrupt();
    listener_->close();
    is_stopped_ = true;
  });
}

Task<void> Relay::accept_loop() {
  while (!is_stopped_) {
    auto accepted = co_await listener_->accept();
    if (accepted) {
      gate_.spawn(join(std::move(accepted->socket)));
    } else if (accepted.error().code == Error::Code::overloaded) {
      co_await runtime::sleep(*loop_, famine_pause);
    }
  }
}

Task<void> Relay::join(Socket client) {
  const SocketAddress& to = origins_[connections_++ % origins_.size()];
  auto origin = co_await Socket::connect(*loop_, to, Deadline::after(loop_->now(), connect_max));
  if (!origin) {
    client.reset_on_close();
    co_return;
  }
  runtime::Gate back(*loop_);
  bool is_broken = false;
  back.spawn(copy(*origin, client, is_broken));
  co_await copy(client, *origin, is_broken);
  CHECK(co_await back.drained(Deadline::never()));
}

Task<void> Relay::copy(Socket& from, Socket& to, bool& is_broken) {
  runtime::Buffer buffer;
  while (!is_broken) {
    const Deadline deadline = Deadline::after(loop_->now(), idle_max);
    auto waited = co_await from.wait_readable(deadline);
    if (!waited) break;
    buffer = loop_->buffers().borrow(runtime::BufferSize::small);
    auto count = co_await from.read(buffer.space(), deadline);
    if (count && *count == 0) {
      to.shutdown_write();
      co_return;
    }
    if (!count || !co_await to.write(std::string_view(buffer.filled().data(), *count), deadline))
      break;
    buffer.release();
  }
  // Broken on one side is broken on both.
  is_broken = true;
  from.reset_on_close();
  to.reset_on_close();
  from.interrupt_reader();
  from.interrupt_writer();
  to.interrupt_reader();
  to.interrupt_writer();
}

void Relay::check(std::vector<std::string>& failures) const {
  if (loop_->buffers().bytes_lent() != 0) failures.push_back("the relay has kept buffers");
  if (loop_->timers_armed() != 0) failures.push_back("the relay has left timers armed");
}

}  // namespace spillway::sim
