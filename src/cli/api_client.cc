// cli/api_client.cc: finding the instance, one HTTP exchange, and what its errors mean.
#include "cli/api_client.h"

#include <fmt/format.h>

#include <cstdlib>

#include "cli/exit_status.h"
#include "deploy/instance.h"
#include "runtime/epoll_driver.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "server/config.h"

namespace spillway::cli {

using runtime::Task;

struct ApiClient::Request {
  std::string method;
  std::string path;
  std::string body;
  Deadline deadline;
  std::function<bool(std::string_view)> take;  // Null: the body is collected.
};

namespace {

std::optional<std::string> given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

// The token of --admin: from the environment, or of an instance of ours that is controlled there.
std::string token_for(const Target& target) {
  const char* token = std::getenv("SPILLWAY_TOKEN");
  if (token != nullptr && *token != '\0') return token;
  for (const deploy::Instance& each : deploy::running_instances(deploy::instance_directories())) {
    const auto known = parse_target(each.admin);
    if (known && known->address == target.address) return each.token;
  }
  return "";
}

}  // namespace

Result<Target> parse_target(std::string_view url) {
  constexpr std::string_view by_name = "http://localhost";
  std::string whole(url);
  if (url.starts_with("unix:")) whole = fmt::format("http+{}", url);
  if (url.starts_with(by_name))
    whole = fmt::format("http://127.0.0.1{}", url.substr(by_name.size()));
  TRY(address, server::ListenAddress::parse(whole));
  const bool is_unix = address.socket.is_unix();
  return Target{.address = address.socket,
                .host = is_unix ? "localhost" : to_string(address.socket),
                .token = ""};
}

Result<Target> find_target(const Options& options) {
  if (!options.admin.empty()) {
    TRY(target, parse_target(options.admin));
    target.token = token_for(target);
    return std::move(target);
  }
  TRY(instance, deploy::find_instance(given(options.instance), deploy::instance_directories()));
  TRY(target, parse_target(instance.admin));
  target.token = instance.token;
  return std::move(target);
}

Result<std::unique_ptr<ApiClient>> ApiClient::make(Target target) {
  TRY(driver, runtime::make_epoll_driver());
  return std::make_unique<ApiClient>(std::move(driver), std::move(target));
}

ApiClient::ApiClient(std::unique_ptr<runtime::Driver> driver, Target target)
    : loop_(std::move(driver), 0, 1), target_(std::move(target)) {}

Task<void> ApiClient::settle(const Request& request, Result<ApiAnswer>& result) {
  result = co_await send(request);
}

Result<ApiAnswer> ApiClient::run(const Request& request) {
  Result<ApiAnswer> result = fail(Error::Code::cancelled, "");
  runtime::Gate gate(loop_);
  gate.spawn(settle(request, result));
  while (gate.count() > 0) loop_.run_once(Instant::max());
  return result;
}

Result<ApiAnswer> ApiClient::get(const std::string& path, Duration within) {
  return run({"GET", path, "", Deadline::after(loop_.now(), within), nullptr});
}

Result<ApiAnswer> ApiClient::post(const std::string& path, const admin::Json& body,
                                  Duration within) {
  return run({"POST", path, admin::text_of(body), Deadline::after(loop_.now(), within), nullptr});
}

Result<ApiAnswer> ApiClient::stream(const std::string& path,
                                    std::function<bool(std::string_view)> take) {
  return run({"GET", path, "", Deadline::never(), std::move(take)});
}

Task<Result<ApiAnswer>> ApiClient::send(const Request& request) {
  constexpr Duration connect_timeout = 3s;  // To this machine: at once, or never.
  constexpr Duration stall_max = 10s;
  CO_TRY(socket, co_await runtime::Socket::connect(loop_, target_.address,
                                                   Deadline::after(loop_.now(), connect_timeout)));
  const auto response = std::make_unique<http::ResponseHead>();
  const http::HeadLimits limits;
  http::ClientCall call({.socket = std::move(socket)}, *response, limits, stall_max);
  const http::BodyFraming framing{.kind = request.method == "POST" ? http::BodyFraming::Kind::length
                                                                   : http::BodyFraming::Kind::none,
                                  .length = request.body.size()};
  CO_TRY_VOID(call.writer().begin(framing, [&](http::HeadWriter& head) {
    head.request_line(request.method, request.path, {}, false);
    head.field("host", target_.host);
    head.field("user-agent", "spillway/" + version_text());
    if (!target_.token.empty()) head.field("authorization", "Bearer " + target_.token);
    if (request.method == "POST") head.field("content-type", "application/json");
    head.field("connection", "close");
    head.framing(framing);
    head.end_of_head();
  }));
  if (request.body.empty()) {
    CO_TRY_VOID(co_await call.writer().flush());
  } else {
    CO_TRY_VOID(co_await call.writer().write(request.body, true));
  }
  co_return co_await read_answer(call, request);
}

Task<Result<ApiAnswer>> ApiClient::read_answer(http::ClientCall& call, const Request& request) {
  CO_TRY_VOID(co_await call.read_head(http::method_from(request.method), request.deadline));
  ApiAnswer answer{.status = call.response().status};
  const bool is_streamed = request.take != nullptr && answer.is_good();
  while (true) {
    CO_TRY(piece, co_await call.read_body(request.deadline));
    if (piece.empty()) co_return std::move(answer);
    if (is_streamed) {
      if (!request.take(piece)) co_return std::move(answer);
    } else if (answer.body.size() + piece.size() > body_bytes_max) {
      co_return fail(Error::Code::limit_exceeded, "the answer is longer than 64 MiB");
    } else {
      answer.body += piece;
    }
  }
}

namespace {

Task<void> sleep_once(runtime::Loop& loop, Duration duration) {
  co_await runtime::sleep(loop, duration);
}

int exit_status_of(uint16_t status) {
  if (status == 422) return exit_bad_usage;
  return status >= 500 ? exit_failed : exit_refused;
}

// What the instance says went wrong: {"error": {"message": ...}}.
std::string message_of(const ApiAnswer& answer) {
  const auto json = admin::parse_json(answer.body);
  if (json && json->is_object() && json->contains("error")) {
    const admin::Json& error = (*json)["error"];
    if (error.is_object() && error.contains("message") && error["message"].is_string()) {
      return harmless(error["message"].get<std::string>());
    }
  }
  return fmt::format("the instance answered {}", answer.status);
}

}  // namespace

void ApiClient::pause(Duration duration) {
  runtime::Gate gate(loop_);
  gate.spawn(sleep_once(loop_, duration));
  while (gate.count() > 0) loop_.run_once(Instant::max());
}

std::unique_ptr<ApiClient> Conversation::connect(const Options& options) {
  auto target = find_target(options);
  if (!target) {
    output.error(target.error());
    exit_status = target.error().code == Error::Code::not_found ? exit_no_instance : exit_bad_usage;
    return nullptr;
  }
  auto client = ApiClient::make(std::move(*target));
  if (!client) {
    output.error(client.error());
    exit_status = exit_failed;
    return nullptr;
  }
  return std::move(*client);
}

bool Conversation::accept(const Result<ApiAnswer>& answer) {
  if (answer && answer->is_good()) return true;
  if (answer) {
    output.error(message_of(*answer));
    exit_status = exit_status_of(answer->status);
    return false;
  }
  const bool is_gone = answer.error().code == Error::Code::connection_refused ||
                       answer.error().code == Error::Code::not_found;
  output.error(is_gone ? "no instance answers there; is one running? `spillway up` starts one"
                       : answer.error().detail);
  exit_status = is_gone ? exit_no_instance : exit_failed;
  return false;
}

}  // namespace spillway::cli
