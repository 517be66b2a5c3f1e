// sim/subject.h: the program that a scenario puts between clients and origins.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"

namespace spillway::sim {

// Two versions: the plain `Relay`, to try the world itself, and the production data plane.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void start(const SocketAddress& address) = 0;
  // Accepts no more; what is under way is brought to its end.
  virtual void stop() = 0;
  virtual bool is_idle() const = 0;
  // Called once idle: says what is left over that should not be.
  virtual void check(std::vector<std::string>& failures) const = 0;
};

}  // namespace spillway::sim
