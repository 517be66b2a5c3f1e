// gateway/file_cache.h: the files of a route as one core knows them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/time.h"
#include "http/coding_config.h"
#include "runtime/blocking_pool.h"
#include "runtime/folder.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "telemetry/metric.h"

namespace spillway::gateway {

// One file in one state. Immutable; requests that send it keep it.
struct StoredFile {
  runtime::OpenFile open;  // The handle is open unless the bytes are here.
  std::string bytes;
  std::string etag;
  std::string last_modified;
  std::chrono::sys_seconds modified;

  bool is_in_memory() const { return !open.handle; }
  uint64_t size() const { return open.facts.size; }
};

// What a path leads to. Immutable.
struct FoundFile {
  bool is_folder = false;
  std::shared_ptr<const StoredFile> plain;  // Null: a folder, or nothing.
  // The same compressed beforehand, by coding.
  std::array<std::shared_ptr<const StoredFile>, http::content_coding_count> coded;

  bool is_there() const { return is_folder || plain != nullptr; }
};

// What the cache of one core counts and holds.
struct FileCacheMetrics {
  telemetry::Counter lookups;    // On the file system.
  telemetry::Counter evictions;  // For room.
  telemetry::Gauge bytes;
};

// Small files whole, large ones open, and what is not there, each looked at again after a second.
// The least recently used goes first when room is needed. One core; its waiting is done on the
// pool's threads, so that a slow disk stops no other request.
class FileCache {
 public:
  static constexpr size_t file_bytes_max = 256 << 10;  // Larger files stay on disk.
  static constexpr size_t entries_max = 10'000;        // What is not there is an entry, too.
  static constexpr size_t handles_max = 256;           // Large files kept open.
  static constexpr Duration looked_at_for = 1s;

  struct Options {
    std::string folder;
    std::string kept_in;  // Where files of earlier builds are; empty: nowhere.
    uint64_t bytes_max = 0;
    bool has_precompressed = true;
  };
  // `pool` and `metrics` outlive it.
  FileCache(runtime::Loop& loop, runtime::BlockingPool& pool, Options options,
            FileCacheMetrics& metrics)
      : loop_(loop), pool_(pool), options_(std::move(options)), metrics_(metrics) {}
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;
  ~FileCache() { metrics_.bytes.sub(bytes_); }

  // If it was looked at within a second; else null.
  std::shared_ptr<const FoundFile> known(std::string_view path);
  // Looks again, `may_be_kept`: among the files of earlier builds, too. Errors: overloaded,
  // deadline_exceeded; permission; io.
  runtime::Task<Result<std::shared_ptr<const FoundFile>>> find(std::string path, bool may_be_kept,
                                                               Deadline deadline);

  size_t entries() const { return entries_.size(); }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const FoundFile> found;
    Instant looked_at;
    uint64_t bytes = 0;
    size_t handles = 0;
  };
  using Entries = std::list<Entry>;  // The most recently used first.
  struct ViewHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void keep(std::string path, std::shared_ptr<const FoundFile> found);
  void forget(Entries::iterator entry);
  void make_room();

  runtime::Loop& loop_;
  runtime::BlockingPool& pool_;
  const Options options_;
  FileCacheMetrics& metrics_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator, ViewHash, std::equal_to<>> by_path_;
  uint64_t bytes_ = 0;
  size_t handles_ = 0;
};

}  // namespace spillway::gateway
