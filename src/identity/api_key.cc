// identity/api_key.cc: looks a key up by a keyed digest.
#include "identity/api_key.h"

#include <fmt/format.h>

#include <algorithm>

namespace spillway::identity {

Sha256Digest ApiKeys::tag_of(const Sha256Digest& digest, Sha256& sha256) const {
  return sha256.keyed(secret_, {{reinterpret_cast<const char*>(digest.data()), digest.size()}});
}

Result<ApiKeys> ApiKeys::make(const std::map<std::string, KeyDigest>& keys,
                              const ProcessSecret& secret) {
  if (keys.size() > limits::api_keys_max) {
    return fail(Error::Code::limit_exceeded,
                fmt::format("{} API keys; at most {} are held", keys.size(), limits::api_keys_max));
  }
  Sha256 sha256;
  ApiKeys result(secret);
  for (const auto& [name, key] : keys) {
    result.entries_.push_back({result.tag_of(key.sha256, sha256), key.sha256, name});
  }
  std::ranges::sort(result.entries_, {}, &Entry::tag);
  const auto twin = std::ranges::adjacent_find(result.entries_, {}, &Entry::tag);
  if (twin != result.entries_.end()) {
    return fail(Error::Code::invalid, fmt::format("\"{}\" and \"{}\" have the same key", twin->name,
                                                  std::next(twin)->name));
  }
  return result;
}

const std::string* ApiKeys::find(std::string_view key, Sha256& sha256) const {
  if (key.empty() || key.size() > limits::api_key_bytes_max) return nullptr;
  const Sha256Digest digest = sha256(key);
  const Sha256Digest tag = tag_of(digest, sha256);
  const auto entry = std::ranges::lower_bound(entries_, tag, {}, &Entry::tag);
  if (entry == entries_.end() || !equal_in_constant_time(entry->digest, digest)) return nullptr;
  return &entry->name;
}

}  // namespace spillway::identity
