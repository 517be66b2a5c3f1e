// http/tunnel.cc: two one-way relays that end together.
#include "http/tunnel.h"

#include "runtime/gate.h"

namespace spillway::http {

using runtime::Task;

namespace {

// How long the other direction may still deliver after one side has closed.
constexpr Duration half_close_max = 30s;

struct Shared {
  Instant moved_at;
  Duration idle_max;
  bool was_idle = false;
  bool is_over = false;
};

// One direction. Ends at the source's end (passed on), at an error, or when the tunnel is over.
Task<void> relay(runtime::Socket& from, runtime::Buffer& initial, runtime::Socket& to,
                 uint64_t& bytes, Shared& shared) {
  runtime::Loop& loop = from.loop();
  runtime::Buffer buffer = std::move(initial);
  while (!shared.is_over) {
    if (!buffer || buffer.filled().empty()) {
      buffer.release();
      auto ready = co_await from.wait_readable(Deadline::at(shared.moved_at + shared.idle_max));
      if (!ready && ready.error().code == Error::Code::deadline_exceeded &&
          shared.moved_at + shared.idle_max > loop.now()) {
        continue;  // The other direction moved meanwhile.
      }
      if (!ready) {
        shared.was_idle |= ready.error().code == Error::Code::deadline_exceeded;
        break;
      }
      buffer = loop.buffers().borrow(runtime::BufferSize::small);
      auto count = co_await from.read(buffer.space(), Deadline::after(loop.now(), 1s));
      if (!count && count.error().code == Error::Code::deadline_exceeded) continue;
      if (!count) break;
      if (*count == 0) {
        // A half-closed tunnel still delivers the other way, for a bounded while.
        to.shutdown_write();
        shared.idle_max = std::min(shared.idle_max, half_close_max);
        co_return;
      }
      buffer.add(*count);
    }
    iovec part{const_cast<char*>(buffer.filled().data()), buffer.filled().size()};
    if (!co_await to.write(std::span(&part, 1), shared.idle_max)) break;
    bytes += buffer.filled().size();
    buffer.consume(buffer.filled().size());
    shared.moved_at = loop.now();
  }
  shared.is_over = true;
  from.interrupt_reader();
  from.interrupt_writer();
  to.interrupt_reader();
  to.interrupt_writer();
}

}  // namespace

Task<TunnelEnd> run_tunnel(runtime::Socket& client, runtime::Buffer& from_client,
                           runtime::Socket& upstream, runtime::Buffer& from_upstream,
                           Duration idle_max) {
  TunnelEnd end;
  Shared shared{.moved_at = client.loop().now(), .idle_max = idle_max};
  runtime::Gate gate(client.loop());
  gate.spawn(relay(upstream, from_upstream, client, end.bytes_to_client, shared));
  co_await relay(client, from_client, upstream, end.bytes_to_upstream, shared);
  // The other direction ends by its own deadlines, or by the interruption above.
  CHECK((co_await gate.close(Deadline::never())).has_value());
  end.was_idle = shared.was_idle;
  co_return end;
}

}  // namespace spillway::http
