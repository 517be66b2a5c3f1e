// admin/control_actions.cc: what of the control API changes something.
#include <fmt/format.h>

#include "admin/answers.h"
#include "admin/control_api.h"
#include "base/quantity.h"

namespace spillway::admin {

using runtime::Task;

// 422 with every problem of the plan if it was refused: nothing has changed then.
Task<void> ControlApi::reload(Call call) {
  auto report = co_await instance_.reload();
  if (!report) co_return co_await answer_error(call.exchange, report.error());
  Json json = to_json(*report);
  if (!report->was_applied) {
    json["error"] = {{"code", "invalid"}, {"message", report->refusal}};
  }
  co_await answer_json(call.exchange, report->was_applied ? 200 : 422, std::move(json));
}

Task<void> ControlApi::deploy(Call call) {
  auto service = optional_text_member(call.body, "service");
  if (!service) co_return co_await answer_error(call.exchange, service.error());
  auto deployed = co_await instance_.deploy(*service);
  if (!deployed) co_return co_await answer_error(call.exchange, deployed.error());
  co_await answer_json(call.exchange, 200, {{"deployed", *deployed}});
}

Task<void> ControlApi::scale(Call call) {
  auto service = text_member(call.body, "service");
  if (!service) co_return co_await answer_error(call.exchange, service.error());
  auto replicas = count_member(call.body, "replicas");
  if (!replicas) co_return co_await answer_error(call.exchange, replicas.error());
  auto scaled = instance_.scale(*service, *replicas);
  if (!scaled) co_return co_await answer_error(call.exchange, scaled.error());
  co_await answer_json(call.exchange, 200, {{"service", *service}, {"replicas", *replicas}});
}

Task<void> ControlApi::drain(Call call) { return set_draining(std::move(call), true); }
Task<void> ControlApi::undrain(Call call) { return set_draining(std::move(call), false); }

Task<void> ControlApi::set_draining(Call call, bool is_draining) {
  auto endpoint = text_member(call.body, "endpoint");
  if (!endpoint) co_return co_await answer_error(call.exchange, endpoint.error());
  auto report = instance_.set_draining(*endpoint, is_draining);
  if (!report) co_return co_await answer_error(call.exchange, report.error());
  co_await answer_json(call.exchange, 200, to_json(*report));
}

namespace {

constexpr Duration change_longest = std::chrono::years(10);

std::unexpected<Error> bad_member(const char* name, std::string_view expected) {
  return fail(Error::Code::invalid, fmt::format("\"{}\": expected {}", name, expected),
              Error::Blame::client);
}

Result<IpPrefix> prefix_member(const Json& body) {
  TRY(text, text_member(body, "prefix"));
  const auto prefix = IpPrefix::parse(text);
  if (prefix) return *prefix;
  return bad_member("prefix",
                    "an address or a prefix such as 203.0.113.0/24; " + prefix.error().detail);
}

// "for": how long a change lasts; nothing if absent.
Result<std::optional<Duration>> within_member(const Json& body) {
  TRY(within, optional_text_member(body, "for"));
  if (!within) return std::nullopt;
  const auto duration = parse_duration(*within);
  if (!duration || *duration <= Duration::zero() || *duration > change_longest) {
    return bad_member("for", "a time such as 30m or 12h, at most 10 years");
  }
  return *duration;
}

// "to": on, off, or plan for what the plan says.
Result<std::optional<bool>> maintenance_member(const Json& body) {
  TRY(to, text_member(body, "to"));
  if (to == "plan") return std::nullopt;
  if (to != "on" && to != "off") return bad_member("to", "on, off or plan");
  return to == "on";
}

// "to": a share such as 20%, off, or plan for what the plan says.
Result<std::optional<gateway::SplitChange>> split_member(const Json& body) {
  TRY(to, text_member(body, "to"));
  if (to == "plan") return std::nullopt;
  if (to == "off") return gateway::SplitChange{.is_off = true};
  const auto share = parse_share(to);
  if (!share) return bad_member("to", "a share such as 20%, off, or plan");
  return gateway::SplitChange{.share = *share};
}

Result<ClientChange> client_change(const Json& body) {
  TRY(prefix, prefix_member(body));
  TRY(list, text_member(body, "list"));
  TRY(within, within_member(body));
  ClientChange change{.prefix = prefix, .within = within};
  if (list != "allow" && list != "deny") return bad_member("list", "allow or deny");
  change.list = list == "allow" ? ClientList::allow : ClientList::deny;
  return change;
}

}  // namespace

Task<void> ControlApi::clients(Call call) {
  co_await answer_json(call.exchange, 200, {{"clients", to_json(instance_.clients())}});
}

Task<void> ControlApi::change_clients(Call call) {
  auto change = client_change(call.body);
  if (!change) co_return co_await answer_error(call.exchange, change.error());
  auto changed = co_await instance_.change_clients(*change);
  if (!changed) co_return co_await answer_error(call.exchange, changed.error());
  co_await answer_json(call.exchange, 200, {{"prefix", change->prefix.text()}});
}

Task<void> ControlApi::forget_client(Call call) {
  auto prefix = prefix_member(call.body);
  if (!prefix) co_return co_await answer_error(call.exchange, prefix.error());
  auto forgotten = co_await instance_.forget_client(*prefix);
  if (!forgotten) co_return co_await answer_error(call.exchange, forgotten.error());
  co_await answer_json(call.exchange, 200, {{"prefix", prefix->text()}});
}

Task<void> ControlApi::switches(Call call) {
  co_await answer_json(call.exchange, 200, to_json(instance_.switches()));
}

Task<void> ControlApi::set_maintenance(Call call) {
  auto is_on = maintenance_member(call.body);
  if (!is_on) co_return co_await answer_error(call.exchange, is_on.error());
  auto within = within_member(call.body);
  if (!within) co_return co_await answer_error(call.exchange, within.error());
  co_await instance_.set_maintenance(*is_on, *within);
  co_await answer_json(call.exchange, 200, to_json(instance_.switches()));
}

Task<void> ControlApi::set_split(Call call) {
  auto service = text_member(call.body, "service");
  if (!service) co_return co_await answer_error(call.exchange, service.error());
  auto change = split_member(call.body);
  if (!change) co_return co_await answer_error(call.exchange, change.error());
  auto changed = co_await instance_.set_split(*service, *change);
  if (!changed) co_return co_await answer_error(call.exchange, changed.error());
  co_await answer_json(call.exchange, 200, to_json(instance_.switches()));
}

Task<void> ControlApi::upgrade(Call call) {
  auto program = optional_text_member(call.body, "program");
  if (!program) co_return co_await answer_error(call.exchange, program.error());
  if (*program && !(*program)->starts_with('/')) {
    co_return co_await answer_error(call.exchange,
                                    {.code = Error::Code::invalid,
                                     .blame = Error::Blame::client,
                                     .detail = "\"program\": expected an absolute path"});
  }
  auto upgraded = co_await instance_.upgrade(program->value_or(""));
  if (!upgraded) co_return co_await answer_error(call.exchange, upgraded.error());
  co_await answer_json(call.exchange, 200, {{"upgraded", true}});
}

// 202: it ends when what is under way has ended, or at the plan's shutdown.drain.
Task<void> ControlApi::stop(Call call) {
  auto now = flag_member(call.body, "now");
  if (!now) co_return co_await answer_error(call.exchange, now.error());
  call.exchange.close_after();
  auto stopping = instance_.stop(*now);
  if (!stopping) co_return co_await answer_error(call.exchange, stopping.error());
  co_await answer_json(call.exchange, 202, {{"stopping", true}});
}

}  // namespace spillway::admin
