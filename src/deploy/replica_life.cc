// deploy/replica_life.cc: one replica from its start through its readiness to its end.
#include <fmt/format.h>

#include <algorithm>

#include "deploy/service_keeper.h"

namespace spillway::deploy {

using runtime::Task;

namespace {

constexpr Duration request_timeout = 20s;  // The supervisor gives a start 10 s.
constexpr Duration look_every = 100ms;     // For a reason to stop waiting.
constexpr Duration end_slack = 40s;        // Beyond the grace: guards give up after 30 s.

}  // namespace

StartReplica ServiceKeeper::request(uint32_t index, const ServiceVersion& version) const {
  const ProcessConfig& config = version.config;
  return {.service = name_,
          .index = index,
          .arguments = config.run,
          .environment = config.env,
          .directory = config.cwd.value_or(""),
          .user = config.user.value_or(""),
          .spec = version.spec,
          .grace = config.stop.grace};
}

ReplicaEndpoint ServiceKeeper::endpoint(const Live& live) const {
  return {.service = name_,
          .name = live.record.name(),
          .number = live.record.number,
          .address = {.ip = IpAddress::from_v4(0x7F000001), .port = live.record.port}};
}

void ServiceKeeper::announce(Live& live) {
  live.state = ReplicaState::ready;
  live.ready_at = context_.loop.now();
  live.is_announced = true;
  context_.observer.endpoint_ready(endpoint(live));
}

void ServiceKeeper::tell_gone(Live& live) {
  if (std::exchange(live.is_announced, false)) context_.observer.endpoint_gone(endpoint(live));
}

ServiceKeeper::Live& ServiceKeeper::add(RunningReplica replica) {
  const uint64_t number = replica.record.number;
  auto live = std::make_unique<Live>(context_.loop, std::move(replica.record));
  read_output(std::move(replica.output), live->record.name(), false);
  read_output(std::move(replica.errors), live->record.name(), true);
  return *(live_[number] = std::move(live));
}

void ServiceKeeper::read_output(runtime::FileHandle pipe, const std::string& name, bool is_error) {
  auto descriptor = runtime::Descriptor::adopt(context_.loop, pipe.release());
  if (!descriptor) {
    context_.log.warn("output of a replica is not read",
                      {{"replica", name}, {"reason", descriptor.error().detail}});
    return;
  }
  outputs_.emplace_front(std::move(*descriptor), name, is_error, context_.observer);
  gate_.spawn(follow_output(outputs_.begin()));
}

Task<void> ServiceKeeper::follow_output(std::list<ReplicaOutput>::iterator output) {
  co_await output->read();
  outputs_.erase(output);
}

// Errors: cancelled, when there is no reason any more to wait for it; it is left running then if we
// are closing, for the server that comes after us.
Task<Result<ServiceKeeper::Live*>> ServiceKeeper::bring_up(Slot& slot, Version version,
                                                           Caller caller) {
  CO_TRY(started,
         co_await context_.channel.start_replica(
             request(slot.index, *version), Deadline::after(context_.loop.now(), request_timeout)));
  Live& live = add(std::move(started));
  auto ready = co_await make_ready(slot, live, version, caller);
  if (ready) co_return &live;
  if (!is_closing_) co_await stop(live, version->config.stop.grace);
  co_return fail(std::move(ready).error());
}

Task<Result<void>> ServiceKeeper::make_ready(Slot& slot, Live& live, Version version,
                                             Caller caller) {
  runtime::Loop& loop = context_.loop;
  const ReadyConfig& ready = version->config.ready;
  const Deadline deadline = Deadline::after(loop.now(), ready.timeout);
  std::string last_answer = "it was not asked";
  Instant ask_at = loop.now();
  while (!deadline.has_passed(loop.now())) {
    if (live.exit) {
      co_return fail(Error::Code::invalid,
                     fmt::format("it ended before it was ready: {}", to_string(*live.exit)));
    }
    const bool stands_aside = caller == Caller::keep_slot && slot.is_replacing;
    if (is_closing_ || slot.is_retired || stands_aside) {
      co_return fail(Error::Code::cancelled, "it is not wanted any more");
    }
    if (loop.now() >= ask_at) {
      const Deadline asking =
          Deadline::after(loop.now(), ready.probe_timeout).no_later_than(deadline);
      auto answer = co_await context_.probe.probe_ready(endpoint(live), ready.path, asking);
      if (answer && !live.exit) {
        announce(live);
        co_return Result<void>{};
      }
      if (!answer) last_answer = std::move(answer).error().detail;
      ask_at = loop.now() + ready.every;
    } else {
      const Instant look_at = std::min(ask_at, loop.now() + look_every);
      [[maybe_unused]] const auto ended = co_await live.ended.wait(Deadline::at(look_at));
    }
  }
  co_return fail(Error::Code::deadline_exceeded,
                 fmt::format("it was not ready in time: {}", last_answer));
}

Task<void> ServiceKeeper::take_down(Live& live, Duration grace) {
  if (live.is_announced) {
    live.state = ReplicaState::draining;
    co_await context_.observer.endpoint_leaving(
        endpoint(live), Deadline::after(context_.loop.now(), context_.drain));
  }
  tell_gone(live);
  if (is_closing_) co_return;  // The next server ends it.
  co_await stop(live, grace);
}

// Frees `live`.
Task<void> ServiceKeeper::stop(Live& live, Duration grace) {
  live.state = ReplicaState::stopping;
  tell_gone(live);
  if (!live.exit) {
    const Deadline deadline = Deadline::after(context_.loop.now(), grace + end_slack);
    auto told = co_await context_.channel.stop_replica(live.record.number, grace, deadline);
    // Not found: it has ended, and the notice is on its way or was lost with another server.
    if (told) [[maybe_unused]]
      const auto ended = co_await live.ended.wait(deadline);
  }
  if (!is_closing_) live_.erase(live.record.number);
}

}  // namespace spillway::deploy
