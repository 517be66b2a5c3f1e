// cache/fill.cc: chunks that are written once, and read behind the end of what was published.
#include "cache/fill.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace spillway::cache {

using runtime::Task;

uint64_t Fill::State::slowest() const {
  uint64_t position = size;
  auto& list = const_cast<IntrusiveList<Reader>&>(readers);
  for (Reader* reader = list.first(); reader != nullptr; reader = list.next(*reader)) {
    position = std::min(position, reader->position_);
  }
  return position;
}

uint64_t Fill::State::room() const {
  if (keeps_all) return UINT64_MAX;
  const uint64_t waiting = size - slowest();
  return waiting < window_bytes ? window_bytes - waiting : 0;
}

void Fill::State::put(std::string_view piece) {
  while (!piece.empty()) {
    if (chunks.empty() || chunks.back().size == chunk_bytes) chunks.emplace_back();
    Chunk& chunk = chunks.back();
    const size_t count = std::min(piece.size(), chunk_bytes - chunk.size);
    std::memcpy(chunk.bytes.get() + chunk.size, piece.data(), count);
    chunk.size += count;
    size += count;
    piece.remove_prefix(count);
  }
}

void Fill::State::drop_what_was_read() {
  if (keeps_all) return;
  const uint64_t position = slowest();
  while (!chunks.empty() && chunks.front().size == chunk_bytes && first + chunk_bytes <= position) {
    chunks.pop_front();
    first += chunk_bytes;
  }
}

// To the end of the chunk that has it.
std::string_view Fill::State::from(uint64_t position) const {
  CHECK(position >= first);
  if (position == size) return {};
  const uint64_t offset = position - first;
  const Chunk& chunk = chunks[offset / chunk_bytes];
  const size_t within = offset % chunk_bytes;
  return {chunk.bytes.get() + within, chunk.size - within};
}

void Fill::begin(std::shared_ptr<const ObjectHead> head, bool keeps_all) {
  state_.with([&](State& state) {
    CHECK(!state.has_begun && !state.has_ended);
    state.head = std::move(head);
    state.has_begun = true;
    state.keeps_all = keeps_all;
    state.to_readers.tell();
  });
}

Task<Result<void>> Fill::append(runtime::Loop& loop, std::string_view piece, Deadline deadline) {
  while (!piece.empty()) {
    runtime::NewsWait wait(state_, loop, deadline);
    bool is_unread = false;
    const size_t put = state_.with([&](State& state) -> size_t {
      CHECK(state.has_begun && !state.has_ended);
      is_unread = !state.keeps_all && state.readers.empty();
      const size_t count = std::min<uint64_t>(piece.size(), state.room());
      if (is_unread) return 0;
      if (count == 0) {
        state.to_writer.join(wait.place());
        return 0;
      }
      state.put(piece.substr(0, count));
      state.to_readers.tell();
      return count;
    });
    if (is_unread) co_return fail(Error::Code::cancelled, "nobody reads it any more");
    piece.remove_prefix(put);
    if (put == 0) CO_TRY_VOID(co_await wait);
  }
  co_return Result<void>{};
}

void Fill::put(std::string_view piece) {
  state_.with([&](State& state) {
    CHECK(state.has_begun && !state.has_ended && state.keeps_all);
    state.put(piece);
    state.to_readers.tell();
  });
}

void Fill::end(bool is_whole) {
  state_.with([&](State& state) {
    if (std::exchange(state.has_ended, true)) return;
    state.is_whole = is_whole && state.has_begun;
    state.to_readers.tell();
  });
}

void Fill::keep_no_more() {
  state_.with([](State& state) {
    state.keeps_all = false;
    state.drop_what_was_read();
  });
}

std::string Fill::body() const {
  return state_.with([](const State& state) {
    CHECK(state.keeps_all && state.is_whole);
    std::string body;
    body.reserve(state.size);
    for (const Chunk& chunk : state.chunks) body.append(chunk.bytes.get(), chunk.size);
    return body;
  });
}

bool Fill::is_readable_from_the_beginning() const {
  return state_.with(
      [](const State& state) { return state.first == 0 && (!state.has_ended || state.is_whole); });
}

Fill::Reader::Reader(std::shared_ptr<Fill> fill, runtime::Loop& loop)
    : fill_(std::move(fill)), loop_(loop) {
  fill_->state_.with([this](State& state) {
    CHECK(state.first == 0);
    state.readers.push_back(*this);
  });
}

Fill::Reader::~Reader() {
  fill_->state_.with([this](State& state) {
    unlink();
    state.drop_what_was_read();
    state.to_writer.tell();  // It may have been the slowest, or the last.
  });
}

template <class Look>
Task<Result<void>> Fill::Reader::wait_until(Look look, Deadline deadline,
                                            runtime::Interruption* interruption) {
  while (true) {
    if (interruption != nullptr && interruption->is_interrupted()) {
      co_return fail(Error::Code::cancelled, "gave up waiting");
    }
    runtime::NewsWait wait(fill_->state_, loop_, deadline);
    const bool is_there = fill_->state_.with([&](State& state) {
      const bool found = look(state);
      if (!found) state.to_readers.join(wait.place());
      return found;
    });
    if (is_there) co_return Result<void>{};
    const runtime::InterruptionScope scope(interruption, wait);
    CO_TRY_VOID(co_await wait);
  }
}

Task<Result<std::shared_ptr<const ObjectHead>>> Fill::Reader::head(
    Deadline deadline, runtime::Interruption* interruption) {
  const auto is_known = [](const State& state) { return state.has_begun || state.has_ended; };
  CO_TRY_VOID(co_await wait_until(is_known, deadline, interruption));
  co_return fill_->state_.with([](const State& state) -> Result<std::shared_ptr<const ObjectHead>> {
    if (!state.has_begun) return fail(Error::Code::connection_closed, "it was cut short");
    return state.head;
  });
}

// What the last call gave is done with.
std::string_view Fill::Reader::arrived() {
  return fill_->state_.with([this](State& state) {
    position_ += std::exchange(given_, 0);
    state.drop_what_was_read();
    if (!state.keeps_all) state.to_writer.tell();
    const std::string_view bytes = state.from(position_);
    given_ = bytes.size();
    return bytes;
  });
}

Task<Result<std::string_view>> Fill::Reader::next(Deadline deadline,
                                                  runtime::Interruption* interruption) {
  while (true) {
    const std::string_view bytes = arrived();
    if (!bytes.empty()) co_return bytes;
    bool has_ended = false;
    bool is_whole = false;
    const auto is_news = [&](const State& state) {
      has_ended = state.has_ended && state.size == position_;
      is_whole = state.is_whole;
      return has_ended || state.size > position_;
    };
    CO_TRY_VOID(co_await wait_until(is_news, deadline, interruption));
    if (!has_ended) continue;
    if (!is_whole) co_return fail(Error::Code::connection_closed, "it was cut short");
    co_return std::string_view{};
  }
}

}  // namespace spillway::cache
