// gateway/answer.h: an answer on its way to the client, through the filters that change it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "gateway/filter.h"
#include "gateway/pages.h"
#include "http/content_encoder.h"
#include "http/exchange.h"
#include "runtime/task.h"
#include "telemetry/metric.h"

namespace spillway::gateway {

// One core's series of one coding.
struct EncodingCounters {
  telemetry::Counter answers;
  telemetry::Counter bytes_in;
  telemetry::Counter bytes_out;
};

// Every answer is begun and written here, whoever made it: an upstream, a file, or ourselves. Lies
// in the request's context; one core.
class Answer {
 public:
  explicit Answer(http::Exchange& exchange) : exchange_(exchange) {}
  // From now on; the plan's, which outlives the request.
  void pass_through(std::span<const std::unique_ptr<AnswerFilter>> filters) { filters_ = filters; }
  // What people see of errors; the plan's. Null: a line of text.
  void show_errors_by(const Pages* pages) { pages_ = pages; }

  // Begins an answer. `fields` holds no hop-by-hop fields; filters may add to it. Nothing is sent
  // before the first write, flush or finish. Error: protocol, there is no room for more fields.
  Result<void> start(RequestContext& context, AnswerHead head);
  // From a filter: the body goes through `encoder`. What a stream has given is let out at each
  // flush. `counters` outlive the answer.
  void encode_with(http::EncoderPool::Lease encoder, EncodingCounters& counters, bool is_stream) {
    encoder_ = std::move(encoder);
    counters_ = &counters;
    is_stream_ = is_stream;
  }

  // As Exchange's.
  runtime::Task<Result<void>> write(std::string_view piece, bool last) {
    if (encoder_) return write_encoded(piece, last);
    return exchange_.write(piece, last);
  }
  runtime::Task<Result<void>> write_file(const runtime::FileHandle& file, uint64_t offset,
                                         uint64_t size, bool last) {
    if (encoder_) return write_file_encoded(file, offset, size, last);
    return exchange_.write_file(file, offset, size, last);
  }
  runtime::Task<Result<void>> flush() {
    if (encoder_ && is_stream_ && holds_back_) return flush_encoded();
    return exchange_.flush();
  }
  runtime::Task<Result<void>> finish(const http::HeaderList* trailers = nullptr) {
    if (encoder_) return finish_encoded(trailers);
    return exchange_.finish(trailers);
  }

  // The page that is shown instead of a service's body; null: none.
  const Page* page_instead(const RequestContext& context, uint16_t status) const;
  // That page with the service's other fields, which it takes over.
  runtime::Task<Result<void>> send_page(RequestContext& context, const Page& page, uint16_t status,
                                        std::string_view reason, http::HeaderList& fields);
  // A whole answer of our own; to a gRPC call, 200 with the grpc-status that says the same.
  runtime::Task<Result<void>> send(RequestContext& context, const LocalReply& reply);

 private:
  const Page* page_for(const LocalReply& reply) const;
  runtime::Task<Result<void>> send_grpc(RequestContext& context, const LocalReply& reply);
  void encode(std::string_view piece, http::EncoderFlush flush);
  runtime::Task<Result<void>> write_encoded(std::string_view piece, bool last);
  runtime::Task<Result<void>> write_file_encoded(const runtime::FileHandle& file, uint64_t offset,
                                                 uint64_t size, bool last);
  runtime::Task<Result<void>> flush_encoded();
  runtime::Task<Result<void>> finish_encoded(const http::HeaderList* trailers);

  http::Exchange& exchange_;
  std::span<const std::unique_ptr<AnswerFilter>> filters_;
  const Pages* pages_ = nullptr;
  http::EncoderPool::Lease encoder_;  // Empty: the body goes as it is.
  EncodingCounters* counters_ = nullptr;
  std::string encoded_;  // The last piece, being written.
  bool is_stream_ = false;
  bool holds_back_ = false;  // The encoder may hold what was written.
};

}  // namespace spillway::gateway
