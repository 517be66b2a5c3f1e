// gateway/stored_answer.h: an answer as the cache's tiers hold its head.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/cache_policy.h"
#include "http/field.h"

namespace spillway::gateway {

// What is kept of an answer beside its body. The fields' views are whoever's bytes they were read
// from, or written of.
struct StoredAnswer {
  uint16_t status = 200;
  http::StoredFreshness freshness;
  uint64_t body_bytes = 0;  // Of the whole body; a tier may be asked before it has all of it.
  http::HeaderList fields;  // Without what is meant for one connection, Content-Length and Age.
};

// For tiers and other instances: a version, then numbers and texts with their lengths. What was
// written by another version is not read.
std::string encode(const StoredAnswer& answer);
// Nothing: it is none of this version, or damaged. Views of `bytes`.
bool decode(std::string_view bytes, StoredAnswer& answer);

// Under the key of a resource whose answers vary lies this instead: the names of the fields that
// they vary by, by which the key of the one that is wanted is made (http/vary.h).
std::string encode_vary(std::span<const std::string> names);
std::optional<std::vector<std::string>> decode_vary(std::string_view bytes);

}  // namespace spillway::gateway
