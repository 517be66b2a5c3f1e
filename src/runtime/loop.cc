// runtime/loop.cc: the turn: wait, readiness, timers, mail, what became ready.
#include "runtime/loop.h"

#include <algorithm>
#include <utility>

#include "runtime/descriptor.h"

namespace spillway::runtime {
namespace {

constexpr Duration trim_every = 1s;
// Measured with 1,000 clients that each wait for their answer.
constexpr int newcomers_per_turn = 32;

}  // namespace

Loop::Loop(std::unique_ptr<Driver> driver, uint32_t core, uint64_t seed)
    : driver_(std::move(driver)),
      core_(core),
      now_(driver_->now()),
      random_(seed),
      timers_(now_),
      trim_at_(now_ + trim_every) {}

Loop::~Loop() = default;

void Loop::run() {
  while (run_once(Instant::max())) {
  }
}

Instant Loop::wait_until(Instant until) const {
  const bool has_work = !ready_.empty() || !newcomers_.empty();
  if (has_work || mail_waiting_.load(std::memory_order_acquire)) return now_;
  return std::min(until, timers_.next());
}

bool Loop::run_once(Instant until) {
  ++turns_;
  driver_->wait(wait_until(until), *this);
  timers_.advance(now_);
  run_mail();
  run_ready();
  run_newcomers();
  retired_.clear();
  if (now_ >= trim_at_) {
    buffers_.trim();
    trim_at_ = now_ + trim_every;
  }
  return !stopped_.load(std::memory_order_acquire);
}

void Loop::run_ready() {
  // Only what is ready now: what these make ready has its turn after the next readiness.
  IntrusiveList<Waiter> batch;
  ready_.move_all_to(batch);
  while (Waiter* waiter = batch.pop_front()) waiter->resume();
}

void Loop::run_newcomers() {
  for (int i = 0; i < newcomers_per_turn; ++i) {
    Waiter* waiter = newcomers_.pop_front();
    if (waiter == nullptr) return;
    waiter->resume();
  }
}

void Loop::run_mail() {
  if (!mail_waiting_.load(std::memory_order_acquire)) return;
  {
    const Locked locked(mail_mutex_);
    mail_running_.swap(mail_);
    mail_waiting_.store(false, std::memory_order_release);
  }
  for (auto& function : mail_running_) function();
  mail_running_.clear();
}

void Loop::post(std::move_only_function<void()> function) {
  bool was_empty = false;
  {
    const Locked locked(mail_mutex_);
    was_empty = mail_.empty();
    mail_.push_back(std::move(function));
    mail_waiting_.store(true, std::memory_order_release);
  }
  if (was_empty) driver_->wake();
}

void Loop::stop() {
  stopped_.store(true, std::memory_order_release);
  driver_->wake();
}

void Loop::on_ready(Watch& watch, uint8_t readiness) { watch.on_ready(readiness); }

void Loop::retire(std::unique_ptr<Watch> watch) { retired_.push_back(std::move(watch)); }

}  // namespace spillway::runtime
