// http/http2_stream.h: one stream of an HTTP/2 connection: bytes that come, bytes that go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/intrusive_list.h"
#include "base/time.h"
#include "http/message.h"
#include "runtime/buffer_pool.h"
#include "runtime/descriptor.h"
#include "runtime/event.h"
#include "runtime/task.h"

namespace spillway::http {

class Http2Session;

// Received bytes are kept until they are read, and only then may the peer send more (RFC 9113
// section 5.2): what a stream holds is bounded by its window. Bytes to be sent are not kept: the
// writer waits until they are on their way. One reader and one writer at a time. Pooled; one core.
class Http2Stream : public ListLink {
 public:
  void open(Http2Session& session, int32_t id);
  // Before it goes back to its pool.
  void clear();
  int32_t id() const { return id_; }

  // The next piece, valid until the next call; empty at the end. Errors: connection_closed (reset,
  // or the connection ended), deadline_exceeded, cancelled.
  runtime::Task<Result<std::string_view>> read(Deadline deadline);
  // The same without waiting: empty if nothing has arrived. The piece before stays valid.
  Result<std::string_view> read_arrived();
  bool receive_ended() const { return is_read_out() && has_received_end_; }
  // The last piece was all there is, and stays as long as the stream.
  bool is_in_place() const { return is_in_place_; }
  uint64_t bytes_received() const { return bytes_received_; }
  size_t unread() const;  // Of what counts against the connection's window.
  void interrupt_reader();
  // Waits until something has come, or the stream is closed. Errors: deadline_exceeded, cancelled.
  runtime::Task<Result<void>> wait_news(Deadline deadline);
  void wake_reader() { news_->set(); }

  // Waits until `piece` is on its way, at most `stall_max` between two parts of it. `last`: ends
  // the stream, with `trailers` if there are any. Errors: as above.
  runtime::Task<Result<void>> write(std::string_view piece, bool last, Duration stall_max,
                                    const HeaderList* trailers = nullptr);
  void end() { ends_ = true; }  // After the last write(); see Http2Session::end_stream().
  bool send_ended() const { return has_sent_end_; }
  uint64_t bytes_sent() const { return bytes_sent_; }
  void interrupt_writer();

  // The stream is over for the connection, in order or not.
  bool is_closed() const { return is_closed_; }
  // ... before both sides had said all.
  bool is_broken() const { return is_closed_ && !(has_received_end_ && has_sent_end_); }
  uint32_t close_code() const { return close_code_; }
  void set_hangup_listener(runtime::HangupListener* listener) { hangup_ = listener; }
  void hang_up() {
    if (hangup_ != nullptr) hangup_->on_hangup(true);
  }

  // For the session.
  void on_data(std::string_view bytes);
  void on_end();
  void on_closed(uint32_t code);
  struct Piece {
    size_t size = 0;
    bool waits = false;  // Nothing to be sent now.
    bool ends = false;   // With it, or with `trailers`.
    const HeaderList* trailers = nullptr;
  };
  Piece peek(size_t size_max) const;
  std::string_view take(size_t size);  // What was peeked at; its bytes are copied at once.
  void on_end_taken();                 // Or the end of a stream without body.

 private:
  bool is_read_out() const { return arrived_.empty(); }
  bool is_sent() const { return piece_.empty() && (!ends_ || has_sent_end_); }
  void give_back();

  Http2Session* session_ = nullptr;
  int32_t id_ = 0;
  runtime::HangupListener* hangup_ = nullptr;
  std::optional<runtime::Event> news_;   // For the reader.
  std::optional<runtime::Event> taken_;  // For the writer.

  std::deque<runtime::Buffer> arrived_;  // None is empty.
  runtime::Buffer given_;                // What was given out last.
  runtime::Buffer given_before_;
  size_t given_size_ = 0;
  uint64_t bytes_received_ = 0;
  bool has_received_end_ = false;
  bool is_in_place_ = false;
  bool is_reading_ = false;
  bool is_reader_interrupted_ = false;

  std::string_view piece_;
  const HeaderList* trailers_ = nullptr;
  uint64_t bytes_sent_ = 0;
  bool ends_ = false;
  bool has_sent_end_ = false;
  bool is_writing_ = false;
  bool is_writer_interrupted_ = false;

  bool is_closed_ = false;
  uint32_t close_code_ = 0;
};

}  // namespace spillway::http
