// gateway/cached_head.cc: fields copied into one text.
#include "gateway/cached_head.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/check.h"

namespace spillway::gateway {

void CachedHead::set_fields(const http::HeaderList& fields) {
  size_t size = 0;
  for (const http::HeaderField& field : fields) size += field.name.size() + field.value.size();
  text_.clear();
  text_.reserve(size);  // The views below stay where they are.
  lines_.clear();
  lines_.reserve(fields.size());
  const auto copy = [this](std::string_view text) {
    const size_t begin = text_.size();
    text_ += text;
    return std::string_view(text_).substr(begin);
  };
  for (const http::HeaderField& field : fields) {
    const std::string_view name = copy(field.name);
    const std::string_view value = copy(field.value);
    lines_.push_back({.field = {.name = name, .value = value, .id = field.id}});
  }
}

void CachedHead::withhold(const std::vector<std::string>& names) {
  for (Line& line : lines_) {
    line.is_withheld = std::ranges::any_of(names, [&line](const std::string& name) {
      return equals_ignoring_case(line.field.name, name);
    });
  }
}

bool CachedHead::copy_fields(http::HeaderList& to, bool with_withheld) const {
  return std::ranges::all_of(lines_, [&](const Line& line) {
    return (line.is_withheld && !with_withheld) ||
           to.add(line.field.id, line.field.name, line.field.value);
  });
}

bool CachedHead::has_withheld() const {
  return std::ranges::any_of(lines_, [](const Line& line) { return line.is_withheld; });
}

std::shared_ptr<CachedHead> CachedHead::shared_copy() const {
  auto copy = std::make_shared<CachedHead>();
  copy->status = status;
  copy->freshness = freshness;
  copy->length = length;
  copy->is_stored = is_stored;
  copy->not_stored = not_stored;
  copy->origin_status = origin_status;
  copy->vary = vary;
  copy->vary_key = vary_key;
  http::HeaderList fields;
  CHECK(copy_fields(fields, false));
  copy->set_fields(fields);
  return copy;
}

std::string_view CachedHead::value(http::Field id) const {
  const auto found = std::ranges::find(lines_, id, [](const Line& line) { return line.field.id; });
  return found == lines_.end() ? std::string_view{} : found->field.value;
}

uint64_t CachedHead::bytes() const {
  uint64_t size =
      sizeof *this + text_.capacity() + lines_.capacity() * sizeof(Line) + vary_key.size();
  for (const std::string& name : vary) size += sizeof(std::string) + name.size();
  return size;
}

std::string variant_key(std::string_view key, std::string_view vary_key) {
  std::string variant(key);
  variant += '\n';  // In no part of a key but behind its length.
  variant += vary_key;
  return variant;
}

}  // namespace spillway::gateway
