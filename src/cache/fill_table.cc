// cache/fill_table.cc: who fetches, and who reads along.
#include "cache/fill_table.h"

namespace spillway::cache {

FillTable::Joined FillTable::join(const CacheKey& key) {
  return shard_of(key.hash).with([&](auto& under_way) -> Joined {
    const auto found = under_way.find(key.hash);
    const bool is_other = found != under_way.end() && found->second.key != key.text;
    const bool is_readable = found != under_way.end() && !is_other &&
                             found->second.fill->is_readable_from_the_beginning();
    if (is_readable) return {.fill = found->second.fill, .lead = {}};
    auto fill = std::make_shared<Fill>();
    Joined joined{.fill = fill, .lead = {}};
    joined.lead.emplace(*this, std::string(key.text), key.hash, fill);
    // Where the hashes of two keys are the same, one of them fetches for itself alone.
    if (!is_other) under_way[key.hash] = {.key = std::string(key.text), .fill = std::move(fill)};
    return joined;
  });
}

std::shared_ptr<Fill> FillTable::find(const CacheKey& key) {
  return shard_of(key.hash).with([&](auto& under_way) -> std::shared_ptr<Fill> {
    const auto found = under_way.find(key.hash);
    if (found == under_way.end() || found->second.key != key.text) return nullptr;
    return found->second.fill;
  });
}

void FillTable::Lead::give_up() {
  table_->shard_of(hash_).with([this](auto& under_way) {
    const auto found = under_way.find(hash_);
    if (found != under_way.end() && found->second.fill == fill_) under_way.erase(found);
  });
}

}  // namespace spillway::cache
