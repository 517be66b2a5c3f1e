// http/upstream_call.h: one request to an upstream and its response, whatever version both speak.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "http/message.h"
#include "runtime/interruption.h"
#include "runtime/task.h"

namespace spillway::http {

// A request's head on its way out. Views must stay until begin() has returned.
struct OutgoingRequest {
  std::string_view method;
  std::string_view path;
  std::string_view query;
  bool has_query = false;
  std::string_view scheme;   // As the client came; HTTP/1 does not say it.
  std::string_view host;     // Instead of the Host among the fields.
  const HeaderList& fields;  // End-to-end ones, and TE.
  std::string_view via;
  BodyFraming framing;
  std::string_view upgrade;  // To what protocol; empty: none is asked for.
};

// Sending and receiving may be under way at once, by one coroutine each. The response's views are
// valid until the call is destroyed or read_head is called again. One core.
class UpstreamCall : public runtime::Interruptible {
 public:
  UpstreamCall(const UpstreamCall&) = delete;
  UpstreamCall& operator=(const UpstreamCall&) = delete;

  // Nothing is sent before the first write, flush or finish. Errors: limit_exceeded,
  // connection_closed.
  virtual Result<void> begin(const OutgoingRequest& request) = 0;
  virtual runtime::Task<Result<void>> write(std::string_view piece, bool last) = 0;
  virtual runtime::Task<Result<void>> flush() = 0;
  virtual runtime::Task<Result<void>> finish(const HeaderList* trailers = nullptr) = 0;
  // An error of sending, as the upstream's, and whether the request may be sent again.
  virtual Error blamed(Error error) const = 0;

  // The next response head, interim ones included. Errors: protocol (502), connection_closed,
  // deadline_exceeded (504), cancelled.
  virtual runtime::Task<Result<void>> read_head(Method method, Deadline deadline) = 0;
  // The head after the interim ones, which are dropped: for questions of our own.
  runtime::Task<Result<void>> read_final_head(Method method, Deadline deadline);
  ResponseHead& response() { return response_; }
  const ResponseHead& response() const { return response_; }

  virtual runtime::Task<Result<std::string_view>> read_body(Deadline deadline) = 0;
  virtual Result<std::string_view> arrived_body() = 0;  // Without waiting.
  virtual bool body_ended() const = 0;
  virtual const HeaderList* trailers() const = 0;  // Null: none.

 protected:
  // `response` is storage lent for the time of the call.
  explicit UpstreamCall(ResponseHead& response) : response_(response) {}
  ~UpstreamCall() = default;

  ResponseHead& response_;
};

}  // namespace spillway::http
