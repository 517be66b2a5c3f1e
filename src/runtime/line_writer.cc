// runtime/line_writer.cc: the thread that gathers the cores' lines into one writev.
#include "runtime/line_writer.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include "base/check.h"

namespace spillway::runtime {
namespace {

constexpr size_t pieces_max = 64;  // Of one write; IOV_MAX is 1024, and most writes need four.

void add(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

iovec piece_of(std::string_view text) {
  return {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
}

int milliseconds(Duration duration) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<int>(std::clamp<int64_t>(count, 0, 60'000));
}

}  // namespace

Result<std::unique_ptr<LineWriter>> LineWriter::open_file(std::string path, uint32_t cores,
                                                          Limits limits) {
  TRY(output, LineOutput::open_file(path));
  return std::unique_ptr<LineWriter>(
      new LineWriter(std::move(output), std::move(path), cores, limits));
}

Result<std::unique_ptr<LineWriter>> LineWriter::from_descriptor(int fd, uint32_t cores,
                                                                Limits limits) {
  TRY(output, LineOutput::from_descriptor(fd));
  return std::unique_ptr<LineWriter>(new LineWriter(std::move(output), "", cores, limits));
}

LineWriter::LineWriter(LineOutput output, std::string path, uint32_t cores, Limits limits)
    : limits_(limits), path_(std::move(path)), output_(std::move(output)) {
  for (uint32_t i = 0; i <= cores; ++i) {
    rings_.push_back(std::make_unique<LineRing>(limits.buffer_bytes));
  }
  offered_.resize(rings_.size());
  // Without it (no descriptor left) lines still go out at each interval.
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // Signals are for the loops; SIGPIPE of this thread's writes is to stay an error code.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread(&LineWriter::run, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LineWriter::~LineWriter() {
  close();
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

bool LineWriter::append(uint32_t core, std::string_view line) {
  CHECK(core + 1 < rings_.size());
  return append_to(*rings_[core], line);
}

bool LineWriter::append_to(LineRing& ring, std::string_view line) {
  const bool was_half_full = ring.is_half_full();
  if (!ring.push(line)) return false;
  if (!was_half_full && ring.is_half_full()) wake();
  return true;
}

void LineWriter::write_line(std::string_view line) {
  const Locked locked(shared_mutex_);
  append_to(*rings_.back(), line);
}

void LineWriter::reopen() {
  if (path_.empty()) return;
  reopen_wanted_.store(true, std::memory_order_release);
  wake();
}

void LineWriter::wake() {
  const uint64_t one = 1;
  // It fails only if wakes are pending already.
  [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &one, sizeof one);
}

LineWriter::Status LineWriter::close() {
  if (thread_.joinable()) {
    is_stopping_.store(true, std::memory_order_release);
    wake();
    thread_.join();
  }
  return status();
}

LineWriter::Status LineWriter::status() const {
  Status result{.bytes_written = bytes_written_.load(std::memory_order_relaxed),
                .lines_dropped = lines_discarded_.load(std::memory_order_relaxed),
                .write_errors = write_errors_.load(std::memory_order_relaxed),
                .reopen_failures = reopen_failures_.load(std::memory_order_relaxed)};
  for (const auto& ring : rings_) {
    result.lines_dropped += ring->lines_dropped();
    result.bytes_waiting += ring->used();
  }
  return result;
}

void LineWriter::run() {
  while (!is_stopping_.load(std::memory_order_acquire)) {
    const bool reopening = reopen_wanted_.exchange(false, std::memory_order_acquire);
    const bool output_is_full = !write_all();
    if (reopening) reopen_now();
    wait(output_is_full, limits_.interval);
  }
  flush_at_end();
}

// Until something is to be done; a reader that is behind is waited for as well.
void LineWriter::wait(bool output_is_full, Duration timeout) {
  std::array<pollfd, 2> events{{{.fd = wake_fd_, .events = POLLIN, .revents = 0},
                                {.fd = output_.fd(), .events = POLLOUT, .revents = 0}}};
  ::poll(events.data(), output_is_full ? 2 : 1, milliseconds(timeout));
  uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t taken = ::read(wake_fd_, &wakes, sizeof wakes);
}

// Everything that is waiting now. False if the reader is behind.
bool LineWriter::write_all() {
  size_t waiting = status().bytes_waiting;
  while (waiting > 0) {
    const uint64_t before = bytes_written_.load(std::memory_order_relaxed);
    if (!write_some()) return false;
    // What cores add meanwhile waits for the next round: the loop is bounded.
    const uint64_t written = bytes_written_.load(std::memory_order_relaxed) - before;
    waiting -= written == 0 ? waiting : std::min<uint64_t>(waiting, written);
  }
  return true;
}

// One write, beginning with the ring where the last one ended. Failing lines are dropped: to keep
// them would only drop later ones.
bool LineWriter::write_some() {
  std::array<iovec, pieces_max> pieces;
  size_t count = 0;
  if (rest_is_lost_) pieces[count++] = piece_of("\n");
  // What is offered is noted, because cores go on adding while we write.
  std::ranges::fill(offered_, 0);
  for (size_t i = 0; i < rings_.size() && count + 2 <= pieces.size(); ++i) {
    const size_t ring = (next_ring_ + i) % rings_.size();
    for (std::string_view text : rings_[ring]->peek()) {
      if (!text.empty()) pieces[count++] = piece_of(text);
      offered_[ring] += text.size();
    }
  }
  if (count == 0) return true;
  const Result<size_t> taken = output_.write({pieces.data(), count});
  if (!taken) {
    add(write_errors_, 1);
    discard_all();
    return true;
  }
  if (*taken == 0) return false;
  const size_t separator = std::exchange(rest_is_lost_, false) ? 1 : 0;
  advance(*taken - separator);
  return true;
}

// Takes `bytes` off the rings in the order in which they were offered.
void LineWriter::advance(size_t bytes) {
  add(bytes_written_, bytes);
  while (bytes > 0) {
    LineRing& ring = *rings_[next_ring_];
    const size_t popped = std::min(bytes, offered_[next_ring_]);
    if (popped > 0) {
      const auto [first, second] = ring.peek();
      const bool in_first = popped <= first.size();
      line_is_torn_ = (in_first ? first[popped - 1] : second[popped - first.size() - 1]) != '\n';
      ring.pop(popped);
    }
    bytes -= popped;
    if (bytes > 0) next_ring_ = (next_ring_ + 1) % rings_.size();
  }
}

void LineWriter::discard_all() {
  for (const auto& ring : rings_) {
    const auto parts = ring->peek();
    size_t bytes = 0;
    for (std::string_view part : parts) {
      add(lines_discarded_, static_cast<uint64_t>(std::ranges::count(part, '\n')));
      bytes += part.size();
    }
    ring->pop(bytes);
  }
  rest_is_lost_ = rest_is_lost_ || std::exchange(line_is_torn_, false);
}

void LineWriter::reopen_now() {
  if (line_is_torn_) {  // Its end belongs to the same file: in the next round.
    reopen_wanted_.store(true, std::memory_order_release);
    return;
  }
  auto output = LineOutput::open_file(path_);
  if (!output) {
    add(reopen_failures_, 1);
    return;
  }
  output_ = std::move(*output);
}

void LineWriter::flush_at_end() {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + limits_.flush_timeout;
  while (!write_all()) {
    const Duration left = end - Clock::now();
    if (left <= Duration::zero()) break;
    wait(true, left);
  }
  discard_all();
}

}  // namespace spillway::runtime
