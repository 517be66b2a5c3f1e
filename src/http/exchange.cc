// http/exchange.cc: answers of our own.
#include "http/exchange.h"

#include <algorithm>

#include "runtime/folder.h"

namespace spillway::http {

// Calls of gRPC may have nothing to say for as long as they like.
Deadline Exchange::body_deadline() {
  const Instant now = loop_.now();
  Duration left = limits_.body_timeout;
  is_body_too_slow_ = false;
  if (limits_.body_rate_min > 0) {
    const double seconds =
        static_cast<double>(body_bytes_received()) / static_cast<double>(limits_.body_rate_min);
    const auto earned = std::chrono::duration<double>(std::min(seconds, 1e9));
    const Duration slack = std::chrono::duration_cast<Duration>(earned) - waited_for_body_;
    is_body_too_slow_ = slack < Duration::zero() && !request_.is_grpc();
    if (is_body_too_slow_) left += slack;
  }
  return Deadline::after(now, left);
}

void Exchange::end_wait(Instant began, Result<std::string_view>& piece) {
  waited_for_body_ += loop_.now() - began;
  if (piece || piece.error().code != Error::Code::deadline_exceeded) return;
  piece.error().detail = is_body_too_slow_
                             ? "the request body comes slower than connections.body_rate"
                             : "no more of the request body within connections.body_timeout";
}

runtime::Task<Result<void>> Exchange::write_file(const runtime::FileHandle& file, uint64_t offset,
                                                 uint64_t size, bool last) {
  while (size > 0) {
    const size_t wanted = std::min<uint64_t>(size, file_piece_bytes);
    CO_TRY(piece, runtime::read_part(file, offset, wanted));
    if (piece.size() < wanted) {
      co_return fail(Error::Code::protocol, "the file has become shorter");
    }
    offset += wanted;
    size -= wanted;
    CO_TRY_VOID(co_await write(piece, last && size == 0));
  }
  co_return Result<void>{};
}

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
