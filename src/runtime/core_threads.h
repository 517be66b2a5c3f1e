// runtime/core_threads.h: the threads that run the loops of a process.
#pragma once

#include <thread>
#include <vector>

#include "runtime/loop.h"

namespace spillway::runtime {

// Runs each loop on a thread of its own until it is stopped. The loops outlive this. One thread.
class CoreThreads {
 public:
  CoreThreads() = default;
  CoreThreads(const CoreThreads&) = delete;
  CoreThreads& operator=(const CoreThreads&) = delete;
  ~CoreThreads() { stop(); }

  void start(Loop& loop) {
    loops_.push_back(&loop);
    threads_.emplace_back([&loop] { loop.run(); });
  }
  // Asks every loop to end and waits for it.
  void stop() {
    for (Loop* loop : loops_) loop->stop();
    for (std::thread& thread : threads_) thread.join();
    loops_.clear();
    threads_.clear();
  }

 private:
  std::vector<Loop*> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace spillway::runtime
