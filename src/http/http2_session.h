// http/http2_session.h: one HTTP/2 connection, either end of it: frames in, frames out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/intrusive_list.h"
#include "base/time.h"
#include "http/http2_limits.h"
#include "http/http2_stream.h"
#include "runtime/buffer_pool.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/socket.h"
#include "runtime/task.h"

struct nghttp2_rcbuf;
struct nghttp2_session;

namespace spillway::http {

class Http2Fields;

// Codes of RST_STREAM and GOAWAY that we send (RFC 9113 section 7).
enum class Http2Code : uint32_t {
  no_error = 0x0,
  protocol_error = 0x1,
  internal_error = 0x2,
  refused_stream = 0x7,
  cancel = 0x8,
  enhance_your_calm = 0xb,
};

// What a session is told at its beginning.
struct Http2SessionOptions {
  bool is_server = true;
  Http2Limits limits;
  size_t head_bytes_max = 32 << 10;
  Duration write_timeout = 60s;
};

// nghttp2 in memory: it sees bytes and gives bytes; here they meet the socket. What is to be sent
// is gathered while tasks run and leaves in one send at the end of the turn. Nothing of ours is
// buffered while the connection is idle. The owner derives from it, and outlives run(). One core.
class Http2Session {
 public:
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  runtime::Loop& loop() const { return socket_.loop(); }
  Duration write_timeout() const { return options_.write_timeout; }
  // The connection is over, or about to be: no new stream, and nothing more will arrive.
  bool has_ended() const { return has_ended_; }

  // For streams. All may be called at any time, but not from inside the hooks below unless said.
  void wake();  // Something is to be sent.
  void resume(Http2Stream& stream, size_t bytes);
  void consume(int32_t id, size_t bytes);           // Of a stream's window and the connection's.
  void consume_of_connection(size_t bytes);         // Of a stream that is no more.
  void reset(Http2Stream& stream, Http2Code code);  // RST_STREAM; nothing once it is closed.
  // `has_body`: pieces follow; else the stream ends with these fields.
  Result<void> submit_response(Http2Stream& stream, const Http2Fields& fields, bool has_body);
  // Opens the stream. Errors: connection_closed; retry is safe.
  Result<void> submit_request(Http2Stream& stream, const Http2Fields& fields, bool has_body);
  Result<void> submit_interim(Http2Stream& stream, const Http2Fields& fields);
  // Without waiting for it to be on its way.
  void end_stream(Http2Stream& stream);
  // A stream's owner is done with it; it may be closed or not.
  void forget(Http2Stream& stream);

 protected:
  explicit Http2Session(runtime::Socket& socket, const Http2SessionOptions& options);
  ~Http2Session();

  // Reads, until either side ends the connection; then all streams are closed. `received` is what
  // has arrived already.
  runtime::Task<void> run(runtime::Buffer received);
  // GOAWAY with a reason, then the end; streams under way are cut.
  void terminate(Http2Code code);
  // GOAWAY that lets new streams come for a while, and the one that does not (RFC 9113
  // section 6.8).
  void announce_end();
  void refuse_new_streams();
  // Ends at once, without a word.
  void cut();
  // Lets the wait for the peer see another deadline.
  void interrupt_wait() { socket_.interrupt_reader(); }
  nghttp2_session* session() const { return session_.get(); }
  IntrusiveList<Http2Stream>& streams() { return streams_; }

  // What the owner is told. A head's fields come before on_head(), and so do those of trailers;
  // false: the stream was reset, and what ends it is no end.
  virtual Http2Stream* begin(int32_t id) = 0;  // Server: a new request. Null: it is refused.
  virtual void on_field(Http2Stream& stream, nghttp2_rcbuf* name, nghttp2_rcbuf* value) = 0;
  virtual bool on_head(Http2Stream& stream, bool is_last) = 0;
  virtual void on_stream_closed(Http2Stream&) {}  // Of those that no one has forgotten.
  // Something that costs us more than the peer; false: too much of it, and the connection ends.
  virtual bool bear(Http2Burden burden) = 0;
  // A batch of frames was read; tasks may be begun.
  virtual void on_batch() {}
  // Until when to wait for the peer, and what then; false: the connection ends.
  virtual Deadline wait_deadline() = 0;
  virtual bool on_wait_passed() = 0;
  virtual bool is_new_work() const { return false; }  // See Loop::schedule_newcomer().

 private:
  struct Callbacks;
  struct Free {
    void operator()(nghttp2_session* session) const;
  };
  runtime::Task<bool> receive();
  bool digest(std::string_view bytes);
  runtime::Task<void> send_all();
  bool gather();
  runtime::Task<void> linger();
  bool is_over() const;
  void end_streams();

  runtime::Socket& socket_;
  const Http2SessionOptions options_;
  std::unique_ptr<nghttp2_session, Free> session_;
  IntrusiveList<Http2Stream> streams_;
  runtime::Buffer received_;
  runtime::Buffer output_;
  std::string_view rest_;     // Of a frame that did not fit into output_; nghttp2's.
  size_t pending_ = 0;        // Bytes of pieces that wait, for the size of the next output_.
  bool frame_waits_ = false;  // nghttp2 holds one that the last output_ had no room for.
  runtime::Event output_wanted_;
  runtime::Gate sender_;
  size_t reads_in_a_row_ = 0;
  bool has_ended_ = false;
  bool is_cut_ = false;
  bool has_large_input_ = false;  // The last read filled its buffer.
  bool is_terminated_ = false;
};

}  // namespace spillway::http
