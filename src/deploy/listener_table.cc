// deploy/listener_table.cc: binding once, handing out again and again.
#include "deploy/listener_table.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/listener.h"

namespace spillway::deploy {

ListenerTable::Held* ListenerTable::find(const SocketAddress& at) {
  const auto found = std::ranges::find_if(
      held_, [&at](const Held& held) { return held.at == at || held.bound == at; });
  return found == held_.end() ? nullptr : &*found;
}

Result<const ListenerTable::Held*> ListenerTable::hold(const Listen& request) {
  if (request.sockets == 0 || request.sockets > sockets_max) {
    return fail(Error::Code::limit_exceeded,
                fmt::format("{} sockets for {}; 1 to {} are possible", request.sockets,
                            to_string(request.at), sockets_max));
  }
  Held fresh{.at = request.at, .bound = request.at, .sockets = {}};
  Held* known = find(request.at);
  if (known == nullptr && held_.size() >= addresses_max) {
    return fail(Error::Code::limit_exceeded,
                fmt::format("more than {} listening addresses", addresses_max));
  }
  Held& held = known == nullptr ? fresh : *known;
  const bool is_single = request.at.is_unix() || held.is_activated;
  const uint32_t wanted = is_single ? 1 : request.sockets;
  while (held.sockets.size() < wanted) {
    TRY(fd, runtime::listen_on(held.bound, {.unix_mode = request.unix_mode}));
    held.sockets.emplace_back(fd);
    TRY(bound, runtime::bound_address(fd));
    held.bound = bound;
  }
  if (known != nullptr) return known;
  held_.push_back(std::move(fresh));
  return &held_.back();
}

Result<void> ListenerTable::release(const SocketAddress& at) {
  Held* held = find(at);
  if (held == nullptr) {
    return fail(Error::Code::not_found, "no socket listens on " + to_string(at));
  }
  if (held->bound.is_unix()) ::unlink(held->bound.unix_path.c_str());
  held_.erase(held_.begin() + (held - held_.data()));
  return {};
}

Result<void> ListenerTable::adopt(runtime::ActivatedSocket socket) {
  TRY(bound, runtime::bound_address(socket.handle.fd()));
  Held held{.at = bound, .bound = bound, .sockets = {}, .is_activated = true};
  held.sockets.push_back(std::move(socket.handle));
  held_.push_back(std::move(held));
  return {};
}

void ListenerTable::remove_files() {
  for (const Held& held : held_) {
    if (held.bound.is_unix() && !held.is_activated) ::unlink(held.bound.unix_path.c_str());
  }
}

std::vector<int> descriptors_of(const ListenerTable::Held& held) {
  std::vector<int> result;
  for (const auto& socket : held.sockets) result.push_back(socket.fd());
  return result;
}

}  // namespace spillway::deploy
