// http/conditions.cc: entity tags and dates compared.
#include "http/conditions.h"

#include "http/http_date.h"

namespace spillway::http {
namespace {

bool is_weak(std::string_view etag) { return etag.starts_with("W/"); }
std::string_view opaque(std::string_view etag) { return etag.substr(is_weak(etag) ? 2 : 0); }

// Takes one entity tag from the front of a list; empty at its end, or where it is malformed. A tag
// may have commas in it.
std::string_view next_tag(std::string_view& list) {
  const size_t begin = list.find_first_not_of(" \t,");
  if (begin == std::string_view::npos) return {};
  list.remove_prefix(begin);
  const size_t quote = is_weak(list) ? 2 : 0;
  if (list.size() <= quote || list[quote] != '"') return {};
  const size_t end = list.find('"', quote + 1);
  if (end == std::string_view::npos) return {};
  const std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

bool lists(const HeaderList& request, Field id, std::string_view etag, bool strongly) {
  for (const HeaderField& field : request) {
    if (field.id != id) continue;
    if (field.value == "*") return true;
    std::string_view rest = field.value;
    for (std::string_view tag = next_tag(rest); !tag.empty(); tag = next_tag(rest)) {
      if (strongly && (is_weak(tag) || is_weak(etag))) continue;
      if (!etag.empty() && opaque(tag) == opaque(etag)) return true;
    }
  }
  return false;
}

std::optional<std::chrono::sys_seconds> date_of(const HeaderList& request, Field id) {
  const HeaderField* field = request.find(id);
  return field == nullptr ? std::nullopt : parse_http_date(field->value);
}

}  // namespace

Precondition evaluate(const RequestHead& request, const Validators& now) {
  const HeaderList& fields = request.fields;
  if (fields.has(Field::if_match)) {
    if (!lists(fields, Field::if_match, now.etag, true)) return Precondition::failed;
  } else if (const auto since = date_of(fields, Field::if_unmodified_since)) {
    if (now.last_modified && *now.last_modified > *since) return Precondition::failed;
  }
  const bool is_read = request.method == Method::get || request.method == Method::head;
  if (fields.has(Field::if_none_match)) {
    if (!lists(fields, Field::if_none_match, now.etag, false)) return Precondition::holds;
    return is_read ? Precondition::not_modified : Precondition::failed;
  }
  if (!is_read) return Precondition::holds;
  const auto since = date_of(fields, Field::if_modified_since);
  const bool is_same = since && now.last_modified && *now.last_modified <= *since;
  return is_same ? Precondition::not_modified : Precondition::holds;
}

bool range_applies(const HeaderList& request, const Validators& now) {
  const HeaderField* field = request.find(Field::if_range);
  if (field == nullptr) return true;
  if (field->value.starts_with('"')) return field->value == now.etag;
  if (is_weak(field->value)) return false;
  const auto date = parse_http_date(field->value);
  return date && now.last_modified && *date == *now.last_modified;
}

}  // namespace spillway::http
