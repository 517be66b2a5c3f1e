// deploy/supervisor_requests.cc: what a server may ask of the supervisor, and the answers.
#include <csignal>
#include <span>
#include <utility>
#include <variant>

#include "deploy/supervisor.h"

namespace spillway::deploy {

using runtime::Task;

// Everything but a replica's start and an upgrade is answered at once.
struct Supervisor::RequestHandler {
  Supervisor& supervisor;
  Server& server;
  uint64_t id;

  void operator()(const Listen& listen) {
    auto held = supervisor.listeners_.hold(listen);
    if (!held) return supervisor.answer(server, {.id = id, .error = std::move(held).error()});
    supervisor.answer(server, {.id = id, .bound = (*held)->bound}, descriptors_of(**held));
  }
  void operator()(const Unlisten& unlisten) { answer(supervisor.listeners_.release(unlisten.at)); }
  void operator()(StartReplica& start) {
    if (server.role != Role::serving || supervisor.is_stopping_) {
      return answer(fail(Error::Code::permission, "another server decides which replicas run"));
    }
    supervisor.gate_.spawn(supervisor.start_replica(server.number, id, std::move(start)));
  }
  void operator()(const StopReplica& stop) {
    if (server.role != Role::serving) {
      return answer(fail(Error::Code::permission, "another server decides which replicas run"));
    }
    answer(supervisor.replicas_.stop(stop.replica, stop.grace));
  }
  void operator()(const ServerReady& ready) {
    if (ready.version != control_version) {
      return answer(fail(Error::Code::protocol,
                         "this program speaks another control version; restart to upgrade"));
    }
    answer({});
    if (server.ready_at) return;
    server.ready_at = supervisor.loop_.now();
    supervisor.any_was_ready_ = true;
    supervisor.changed_.set();
    if (server.role == Role::serving) {
      [[maybe_unused]] const auto told = supervisor.service_manager_.ready("serving");
    }
  }
  void operator()(Keep& keep) {
    auto& kept = supervisor.kept_;
    if (keep.text.size() > Keep::text_bytes_max ||
        (kept.size() >= Keep::texts_max && !kept.contains(keep.name))) {
      return answer(fail(Error::Code::limit_exceeded, "that is more than a supervisor keeps"));
    }
    // Whoever drains knows less than who came after.
    if (server.role != Role::draining) kept[keep.name] = std::move(keep.text);
    answer({});
  }
  void operator()(const StopAll&) {
    answer({});
    if (!supervisor.is_stopping_) supervisor.request_stop();
  }
  void operator()(UpgradeTo& upgrade) {
    supervisor.request_upgrade(std::move(upgrade.program), Asker{server.number, id});
  }

  void answer(Result<void> done) {
    Answer reply{.id = id};
    if (!done) reply.error = std::move(done).error();
    supervisor.answer(server, std::move(reply));
  }
};

Task<void> Supervisor::hear_server(Server& server) {
  while (true) {
    auto message = co_await server.link.receive(Deadline::never());
    if (!message && message.error().code != Error::Code::protocol) break;
    Result<Request> request =
        message ? decode_request(message->bytes) : fail(std::move(message).error());
    if (!request) {
      log_.error("server speaks nonsense", {{"reason", request.error().detail}});
      break;
    }
    std::visit(RequestHandler{*this, server, request->id}, request->what);
  }
  // Usually it is just ending. One that lives on without its socket cannot be told anything.
  if (server.role == Role::draining || is_stopping_) co_return;
  const auto ended = co_await server.ended.wait(Deadline::after(loop_.now(), 1s));
  if (!ended) server.child.signal(SIGKILL);
}

Task<void> Supervisor::start_replica(uint64_t server, uint64_t request, StartReplica start) {
  auto started = co_await replicas_.start(std::move(start));
  if (!started) {
    answer(server, {.id = request, .error = std::move(started).error()});
    co_return;
  }
  const ReplicaTable::Held& held = **started;
  const int pipes[] = {held.output.fd(), held.errors.fd()};
  for (const auto& [number, its] : servers_) {
    if (number == server) {
      answer(*its, {.id = request, .replica = held.record}, pipes);
    } else {
      its->link.send(encode(HeldReplica{held.record}), pipes);
    }
  }
}

}  // namespace spillway::deploy
