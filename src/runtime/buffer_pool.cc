// runtime/buffer_pool.cc: lending, taking back and trimming buffers.
#include "runtime/buffer_pool.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace spillway::runtime {
namespace {

// Free buffers kept per core: 32 MiB of small ones serve 1,000 requests in flight, 8 MiB of large
// ones 64 bodies. What comes back beyond that goes to the system.
constexpr size_t free_max(BufferSize size) { return size == BufferSize::small ? 2048 : 64; }

}  // namespace

void Buffer::release() {
  if (memory_ == nullptr) return;
  pool_->take_back(std::exchange(memory_, nullptr), size_);
  begin_ = end_ = 0;
}

BufferPool::~BufferPool() {
  CHECK_SOFT(bytes_lent_ == 0);
  for (Shelf& shelf : shelves_) {
    for (char* memory : shelf.free) ::operator delete(memory);
  }
}

Buffer BufferPool::borrow(BufferSize size) {
  Shelf& from = shelf(size);
  bytes_lent_ += bytes_in(size);
  if (from.free.empty()) {
    from.unused_least = 0;
    return Buffer(*this, static_cast<char*>(::operator new(bytes_in(size))), size);
  }
  char* memory = from.free.back();
  from.free.pop_back();
  from.unused_least = std::min(from.unused_least, from.free.size());
  return Buffer(*this, memory, size);
}

void BufferPool::take_back(char* memory, BufferSize size) {
  bytes_lent_ -= bytes_in(size);
  Shelf& to = shelf(size);
  if (to.free.size() >= free_max(size)) {
    ::operator delete(memory);
    return;
  }
  to.free.push_back(memory);
}

void BufferPool::trim() {
  for (Shelf& shelf : shelves_) {
    for (size_t surplus = (shelf.unused_least + 1) / 2; surplus > 0; --surplus) {
      ::operator delete(shelf.free.back());
      shelf.free.pop_back();
    }
    shelf.unused_least = shelf.free.size();
  }
}

uint64_t BufferPool::bytes_kept() const {
  uint64_t total = 0;
  for (size_t i = 0; i < shelves_.size(); ++i) {
    total += shelves_[i].free.size() * bytes_in(static_cast<BufferSize>(i));
  }
  return total;
}

}  // namespace spillway::runtime
