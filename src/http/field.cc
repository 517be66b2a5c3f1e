// http/field.cc: recognises field names through a perfect hash found at compile time.
#include "http/field.h"

#include <algorithm>
#include <cstring>

#include "base/ascii.h"

namespace spillway::http {
namespace {

constexpr std::array<std::string_view, field_count> names{
    "",
    "accept",
    "accept-encoding",
    "accept-language",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "retry-after",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
};

constexpr size_t slot_count = 512;

constexpr uint32_t byte_of(char c) { return static_cast<uint8_t>(c) | 0x20U; }

// Length, first, middle and last letter but one tell all known names apart. REQUIRES 2 letters.
constexpr uint32_t key_of(std::string_view name) {
  return static_cast<uint32_t>(name.size() & 0xff) | byte_of(name.front()) << 8 |
         byte_of(name[name.size() / 2]) << 16 | byte_of(name[name.size() - 2]) << 24;
}

constexpr size_t slot_of(uint32_t key, uint32_t multiplier) { return (key * multiplier) >> 23; }

struct NameTable {
  uint32_t multiplier = 0;
  std::array<uint8_t, slot_count> field_at{};  // 0, `other`, where no name lives.
};

constexpr bool try_fill(NameTable& table, uint32_t multiplier) {
  table = NameTable{.multiplier = multiplier};
  for (size_t i = 1; i < names.size(); ++i) {
    uint8_t& slot = table.field_at[slot_of(key_of(names[i]), multiplier)];
    if (slot != 0) return false;
    slot = static_cast<uint8_t>(i);
  }
  return true;
}

consteval NameTable make_table() {
  NameTable table;
  uint32_t multiplier = 0x9E3779B1;
  while (!try_fill(table, multiplier)) multiplier = multiplier * 1664525 + 1013904223;
  return table;
}

constexpr NameTable name_table = make_table();

uint64_t load8(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}
uint32_t load4(const char* p) {
  uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// `known` is in lower case and has only letters, digits and '-', so that setting bit 5 of each
// byte of a token folds case and nothing else.
bool equals_known(const char* name, const char* known, size_t size) {
  constexpr uint64_t fold = 0x2020202020202020;
  if (size >= 8) {
    for (size_t i = 0; i + 8 <= size; i += 8) {
      if ((load8(name + i) | fold) != load8(known + i)) return false;
    }
    return (load8(name + size - 8) | fold) == load8(known + size - 8);
  }
  if (size >= 4) {
    constexpr auto half = static_cast<uint32_t>(fold);
    return (load4(name) | half) == load4(known) &&
           (load4(name + size - 4) | half) == load4(known + size - 4);
  }
  for (size_t i = 0; i < size; ++i) {
    if (byte_of(name[i]) != static_cast<uint8_t>(known[i])) return false;
  }
  return true;
}

}  // namespace

std::string_view to_string(Field field) { return names[static_cast<size_t>(field)]; }

bool is_same_variable(std::string_view name, std::string_view other) {
  const auto in_variable = [](char c) { return c == '_' ? '-' : to_lower(c); };
  return std::ranges::equal(name, other, {}, in_variable, in_variable);
}

Field field_from(std::string_view name) {
  if (name.size() < 2) return Field::other;
  const uint8_t index = name_table.field_at[slot_of(key_of(name), name_table.multiplier)];
  const std::string_view known = names[index];
  if (known.size() != name.size()) return Field::other;
  if (!equals_known(name.data(), known.data(), known.size())) return Field::other;
  return static_cast<Field>(index);
}

const HeaderField* HeaderList::find(std::string_view name) const {
  if (const Field id = field_from(name); id != Field::other) return find(id);
  for (const HeaderField& field : *this) {
    if (field.id == Field::other && equals_ignoring_case(field.name, name)) return &field;
  }
  return nullptr;
}

size_t HeaderList::remove(std::string_view name) {
  if (const Field id = field_from(name); id != Field::other) return remove(id);
  return remove_if([name](const HeaderField& field) {
    return field.id == Field::other && equals_ignoring_case(field.name, name);
  });
}

void remove_variables(HeaderList& fields, std::span<const std::string> removed) {
  if (removed.empty()) return;
  fields.remove_if([removed](const HeaderField& field) {
    return std::ranges::any_of(
        removed, [&field](const std::string& name) { return is_same_variable(field.name, name); });
  });
}

}  // namespace spillway::http
