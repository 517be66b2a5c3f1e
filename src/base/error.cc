// base/error.cc: names of errors, and errors from errno.
#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace spillway {

std::string_view to_string(Error::Code code) {
  switch (code) {
    case Error::Code::cancelled: return "cancelled";
    case Error::Code::deadline_exceeded: return "deadline_exceeded";
    case Error::Code::connection_refused: return "connection_refused";
    case Error::Code::connection_closed: return "connection_closed";
    case Error::Code::protocol: return "protocol";
    case Error::Code::limit_exceeded: return "limit_exceeded";
    case Error::Code::overloaded: return "overloaded";
    case Error::Code::invalid: return "invalid";
    case Error::Code::not_found: return "not_found";
    case Error::Code::permission: return "permission";
    case Error::Code::io: return "io";
  }
  return "unknown";
}

std::string_view to_string(Error::Blame blame) {
  switch (blame) {
    case Error::Blame::client: return "client";
    case Error::Blame::upstream: return "upstream";
    case Error::Blame::us: return "us";
  }
  return "unknown";
}

namespace {

Error::Code code_of(int error_number) {
  switch (error_number) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH: return Error::Code::connection_refused;
    case ECONNRESET:
    case EPIPE:
    case ECONNABORTED: return Error::Code::connection_closed;
    case ETIMEDOUT: return Error::Code::deadline_exceeded;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS: return Error::Code::overloaded;
    case ENOENT: return Error::Code::not_found;
    case EACCES:
    case EPERM: return Error::Code::permission;
    case EINVAL:
    case EADDRNOTAVAIL:
    case EADDRINUSE: return Error::Code::invalid;
    default: return Error::Code::io;
  }
}

}  // namespace

Error system_error(int error_number, std::string_view doing) {
  char text[128];
  std::string detail(doing);
  detail += ": ";
  detail += strerror_r(error_number, text, sizeof text);
  return Error{.code = code_of(error_number), .detail = std::move(detail)};
}

}  // namespace spillway
