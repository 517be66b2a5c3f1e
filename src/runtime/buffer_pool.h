// runtime/buffer_pool.h: buffers that exist only while bytes are in flight.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace spillway::runtime {

enum class BufferSize : uint8_t {
  small,  // 16 KiB: a message head and a small body.
  large,  // 128 KiB: relaying large bodies, fewest system calls per byte.
};
constexpr size_t bytes_in(BufferSize size) {
  return size == BufferSize::small ? size_t{16} << 10 : size_t{128} << 10;
}

class BufferPool;

// A borrowed buffer: `filled()` bytes wait to be used, `space()` is free behind them. Empty until
// borrowed; gives its memory back when destroyed. One core.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  ~Buffer() { release(); }

  explicit operator bool() const { return memory_ != nullptr; }
  size_t capacity() const { return memory_ == nullptr ? 0 : bytes_in(size_); }
  std::string_view filled() const { return {memory_ + begin_, end_ - begin_}; }
  std::span<char> space() { return {memory_ + end_, capacity() - end_}; }
  void add(size_t count) {
    CHECK(count <= capacity() - end_);
    end_ += count;
  }
  void consume(size_t count) {
    CHECK(count <= end_ - begin_);
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Like consume, but bytes keep their place, so that views into what came before stay valid.
  void consume_in_place(size_t count) {
    CHECK(count <= end_ - begin_);
    begin_ += count;
  }
  // Moves the filled bytes to the front. Views into the buffer become invalid.
  void compact() {
    if (begin_ == 0) return;
    std::memmove(memory_, memory_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  void release();  // Back to the pool, with what it held.

 private:
  friend class BufferPool;
  Buffer(BufferPool& pool, char* memory, BufferSize size)
      : pool_(&pool), memory_(memory), size_(size) {}
  void swap(Buffer& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(memory_, other.memory_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(size_, other.size_);
  }

  BufferPool* pool_ = nullptr;
  char* memory_ = nullptr;
  size_t begin_ = 0;
  size_t end_ = 0;
  BufferSize size_ = BufferSize::small;
};

// Owned by a Loop; one core. Keeps a bounded number of free buffers and lets go of those that a
// while of work did not need.
class BufferPool {
 public:
  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  Buffer borrow(BufferSize size);
  // Frees half of what has lain unused since the last call. Called about once a second.
  void trim();
  uint64_t bytes_lent() const { return bytes_lent_; }
  uint64_t bytes_kept() const;

 private:
  friend class Buffer;
  struct Shelf {
    std::vector<char*> free;
    size_t unused_least = 0;  // The fewest free since the last trim.
  };
  Shelf& shelf(BufferSize size) { return shelves_[static_cast<size_t>(size)]; }
  void take_back(char* memory, BufferSize size);

  std::array<Shelf, 2> shelves_;
  uint64_t bytes_lent_ = 0;
};

}  // namespace spillway::runtime
