// runtime/timer_wheel.cc: slots, levels and the order of firing.
#include "runtime/timer_wheel.h"

#include <bit>

#include "base/check.h"

namespace spillway::runtime {
namespace {

constexpr int64_t tick_nanoseconds = 1'000'000;
constexpr uint64_t furthest_tick = (uint64_t{1} << 36) - 1;  // What six levels of six bits span.

}  // namespace

Timer::~Timer() {
  if (wheel_ != nullptr) wheel_->disarm(*this);
}

TimerWheel::TimerWheel(Instant start) : start_(start) {}

uint64_t TimerWheel::tick_after(Instant when) const {
  if (when <= start_) return 0;
  const int64_t past_start = (when - start_).count();
  return static_cast<uint64_t>((past_start - 1) / tick_nanoseconds + 1);
}

void TimerWheel::arm(Timer& timer, Instant when) {
  if (timer.wheel_ != nullptr) disarm(timer);
  timer.when_ = when;
  timer.wheel_ = this;
  ++armed_;
  insert(timer, tick_after(when));
}

void TimerWheel::insert(Timer& timer, uint64_t tick) {
  tick = std::max(tick, elapsed_ + 1);
  // Beyond the span: the last slot reachable, from where it is inserted again.
  tick = std::min(tick, elapsed_ + furthest_tick / 2);
  const uint64_t differing = (tick ^ elapsed_) | (slots - 1);
  const int level = std::min((63 - std::countl_zero(differing)) / bits_per_level, levels - 1);
  const int slot = static_cast<int>((tick >> (bits_per_level * level)) & (slots - 1));
  timer.slot_ = static_cast<uint16_t>(level * slots + slot);
  lists_[timer.slot_].push_back(timer);
  occupied_[level] |= uint64_t{1} << slot;
}

void TimerWheel::disarm(Timer& timer) {
  if (timer.wheel_ == nullptr) return;
  CHECK_SLOW(timer.wheel_ == this);
  timer.unlink();
  timer.wheel_ = nullptr;
  --armed_;
  if (lists_[timer.slot_].empty()) {
    occupied_[timer.slot_ / slots] &= ~(uint64_t{1} << (timer.slot_ % slots));
  }
}

bool TimerWheel::next_expiry(Expiry& expiry) const {
  for (int level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    const int shift = bits_per_level * level;
    const int current = static_cast<int>((elapsed_ >> shift) & (slots - 1));
    // Slots are looked at from the current one on, around the wheel.
    const int ahead = std::countr_zero(std::rotr(occupied_[level], current));
    const int slot = (current + ahead) % slots;
    const uint64_t level_start = elapsed_ & ~((uint64_t{1} << (shift + bits_per_level)) - 1);
    uint64_t tick = level_start + (static_cast<uint64_t>(slot) << shift);
    if (tick <= elapsed_ && !(level == 0 && tick == elapsed_)) {
      tick += uint64_t{1} << (shift + bits_per_level);
    }
    expiry = {level, slot, tick};
    return true;
  }
  return false;
}

Instant TimerWheel::next() const {
  Expiry expiry;
  if (!next_expiry(expiry)) return Instant::max();
  return start_ + Duration(static_cast<int64_t>(expiry.tick) * tick_nanoseconds);
}

void TimerWheel::advance(Instant now) {
  const uint64_t now_tick =
      now <= start_ ? 0 : static_cast<uint64_t>((now - start_).count() / tick_nanoseconds);
  Expiry expiry;
  while (next_expiry(expiry) && expiry.tick <= now_tick) {
    elapsed_ = std::max(elapsed_, expiry.tick);
    IntrusiveList<Timer> due;
    lists_[expiry.level * slots + expiry.slot].move_all_to(due);
    occupied_[expiry.level] &= ~(uint64_t{1} << expiry.slot);
    while (Timer* timer = due.pop_front()) {
      const uint64_t tick = tick_after(timer->when_);
      if (tick > elapsed_) {
        insert(*timer, tick);
        continue;
      }
      timer->wheel_ = nullptr;
      --armed_;
      timer->on_timer(now);
    }
  }
  elapsed_ = std::max(elapsed_, now_tick);
}

}  // namespace spillway::runtime
