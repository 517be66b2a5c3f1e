// http/tunnel_relay.h: two one-way relays that end together, between whatever reads and writes.
#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "http/tunnel.h"
#include "runtime/event.h"
#include "runtime/gate.h"

namespace spillway::http {

// The client's end is a socket or a stream of HTTP/2. A template, because a virtual call and its
// frame for each piece would be the most expensive part of a tunnel.
namespace tunnel_internal {

// How long the other direction may still deliver after one side has closed.
inline constexpr Duration half_close_max = 30s;
// Where both sides are always ready, a tunnel never waits by itself.
inline constexpr size_t bytes_in_turn_max = 1 << 20;

struct Shared {
  Instant moved_at;
  Duration idle_max;
  bool was_idle = false;
  bool is_over = false;
  bool is_shortened = false;  // The other direction was woken to see the shorter idle_max.
};

// What comes of a wait that ended without bytes: true to wait again.
inline bool waits_on(Error::Code code, Shared& shared, Instant now) {
  if (code == Error::Code::cancelled) return std::exchange(shared.is_shortened, false);
  if (code != Error::Code::deadline_exceeded) return false;
  if (shared.moved_at + shared.idle_max > now) return true;  // The other direction moved meanwhile.
  shared.was_idle = true;
  return false;
}

// One direction. Ends at the source's end (passed on), at an error, or when the tunnel is over.
template <class From, class To>
runtime::Task<void> relay(From& from, runtime::Buffer& initial, To& to, uint64_t& bytes,
                          Shared& shared) {
  runtime::Loop& loop = from.loop();
  runtime::Buffer buffer = std::move(initial);
  size_t bytes_in_turn = 0;
  while (!shared.is_over) {
    if (!buffer || buffer.filled().empty()) {
      buffer.release();
      const Deadline idle = Deadline::at(shared.moved_at + shared.idle_max);
      shared.is_shortened = false;
      if (auto ready = co_await from.wait_readable(idle); !ready) {
        if (waits_on(ready.error().code, shared, loop.now())) continue;
        break;
      }
      buffer = loop.buffers().borrow(runtime::BufferSize::small);
      auto count = co_await from.read(buffer.space(), idle);
      if (!count) {
        if (waits_on(count.error().code, shared, loop.now())) continue;
        break;
      }
      if (*count == 0) {
        // A half-closed tunnel still delivers the other way, for a bounded while.
        to.shutdown_write();
        shared.idle_max = std::min(shared.idle_max, half_close_max);
        shared.moved_at = loop.now();
        shared.is_shortened = true;
        to.interrupt_reader();
        co_return;
      }
      buffer.add(*count);
    }
    const size_t part_size = buffer.filled().size();
    iovec part{const_cast<char*>(buffer.filled().data()), part_size};
    if (!co_await to.write(std::span(&part, 1), shared.idle_max)) break;
    bytes += part_size;
    buffer.consume(part_size);
    shared.moved_at = loop.now();
    bytes_in_turn += part_size;
    if (bytes_in_turn >= bytes_in_turn_max) {
      bytes_in_turn = 0;
      co_await runtime::next_turn(loop);
    }
  }
  shared.is_over = true;
  from.interrupt_reader();
  from.interrupt_writer();
  to.interrupt_reader();
  to.interrupt_writer();
}

}  // namespace tunnel_internal

// As run_tunnel().
template <class Client>
runtime::Task<TunnelEnd> relay_both_ways(Client& client, runtime::Buffer& from_client,
                                         runtime::Socket& upstream, runtime::Buffer& from_upstream,
                                         Duration idle_max) {
  TunnelEnd end;
  tunnel_internal::Shared shared{.moved_at = client.loop().now(), .idle_max = idle_max};
  runtime::Gate gate(client.loop());
  gate.spawn(tunnel_internal::relay(upstream, from_upstream, client, end.bytes_to_client, shared));
  co_await tunnel_internal::relay(client, from_client, upstream, end.bytes_to_upstream, shared);
  // The other direction ends by its own deadlines, or by the interruption above.
  CHECK((co_await gate.close(Deadline::never())).has_value());
  end.was_idle = shared.was_idle;
  co_return end;
}

}  // namespace spillway::http
