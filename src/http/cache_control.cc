// http/cache_control.cc: directives taken apart, and what is malformed read on the safe side.
#include "http/cache_control.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "http/list.h"
#include "http/scan.h"
#include "http/structured_field.h"

namespace spillway::http {
namespace {

using Directive = DirectiveReader::Directive;

// Where a quoted string that begins at `at` ends, or npos.
size_t closing_quote(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i;
    }
  }
  return std::string_view::npos;
}

// Response freshness that is malformed or contradicts itself is none (RFC 9111 section 4.2.1).
void note_lifetime(std::optional<int64_t>& lifetime, std::optional<int64_t> seconds) {
  const int64_t value = seconds.value_or(0);
  lifetime = lifetime && *lifetime != value ? 0 : value;
}

void keep_smallest(int64_t& kept, std::optional<int64_t> seconds) {
  if (seconds) kept = kept < 0 ? *seconds : std::min(kept, *seconds);
}

// no-cache and private, with field names or without.
void note_fields(const Directive& directive, bool& is_unqualified,
                 std::vector<std::string>& names) {
  const size_t before = names.size();
  if (directive.has_value && directive.is_well_formed && directive.may_be_names) {
    ListReader list(directive.text);
    for (std::string_view name; list.next(name);) names.emplace_back(name);
  }
  if (names.size() == before) is_unqualified = true;
}

void note(const Directive& directive, AnswerDirectives& answer) {
  const auto is = [&](std::string_view name) { return equals_ignoring_case(directive.name, name); };
  if (is("max-age")) return note_lifetime(answer.max_age, directive.seconds());
  if (is("s-maxage")) return note_lifetime(answer.s_maxage, directive.seconds());
  if (is("stale-while-revalidate")) {
    return keep_smallest(answer.stale_while_revalidate, directive.seconds());
  }
  if (is("stale-if-error")) return keep_smallest(answer.stale_if_error, directive.seconds());
  if (is("no-cache")) return note_fields(directive, answer.no_cache, answer.no_cache_fields);
  if (is("private")) return note_fields(directive, answer.is_private, answer.private_fields);
  if (is("no-store")) answer.no_store = true;
  if (is("public")) answer.is_public = true;
  if (is("must-revalidate")) answer.must_revalidate = true;
  if (is("proxy-revalidate")) answer.proxy_revalidate = true;
  if (is("must-understand")) answer.must_understand = true;
}

// Both forms together: the stricter one counts.
void settle(AnswerDirectives& answer) {
  if (answer.no_cache) answer.no_cache_fields.clear();
  if (answer.is_private) answer.private_fields.clear();
}

// A member of a targeted field as a directive (RFC 9213 section 2.1).
std::optional<Directive> directive_of(const StructuredMember& member) {
  using Kind = StructuredMember::Kind;
  Directive directive{.name = member.key, .text = member.text, .has_value = true};
  switch (member.kind) {
    case Kind::boolean:
      if (!member.is_true) return std::nullopt;
      directive.has_value = false;
      break;
    case Kind::integer:
      directive.is_well_formed = !member.text.starts_with('-');
      directive.may_be_names = false;
      break;
    case Kind::string:
    case Kind::token: directive.may_be_seconds = false; break;
    case Kind::decimal:
    case Kind::bytes:
    case Kind::inner_list: directive.is_well_formed = false; break;
  }
  return directive;
}

bool read_targeted(const HeaderList& fields, std::string_view name, AnswerDirectives& answer) {
  if (fields.find(name) == nullptr) return false;
  std::string value;
  bool is_first = true;
  for (const HeaderField& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    if (!std::exchange(is_first, false)) value += ", ";
    value += field.value;
  }
  const auto dictionary = parse_structured_dictionary(value);
  if (!dictionary || dictionary->empty()) return false;
  answer.is_targeted = true;
  for (const StructuredMember& member : *dictionary) {
    if (const auto directive = directive_of(member)) note(*directive, answer);
  }
  return true;
}

void note(const Directive& directive, RequestDirectives& request) {
  const auto is = [&](std::string_view name) { return equals_ignoring_case(directive.name, name); };
  if (is("no-cache")) request.no_cache = true;
  if (is("no-store")) request.no_store = true;
  if (is("only-if-cached")) request.only_if_cached = true;
  if (is("max-age")) keep_smallest(request.max_age, directive.seconds().value_or(0));
  if (is("min-fresh")) {
    request.min_fresh = std::max(request.min_fresh, directive.seconds().value_or(-1));
  }
  if (is("max-stale")) {
    keep_smallest(request.max_stale, directive.has_value
                                         ? directive.seconds()
                                         : std::optional(RequestDirectives::any_staleness));
  }
  if (is("stale-if-error")) keep_smallest(request.stale_if_error, directive.seconds());
}

bool pragma_says_no_cache(const HeaderList& request) {
  for (const HeaderField& field : request) {
    if (field.id != Field::pragma) continue;
    DirectiveReader reader(field.value);
    while (const auto directive = reader.next()) {
      if (!directive->has_value && equals_ignoring_case(directive->name, "no-cache")) return true;
    }
  }
  return false;
}

template <class Directives>
void read_cache_control(const HeaderList& fields, Directives& directives) {
  for (const HeaderField& field : fields) {
    if (field.id != Field::cache_control) continue;
    DirectiveReader reader(field.value);
    while (const auto directive = reader.next()) note(*directive, directives);
  }
}

}  // namespace

std::optional<int64_t> parse_delta_seconds(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  int64_t seconds = 0;
  for (const char c : text) seconds = std::min(seconds * 10 + (c - '0'), delta_seconds_max);
  return seconds;
}

// Up to the next comma that no quoted string holds.
std::string_view DirectiveReader::take_element() {
  size_t end = rest_.find_first_of("=,");
  if (end != std::string_view::npos && rest_[end] == '=') {
    ++end;
    if (end < rest_.size() && rest_[end] == '"') {
      const size_t quote = closing_quote(rest_, end);
      if (quote != std::string_view::npos) end = quote + 1;
    }
    end = rest_.find(',', end);
  }
  const std::string_view element = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return trimmed(element);
}

void DirectiveReader::read_value(std::string_view value, Directive& directive) {
  if (!value.starts_with('"')) {
    directive.text = value;
    directive.is_well_formed = is_token(value);
    return;
  }
  const size_t end = closing_quote(value, 0);
  directive.is_well_formed = end == value.size() - 1;
  if (!directive.is_well_formed) return;
  directive.text = value.substr(1, end - 1);
  if (!directive.text.contains('\\')) return;
  unescaped_.clear();
  for (size_t i = 0; i < directive.text.size(); ++i) {
    if (directive.text[i] == '\\') ++i;
    unescaped_ += directive.text[i];
  }
  directive.text = unescaped_;
}

std::optional<Directive> DirectiveReader::next() {
  while (!rest_.empty()) {
    const std::string_view element = take_element();
    if (element.empty()) continue;
    const size_t equals = element.find('=');
    Directive directive{.name = trimmed(element.substr(0, equals)), .text = {}};
    if (equals != std::string_view::npos) {
      directive.has_value = true;
      read_value(element.substr(equals + 1), directive);
      if (directive.name.size() != equals) directive.is_well_formed = false;  // "max-age =1".
    }
    return directive;
  }
  return std::nullopt;
}

RequestDirectives request_directives(const HeaderList& request) {
  RequestDirectives directives;
  if (request.has(Field::cache_control)) {
    read_cache_control(request, directives);
  } else {
    directives.no_cache = pragma_says_no_cache(request);
  }
  return directives;
}

AnswerDirectives answer_directives(const HeaderList& answer) {
  constexpr std::array targeted = {"spillway-cache-control", "cdn-cache-control"};
  AnswerDirectives directives;
  const bool is_targeted = std::ranges::any_of(
      targeted, [&](std::string_view name) { return read_targeted(answer, name, directives); });
  if (!is_targeted) read_cache_control(answer, directives);
  settle(directives);
  return directives;
}

}  // namespace spillway::http
