// cache/fill.h: an object on its way in, which any number read while it comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/intrusive_list.h"
#include "base/mutex.h"
#include "base/time.h"
#include "cache/stored_object.h"
#include "runtime/interruption.h"
#include "runtime/loop.h"
#include "runtime/news.h"
#include "runtime/task.h"

namespace spillway::cache {

// Written on one core, read on any; each holds it by a shared_ptr. One that keeps all can be read
// from the beginning until it ends; of another only a window is here at a time, and its writer
// waits for the slowest reader.
class Fill {
 public:
  static constexpr size_t chunk_bytes = 16 << 10;
  static constexpr uint64_t window_bytes = 256 << 10;

  class Reader;

  Fill() = default;
  Fill(const Fill&) = delete;
  Fill& operator=(const Fill&) = delete;

  // Once, and before any piece.
  void begin(std::shared_ptr<const ObjectHead> head, bool keeps_all);
  // Errors: cancelled, there is no reader any more, and not all is kept; deadline_exceeded.
  runtime::Task<Result<void>> append(runtime::Loop& loop, std::string_view piece,
                                     Deadline deadline);
  // The same at once. REQUIRES: it keeps all.
  void put(std::string_view piece);
  // No more comes. It is whole, or was cut short, perhaps before its head. Only the first counts.
  void end(bool is_whole);
  // It has become too large to keep: from now on a window of it is.
  void keep_no_more();
  // All of one that kept all and is whole.
  std::string body() const;
  // Whether a reader that begins now sees all of it.
  bool is_readable_from_the_beginning() const;

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes = std::make_unique_for_overwrite<char[]>(chunk_bytes);
    size_t size = 0;
  };
  struct State {
    uint64_t slowest() const;
    uint64_t room() const;
    void put(std::string_view piece);
    void drop_what_was_read();
    std::string_view from(uint64_t position) const;

    std::shared_ptr<const ObjectHead> head;
    bool has_begun = false;
    bool has_ended = false;
    bool is_whole = false;
    bool keeps_all = true;
    std::deque<Chunk> chunks;  // All but the last are full.
    uint64_t first = 0;        // Where the first chunk begins.
    uint64_t size = 0;
    IntrusiveList<Reader> readers;
    runtime::News to_readers;
    runtime::News to_writer;
  };

  mutable Guarded<State> state_;
};

// One who reads a fill from its beginning, on one core.
class Fill::Reader : public ListLink {
 public:
  // REQUIRES: it is readable from the beginning.
  Reader(std::shared_ptr<Fill> fill, runtime::Loop& loop);
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader();

  // Errors: connection_closed, it was cut short before its head; deadline_exceeded; cancelled, by
  // `interruption`, which may be null.
  runtime::Task<Result<std::shared_ptr<const ObjectHead>>> head(
      Deadline deadline, runtime::Interruption* interruption);
  // The next bytes, valid until the next call; empty at its end. Errors as those of head().
  runtime::Task<Result<std::string_view>> next(Deadline deadline,
                                               runtime::Interruption* interruption);
  // The same without waiting; empty: nothing has come, or it has ended.
  std::string_view arrived();

 private:
  friend class Fill;
  template <class Look>
  runtime::Task<Result<void>> wait_until(Look look, Deadline deadline,
                                         runtime::Interruption* interruption);

  const std::shared_ptr<Fill> fill_;
  runtime::Loop& loop_;
  uint64_t position_ = 0;  // Guarded by the fill's lock: its writer looks at it.
  uint64_t given_ = 0;     // Of the last call, which its caller may still look at.
};

}  // namespace spillway::cache
