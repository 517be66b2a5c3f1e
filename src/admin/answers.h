// admin/answers.h: how the control API answers: JSON with the fields that every answer carries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "admin/json.h"
#include "base/error.h"
#include "http/exchange.h"

namespace spillway::admin {

// Not kept by any cache, and never taken for anything but what it says it is.
runtime::Task<void> answer_text(http::Exchange& exchange, uint16_t status,
                                std::string_view content_type, std::string text);
runtime::Task<void> answer_json(http::Exchange& exchange, uint16_t status, Json json);
runtime::Task<void> answer_error(http::Exchange& exchange, Error error);
// The fields of every answer. False: no room, which cannot be.
[[nodiscard]] bool add_common_fields(http::HeaderList& fields);

// What an error of an action is as a status (RFC 9110 section 15).
uint16_t status_of(const Error& error);

// A member of a request's JSON. Errors: invalid, naming the member and what is expected.
Result<std::string> text_member(const Json& body, const char* name);
Result<std::optional<std::string>> optional_text_member(const Json& body, const char* name);
Result<uint32_t> count_member(const Json& body, const char* name);
Result<bool> flag_member(const Json& body, const char* name);  // False if absent.

// The whole body of a request as a JSON object; empty if there is none. Errors: protocol, invalid,
// limit_exceeded, deadline_exceeded, connection_closed.
runtime::Task<Result<Json>> read_object(http::Exchange& exchange, uint64_t bytes_max);

}  // namespace spillway::admin
