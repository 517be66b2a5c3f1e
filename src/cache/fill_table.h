// cache/fill_table.h: one fetch for each key, however many ask on however many cores.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"
#include "cache/fill.h"
#include "cache/stored_object.h"

namespace spillway::cache {

// What is on its way in, of a whole process. Any core.
class FillTable {
 public:
  // The duty to fetch one key. Whoever has it ends the fill; the key is free for another as soon as
  // it is given up.
  class Lead {
   public:
    Lead(FillTable& table, std::string key, Hash128 hash, std::shared_ptr<Fill> fill)
        : table_(&table), key_(std::move(key)), hash_(hash), fill_(std::move(fill)) {}
    Lead(Lead&& other) noexcept
        : table_(std::exchange(other.table_, nullptr)),
          key_(std::move(other.key_)),
          hash_(other.hash_),
          fill_(std::move(other.fill_)) {}
    Lead(const Lead&) = delete;
    Lead& operator=(const Lead&) = delete;
    Lead& operator=(Lead&&) = delete;
    ~Lead() {
      if (table_ == nullptr) return;
      give_up();
      fill_->end(false);  // Does nothing to one that has ended.
    }

    const std::shared_ptr<Fill>& fill() const { return fill_; }
    // Who asks from now on fetches anew: what comes is for those alone who have asked, or is stored
    // already.
    void give_up();

   private:
    FillTable* table_;
    const std::string key_;
    const Hash128 hash_;
    const std::shared_ptr<Fill> fill_;
  };

  // The fill of that key; with the lead, if nobody has it.
  struct Joined {
    std::shared_ptr<Fill> fill;
    std::optional<Lead> lead;
  };
  Joined join(const CacheKey& key);
  // The fill of that key, if there is one.
  std::shared_ptr<Fill> find(const CacheKey& key);

 private:
  struct HashOf {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  struct UnderWay {
    std::string key;
    std::shared_ptr<Fill> fill;
  };
  using Shard = Guarded<std::unordered_map<Hash128, UnderWay, HashOf>>;
  static constexpr size_t shards = 16;
  Shard& shard_of(const Hash128& hash) { return shards_[hash.high % shards]; }

  std::array<Shard, shards> shards_;
};

}  // namespace spillway::cache
