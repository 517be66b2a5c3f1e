// sim/ledger.h: what became of each request, as its client and its origin saw it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::sim {

// How a request ended for its client.
enum class Fate : uint8_t {
  answered,   // 200 with the right body, whole.
  refused,    // A status of 5xx: somebody said that it could not be done.
  cut,        // The answer had begun, and the client can tell that it is not whole.
  broken,     // The connection ended before the answer began, or was refused.
  timed_out,  // No answer in the client's time.
  given_up,   // The client itself went away.
};
constexpr size_t fates = 6;
std::string_view to_string(Fate fate);

// Shared by all peers of a scenario. What must never happen, whatever the faults, is written down
// at once; what is allowed to happen depends on the scenario. One thread.
class Ledger {
 public:
  uint64_t new_id() { return ++ids_; }
  void began(uint64_t id, std::string_view method, std::string_view kind);
  void ended(uint64_t id, Fate fate, std::string_view why);
  // An origin read the head of the request. More than one may, unless the request is not idempotent
  // (RFC 9110 section 9.2.2).
  void reached(uint64_t id, std::string_view origin);
  // Something that no fault excuses.
  void violated(std::string what);

  // Adds to violations() what can only be told now: requests without an end.
  void close();
  const std::vector<std::string>& violations() const { return violations_; }
  uint64_t count(Fate fate) const { return counts_[static_cast<size_t>(fate)]; }
  uint64_t count(Fate fate, std::string_view method) const;
  uint64_t issued() const { return requests_.size(); }
  uint64_t in_flight() const { return in_flight_; }
  // The ends that were not answered, "given_up" apart: what a calm scenario must not have.
  // The worst first.
  std::vector<std::string> failures() const;
  std::string summary() const;

 private:
  struct Request {
    std::string method;
    std::string_view kind;  // A literal: which client made it.
    uint32_t times_reached = 0;
    bool has_ended = false;
    Fate fate = Fate::answered;
    std::string why;
  };
  static constexpr size_t violations_max = 20;  // The first ones tell the story.

  std::map<uint64_t, Request> requests_;
  std::vector<std::string> violations_;
  uint64_t counts_[fates] = {};
  uint64_t ids_ = 0;
  uint64_t in_flight_ = 0;
};

}  // namespace spillway::sim
