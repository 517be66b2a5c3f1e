// admin/control_api.cc: the table of paths, what every request passes, and what is only shown.
#include "admin/control_api.h"

#include <fmt/format.h>

#include <algorithm>

#include "admin/answers.h"
#include "base/ascii.h"
#include "telemetry/prometheus_text.h"

namespace spillway::admin {

using http::Exchange;
using runtime::Task;

namespace {

// A follower whose client is gone is noticed at the latest after this long.
constexpr Duration follower_check = 5s;
// Lines in one write to a follower.
constexpr size_t follower_lines_max = 200;
constexpr size_t lines_default = 100;
constexpr std::string_view lines_content_type = "application/x-ndjson";

}  // namespace

const ControlApi::Entry ControlApi::entries[] = {
    {"/metrics", false, false, &ControlApi::metrics},
    {"/health", false, false, &ControlApi::health},
    {"/ready", false, false, &ControlApi::ready},
    {"/api/v1/status", false, false, &ControlApi::status},
    {"/api/v1/explain", false, false, &ControlApi::explain},
    {"/api/v1/logs", false, true, &ControlApi::logs},
    {"/api/v1/reload", true, true, &ControlApi::reload},
    {"/api/v1/deploy", true, true, &ControlApi::deploy},
    {"/api/v1/scale", true, true, &ControlApi::scale},
    {"/api/v1/drain", true, true, &ControlApi::drain},
    {"/api/v1/undrain", true, true, &ControlApi::undrain},
    {"/api/v1/clients", false, true, &ControlApi::clients},
    {"/api/v1/clients/change", true, true, &ControlApi::change_clients},
    {"/api/v1/clients/remove", true, true, &ControlApi::forget_client},
    {"/api/v1/switches", false, true, &ControlApi::switches},
    {"/api/v1/maintenance", true, true, &ControlApi::set_maintenance},
    {"/api/v1/split", true, true, &ControlApi::set_split},
    {"/api/v1/upgrade", true, true, &ControlApi::upgrade},
    {"/api/v1/stop", true, true, &ControlApi::stop},
};

const ControlApi::Entry* ControlApi::find(std::string_view path) {
  const auto* found = std::ranges::find(entries, path, &Entry::path);
  return found == std::end(entries) ? nullptr : found;
}

// The same for every path: whose request it is and whether this client may have that, then whether
// there is such a thing. A wrong method needs no token: nothing happens.
Task<void> ControlApi::serve(Exchange& exchange) {
  const http::RequestHead& request = exchange.request();
  const Entry* entry = find(request.path);
  const bool is_read = request.method == http::Method::get || request.method == http::Method::head;
  const bool is_method =
      entry != nullptr && (entry->is_change ? request.method == http::Method::post : is_read);
  const auto denial =
      check_access(rules_, request, exchange.client().peer, is_method && entry->needs_token);
  if (denial) {
    exchange.close_after();
    co_return co_await answer_json(exchange, denial->status,
                                   error_json(denial->code, denial->message));
  }
  if (entry == nullptr) {
    co_return co_await answer_json(
        exchange, 404, error_json("not_found", "there is no such path; see docs/control_api.md"));
  }
  if (!is_method) co_return co_await refuse_method(exchange, *entry);
  co_await call(exchange, *entry);
  if (entry->is_change) {
    log_.info("control request", {{"path", entry->path}, {"status", exchange.status()}});
  }
}

Task<void> ControlApi::refuse_method(Exchange& exchange, const Entry& entry) {
  http::HeaderList fields;
  CHECK(add_common_fields(fields));
  CHECK(fields.add(http::Field::allow, entry.is_change ? "POST" : "GET, HEAD"));
  const std::string text =
      text_of(error_json("method_not_allowed", "this path takes another method; see Allow")) + "\n";
  (void)co_await exchange.respond(405, "application/json", text, &fields);
}

Task<void> ControlApi::call(Exchange& exchange, const Entry& entry) {
  auto parameters = QueryParameters::parse(exchange.request().query);
  if (!parameters) {
    parameters.error().blame = Error::Blame::client;
    co_return co_await answer_error(exchange, parameters.error());
  }
  auto body = co_await read_object(exchange, body_bytes_max);
  if (!body) co_return co_await answer_error(exchange, body.error());
  co_await (this->*entry.handle)({exchange, std::move(*parameters), std::move(*body)});
}

Task<void> ControlApi::metrics(Call call) {
  co_await answer_text(call.exchange, 200, telemetry::prometheus_content_type, instance_.metrics());
}

Task<void> ControlApi::health(Call call) {
  const std::vector<ComponentCheck> checks = instance_.check();
  const bool is_good = std::ranges::all_of(checks, &ComponentCheck::is_good);
  co_await answer_json(call.exchange, is_good ? 200 : 503,
                       {{"healthy", is_good}, {"components", to_json(checks)}});
}

Task<void> ControlApi::ready(Call call) {
  const Readiness readiness = instance_.readiness();
  Json json = {{"ready", readiness.is_ready}};
  if (!readiness.is_ready) json["reason"] = readiness.reason;
  co_await answer_json(call.exchange, readiness.is_ready ? 200 : 503, std::move(json));
}

Task<void> ControlApi::status(Call call) {
  co_await answer_json(call.exchange, 200, to_json(instance_.status()));
}

Task<void> ControlApi::explain(Call call) {
  gateway::ExplainQuestion question;
  question.method = call.parameters.find("method").value_or("GET");
  question.url = call.parameters.find("url").value_or("/");
  for (const std::string& header : call.parameters.all("header")) {
    auto field = gateway::parse_header_argument(header);
    if (!field) co_return co_await answer_error(call.exchange, field.error());
    question.fields.push_back(std::move(*field));
  }
  auto explanation = instance_.explain(question);
  if (!explanation) co_return co_await answer_error(call.exchange, explanation.error());
  co_await answer_json(call.exchange, 200, to_json(*explanation));
}

namespace {

std::string lines_text(const std::vector<LogLine>& lines) {
  std::string text;
  for (const LogLine& line : lines) text += text_of(to_json(line)) + "\n";
  return text;
}

}  // namespace

// A service, a replica or the instance itself.
bool ControlApi::knows_source(const std::string& name) {
  if (name == "spillway") return true;
  for (const ServiceStatus& service : instance_.status().services) {
    const auto is_named = [&name](const EndpointStatus& endpoint) { return endpoint.name == name; };
    if (service.name == name || std::ranges::any_of(service.endpoints, is_named)) return true;
  }
  return false;
}

Task<void> ControlApi::logs(Call call) {
  const std::string source = call.parameters.find("service").value_or("");
  const std::string wanted =
      call.parameters.find("lines").value_or(fmt::format("{}", lines_default));
  const auto count = parse_decimal<size_t>(wanted);
  if (!count || *count > lines_max) {
    co_return co_await answer_error(
        call.exchange, {.code = Error::Code::invalid,
                        .blame = Error::Blame::client,
                        .detail = fmt::format("\"lines\": expected 0 to {}", lines_max)});
  }
  const uint64_t newest = instance_.logs().newest();
  std::string text = lines_text(instance_.logs().last(*count, source));
  if (text.empty() && !source.empty() && !knows_source(source)) {
    co_return co_await answer_error(
        call.exchange, {.code = Error::Code::not_found,
                        .detail = fmt::format("there is no service or replica \"{}\"", source)});
  }
  if (call.parameters.find("follow").value_or("0") == "0") {
    co_return co_await answer_text(call.exchange, 200, lines_content_type, std::move(text));
  }
  if (followers_ == followers_max || is_ending_) {
    co_return co_await answer_error(call.exchange, {.code = Error::Code::overloaded,
                                                    .detail = "too many follow the logs already"});
  }
  ++followers_;
  co_await follow(std::move(call), source, newest, std::move(text));
  --followers_;
}

// Ends when the client does; the last chunk is missing then, or it is our end, and sent.
Task<void> ControlApi::follow(Call call, std::string source, uint64_t after, std::string begun) {
  Exchange& exchange = call.exchange;
  http::HeaderList fields;
  CHECK(add_common_fields(fields));
  CHECK(fields.add(http::Field::content_type, lines_content_type));
  exchange.close_after();
  const auto started =
      exchange.start_response(200, "OK", fields, {.kind = http::BodyFraming::Kind::chunked});
  if (!started || !co_await exchange.flush()) co_return;
  if (exchange.request().method == http::Method::head) {
    (void)co_await exchange.finish();
    co_return;
  }
  std::string text = std::move(begun);
  while (!is_ending_) {
    if (!text.empty() && !co_await exchange.write(text, false)) co_return;
    if (exchange.client_has_ended() || exchange.client_is_gone()) co_return;
    (void)co_await instance_.logs().wait(after,
                                         Deadline::after(exchange.loop().now(), follower_check));
    text = lines_text(instance_.logs().next(after, follower_lines_max, source));
  }
  (void)co_await exchange.finish();
}

void ControlApi::end_streams() {
  is_ending_ = true;
  instance_.logs().wake();
}

}  // namespace spillway::admin
