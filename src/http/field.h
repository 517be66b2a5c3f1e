// http/field.h: known field names as an enum, and a message's fields as views into its bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/check.h"

namespace spillway::http {

// The names this program acts on, in the order of their spelling. `other` is every other name.
// At most 64, so that a HeaderList knows with one word which of them it holds.
enum class Field : uint8_t {
  other,
  accept,
  accept_encoding,
  accept_language,
  age,
  allow,
  authorization,
  cache_control,
  connection,
  content_encoding,
  content_length,
  content_location,
  content_range,
  content_type,
  cookie,
  date,
  etag,
  expect,
  expires,
  forwarded,
  host,
  if_match,
  if_modified_since,
  if_none_match,
  if_range,
  if_unmodified_since,
  keep_alive,
  last_modified,
  location,
  max_forwards,
  origin,
  pragma,
  proxy_authenticate,
  proxy_authorization,
  proxy_connection,
  range,
  referer,
  retry_after,
  sec_websocket_accept,
  sec_websocket_extensions,
  sec_websocket_key,
  sec_websocket_protocol,
  sec_websocket_version,
  server,
  set_cookie,
  strict_transport_security,
  te,
  traceparent,
  tracestate,
  trailer,
  transfer_encoding,
  upgrade,
  user_agent,
  vary,
  via,
  www_authenticate,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_port,
  x_forwarded_proto,
  x_real_ip,
  x_request_id,
};
inline constexpr size_t field_count = static_cast<size_t>(Field::x_request_id) + 1;
static_assert(field_count <= 64);

// The name in lower case, as HTTP/2 and our own serializer write it; empty for `other`.
std::string_view to_string(Field field);
// Ignores case; about 2 ns. `name` is a token (RFC 9110 section 5.6.2).
Field field_from(std::string_view name);

// Some servers make one variable of `x-user` and `x_user` (RFC 3875 section 4.1.18): whoever
// removes or sets the one means the other as well. Letters of either case.
bool is_same_variable(std::string_view name, std::string_view other);

struct HeaderField {
  std::string_view name;   // As received.
  std::string_view value;  // Without the white space around it; no controls except tab.
  Field id = Field::other;
};

// The field lines of one message in the order received. Owns no bytes: whoever owns the message's
// buffer keeps it in place while the list is used. Never allocates; one core. About 5 KiB, so
// callers keep it in pooled storage; clear() costs nothing.
class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList& other) { *this = other; }
  HeaderList& operator=(const HeaderList& other) {
    present_ = other.present_;
    size_ = other.size_;
    std::copy(other.begin(), other.end(), begin());
    return *this;
  }

  // No real message comes near; what a peer sends beyond it is answered 431 (RFC 6585 section 5).
  static constexpr size_t fields_max = 128;

  // False, and nothing happens, if the list is full.
  [[nodiscard]] bool add(Field id, std::string_view name, std::string_view value) {
    if (size_ == fields_max) return false;
    room_.fields[size_++] = HeaderField{name, value, id};
    present_ |= bit(id);
    return true;
  }
  [[nodiscard]] bool add(std::string_view name, std::string_view value) {
    return add(field_from(name), name, value);
  }
  [[nodiscard]] bool add(Field id, std::string_view value) { return add(id, to_string(id), value); }

  // The first field of that name, or null. A pointer is good until the list changes.
  const HeaderField* find(Field id) const {
    CHECK_SLOW(id != Field::other);
    if ((present_ & bit(id)) == 0) return nullptr;
    for (const HeaderField& field : *this) {
      if (field.id == id) return &field;
    }
    return nullptr;
  }
  const HeaderField* find(std::string_view name) const;
  // The value of the first such field; empty if there is none.
  std::string_view value(Field id) const {
    const HeaderField* field = find(id);
    return field == nullptr ? std::string_view{} : field->value;
  }
  bool has(Field id) const { return find(id) != nullptr; }
  size_t count(Field id) const {
    if ((present_ & bit(id)) == 0) return 0;
    size_t found = 0;
    for (const HeaderField& field : *this) found += field.id == id ? 1 : 0;
    return found;
  }

  // Removes every field that matches, keeps the order of the rest, returns how many went.
  size_t remove(Field id) {
    if ((present_ & bit(id)) == 0) return 0;
    return remove_if([id](const HeaderField& field) { return field.id == id; });
  }
  size_t remove(std::string_view name);
  template <class Predicate>
  size_t remove_if(Predicate matches) {
    size_t kept = 0;
    for (size_t i = 0; i < size_; ++i) {
      if (matches(room_.fields[i])) continue;
      if (kept != i) room_.fields[kept] = room_.fields[i];
      ++kept;
    }
    const size_t removed = size_ - kept;
    size_ = static_cast<uint32_t>(kept);
    return removed;
  }

  void clear() { present_ = size_ = 0; }
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  const HeaderField& operator[](size_t index) const { return room_.fields[index]; }
  HeaderField* begin() { return room_.fields.data(); }
  HeaderField* end() { return room_.fields.data() + size_; }
  const HeaderField* begin() const { return room_.fields.data(); }
  const HeaderField* end() const { return room_.fields.data() + size_; }

 private:
  static uint64_t bit(Field id) { return uint64_t{1} << static_cast<unsigned>(id); }

  // Not cleared: what was not added is neither read nor copied.
  union Room {
    Room() {}
    std::array<HeaderField, fields_max> fields;
  };

  uint64_t present_ = 0;  // A set bit: such a field may be here. A clear bit: it is not.
  uint32_t size_ = 0;
  Room room_;
};

// Removes the fields of these names, however they are spelt (is_same_variable).
void remove_variables(HeaderList& fields, std::span<const std::string> names);

}  // namespace spillway::http
