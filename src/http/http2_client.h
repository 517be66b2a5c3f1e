// http/http2_client.h: a connection to an upstream that speaks HTTP/2, and calls over it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/intrusive_list.h"
#include "http/head_scanner.h"
#include "http/http2_head.h"
#include "http/http2_session.h"
#include "http/http2_stream.h"
#include "http/upstream_call.h"
#include "runtime/event.h"
#include "runtime/object_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"
#include "runtime/users.h"

namespace spillway::http {

// A response as it comes on a stream. Pooled; one core.
struct Http2Response final : Http2Stream {
  void clear();
  void add(nghttp2_rcbuf* name, nghttp2_rcbuf* value, const HeadLimits& limits);
  void add_trailer(nghttp2_rcbuf* name, nghttp2_rcbuf* value);
  // After the last field of a head or of trailers. False: these trailers are too large.
  bool complete(bool is_last);

  ResponseHead forming;
  std::vector<ResponseHead> interim;  // Complete, and not read yet.
  Http2Bytes bytes;
  Http2HeadSize size;
  std::unique_ptr<HeaderList> trailers;
  std::string_view trouble;  // Why it is no response; a literal.
  bool has_final_head = false;
  bool is_whole = false;  // The final head was all.
  bool has_large_trailers = false;
};

struct Http2ClientOptions {
  HeadLimits head;
  Duration write_timeout = 60s;
  Duration keepalive = 4s;  // How long it stays without a call.
};

// Lives in the frame of the task that runs it, until its last call has ended. One core.
class Http2Client final : public Http2Session, public ListLink {
 public:
  Http2Client(runtime::Socket& socket, const Http2ClientOptions& options);

  // Until either side ends the connection; then until the last call is gone.
  runtime::Task<void> run();
  void close();  // Calls under way are cut.

  // Another call may begin.
  bool has_room() const;
  void add_call() { calls_.add(); }
  void remove_call();
  // Told when there may be room again.
  void set_listener(runtime::Event* room) { room_ = room; }

  const HeadLimits& head_limits() const { return options_.head; }

 private:
  Http2Stream* begin(int32_t) override { return nullptr; }  // No server push.
  void on_field(Http2Stream& stream, nghttp2_rcbuf* name, nghttp2_rcbuf* value) override;
  bool on_head(Http2Stream& stream, bool is_last) override;
  bool bear(Http2Burden) override { return true; }  // It is the plan's own upstream.
  Deadline wait_deadline() override;
  bool on_wait_passed() override;

  const Http2ClientOptions options_;
  Instant idle_since_;
  runtime::Users calls_;
  runtime::Event* room_ = nullptr;
};

// A call on a stream of its own. Destroyed before its end, it resets the stream.
class Http2Call final : public UpstreamCall {
 public:
  using Stream = runtime::ObjectPool<Http2Response>::Lent;

  Http2Call(Http2Client& client, Stream stream, ResponseHead& response, Duration stall_max);
  ~Http2Call();

  Result<void> begin(const OutgoingRequest& request) override;
  runtime::Task<Result<void>> write(std::string_view piece, bool last) override;
  runtime::Task<Result<void>> flush() override;
  runtime::Task<Result<void>> finish(const HeaderList* trailers = nullptr) override;
  Error blamed(Error error) const override;

  runtime::Task<Result<void>> read_head(Method method, Deadline deadline) override;
  runtime::Task<Result<std::string_view>> read_body(Deadline deadline) override;
  Result<std::string_view> arrived_body() override;
  bool body_ended() const override { return stream_->receive_ended(); }
  const HeaderList* trailers() const override {
    const auto& trailers = stream_->trailers;
    return trailers == nullptr || trailers->empty() ? nullptr : trailers.get();
  }
  void interrupt() override;

 private:
  void take_head(const ResponseHead& head);

  Http2Client& client_;
  Stream stream_;
  const Duration stall_max_;
  uint64_t left_ = 0;  // Of a request with Content-Length.
  bool has_length_ = false;
};

}  // namespace spillway::http
