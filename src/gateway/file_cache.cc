// gateway/file_cache.cc: looking at files on a thread that may wait, remembering what was seen.
#include "gateway/file_cache.h"

#include <fmt/format.h>

#include <utility>

#include "base/siphash.h"
#include "http/http_date.h"

namespace spillway::gateway {
namespace {

using Found = std::shared_ptr<const FoundFile>;

// What a path costs beside its bytes: names, nodes, tags.
constexpr uint64_t entry_bytes = 512;
constexpr std::chrono::seconds copying_max{60};
constexpr std::array<std::string_view, http::content_coding_count> endings = {".zst", ".br", ".gz"};

// By content, since builds that set all times alike change files without a sign of it; the same on
// all instances.
std::string etag_of(std::string_view bytes) {
  const Hash128 hash = SipHash::of(bytes, {});
  return fmt::format("\"{:016x}{:016x}\"", hash.high, hash.low);
}

Result<std::shared_ptr<const StoredFile>> store(runtime::OpenFile open) {
  auto file = std::make_shared<StoredFile>();
  if (open.facts.size <= FileCache::file_bytes_max) {
    TRY(bytes, runtime::read_part(open.handle, 0, open.facts.size));
    file->bytes = std::move(bytes);
    open.facts.size = file->bytes.size();  // It may have become shorter meanwhile.
    open.handle.close();
  }
  file->open = std::move(open);
  const runtime::FileFacts& facts = file->open.facts;
  file->etag = file->is_in_memory() ? etag_of(file->bytes)
                                    : fmt::format("\"{:x}-{:x}\"", facts.modified, facts.size);
  file->modified = std::chrono::sys_seconds(
      std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds(facts.modified)));
  file->last_modified.resize(http::http_date_size);
  http::write_http_date(file->modified, file->last_modified.data());
  return file;
}

// One file, or what is known of it if it has not changed. Null: it is not there.
Result<std::shared_ptr<const StoredFile>> look_at(const runtime::Folder& folder,
                                                  const std::string& path,
                                                  const std::shared_ptr<const StoredFile>& before,
                                                  bool* is_folder) {
  auto open = folder.open_below(path);
  if (!open && open.error().code == Error::Code::not_found) return nullptr;
  if (!open) return fail(std::move(open).error());
  if (is_folder != nullptr) *is_folder = open->facts.is_folder;
  if (!open->facts.is_regular) return nullptr;
  if (before != nullptr && before->open.facts == open->facts) return before;
  return store(std::move(*open));
}

Result<Found> look_in(const std::string& root, bool has_precompressed, const std::string& path,
                      const Found& before) {
  // The folder anew each time: it may be a link to the latest build.
  auto folder = runtime::Folder::open(root);
  auto found = std::make_shared<FoundFile>();
  if (!folder && folder.error().code == Error::Code::not_found) return found;
  if (!folder) return fail(std::move(folder).error());
  TRY(plain,
      look_at(*folder, path, before == nullptr ? nullptr : before->plain, &found->is_folder));
  found->plain = std::move(plain);
  if (found->plain == nullptr || !has_precompressed) return found;
  for (size_t i = 0; i < endings.size(); ++i) {
    TRY(coded, look_at(*folder, path + std::string(endings[i]),
                       before == nullptr ? nullptr : before->coded[i], nullptr));
    // What was made before the file changed is another file's; copying a build takes its time, too.
    const bool is_old = coded != nullptr && coded->modified + copying_max < found->plain->modified;
    if (!is_old) found->coded[i] = std::move(coded);
  }
  return found;
}

// On a thread of the pool.
Result<Found> look(const FileCache::Options& options, const std::string& path, bool may_be_kept,
                   const Found& before) {
  TRY(found, look_in(options.folder, options.has_precompressed, path, before));
  if (found->is_there() || !may_be_kept || options.kept_in.empty()) return found;
  return look_in(options.kept_in, options.has_precompressed, path, before);
}

}  // namespace

Found FileCache::known(std::string_view path) {
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return nullptr;
  const auto entry = found->second;
  entries_.splice(entries_.begin(), entries_, entry);
  if (loop_.now() - entry->looked_at >= looked_at_for) return nullptr;
  return entry->found;
}

runtime::Task<Result<Found>> FileCache::find(std::string path, bool may_be_kept,
                                             Deadline deadline) {
  Found before;
  if (const auto entry = by_path_.find(path); entry != by_path_.end()) {
    before = entry->second->found;
    entry->second->looked_at = loop_.now();  // Others take what is known meanwhile.
  }
  metrics_.lookups.add();
  std::move_only_function<Result<Found>()> work = [options = options_, path, may_be_kept, before] {
    return look(options, path, may_be_kept, before);
  };
  auto ran = co_await pool_.run(loop_, std::move(work), deadline);
  if (!ran && before != nullptr) co_return before;  // The disk is busy: what was here will do.
  CO_TRY(looked, std::move(ran));
  if (!looked) co_return fail(std::move(looked).error());
  keep(std::move(path), *looked);
  co_return std::move(*looked);
}

void FileCache::keep(std::string path, Found found) {
  if (const auto old = by_path_.find(path); old != by_path_.end()) forget(old->second);
  Entry entry{.path = std::move(path), .found = std::move(found), .looked_at = loop_.now()};
  entry.bytes = entry_bytes + entry.path.size();
  const auto count = [&entry](const std::shared_ptr<const StoredFile>& file) {
    if (file == nullptr) return;
    entry.bytes += file->bytes.size();
    if (!file->is_in_memory()) ++entry.handles;
  };
  count(entry.found->plain);
  for (const auto& coded : entry.found->coded) count(coded);
  bytes_ += entry.bytes;
  handles_ += entry.handles;
  metrics_.bytes.add(static_cast<int64_t>(entry.bytes));
  entries_.push_front(std::move(entry));
  by_path_[entries_.front().path] = entries_.begin();
  make_room();
}

void FileCache::forget(Entries::iterator entry) {
  bytes_ -= entry->bytes;
  handles_ -= entry->handles;
  metrics_.bytes.sub(static_cast<int64_t>(entry->bytes));
  by_path_.erase(entry->path);
  entries_.erase(entry);
}

void FileCache::make_room() {
  while (!entries_.empty() &&
         (bytes_ > options_.bytes_max || entries_.size() > entries_max || handles_ > handles_max)) {
    metrics_.evictions.add();
    forget(std::prev(entries_.end()));
  }
}

}  // namespace spillway::gateway
