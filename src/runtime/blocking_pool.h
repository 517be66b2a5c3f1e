// runtime/blocking_pool.h: a few threads for calls that cannot be awaited: files and getaddrinfo.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "base/time.h"
#include "runtime/loop.h"
#include "runtime/task.h"

namespace spillway::runtime {

struct BlockingPoolOptions {
  uint32_t threads = 4;        // Each may hang in a name lookup; four bear a slow name server.
  uint32_t queue_max = 1'024;  // Beyond it work is refused with `overloaded`.
};

// Shared by all loops of a process. Any thread. Its destructor waits for the calls under way, and
// nothing may await it by then.
class BlockingPool {
 public:
  explicit BlockingPool(BlockingPoolOptions options = {});
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;
  ~BlockingPool();

  // Runs `work` on a thread and resumes on `loop` with what it returned. At the deadline the caller
  // goes on without it: work that has begun runs to its end, its result is thrown away there, and
  // work that has not begun never runs. So `work` owns all it uses. Errors: overloaded,
  // deadline_exceeded.
  template <class T>
  Task<Result<T>> run(Loop& loop, std::move_only_function<T()> work, Deadline deadline) {
    // Written by the worker, then read here: the job's lock lies between.
    auto result = std::make_shared<std::optional<T>>();
    CO_TRY_VOID(co_await run_job(
        loop, [result, call = std::move(work)]() mutable { result->emplace(call()); }, deadline));
    co_return std::move(**result);
  }

 private:
  class Job;
  class JobWait;
  struct Queue {
    std::deque<std::shared_ptr<Job>> jobs;
    bool is_closing = false;
  };

  Task<Result<void>> run_job(Loop& loop, std::move_only_function<void()> work, Deadline deadline);
  bool enqueue(std::shared_ptr<Job> job);
  std::shared_ptr<Job> next_job();  // Blocks; null when closing.
  void work();

  const uint32_t queue_max_;
  Guarded<Queue> queue_;
  const int news_;  // An eventfd that counts the queue's jobs, so that idle workers sleep.
  std::vector<std::thread> threads_;
};

}  // namespace spillway::runtime
