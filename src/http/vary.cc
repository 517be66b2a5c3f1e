// http/vary.cc: the fields that an answer depends on, brought to one form.
#include "http/vary.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/accept_encoding.h"
#include "http/list.h"

namespace spillway::http {
namespace {

// No field value has a control in it, so that none of these can be part of one.
constexpr char present = '\x01';
constexpr char absent = '\x02';
constexpr char member_end = '\x03';

void append_codings(const HeaderList& request, std::string& key) {
  key += present;
  for (const bool takes : accepted_codings(request).takes) key += takes ? '1' : '0';
}

// A comma between quotes may be no separator: such a value is taken as it is.
void append_members(std::string_view value, std::string& key) {
  if (value.contains('"')) {
    key.append(value).push_back(member_end);
    return;
  }
  ListReader list(value);
  for (std::string_view member; list.next(member);) key.append(member).push_back(member_end);
}

void append_values(std::string_view name, const HeaderList& request, std::string& key) {
  const size_t begin = key.size();
  key += absent;
  for (const HeaderField& field : request) {
    if (!equals_ignoring_case(field.name, name)) continue;
    key[begin] = present;
    append_members(field.value, key);
  }
}

}  // namespace

std::optional<std::vector<std::string>> vary_names(const HeaderList& answer) {
  std::vector<std::string> names;
  for (const HeaderField& field : answer) {
    if (field.id != Field::vary) continue;
    ListReader list(field.value);
    for (std::string_view name; list.next(name);) {
      if (name == "*" || names.size() == vary_names_max) return std::nullopt;
      names.push_back(lowered(name));
    }
  }
  std::ranges::sort(names);
  const auto [first, last] = std::ranges::unique(names);
  names.erase(first, last);
  return names;
}

void append_vary_key(std::span<const std::string> names, const HeaderList& request,
                     std::string& key) {
  for (const std::string& name : names) {
    if (name == "accept-encoding") {
      append_codings(request, key);
    } else {
      append_values(name, request, key);
    }
  }
}

}  // namespace spillway::http
