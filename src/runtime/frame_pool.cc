// runtime/frame_pool.cc: free lists of frames, by size class, per thread.
#include "runtime/frame_pool.h"

#include <array>
#include <cstdint>
#include <new>
#include <utility>

namespace spillway::runtime {
namespace {

constexpr size_t class_bytes = 128;
constexpr size_t classes = 64;  // Up to 8 KiB; larger frames are rare and go to malloc.
constexpr uint32_t free_per_class_max = 4096;  // About a busy core's frames at 4,000 requests.

struct FreeBlock {
  FreeBlock* next;
};

struct FreeLists {
  std::array<FreeBlock*, classes> head;
  std::array<uint32_t, classes> count;
};

// The thread-locals of the program: promise types cannot be handed an allocator without naming it
// in every coroutine's parameters. Trivial, so that reaching it is one instruction.
thread_local constinit FreeLists free_lists{};

// Gives a thread's free frames back at its end. Touched only when a frame comes from malloc.
struct Cleanup {
  bool is_on = false;
  ~Cleanup() {
    for (FreeBlock*& block : free_lists.head) {
      while (block != nullptr) ::operator delete(std::exchange(block, block->next));
    }
    free_lists.count.fill(free_per_class_max);  // Frames freed after this go to malloc.
  }
};
thread_local Cleanup cleanup;

constexpr size_t class_of(size_t size) { return (size - 1) / class_bytes; }

}  // namespace

void* allocate_frame(size_t size) {
  const size_t index = class_of(size);
  if (index >= classes) return ::operator new(size);
  FreeLists& lists = free_lists;
  if (FreeBlock* block = lists.head[index]) {
    lists.head[index] = block->next;
    --lists.count[index];
    return block;
  }
  cleanup.is_on = true;
  return ::operator new((index + 1) * class_bytes);
}

void free_frame(void* frame, size_t size) noexcept {
  const size_t index = class_of(size);
  FreeLists& lists = free_lists;
  if (index >= classes || lists.count[index] >= free_per_class_max) {
    ::operator delete(frame);
    return;
  }
  auto* block = static_cast<FreeBlock*>(frame);
  block->next = lists.head[index];
  lists.head[index] = block;
  ++lists.count[index];
}

}  // namespace spillway::runtime
