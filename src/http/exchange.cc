// http/exchange.cc: answers of our own.
#include "http/exchange.h"

namespace spillway::http {

runtime::Task<Result<void>> Exchange::respond(uint16_t status, std::string_view content_type,
                                              std::string_view body, const HeaderList* extra) {
  HeaderList fields;
  if (extra != nullptr) fields = *extra;
  if (!body.empty()) CHECK(fields.add(Field::content_type, content_type));
  CO_TRY_VOID(start_response(status, reason_of(status), fields,
                             {.kind = BodyFraming::Kind::length, .length = body.size()}));
  co_return co_await write(body, true);
}

}  // namespace spillway::http
