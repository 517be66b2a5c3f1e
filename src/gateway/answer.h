// gateway/answer.h: an answer on its way to the client, through the filters that change it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"
#include "gateway/filter.h"
#include "http/exchange.h"
#include "runtime/task.h"

namespace spillway::gateway {

// Every answer is begun and written here, whoever made it: an upstream, a file, or ourselves. Lies
// in the request's context; one core.
class Answer {
 public:
  explicit Answer(http::Exchange& exchange) : exchange_(exchange) {}
  // From now on; the plan's, which outlives the request.
  void pass_through(std::span<const std::unique_ptr<AnswerFilter>> filters) { filters_ = filters; }

  // Begins an answer. `fields` holds no hop-by-hop fields; filters may add to it. Nothing is sent
  // before the first write, flush or finish. Error: protocol, there is no room for more fields.
  Result<void> start(RequestContext& context, AnswerHead head);
  // As Exchange's.
  runtime::Task<Result<void>> write(std::string_view piece, bool last) {
    return exchange_.write(piece, last);
  }
  runtime::Task<Result<void>> flush() { return exchange_.flush(); }
  runtime::Task<Result<void>> finish(const http::HeaderList* trailers = nullptr) {
    return exchange_.finish(trailers);
  }

  // A whole answer of our own; to a gRPC call, 200 with the grpc-status that says the same.
  runtime::Task<Result<void>> send(RequestContext& context, const LocalReply& reply);

 private:
  runtime::Task<Result<void>> send_grpc(RequestContext& context, const LocalReply& reply);

  http::Exchange& exchange_;
  std::span<const std::unique_ptr<AnswerFilter>> filters_;
};

}  // namespace spillway::gateway
