// cli/api_client.h: asks a running instance through its control API.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "admin/json.h"
#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "cli/options.h"
#include "cli/output.h"
#include "http/client_connection.h"
#include "runtime/loop.h"
#include "runtime/task.h"

namespace spillway::cli {

// Where an instance is controlled, and what lets us.
struct Target {
  SocketAddress address;
  std::string host;   // For the Host field.
  std::string token;  // Empty: none is known. Goes into no message.
};

// By --admin, else the instance of this user, by --instance if there are several. Error: not_found;
// invalid.
Result<Target> find_target(const Options& options);
// "http://127.0.0.1:9901", "http://localhost:9901", "http+unix:/PATH" or "unix:/PATH".
Result<Target> parse_target(std::string_view url);

struct ApiAnswer {
  uint16_t status = 0;
  std::string body;
  bool is_good() const { return status >= 200 && status < 300; }
};

// One request per call, on a connection of its own; waits until it is answered. Has a loop of its
// own, so it is for commands only. One thread.
class ApiClient {
 public:
  // An answer that is longer than a scrape of the largest instance.
  static constexpr size_t body_bytes_max = size_t{64} << 20;

  // Error: overloaded, when no descriptor is left.
  static Result<std::unique_ptr<ApiClient>> make(Target target);
  ApiClient(std::unique_ptr<runtime::Driver> driver, Target target);

  // `path` with its query. Errors: connection_refused, connection_closed, deadline_exceeded,
  // protocol, limit_exceeded.
  Result<ApiAnswer> get(const std::string& path, Duration within);
  Result<ApiAnswer> post(const std::string& path, const admin::Json& body, Duration within);
  // Hands on each piece of a good answer's body as it comes, until the end or until `take` returns
  // false. The body of another answer is in the result.
  Result<ApiAnswer> stream(const std::string& path, std::function<bool(std::string_view)> take);

  void pause(Duration duration);

 private:
  struct Request;
  runtime::Task<Result<ApiAnswer>> send(const Request& request);
  runtime::Task<Result<ApiAnswer>> read_answer(http::ClientCall& call, const Request& request);
  runtime::Task<void> settle(const Request& request, Result<ApiAnswer>& result);
  Result<ApiAnswer> run(const Request& request);

  runtime::Loop loop_;
  const Target target_;
};

// Calls and prints what went wrong, so that a command only sees answers. `exit_status` is then what
// the command ends with.
struct Conversation {
  Output& output;
  int exit_status = 0;

  // Null, with exit_status set: no instance, or no connection.
  std::unique_ptr<ApiClient> connect(const Options& options);
  // False, with exit_status set: an error, or an answer that is not good.
  bool accept(const Result<ApiAnswer>& answer);
};

}  // namespace spillway::cli
