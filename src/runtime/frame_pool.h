// runtime/frame_pool.h: memory for coroutine frames, recycled per thread by size.
#pragma once

#include <cstddef>

namespace spillway::runtime {

// Frames come and go several times a request; malloc would be a tenth of its cost. Each thread
// keeps bounded lists of free blocks by size; a block may be freed on another thread.
void* allocate_frame(size_t size);
void free_frame(void* frame, size_t size) noexcept;

}  // namespace spillway::runtime
