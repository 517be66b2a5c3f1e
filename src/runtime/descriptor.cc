// runtime/descriptor.cc: waits on one descriptor, their deadline and their end.
#include "runtime/descriptor.h"

#include <algorithm>

#include "base/mutation.h"
#include "runtime/tls_session.h"

namespace spillway::runtime {

Watch::Watch(Loop& its_loop, int its_fd) : loop(its_loop), fd(its_fd) {}
Watch::~Watch() = default;

bool Watch::has_tls_input() const { return tls->has_input(); }

void Watch::on_ready(uint8_t readiness) {
  if (fd < 0) return;  // Closed in this turn, before its event's turn came.
  ready |= readiness;
  if (hangup != nullptr && (readiness & (peer_ended | broken))) {
    hangup->on_hangup(readiness & broken);
  }
  if (reader != nullptr && (ready & readable) && reader->attempt(*this)) end(reader);
  // The reader, resumed, may have closed us; then there is no writer left.
  if (writer != nullptr && (ready & writable) && writer->attempt(*this)) end(writer);
  // What nobody's write is: the end of a handshake, an answer to a key update.
  if (tls != nullptr && fd >= 0 && writer == nullptr && (ready & writable)) (void)tls->flush(*this);
}

void Watch::end(IoWait*& slot) {
  IoWait* waiting = std::exchange(slot, nullptr);
  waiting->is_newcomers() ? loop.schedule_newcomer(*waiting) : waiting->resume();
}

void Watch::interrupt(IoWait*& slot, Error::Code code) {
  if (slot == nullptr) return;
  IoWait* waiting = std::exchange(slot, nullptr);
  waiting->give_up(code);
  loop.schedule(*waiting);
}

void Watch::wait(IoWait*& slot, IoWait& waiting) {
  CHECK(slot == nullptr);
  slot = &waiting;
  const Instant deadline = waiting.deadline();
  if (deadline != Instant::max() && (!is_armed() || deadline < when())) loop.arm(*this, deadline);
}

void Watch::on_timer(Instant now) {
  Instant next = Instant::max();
  for (IoWait** slot : {&reader, &writer}) {
    if (*slot == nullptr) continue;
    if ((*slot)->deadline() <= now) {
      interrupt(*slot, Error::Code::deadline_exceeded);
    } else {
      next = std::min(next, (*slot)->deadline());
    }
  }
  if (mutated(Mutation::forgets_to_rearm_timer)) return;
  if (next != Instant::max()) loop.arm(*this, next);
}

Result<Descriptor> Descriptor::adopt(Loop& loop, int fd) {
  auto watch = std::make_unique<Watch>(loop, fd);
  if (const int error = loop.driver().watch(*watch); error < 0) {
    loop.driver().close(fd);
    return fail(system_error(-error, "watch a descriptor"));
  }
  return Descriptor(std::move(watch));
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    watch_ = std::move(other.watch_);
  }
  return *this;
}

void Descriptor::interrupt_reader() { watch_->interrupt(watch_->reader, Error::Code::cancelled); }
void Descriptor::interrupt_writer() { watch_->interrupt(watch_->writer, Error::Code::cancelled); }

int Descriptor::release() {
  if (watch_ == nullptr) return -1;
  interrupt_reader();
  interrupt_writer();
  Loop& loop = watch_->loop;
  loop.disarm(*watch_);
  loop.driver().unwatch(*watch_);
  const int fd = std::exchange(watch_->fd, -1);
  loop.retire(std::move(watch_));
  return fd;
}

void Descriptor::close() {
  if (watch_ == nullptr) return;
  if (watch_->tls != nullptr) watch_->tls->end(*watch_);
  Driver& driver = watch_->loop.driver();
  driver.close(release());
}

Result<void> Descriptor::ReadinessWait::await_resume() {
  if (!gave_up_) return {};
  return fail(*gave_up_, *gave_up_ == Error::Code::cancelled ? "the wait was interrupted"
                                                             : "nothing arrived in time");
}

}  // namespace spillway::runtime
