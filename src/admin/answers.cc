// admin/answers.cc: writes answers and reads the JSON of requests.
#include "admin/answers.h"

#include <fmt/format.h>

namespace spillway::admin {

using http::Exchange;
using http::Field;
using runtime::Task;

namespace {

constexpr size_t text_member_bytes_max = 4096;  // A path is no longer (limits.h, PATH_MAX).

}  // namespace

bool add_common_fields(http::HeaderList& fields) {
  return fields.add(Field::cache_control, "no-store") &&
         fields.add("x-content-type-options", "nosniff");
}

Task<void> answer_text(Exchange& exchange, uint16_t status, std::string_view content_type,
                       std::string text) {
  http::HeaderList fields;
  CHECK(add_common_fields(fields));
  if (status == 401) CHECK(fields.add(Field::www_authenticate, "Bearer realm=\"spillway\""));
  // A client that cannot be told is gone.
  (void)co_await exchange.respond(status, content_type, text, &fields);
}

Task<void> answer_json(Exchange& exchange, uint16_t status, Json json) {
  co_await answer_text(exchange, status, "application/json", text_of(json) + "\n");
}

Task<void> answer_error(Exchange& exchange, Error error) {
  if (error.code == Error::Code::connection_closed) {
    exchange.abandon();
    co_return;
  }
  const uint16_t status = status_of(error);
  if (error.blame == Error::Blame::client) exchange.close_after();
  co_await answer_json(exchange, status, error_json(to_string(error.code), error.detail));
}

uint16_t status_of(const Error& error) {
  const bool is_clients = error.blame == Error::Blame::client;
  switch (error.code) {
    case Error::Code::not_found: return 404;
    case Error::Code::invalid: return is_clients ? 400 : 422;
    case Error::Code::permission: return 409;
    case Error::Code::protocol: return is_clients ? 400 : 502;
    case Error::Code::limit_exceeded: return is_clients ? 413 : 503;
    case Error::Code::deadline_exceeded: return is_clients ? 408 : 504;
    case Error::Code::overloaded: return 503;
    default: return 500;
  }
}

namespace {

std::unexpected<Error> bad_member(const char* name, std::string_view expected) {
  return fail(Error::Code::invalid, fmt::format("\"{}\": expected {}", name, expected),
              Error::Blame::client);
}

}  // namespace

Result<std::optional<std::string>> optional_text_member(const Json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return std::nullopt;
  if (!found->is_string()) return bad_member(name, "a text");
  auto text = found->get<std::string>();
  if (text.empty() || text.size() > text_member_bytes_max) {
    return bad_member(name, "a text of 1 to 4096 bytes");
  }
  return text;
}

Result<std::string> text_member(const Json& body, const char* name) {
  TRY(text, optional_text_member(body, name));
  if (!text) return bad_member(name, "a text, and it is missing");
  return *text;
}

Result<uint32_t> count_member(const Json& body, const char* name) {
  const auto found = body.find(name);
  const bool is_count =
      found != body.end() && found->is_number_unsigned() && found->get<uint64_t>() <= UINT32_MAX;
  if (!is_count) return bad_member(name, "a whole number of 0 or more");
  return found->get<uint32_t>();
}

Result<bool> flag_member(const Json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end()) return false;
  if (!found->is_boolean()) return bad_member(name, "true or false");
  return found->get<bool>();
}

Task<Result<Json>> read_object(Exchange& exchange, uint64_t bytes_max) {
  std::string text;
  while (true) {
    CO_TRY(piece, co_await exchange.read_body());
    if (piece.empty()) break;
    if (text.size() + piece.size() > bytes_max) {
      co_return fail(Error::Code::limit_exceeded, "the request body is longer than 64 KiB",
                     Error::Blame::client);
    }
    text += piece;
  }
  if (text.empty()) co_return Json::object();
  auto json = parse_json(text);
  if (!json || !json->is_object()) {
    co_return fail(Error::Code::invalid, "the body is not a JSON object", Error::Blame::client);
  }
  co_return std::move(*json);
}

}  // namespace spillway::admin
