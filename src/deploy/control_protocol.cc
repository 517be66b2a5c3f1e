// deploy/control_protocol.cc: messages to JSON and back.
#include "deploy/control_protocol.h"

#include <algorithm>
#include <utility>

#include "deploy/json_reader.h"
#include "deploy/replica_record.h"

namespace spillway::deploy {
namespace {

using nlohmann::json;

struct RequestWriter {
  json operator()(const Listen& listen) const {
    return {{"request", "listen"},
            {"at", to_string(listen.at)},
            {"sockets", listen.sockets},
            {"unix_mode", listen.unix_mode}};
  }
  json operator()(const Unlisten& unlisten) const {
    return {{"request", "unlisten"}, {"at", to_string(unlisten.at)}};
  }
  json operator()(const StartReplica& start) const {
    return {{"request", "start_replica"},
            {"service", start.service},
            {"index", start.index},
            {"arguments", start.arguments},
            {"environment", json(start.environment)},
            {"directory", start.directory},
            {"user", start.user},
            {"spec", start.spec},
            {"grace_ms", count_milliseconds(start.grace)}};
  }
  json operator()(const StopReplica& stop) const {
    return {{"request", "stop_replica"},
            {"replica", stop.replica},
            {"grace_ms", count_milliseconds(stop.grace)}};
  }
  json operator()(const ServerReady& ready) const {
    return {{"request", "ready"}, {"version", ready.version}};
  }
  json operator()(const Keep& keep) const {
    return {{"request", "keep"}, {"name", keep.name}, {"text", keep.text}};
  }
  json operator()(const StopAll&) const { return {{"request", "stop"}}; }
  json operator()(const UpgradeTo& upgrade) const {
    return {{"request", "upgrade"}, {"program", upgrade.program}};
  }
};

struct NoticeWriter {
  json operator()(const Answer& answer) const {
    json result = {{"notice", "answer"}, {"id", answer.id}};
    if (answer.error) {
      result["error"] = {{"code", to_string(answer.error->code)}, {"detail", answer.error->detail}};
    }
    if (answer.replica) result["replica"] = to_json(*answer.replica);
    if (answer.bound) result["bound"] = to_string(*answer.bound);
    return result;
  }
  json operator()(const HeldListener& held) const {
    return {
        {"notice", "held_listener"}, {"at", to_string(held.at)}, {"bound", to_string(held.bound)}};
  }
  json operator()(const HeldReplica& held) const {
    return {{"notice", "held_replica"}, {"replica", to_json(held.replica)}};
  }
  json operator()(const Kept& kept) const {
    return {{"notice", "kept"}, {"name", kept.name}, {"text", kept.text}};
  }
  json operator()(const HandoverEnd&) const { return {{"notice", "handover_end"}}; }
  json operator()(const TakeOver&) const { return {{"notice", "take_over"}}; }
  json operator()(const ReplicaExited& exited) const {
    return {{"notice", "replica_exited"},
            {"replica", to_json(exited.replica)},
            {"code", exited.status.code},
            {"signal", exited.status.signal},
            {"ran_ms", count_milliseconds(exited.ran)}};
  }
  json operator()(const Drain& drain) const {
    return {{"notice", "drain"}, {"within_ms", count_milliseconds(drain.within)}};
  }
  json operator()(const SignalArrived& signal) const {
    return {{"notice", "signal"}, {"name", signal.name}};
  }
};

Error::Code error_code(std::string_view name) {
  for (auto code = Error::Code::cancelled; code < Error::Code::io;
       code = static_cast<Error::Code>(std::to_underlying(code) + 1)) {
    if (to_string(code) == name) return code;
  }
  return Error::Code::io;
}

StartReplica read_start(JsonReader& reader) {
  return {.service = reader.text("service"),
          .index = reader.number<uint32_t>("index"),
          .arguments = reader.texts("arguments"),
          .environment = reader.text_map("environment"),
          .directory = reader.text("directory"),
          .user = reader.text("user"),
          .spec = reader.text("spec"),
          .grace = reader.milliseconds("grace_ms")};
}

Answer read_answer(JsonReader& reader) {
  Answer answer{.id = reader.number<uint64_t>("id")};
  if (reader.has("error")) {
    JsonReader error(reader.member("error"));
    answer.error = Error{.code = error_code(error.text("code")), .detail = error.text("detail")};
  }
  if (reader.has("bound")) answer.bound = reader.address("bound");
  if (reader.has("replica")) {
    if (auto record = replica_record(reader.member("replica"))) answer.replica = *record;
  }
  return answer;
}

Result<Notice> read_about_replica(JsonReader& reader, const std::string& name) {
  TRY(record, replica_record(reader.member("replica")));
  if (name == "held_replica") return HeldReplica{.replica = std::move(record)};
  return ReplicaExited{
      .replica = std::move(record),
      .status = {.code = reader.number<int>("code"), .signal = reader.number<int>("signal")},
      .ran = reader.milliseconds("ran_ms")};
}

}  // namespace

json to_json(const ReplicaRecord& record) {
  return {{"number", record.number}, {"service", record.service},
          {"index", record.index},   {"port", record.port},
          {"pid", record.pid},       {"started_ms", unix_milliseconds(record.started)},
          {"spec", record.spec}};
}

Result<ReplicaRecord> replica_record(const json& value) {
  JsonReader reader(value);
  ReplicaRecord record{.number = reader.number<uint64_t>("number"),
                       .service = reader.text("service"),
                       .index = reader.number<uint32_t>("index"),
                       .port = reader.number<uint16_t>("port"),
                       .pid = reader.number<pid_t>("pid"),
                       .started = reader.unix_milliseconds("started_ms"),
                       .spec = reader.text("spec")};
  TRY_VOID(reader.complaint());
  return record;
}

std::string encode(const Request& request) {
  json message = std::visit(RequestWriter{}, request.what);
  message["id"] = request.id;
  return to_text(message);
}

std::string encode(const Notice& notice) { return to_text(std::visit(NoticeWriter{}, notice)); }

Result<Request> decode_request(std::string_view text) {
  const json message = parse_json(text);
  JsonReader reader(message);
  Request request{.id = reader.number<uint64_t>("id")};
  const std::string name = reader.text("request");
  if (name == "listen") {
    request.what = Listen{.at = reader.address("at"),
                          .sockets = reader.number<uint32_t>("sockets"),
                          .unix_mode = reader.number<uint32_t>("unix_mode")};
  } else if (name == "unlisten") {
    request.what = Unlisten{.at = reader.address("at")};
  } else if (name == "start_replica") {
    request.what = read_start(reader);
  } else if (name == "stop_replica") {
    request.what = StopReplica{.replica = reader.number<uint64_t>("replica"),
                               .grace = reader.milliseconds("grace_ms")};
  } else if (name == "ready") {
    request.what = ServerReady{.version = reader.number<uint32_t>("version")};
  } else if (name == "stop") {
    request.what = StopAll{};
  } else if (name == "keep") {
    request.what = Keep{.name = reader.text("name"), .text = reader.text("text")};
  } else if (name == "upgrade") {
    request.what = UpgradeTo{.program = reader.text("program")};
  } else {
    return fail(Error::Code::protocol, "there is no request \"" + name + "\"");
  }
  TRY_VOID(reader.complaint());
  return request;
}

Result<Notice> decode_notice(std::string_view text) {
  const json message = parse_json(text);
  JsonReader reader(message);
  const std::string name = reader.text("notice");
  Result<Notice> notice = fail(Error::Code::protocol, "there is no notice \"" + name + "\"");
  if (name == "answer") {
    notice = read_answer(reader);
  } else if (name == "held_listener") {
    notice = HeldListener{.at = reader.address("at"), .bound = reader.address("bound")};
  } else if (name == "held_replica" || name == "replica_exited") {
    notice = read_about_replica(reader, name);
  } else if (name == "kept") {
    notice = Kept{.name = reader.text("name"), .text = reader.text("text")};
  } else if (name == "handover_end") {
    notice = HandoverEnd{};
  } else if (name == "take_over") {
    notice = TakeOver{};
  } else if (name == "drain") {
    notice = Drain{.within = reader.milliseconds("within_ms")};
  } else if (name == "signal") {
    notice = SignalArrived{.name = reader.text("name")};
  }
  TRY_VOID(reader.complaint());
  return notice;
}

}  // namespace spillway::deploy
