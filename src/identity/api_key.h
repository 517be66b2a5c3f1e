// identity/api_key.h: which of the plan's named keys a caller presents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "identity/config.h"
#include "identity/sha256.h"

namespace spillway::identity {

namespace limits {
// More than one person writes into a plan; each is a hundred bytes of memory.
inline constexpr size_t api_keys_max = 10'000;
inline constexpr size_t api_key_bytes_max = 512;
}  // namespace limits

// The keys of one plan, held as their SHA-256 digests. Immutable; any core.
class ApiKeys {
 public:
  // By name. Error: invalid, if two names have one key; limit_exceeded.
  static Result<ApiKeys> make(const std::map<std::string, KeyDigest>& keys,
                              const ProcessSecret& secret);

  // The name of the key; null if there is none. It is looked for by a digest that the process's
  // secret is part of, so that the time it takes tells nothing of the keys that there are.
  const std::string* find(std::string_view key, Sha256& sha256) const;

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Sha256Digest tag;  // The digest of the digest, with the secret. In order of these.
    Sha256Digest digest;
    std::string name;
  };
  explicit ApiKeys(const ProcessSecret& secret) : secret_(secret) {}
  Sha256Digest tag_of(const Sha256Digest& digest, Sha256& sha256) const;

  ProcessSecret secret_;
  std::vector<Entry> entries_;
};

}  // namespace spillway::identity
