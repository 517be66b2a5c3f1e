// gateway/answer.cc: the filters of an answer, and answers of our own.
#include "gateway/answer.h"

#include <fmt/format.h>

#include "gateway/request_context.h"

namespace spillway::gateway {

using http::BodyFraming;
using http::Field;

runtime::Task<Verdict> Filter::finish_request(RequestContext&) const {
  CHECK(false);  // Only a filter that answers `wait` is asked, and it has its own.
  co_return Verdict::go_on;
}

Result<void> Answer::start(RequestContext& context, AnswerHead head) {
  for (const auto& filter : filters_) {
    if (filter->on_answer(context, head)) continue;
    return fail(Error::Code::protocol, "too many header fields", Error::Blame::upstream);
  }
  return exchange_.start_response(head.status, head.reason, head.fields, head.framing);
}

runtime::Task<Result<void>> Answer::send(RequestContext& context, const LocalReply& reply) {
  const std::string_view reason = http::reason_of(reply.status);
  std::string text;
  if (reply.content_type.empty()) {
    text = reply.text.empty() ? fmt::format("{} {}\n", reply.status, reason)
                              : fmt::format("{} {}: {}\n", reply.status, reason, reply.text);
  }
  const std::string_view body = reply.content_type.empty() ? text : reply.body;
  const std::string_view type = reply.content_type.empty() ? "text/plain" : reply.content_type;
  http::HeaderList fields;
  if (reply.status != 204) CHECK(fields.add(Field::content_type, type));
  for (const ReplyField& field : reply.fields) CHECK(fields.add(field.name, field.value));
  CO_TRY_VOID(start(context, {.status = reply.status,
                              .reason = reason,
                              .fields = fields,
                              .framing = {.kind = BodyFraming::Kind::length, .length = body.size()},
                              .is_local = true}));
  co_return co_await write(body, true);
}

}  // namespace spillway::gateway
