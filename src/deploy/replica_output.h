// deploy/replica_output.h: the lines that a replica writes, read from its pipe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "deploy/orchestrator.h"
#include "runtime/descriptor.h"
#include "runtime/task.h"

namespace spillway::deploy {

// Cuts a stream of bytes into lines. Pure.
class LineSplitter {
 public:
  static constexpr size_t line_bytes_max = size_t{16} << 10;  // Longer ones come in pieces.

  // Calls `take` with each line that is complete, without its "\n" or "\r\n".
  template <class Take>
  void add(std::string_view bytes, Take&& take) {
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      const bool is_whole = end != std::string_view::npos;
      const size_t room = line_bytes_max - partial_.size();
      const size_t count = std::min(is_whole ? end : bytes.size(), room);
      partial_.append(bytes.substr(0, count));
      bytes.remove_prefix(count);
      if (is_whole && count == end) bytes.remove_prefix(1);
      if ((is_whole && count == end) || partial_.size() == line_bytes_max) flush(take);
    }
  }
  // What came after the last end of line, if anything.
  template <class Take>
  void finish(Take&& take) {
    if (!partial_.empty()) flush(take);
  }

 private:
  template <class Take>
  void flush(Take&& take) {
    if (partial_.ends_with('\r')) partial_.pop_back();
    take(std::string_view(partial_));
    partial_.clear();
  }
  std::string partial_;
};

// Reads one pipe until its end or stop(). One core.
class ReplicaOutput {
 public:
  ReplicaOutput(runtime::Descriptor pipe, std::string name, bool is_error,
                EndpointObserver& observer)
      : pipe_(std::move(pipe)), name_(std::move(name)), is_error_(is_error), observer_(observer) {}

  runtime::Task<void> read();
  // Whatever is in the pipe stays there, for the server that comes after us.
  void stop() {
    is_stopped_ = true;
    pipe_.interrupt_reader();
  }

 private:
  bool read_once();  // False at the end.

  runtime::Descriptor pipe_;
  const std::string name_;
  const bool is_error_;
  EndpointObserver& observer_;
  LineSplitter lines_;
  size_t bytes_in_turn_ = 0;
  bool is_stopped_ = false;
};

}  // namespace spillway::deploy
