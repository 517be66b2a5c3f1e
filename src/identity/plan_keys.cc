// identity/plan_keys.cc: makes the keys, the policy and the users of a plan.
#include "identity/plan_keys.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <utility>

#include "identity/basic.h"
#include "identity/jwk.h"

namespace spillway::identity {
namespace {

struct Secret {
  const std::optional<std::string>& text;
  Algorithm algorithm;
};

Result<AlgorithmSet> algorithms_of(const std::string& name) {
  if (name.empty()) return AlgorithmSet();
  const AlgorithmSet result = algorithms_named(name);
  if (!result.is_empty()) return result;
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is not an algorithm that is known here, such as RS256, PS256, "
                          "ES256, EdDSA or HS256",
                          name));
}

Result<KeySet> keys_of(const JwtKeyConfig& config, const ReadFile& read_file) {
  const std::array secrets = {Secret{config.hs256, Algorithm::hs256},
                              Secret{config.hs384, Algorithm::hs384},
                              Secret{config.hs512, Algorithm::hs512}};
  KeySet keys;
  size_t given = config.file ? 1 : 0;
  for (const auto& [text, algorithm] : secrets) {
    if (!text) continue;
    ++given;
    TRY(key, Key::from_secret(*text, algorithm, config.kid, config.allow_short));
    TRY_VOID(keys.add(std::make_shared<const Key>(std::move(key))));
  }
  if (given != 1) {
    return fail(Error::Code::invalid, "expected one of hs256, hs384, hs512 and file");
  }
  if (!config.file) return keys;
  TRY(only, algorithms_of(config.algorithm));
  TRY(text, read_file(*config.file));
  auto read = parse_key_file(text, config.kid, only);
  if (read) return read;
  return fail(read.error().code, fmt::format("{}: {}", *config.file, read.error().detail));
}

}  // namespace

Result<KeySet> make_keys(const JwtConfig& config, const ReadFile& read_file) {
  KeySet keys;
  for (size_t i = 0; i < config.keys.size(); ++i) {
    const auto some = keys_of(config.keys[i], read_file);
    if (!some) {
      return fail(some.error().code, fmt::format("key {}: {}", i + 1, some.error().detail));
    }
    TRY_VOID(keys.add_all(*some));
  }
  return keys;
}

Result<JwtPolicy> make_policy(const JwtConfig& config) {
  JwtPolicy policy;
  for (const std::string& name : config.algorithms) {
    TRY(algorithms, algorithms_of(name));
    policy.algorithms = policy.algorithms | algorithms;
  }
  if (config.issuer) policy.issuers = {*config.issuer};
  policy.audiences = config.audience;
  if (config.type) policy.types = {*config.type};
  policy.required = config.require;
  policy.leeway = config.leeway;
  return policy;
}

Result<std::map<std::string, std::string>> make_users(const BasicConfig& config,
                                                      const ReadFile& read_file) {
  std::map<std::string, std::string> users = config.users;
  if (!config.file) return users;
  TRY(text, read_file(*config.file));
  auto more = parse_user_file(text);
  if (!more)
    return fail(more.error().code, fmt::format("{}: {}", *config.file, more.error().detail));
  for (auto& [name, hash] : *more) {
    if (!users.emplace(name, std::move(hash)).second) {
      return fail(Error::Code::invalid,
                  fmt::format("user \"{}\" is in the plan and in {}", name, *config.file));
    }
  }
  return users;
}

}  // namespace spillway::identity
