// runtime/resolver.cc: getaddrinfo on a thread of the pool.
#include "runtime/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>

#include "runtime/socket_address.h"

namespace spillway::runtime {
namespace {

using Addresses = Result<std::vector<IpAddress>>;

std::unexpected<Error> lookup_error(const std::string& name, int error) {
  Error::Code code = Error::Code::io;
  if (error == EAI_NONAME || error == EAI_NODATA) code = Error::Code::not_found;
  if (error == EAI_MEMORY) code = Error::Code::overloaded;
  return fail(code, "look up \"" + name + "\": " + ::gai_strerror(error), Error::Blame::upstream,
              Error::Retry::safe);
}

Addresses look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (error != 0) return lookup_error(name, error);
  std::vector<IpAddress> result;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    if (result.size() == Resolver::addresses_max) break;
    sockaddr_storage system{};
    if (entry->ai_addrlen > sizeof system) continue;
    std::copy_n(reinterpret_cast<const char*>(entry->ai_addr), entry->ai_addrlen,
                reinterpret_cast<char*>(&system));
    const IpAddress ip = from_system(system, entry->ai_addrlen).ip;
    if (std::ranges::find(result, ip) == result.end()) result.push_back(ip);
  }
  ::freeaddrinfo(found);
  if (result.empty()) return lookup_error(name, EAI_NODATA);
  return result;
}

}  // namespace

Task<Addresses> Resolver::resolve(Loop& loop, std::string name, Deadline deadline) {
  if (auto literal = IpAddress::parse(name)) co_return std::vector<IpAddress>{*literal};
  auto answer = co_await pool_.run<Addresses>(loop, [name] { return look_up(name); }, deadline);
  if (answer) co_return std::move(*answer);
  Error error = std::move(answer).error();
  error.detail = "look up \"" + name + "\": " + error.detail;
  error.retry = Error::Retry::safe;
  co_return fail(std::move(error));
}

}  // namespace spillway::runtime
