// deploy/supervisor_channel.cc: requests and their answers, notices and whom they concern.
#include "deploy/supervisor_channel.h"

#include <utility>
#include <variant>

namespace spillway::deploy {

using runtime::FileHandle;
using runtime::Task;

namespace {

Result<RunningReplica> running(ReplicaRecord record, std::vector<FileHandle>& descriptors) {
  if (descriptors.size() != 2) {
    return fail(Error::Code::protocol, "a replica came without its two pipes");
  }
  return RunningReplica{.record = std::move(record),
                        .output = std::move(descriptors[0]),
                        .errors = std::move(descriptors[1])};
}

}  // namespace

Result<std::unique_ptr<SupervisorChannel>> SupervisorChannel::adopt(runtime::Loop& loop, int fd) {
  TRY(socket, runtime::MessageSocket::adopt(loop, fd));
  return std::make_unique<SupervisorChannel>(loop, std::move(socket));
}

SupervisorChannel::SupervisorChannel(runtime::Loop& loop, runtime::MessageSocket socket)
    : loop_(loop), link_(loop, std::move(socket)), gate_(loop) {}

Task<Result<Handover>> SupervisorChannel::handover(Deadline deadline) {
  Handover result;
  while (true) {
    CO_TRY(message, co_await link_.receive(deadline));
    CO_TRY(notice, decode_notice(message.bytes));
    if (std::holds_alternative<HandoverEnd>(notice)) co_return std::move(result);
    if (auto* listener = std::get_if<HeldListener>(&notice)) {
      result.listeners.push_back({.at = std::move(listener->at),
                                  .bound = std::move(listener->bound),
                                  .sockets = std::move(message.descriptors)});
    } else if (auto* replica = std::get_if<HeldReplica>(&notice)) {
      CO_TRY(held, running(std::move(replica->replica), message.descriptors));
      result.replicas.push_back(std::move(held));
    } else if (auto* kept = std::get_if<Kept>(&notice)) {
      result.kept[kept->name] = std::move(kept->text);
    }
  }
}

void SupervisorChannel::run(ServerDuties& duties, ReplicaNotices& replicas) {
  duties_ = &duties;
  replicas_ = &replicas;
  gate_.spawn(hear());
}

struct SupervisorChannel::NoticeHandler {
  SupervisorChannel& channel;
  std::vector<FileHandle>& descriptors;

  void operator()(Answer& answer) {
    const auto found = channel.pending_.find(answer.id);
    if (found == channel.pending_.end()) return;  // Nobody waits any more.
    found->second->answer = std::move(answer);
    found->second->descriptors = std::move(descriptors);
    found->second->answered.set();
  }
  void operator()(HeldReplica& held) {
    if (auto replica = running(std::move(held.replica), descriptors)) {
      channel.replicas_->held(std::move(*replica));
    }
  }
  void operator()(const ReplicaExited& exited) { channel.replicas_->exited(exited); }
  void operator()(const TakeOver&) { channel.replicas_->take_over(); }
  void operator()(const Drain& drain) { channel.duties_->drain(drain.within); }
  void operator()(const SignalArrived& signal) {
    if (signal.name == "HUP") channel.duties_->reload();
    if (signal.name == "USR1") channel.duties_->reopen_log_files();
  }
  void operator()(const HeldListener&) {}  // Part of the handover alone.
  void operator()(const HandoverEnd&) {}
  void operator()(const Kept&) {}
};

Task<void> SupervisorChannel::hear() {
  while (true) {
    auto message = co_await link_.receive(Deadline::never());
    if (!message) break;
    auto notice = decode_notice(message->bytes);
    if (notice) std::visit(NoticeHandler{*this, message->descriptors}, *notice);
  }
  for (const auto& [id, pending] : pending_) pending->answered.set();
  if (!is_closing_) duties_->drain(std::nullopt);
}

Task<Result<SupervisorChannel::Answered>> SupervisorChannel::ask(Request request,
                                                                 Deadline deadline) {
  if (!link_.is_open()) co_return fail(Error::Code::connection_closed, "the supervisor is gone");
  request.id = next_id_++;
  Pending pending(loop_);
  pending_[request.id] = &pending;
  link_.send(encode(request));
  auto waited = co_await pending.answered.wait(deadline);
  pending_.erase(request.id);
  if (!waited) co_return fail(waited.error().code, "the supervisor does not answer");
  if (!pending.answer) co_return fail(Error::Code::connection_closed, "the supervisor is gone");
  if (pending.answer->error) co_return fail(std::move(*pending.answer->error));
  co_return Answered{std::move(*pending.answer), std::move(pending.descriptors)};
}

Task<Result<void>> SupervisorChannel::ask_plainly(Request request, Deadline deadline) {
  CO_TRY_VOID(co_await ask(std::move(request), deadline));
  co_return Result<void>{};
}

Task<Result<ListeningSockets>> SupervisorChannel::listen(Listen request, Deadline deadline) {
  const SocketAddress at = request.at;
  CO_TRY(answered, co_await ask({.what = std::move(request)}, deadline));
  if (!answered.answer.bound || answered.descriptors.empty()) {
    co_return fail(Error::Code::protocol, "the supervisor sent no sockets for " + to_string(at));
  }
  co_return ListeningSockets{
      .at = at, .bound = *answered.answer.bound, .sockets = std::move(answered.descriptors)};
}

Task<Result<void>> SupervisorChannel::unlisten(SocketAddress at, Deadline deadline) {
  co_return co_await ask_plainly({.what = Unlisten{std::move(at)}}, deadline);
}

Task<Result<RunningReplica>> SupervisorChannel::start_replica(StartReplica request,
                                                              Deadline deadline) {
  CO_TRY(answered, co_await ask({.what = std::move(request)}, deadline));
  if (!answered.answer.replica) {
    co_return fail(Error::Code::protocol, "the supervisor did not say which replica it started");
  }
  co_return running(std::move(*answered.answer.replica), answered.descriptors);
}

Task<Result<void>> SupervisorChannel::stop_replica(uint64_t number, Duration grace,
                                                   Deadline deadline) {
  co_return co_await ask_plainly({.what = StopReplica{.replica = number, .grace = grace}},
                                 deadline);
}

Task<Result<void>> SupervisorChannel::ready(Deadline deadline) {
  co_return co_await ask_plainly({.what = ServerReady{}}, deadline);
}

Task<Result<void>> SupervisorChannel::keep(std::string name, std::string text, Deadline deadline) {
  return ask_plainly({.what = Keep{std::move(name), std::move(text)}}, deadline);
}

Task<Result<void>> SupervisorChannel::stop_everything(Deadline deadline) {
  co_return co_await ask_plainly({.what = StopAll{}}, deadline);
}

Task<Result<void>> SupervisorChannel::upgrade(std::string program, Deadline deadline) {
  co_return co_await ask_plainly({.what = UpgradeTo{std::move(program)}}, deadline);
}

Task<void> SupervisorChannel::close() {
  is_closing_ = true;
  co_await link_.close();
  [[maybe_unused]] const auto closed = co_await gate_.close(Deadline::never());
}

}  // namespace spillway::deploy
