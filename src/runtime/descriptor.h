// runtime/descriptor.h: a file descriptor whose readiness a coroutine can wait for.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/time.h"
#include "runtime/loop.h"

namespace spillway::runtime {

class TlsSession;

// One wait for input or output. Lies in the waiting frame. `attempt` does the work that readiness
// allows and says whether the wait is over, so that a false alarm resumes nobody.
class IoWait : public Waiter {
 public:
  virtual bool attempt(Watch& watch) = 0;
  virtual void give_up(Error::Code code) = 0;
  Instant deadline() const { return deadline_; }
  bool is_newcomers() const { return is_newcomers_; }

 protected:
  explicit IoWait(Deadline deadline, bool is_newcomers = false)
      : deadline_(deadline.when()), is_newcomers_(is_newcomers) {}
  ~IoWait() = default;
  void renew(Deadline deadline) { deadline_ = deadline.when(); }  // Only to a later one.

 private:
  Instant deadline_;
  const bool is_newcomers_;  // Goes on by Loop::schedule_newcomer().
};

// Told when the peer of a descriptor has ended or is gone, while nobody reads from it.
class HangupListener {
 public:
  virtual void on_hangup(bool is_broken) = 0;

 protected:
  ~HangupListener() = default;
};

// What a loop knows of one watched descriptor: at most one reader and one writer wait on it. Its
// single timer serves both; it is moved only to become earlier and otherwise corrects itself when
// it fires, so a busy connection touches the wheel once per timeout, not once per operation.
struct Watch final : Timer {
  Watch(Loop& its_loop, int its_fd);
  ~Watch();

  void on_ready(uint8_t readiness);
  void on_timer(Instant now) override;
  void wait(IoWait*& slot, IoWait& waiting);
  void end(IoWait*& slot);
  void interrupt(IoWait*& slot, Error::Code code);
  // A read would not wait, as far as is known.
  bool has_input() const { return (ready & readable) || (tls != nullptr && has_tls_input()); }

  Loop& loop;
  int fd;
  uint8_t ready = writable;
  bool write_failed = false;  // An end that is read afterwards was no orderly one.
  IoWait* reader = nullptr;
  IoWait* writer = nullptr;
  HangupListener* hangup = nullptr;
  std::unique_ptr<TlsSession> tls;  // Null: bytes go as they are.

 private:
  bool has_tls_input() const;
};

// Owns a descriptor and its watch. Movable while nobody waits on it. One core.
class Descriptor {
 public:
  // Takes over `fd`, which must be non-blocking. Error: overloaded, when the system cannot watch
  // more; the descriptor is closed then.
  static Result<Descriptor> adopt(Loop& loop, int fd);

  Descriptor() = default;
  Descriptor(Descriptor&&) noexcept = default;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }

  explicit operator bool() const { return watch_ != nullptr; }
  int fd() const { return watch_->fd; }
  Loop& loop() const { return watch_->loop; }
  Watch& watch() const { return *watch_; }

  // Waits until a read would not block, without holding a buffer. Errors: deadline_exceeded,
  // cancelled (by interrupt). The end of the stream counts as readable.
  auto wait_readable(Deadline deadline) { return ReadinessWait(*watch_, readable, deadline); }
  // The same where what arrives begins something new: see Loop::schedule_newcomer().
  auto wait_for_newcomer(Deadline deadline) {
    return ReadinessWait(*watch_, readable, deadline, true);
  }
  auto wait_writable(Deadline deadline) { return ReadinessWait(*watch_, writable, deadline); }
  // The reader last found nothing left: wait_readable() waits for news.
  void clear_readable() { watch_->ready &= static_cast<uint8_t>(~readable); }
  void clear_writable() { watch_->ready &= static_cast<uint8_t>(~writable); }
  bool peer_has_ended() const { return watch_->ready & peer_ended; }
  bool is_broken() const { return watch_->ready & broken; }

  // Lets waits that are under way end with `cancelled`; later ones are not affected.
  void interrupt_reader();
  void interrupt_writer();
  void close();
  // Stops watching and gives the descriptor to the caller, open: -1 if there is none.
  int release();

 private:
  class ReadinessWait final : public IoWait {
   public:
    ReadinessWait(Watch& watch, Readiness wanted, Deadline deadline, bool is_newcomers = false)
        : IoWait(deadline, is_newcomers), watch_(watch), wanted_(wanted) {}
    bool await_ready() { return attempt(watch_); }
    void await_suspend(std::coroutine_handle<> handle) {
      suspend(handle);
      watch_.wait(wanted_ == readable ? watch_.reader : watch_.writer, *this);
    }
    Result<void> await_resume();
    bool attempt(Watch& watch) override {
      return wanted_ == readable ? watch.has_input() : (watch.ready & wanted_) != 0;
    }
    void give_up(Error::Code code) override { gave_up_ = code; }

   private:
    Watch& watch_;
    Readiness wanted_;
    std::optional<Error::Code> gave_up_;
  };

  explicit Descriptor(std::unique_ptr<Watch> watch) : watch_(std::move(watch)) {}
  std::unique_ptr<Watch> watch_;
};

}  // namespace spillway::runtime
