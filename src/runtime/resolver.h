// runtime/resolver.h: host names to addresses, as the system resolves them, without blocking.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "runtime/blocking_pool.h"
#include "runtime/task.h"

namespace spillway::runtime {

// getaddrinfo(3) on the pool: /etc/hosts, search domains and DNS as for every other program. Keeps
// nothing; whoever asks decides how often. Any thread.
class Resolver {
 public:
  static constexpr size_t addresses_max = 64;  // More of one name are ignored: more than any answer
                                               // that fits a datagram holds.

  explicit Resolver(BlockingPool& pool) : pool_(pool) {}

  // IPv4 and IPv6 addresses in the system's order of preference (RFC 6724 section 6), each once; at
  // least one. An address as text is its own answer. Errors, all safe to retry: not_found,
  // overloaded, deadline_exceeded, io.
  Task<Result<std::vector<IpAddress>>> resolve(Loop& loop, std::string name, Deadline deadline);

 private:
  BlockingPool& pool_;
};

}  // namespace spillway::runtime
