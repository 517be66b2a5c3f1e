// gateway/cached_head.h: the head of an answer as the memory cache and those who fetch hold it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/stored_object.h"
#include "http/cache_policy.h"
#include "http/field.h"

namespace spillway::gateway {

// What lies under a key: an answer's head, or which other keys its variants have.
class AnswerOrIndex : public cache::ObjectHead {
 public:
  explicit AnswerOrIndex(bool is_index) : is_index_(is_index) {}
  bool is_index() const { return is_index_; }

 private:
  const bool is_index_;
};

// Immutable once made, any core. Compact: a HeaderList is made of it when it is sent.
class CachedHead final : public AnswerOrIndex {
 public:
  CachedHead() : AnswerOrIndex(false) {}
  CachedHead(const CachedHead&) = delete;  // Its views are of its own text: see shared_copy().
  CachedHead& operator=(const CachedHead&) = delete;

  uint16_t status = 200;
  http::StoredFreshness freshness;  // Of one that is stored.
  std::optional<uint64_t> length;   // Of the body, if that was told.

  // How it came to be; see http::CacheStatus.
  bool is_stored = false;       // It is, or will be once it is whole.
  std::string_view not_stored;  // If not: why, a token; a literal.
  uint16_t origin_status = 0;   // Where that is another: 304, or the error that it covers.

  // Names in lower case that the answer varies by, and what the request had for them.
  std::vector<std::string> vary;
  std::string vary_key;

  // Copies them.
  void set_fields(const http::HeaderList& fields);
  // Those that are for whoever asked, and nobody else (RFC 9111 sections 5.2.2.4 and 5.2.2.7).
  void withhold(const std::vector<std::string>& names);
  [[nodiscard]] bool copy_fields(http::HeaderList& to, bool with_withheld) const;
  bool has_withheld() const;
  // The same without what is withheld.
  std::shared_ptr<CachedHead> shared_copy() const;
  // The first of that name; empty: there is none.
  std::string_view value(http::Field id) const;

  uint64_t bytes() const override;

 private:
  struct Line {
    http::HeaderField field;  // Of text_.
    bool is_withheld = false;
  };
  std::string text_;
  std::vector<Line> lines_;
};

// Stands under the key of a resource whose answers vary: by what.
class VaryIndex final : public AnswerOrIndex {
 public:
  explicit VaryIndex(std::vector<std::string> its_names)
      : AnswerOrIndex(true), names(std::move(its_names)) {}
  uint64_t bytes() const override { return sizeof *this + names.size() * 64; }
  const std::vector<std::string> names;
};

// The key of one variant of what `key` names.
std::string variant_key(std::string_view key, std::string_view vary_key);

}  // namespace spillway::gateway
