// gateway/answer.cc: the filters of an answer, and answers of our own.
#include "gateway/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/ascii.h"
#include "gateway/grpc.h"
#include "gateway/request_context.h"
#include "runtime/folder.h"

namespace spillway::gateway {

using http::BodyFraming;
using http::Field;

runtime::Task<Verdict> Filter::finish_request(RequestContext&) const {
  CHECK(false);  // Only a filter that answers `wait` is asked, and it has its own.
  co_return Verdict::go_on;
}

Result<void> Answer::start(RequestContext& context, AnswerHead head) {
  encoder_ = {};  // Of an answer that could not begin.
  // Which page, or whether one, is chosen by Accept (RFC 9110 section 12.5.5).
  const bool is_chosen = pages_ != nullptr && pages_->has(head.status, !head.is_local);
  if (is_chosen && !head.fields.add(Field::vary, "Accept")) {
    return fail(Error::Code::protocol, "too many header fields", Error::Blame::upstream);
  }
  for (const auto& filter : filters_) {
    if (filter->on_answer(context, head)) continue;
    return fail(Error::Code::protocol, "too many header fields", Error::Blame::upstream);
  }
  return exchange_.start_response(head.status, head.reason, head.fields, head.framing);
}

void Answer::encode(std::string_view piece, http::EncoderFlush flush) {
  encoded_.clear();
  encoder_->encode(piece, flush, encoded_);
  counters_->bytes_in.add(piece.size());
  counters_->bytes_out.add(encoded_.size());
  holds_back_ = flush == http::EncoderFlush::none;
}

runtime::Task<Result<void>> Answer::write_encoded(std::string_view piece, bool last) {
  encode(piece, last ? http::EncoderFlush::end : http::EncoderFlush::none);
  if (last) encoder_ = {};  // For another answer, while a slow client reads this one's end.
  if (encoded_.empty() && !last) co_return Result<void>{};
  co_return co_await exchange_.write(encoded_, last);
}

runtime::Task<Result<void>> Answer::write_file_encoded(const runtime::FileHandle& file,
                                                       uint64_t offset, uint64_t size, bool last) {
  while (size > 0) {
    const size_t wanted = std::min<uint64_t>(size, http::Exchange::file_piece_bytes);
    CO_TRY(piece, runtime::read_part(file, offset, wanted));
    if (piece.size() < wanted) {
      co_return fail(Error::Code::protocol, "the file has become shorter");
    }
    offset += wanted;
    size -= wanted;
    CO_TRY_VOID(co_await write_encoded(piece, last && size == 0));
  }
  co_return Result<void>{};
}

runtime::Task<Result<void>> Answer::flush_encoded() {
  encode({}, http::EncoderFlush::sync);
  if (!encoded_.empty()) CO_TRY_VOID(co_await exchange_.write(encoded_, false));
  co_return co_await exchange_.flush();
}

runtime::Task<Result<void>> Answer::finish_encoded(const http::HeaderList* trailers) {
  encode({}, http::EncoderFlush::end);
  encoder_ = {};
  if (!encoded_.empty()) CO_TRY_VOID(co_await exchange_.write(encoded_, false));
  co_return co_await exchange_.finish(trailers);
}

// A client of gRPC looks for the outcome in trailers, of which there may be nothing before.
runtime::Task<Result<void>> Answer::send_grpc(RequestContext& context, const LocalReply& reply) {
  const std::string code = std::to_string(grpc_code_of(reply.status));
  const std::string message =
      grpc_message(reply.text.empty() ? http::reason_of(reply.status) : reply.text);
  http::HeaderList fields;
  CHECK(fields.add(Field::content_type, "application/grpc"));
  CHECK(fields.add("grpc-status", code));
  CHECK(fields.add("grpc-message", message));
  for (const ReplyField& field : reply.fields) CHECK(fields.add(field.name, field.value));
  CO_TRY_VOID(start(context, {.status = 200,
                              .reason = http::reason_of(200),
                              .fields = fields,
                              .framing = {},
                              .is_local = true}));
  co_return co_await finish();
}

const Page* Answer::page_for(const LocalReply& reply) const {
  if (reply.page != nullptr) return reply.page;
  const bool has_own_body = !reply.content_type.empty();
  if (pages_ == nullptr || reply.status < 400 || has_own_body) return nullptr;
  return pages_->find(reply.status, false, exchange_.request().fields);
}

const Page* Answer::page_instead(const RequestContext& context, uint16_t status) const {
  if (pages_ == nullptr || status < 400 || context.exchange.request().is_grpc()) return nullptr;
  return pages_->find(status, true, context.exchange.request().fields);
}

runtime::Task<Result<void>> Answer::send_page(RequestContext& context, const Page& page,
                                              uint16_t status, std::string_view reason,
                                              http::HeaderList& fields) {
  // What describes the body that is not sent (RFC 9110 sections 8 and 14).
  fields.remove_if([](const http::HeaderField& field) {
    constexpr std::string_view described_prefix = "content-";
    constexpr std::string_view policy_prefix = "content-security-policy";  // Of the whole answer.
    if (equals_ignoring_case(field.name.substr(0, policy_prefix.size()), policy_prefix)) {
      return false;
    }
    constexpr std::array described = {"etag", "last-modified", "accept-ranges", "digest"};
    return equals_ignoring_case(field.name.substr(0, described_prefix.size()), described_prefix) ||
           std::ranges::any_of(
               described, [&](const char* name) { return equals_ignoring_case(field.name, name); });
  });
  const std::string body = page.text(status, context.request_id);
  if (!fields.add(Field::content_type, page.content_type())) {
    co_return fail(Error::Code::protocol, "too many header fields", Error::Blame::upstream);
  }
  CO_TRY_VOID(
      start(context, {.status = status,
                      .reason = reason,
                      .fields = fields,
                      .framing = {.kind = BodyFraming::Kind::length, .length = body.size()}}));
  co_return co_await write(body, true);
}

runtime::Task<Result<void>> Answer::send(RequestContext& context, const LocalReply& reply) {
  if (exchange_.request().is_grpc()) co_return co_await send_grpc(context, reply);
  const std::string_view reason = http::reason_of(reply.status);
  std::string text;
  std::string_view type = reply.content_type;
  if (const Page* page = page_for(reply); page != nullptr) {
    text = page->text(reply.status, context.request_id);
    type = page->content_type();
  } else if (reply.content_type.empty()) {
    text = reply.text.empty() ? fmt::format("{} {}\n", reply.status, reason)
                              : fmt::format("{} {}: {}\n", reply.status, reason, reply.text);
    type = "text/plain";
  }
  const std::string_view body = text.empty() ? reply.body : text;
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
