// base/mutex.h: the lock for the few things that cores share, checked by clang.
#pragma once

#include <mutex>
#include <utility>

namespace spillway {

// std::mutex with clang's thread-safety annotations (clang.llvm.org, Thread Safety Analysis). Held
// for tens of nanoseconds, never across an await or a system call. Any thread.
class __attribute__((capability("mutex"))) Mutex {
 public:
  void lock() __attribute__((acquire_capability())) { mutex_.lock(); }
  void unlock() __attribute__((release_capability())) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class __attribute__((scoped_lockable)) Locked {
 public:
  explicit Locked(Mutex& mutex) __attribute__((acquire_capability(mutex))) : mutex_(mutex) {
    mutex_.lock();
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() __attribute__((release_capability())) { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

// A value that all cores share, reachable only with its lock held. The function given to `with`
// must be short and must not wait.
template <class T>
class Guarded {
 public:
  template <class... Args>
  explicit Guarded(Args&&... args) : value_(std::forward<Args>(args)...) {}

  template <class Function>
  decltype(auto) with(Function&& function) {
    const Locked locked(mutex_);
    return std::forward<Function>(function)(value_);
  }

 private:
  Mutex mutex_;
  T value_ __attribute__((guarded_by(mutex_)));
};

}  // namespace spillway
