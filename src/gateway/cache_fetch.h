// gateway/cache_fetch.h: a request that the cache makes for itself, and what becomes of the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/intrusive_list.h"
#include "cache/fill_table.h"
#include "cache/memory_tier.h"
#include "cache/purge_log.h"
#include "gateway/cached_head.h"
#include "gateway/request_context.h"
#include "http/cache_policy.h"
#include "http/exchange.h"
#include "runtime/gate.h"

namespace spillway::gateway {

// What the cores of a process share of the cache.
struct SharedCache {
  explicit SharedCache(uint64_t memory_bytes) : memory(memory_bytes) {}
  cache::MemoryTier memory;
  cache::FillTable fills;
  cache::PurgeLog purges;
};

// A copy of a client's request that goes on without the client. Owns all that its head and context
// point to.
struct FetchRequest {
  // `context`'s request, as a GET for the whole body, with Accept-Encoding in one form.
  explicit FetchRequest(const RequestContext& context);
  FetchRequest(const FetchRequest&) = delete;
  FetchRequest& operator=(const FetchRequest&) = delete;

  std::string text;
  http::RequestHead head;
  http::ClientInfo client;
  http::ServerLimits limits;
  // Makes `context`, which is new, one of this request.
  void describe(RequestContext& context) const;

  // As RequestContext has them.
  std::string_view path;
  std::string_view upstream_path;
  std::string_view upstream_host;
  std::string_view scheme;
  std::string_view host;
  std::string_view request_id;
  http::TraceContext trace;
  IpAddress address;  // Of the client.
  const RouteConfig* route = nullptr;
  std::string_view route_label;
  size_t route_number = 0;
  Service* service = nullptr;
  RouteMetrics* metrics = nullptr;
};

// What was stored before and has to be validated; head is null: nothing.
struct StoredBefore {
  cache::MemoryTier::Object object;
  const CachedHead* head = nullptr;
};

// The exchange of such a request: no client is there, and the answer goes into a fill. One core.
class CacheFetch final : public http::Exchange, public ListLink {
 public:
  struct Options {
    http::CacheTerms terms;
    uint64_t object_bytes_max = 0;
    std::string key;  // Of the resource, whatever it varies by.
    Hash128 resource;
    uint64_t born = 0;
  };
  CacheFetch(runtime::Loop& loop, FetchRequest& request, cache::FillTable::Lead lead,
             StoredBefore before, Options options);

  // Asks for what is newer than what is stored, or no longer.
  void add_conditions();
  // A 304 came that speaks of something else: everything has to be asked for again. Begins anew.
  bool wants_whole();
  // The answer is over, whole or cut: the fill has ended. What is to be stored, if anything is.
  struct Outcome {
    cache::MemoryTier::Object object;      // Under the key below.
    cache::MemoryTier::Object vary_index;  // Under the resource's, if its answers vary.
    bool removes_stored = false;           // What was stored is no longer right.
  };
  Outcome finish_fetch();
  const std::shared_ptr<cache::Fill>& fill() const { return lead_.fill(); }
  // There is no time left for it.
  void cut();

  // http::Exchange
  runtime::Task<Result<std::string_view>> read_body() override;
  bool body_ended() const override { return true; }
  bool body_is_in_place() const override { return true; }
  uint64_t body_bytes_received() const override { return 0; }
  http::HeaderList* request_trailers() override { return nullptr; }
  void interrupt_body() override {}
  void set_hangup_listener(runtime::HangupListener* listener) override { listener_ = listener; }
  bool client_is_gone() const override { return is_cut_; }
  bool client_has_ended() const override { return false; }
  runtime::Task<Result<void>> send_interim(uint16_t, const http::HeaderList*) override;
  Result<void> start_response(uint16_t status, std::string_view reason,
                              const http::HeaderList& fields, http::BodyFraming framing) override;
  runtime::Task<Result<void>> write(std::string_view piece, bool last) override;
  runtime::Task<Result<void>> flush() override;
  runtime::Task<Result<void>> finish(const http::HeaderList* trailers) override;
  bool response_ended() const override { return has_ended_; }
  uint64_t body_bytes_sent() const override { return bytes_; }
  runtime::Task<Result<void>> switch_protocols(const http::ResponseHead&) override;
  runtime::Task<http::TunnelEnd> tunnel(runtime::Socket&, runtime::Buffer&, Duration) override;

 private:
  enum class Course : uint8_t { fetched, validated, covered, refetch };
  void begin_with(std::shared_ptr<CachedHead> head, bool keeps_all);
  void take_validated(const http::HeaderList& update);
  void take_covered(uint16_t status);
  void take_fetched(uint16_t status, const http::HeaderList& fields, http::BodyFraming framing);
  void judge(CachedHead& head, const http::HeaderList& fields);

  FetchRequest& copy_;
  cache::FillTable::Lead lead_;
  const StoredBefore before_;
  const Options options_;
  const http::CacheTime asked_at_;
  std::shared_ptr<const CachedHead> head_;
  Course course_ = Course::fetched;
  uint64_t bytes_ = 0;
  bool has_conditions_ = false;
  bool keeps_ = false;
  bool has_ended_ = false;
  bool is_whole_ = false;
  bool is_cut_ = false;
  runtime::HangupListener* listener_ = nullptr;
};

// The requests under way that a core makes for its cache.
struct CacheFetches {
  explicit CacheFetches(runtime::Loop& loop) : gate(loop) {}
  // Begins no more and waits for those that run, then cuts them. Error: deadline_exceeded, they had
  // to be cut.
  runtime::Task<Result<void>> close(Deadline deadline);

  runtime::Gate gate;
  IntrusiveList<CacheFetch> under_way;
};

}  // namespace spillway::gateway
