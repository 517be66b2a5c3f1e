// runtime/users.h: who uses a thing that somebody wants to end.
#pragma once

#include <cstdint>

#include "base/check.h"
#include "runtime/event.h"

namespace spillway::runtime {

// Counts users and lets the owner wait until there are none. Outlives them. One core.
class Users {
 public:
  explicit Users(Loop& loop) : none_(loop) { none_.set(); }
  Users(const Users&) = delete;
  Users& operator=(const Users&) = delete;
  ~Users() { CHECK(count_ == 0); }

  void add() {
    if (count_++ == 0) none_.reset();
  }
  void remove() {
    CHECK(count_ > 0);
    if (--count_ == 0) none_.set();
  }
  uint64_t count() const { return count_; }
  // Waits until there are none. Error: deadline_exceeded.
  auto gone(Deadline deadline) { return none_.wait(deadline); }

 private:
  Event none_;
  uint64_t count_ = 0;
};

// One of them, as long as it lives.
class Use {
 public:
  explicit Use(Users& users) : users_(users) { users_.add(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { users_.remove(); }

 private:
  Users& users_;
};

}  // namespace spillway::runtime
