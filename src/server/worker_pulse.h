// server/worker_pulse.h: asks each worker by mail how it is, and keeps the answers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "runtime/loop.h"
#include "server/worker.h"

namespace spillway::server {

// One worker as it last described itself.
struct Pulse {
  Instant asked{};          // Of the last question.
  Instant answered{};       // Of the last answer's arrival.
  bool is_waiting = false;  // For an answer: no second question meanwhile.
  uint64_t turns = 0;       // Of its loop.
  uint64_t timers_armed = 0;
  uint64_t buffer_bytes_lent = 0;  // To requests under way.
  uint64_t buffer_bytes_kept = 0;  // Free, for the next.
  uint64_t connections = 0;
};

// What belongs to a core is read on that core. Lives on the control loop, and until no worker's
// loop and no control loop runs any more: mail may be under way.
class WorkerPulses {
 public:
  // A worker that has not answered for so long is stuck: a turn takes microseconds.
  static constexpr Duration silence_max = 5s;

  WorkerPulses(runtime::Loop& control, const std::vector<std::unique_ptr<Worker>>& workers)
      : control_(control), workers_(workers), pulses_(workers.size()) {}
  WorkerPulses(const WorkerPulses&) = delete;
  WorkerPulses& operator=(const WorkerPulses&) = delete;

  void ask_all();
  const std::vector<Pulse>& pulses() const { return pulses_; }
  // How long the worker has owed us an answer.
  Duration silence(size_t worker, Instant now) const;

 private:
  void ask(size_t number);

  runtime::Loop& control_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  std::vector<Pulse> pulses_;
};

}  // namespace spillway::server
