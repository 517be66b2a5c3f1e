// server/worker_pulse.cc: mail to the workers and back.
#include "server/worker_pulse.h"

namespace spillway::server {

void WorkerPulses::ask_all() {
  for (size_t number = 0; number < workers_.size(); ++number) {
    if (!pulses_[number].is_waiting) ask(number);
  }
}

void WorkerPulses::ask(size_t number) {
  pulses_[number].asked = control_.now();
  pulses_[number].is_waiting = true;
  Worker& worker = *workers_[number];
  worker.loop().post([this, number, &worker] {
    runtime::Loop& loop = worker.loop();
    const Pulse seen{.turns = loop.turns(),
                     .timers_armed = loop.timers_armed(),
                     .buffer_bytes_lent = loop.buffers().bytes_lent(),
                     .buffer_bytes_kept = loop.buffers().bytes_kept(),
                     .connections = worker.connections()};
    control_.post([this, number, seen] {
      Pulse& pulse = pulses_[number];
      const Instant asked = pulse.asked;
      pulse = seen;
      pulse.asked = asked;
      pulse.answered = control_.now();
    });
  });
}

Duration WorkerPulses::silence(size_t worker, Instant now) const {
  const Pulse& pulse = pulses_[worker];
  return pulse.is_waiting ? now - pulse.asked : Duration::zero();
}

}  // namespace spillway::server
