// upstream/balance.cc: reads and writes the plan's `balance` value.
#include "upstream/balance.h"

#include <fmt/format.h>

#include <optional>

#include "base/ascii.h"
#include "base/token.h"

namespace spillway::upstream {
namespace {

constexpr std::string_view ring_prefix = "ring_hash(";
// Longer names than this are no real header or cookie, and each is compared on every request.
constexpr size_t name_bytes_max = 256;

// The inside of the parentheses.
std::optional<Balance> parse_hash(std::string_view text) {
  Balance result{.algorithm = Balance::Algorithm::ring_hash};
  if (text == "ip") {
    result.hash_by = Balance::HashBy::ip;
    return result;
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_token(text.substr(colon + 1), name_bytes_max))
    return std::nullopt;
  const std::string_view kind = text.substr(0, colon);
  if (kind == "header") {
    result.hash_by = Balance::HashBy::header;
    result.hash_name = lowered(text.substr(colon + 1));  // Field names ignore case.
    return result;
  }
  if (kind == "cookie") {
    result.hash_by = Balance::HashBy::cookie;
    result.hash_name = text.substr(colon + 1);
    return result;
  }
  return std::nullopt;
}

}  // namespace

Result<Balance> Balance::parse(std::string_view text) {
  if (text == "round_robin") return Balance{.algorithm = Algorithm::round_robin};
  if (text == "least_requests") return Balance{.algorithm = Algorithm::least_requests};
  if (text == "random_two") return Balance{.algorithm = Algorithm::random_two};
  if (text.starts_with(ring_prefix) && text.ends_with(')')) {
    const std::string_view inside =
        text.substr(ring_prefix.size(), text.size() - ring_prefix.size() - 1);
    if (auto balance = parse_hash(inside)) return *balance;
  }
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is not round_robin, least_requests, random_two or "
                          "ring_hash(header:NAME), ring_hash(cookie:NAME), ring_hash(ip)",
                          text));
}

std::string_view to_string(Balance::Algorithm algorithm) {
  switch (algorithm) {
    case Balance::Algorithm::round_robin: return "round_robin";
    case Balance::Algorithm::least_requests: return "least_requests";
    case Balance::Algorithm::random_two: return "random_two";
    case Balance::Algorithm::ring_hash: return "ring_hash";
  }
  return "unknown";
}

std::string to_string(const Balance& balance) {
  switch (balance.hash_by) {
    case Balance::HashBy::nothing: break;
    case Balance::HashBy::header: return fmt::format("ring_hash(header:{})", balance.hash_name);
    case Balance::HashBy::cookie: return fmt::format("ring_hash(cookie:{})", balance.hash_name);
    case Balance::HashBy::ip: return "ring_hash(ip)";
  }
  return std::string(to_string(balance.algorithm));
}

}  // namespace spillway::upstream
