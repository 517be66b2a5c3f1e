// identity/algorithm.cc: algorithms by their names.
#include "identity/algorithm.h"

#include <algorithm>
#include <array>

namespace spillway::identity {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, algorithms_count> names = {
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512",   "PS256",
    "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "Ed448"};

}  // namespace

std::string_view to_string(Algorithm algorithm) { return names[static_cast<size_t>(algorithm)]; }

AlgorithmSet algorithms_named(std::string_view name) {
  if (name == "EdDSA") return {Algorithm::ed25519, Algorithm::ed448};  // RFC 8037 section 3.1.
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return {};
  return {static_cast<Algorithm>(found - names.begin())};
}

}  // namespace spillway::identity
