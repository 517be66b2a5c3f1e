// base/error.h: expected trouble as a value: what happened, whose fault, may it be tried again.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace spillway {

// Immutable once made. A new Code exists only if some caller would act on it differently.
struct [[nodiscard]] Error {
  enum class Code : uint8_t {
    cancelled,           // We stopped waiting ourselves.
    deadline_exceeded,   // The await's deadline passed.
    connection_refused,  // Nobody listens, or no route: nothing was sent.
    connection_closed,   // The peer ended the connection, in order or by reset.
    protocol,            // The peer sent what its protocol forbids.
    limit_exceeded,      // A named limit of ours would be passed.
    overloaded,          // No capacity now: full queue, no endpoint, no descriptor.
    invalid,             // An argument, a file or a plan that makes no sense.
    not_found,           // The named thing does not exist.
    permission,          // The system or the policy forbids it.
    io,                  // The operating system failed in another way.
  };
  enum class Blame : uint8_t { client, upstream, us };
  enum class Retry : uint8_t {
    never,      // The work may have been done.
    safe,       // Nothing of the request can have acted.
    if_reused,  // Safe only because a kept-alive connection died before a byte of the answer.
  };

  Code code = Code::io;
  Blame blame = Blame::us;
  Retry retry = Retry::never;
  std::string detail;  // For a person: what was found, what was expected, what to do.
};

template <class T>
using Result = std::expected<T, Error>;

// Short forms for the usual case, where only the code and the words matter.
inline std::unexpected<Error> fail(Error::Code code, std::string detail,
                                   Error::Blame blame = Error::Blame::us,
                                   Error::Retry retry = Error::Retry::never) {
  return std::unexpected(Error{code, blame, retry, std::move(detail)});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

// "deadline_exceeded" and so on: the form used in logs, metrics and JSON.
std::string_view to_string(Error::Code code);
std::string_view to_string(Error::Blame blame);

// An operating system call failed with `error_number`: "bind 0.0.0.0:80: Permission denied".
Error system_error(int error_number, std::string_view doing);

}  // namespace spillway

// TRY(name, expression): binds `name` to the value, or returns the error.
#define TRY(name, ...)                                                          \
  auto name##_result = (__VA_ARGS__);                                           \
  if (!name##_result) return std::unexpected(std::move(name##_result).error()); \
  auto& name = *name##_result
#define TRY_VOID(...)                                        \
  do {                                                       \
    if (auto try_result = (__VA_ARGS__); !try_result)        \
      return std::unexpected(std::move(try_result).error()); \
  } while (false)
// The same inside a coroutine.
#define CO_TRY(name, ...)                                                          \
  auto name##_result = (__VA_ARGS__);                                              \
  if (!name##_result) co_return std::unexpected(std::move(name##_result).error()); \
  auto& name = *name##_result
#define CO_TRY_VOID(...)                                        \
  do {                                                          \
    if (auto try_result = (__VA_ARGS__); !try_result)           \
      co_return std::unexpected(std::move(try_result).error()); \
  } while (false)
