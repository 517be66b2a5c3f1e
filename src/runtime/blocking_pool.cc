// runtime/blocking_pool.cc: the queue, the workers and the hand-over of a result to its loop.
#include "runtime/blocking_pool.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace spillway::runtime {

// Shared by the waiting coroutine and a worker. Whoever comes first decides: the worker hands the
// result over, or the waiter abandons the job, and then the worker touches neither it nor its loop.
class BlockingPool::Job {
 public:
  Job(std::move_only_function<void()> work, Loop& loop, Waiter& waiter)
      : work_(std::move(work)), loop_(loop), waiter_(waiter) {}

  bool is_abandoned() {
    return state_.with([](State& state) { return state == State::abandoned; });
  }
  // False if the result has been handed over already.
  bool abandon() {
    return state_.with([](State& state) {
      if (state == State::done) return false;
      state = State::abandoned;
      return true;
    });
  }
  void run() {
    if (is_abandoned()) return;
    work_();
    const bool is_wanted = state_.with([](State& state) {
      if (state == State::abandoned) return false;
      state = State::done;
      return true;
    });
    // The waiter sees `done` and stays until this mail, so its loop is alive.
    if (is_wanted) loop_.post([&waiter = waiter_] { waiter.resume(); });
  }

 private:
  enum class State : uint8_t { waiting, done, abandoned };

  std::move_only_function<void()> work_;
  Loop& loop_;
  Waiter& waiter_;
  Guarded<State> state_{State::waiting};
};

class BlockingPool::JobWait final : public Waiter, public Timer {
 public:
  JobWait(Loop& loop, Deadline deadline) : loop_(loop), deadline_(deadline) {}
  void set_job(std::shared_ptr<Job> job) { job_ = std::move(job); }
  void set_pool(BlockingPool& pool) { pool_ = &pool; }

  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> handle) {
    suspend(handle);
    if (!pool_->enqueue(job_)) {
      refused_ = true;
      return false;
    }
    if (deadline_ != Deadline::never()) loop_.arm(*this, deadline_.when());
    return true;
  }
  Result<void> await_resume() {
    loop_.disarm(*this);
    if (refused_) {
      return fail(Error::Code::overloaded, "too many file reads and name lookups are waiting");
    }
    if (abandoned_) return fail(Error::Code::deadline_exceeded, "a blocking call took too long");
    return {};
  }

 private:
  void on_timer(Instant) override {
    if (!job_->abandon()) return;  // Its mail is on the way.
    abandoned_ = true;
    loop_.schedule(*this);
  }

  Loop& loop_;
  Deadline deadline_;
  BlockingPool* pool_ = nullptr;
  std::shared_ptr<Job> job_;
  bool refused_ = false;
  bool abandoned_ = false;
};

BlockingPool::BlockingPool(BlockingPoolOptions options)
    : queue_max_(options.queue_max), news_(::eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)) {
  CHECK(news_ >= 0);
  CHECK(options.threads > 0);
  // Signals are for the loops: a worker starts with all of them blocked.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  for (uint32_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { work(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

BlockingPool::~BlockingPool() {
  queue_.with([](Queue& queue) { queue.is_closing = true; });
  const uint64_t each_thread = threads_.size();
  CHECK(::write(news_, &each_thread, sizeof each_thread) == sizeof each_thread);
  for (std::thread& thread : threads_) thread.join();
  ::close(news_);
}

bool BlockingPool::enqueue(std::shared_ptr<Job> job) {
  const bool has_room = queue_.with([&](Queue& queue) {
    if (queue.jobs.size() >= queue_max_) {
      std::erase_if(queue.jobs, [](const auto& waiting) { return waiting->is_abandoned(); });
    }
    if (queue.jobs.size() >= queue_max_) return false;
    queue.jobs.push_back(std::move(job));
    return true;
  });
  if (!has_room) return false;
  const uint64_t one = 1;
  CHECK(::write(news_, &one, sizeof one) == sizeof one);
  return true;
}

std::shared_ptr<BlockingPool::Job> BlockingPool::next_job() {
  while (true) {
    uint64_t one = 0;
    if (::read(news_, &one, sizeof one) < 0) {
      CHECK(errno == EINTR);
      continue;
    }
    bool is_closing = false;
    auto job = queue_.with([&is_closing](Queue& queue) -> std::shared_ptr<Job> {
      is_closing = queue.is_closing;
      if (is_closing || queue.jobs.empty()) return nullptr;
      auto first = std::move(queue.jobs.front());
      queue.jobs.pop_front();
      return first;
    });
    if (job != nullptr || is_closing) return job;
  }
}

void BlockingPool::work() {
  while (auto job = next_job()) job->run();
}

Task<Result<void>> BlockingPool::run_job(Loop& loop, std::move_only_function<void()> work,
                                         Deadline deadline) {
  JobWait wait(loop, deadline);
  wait.set_pool(*this);
  wait.set_job(std::make_shared<Job>(std::move(work), loop, wait));
  co_return co_await wait;
}

}  // namespace spillway::runtime
