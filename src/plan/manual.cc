// plan/manual.cc: writes entries as text and as Markdown.
#include "plan/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "plan/bounds.h"
#include "plan/entries.h"
#include "plan/names.h"
#include "plan/problem.h"

namespace spillway::plan {
namespace {

// "services.NAME" and "routes[]" are one step each: compared as the segments between dots.
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> result;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    std::string_view segment = path.substr(0, dot);
    if (segment != "[]") result.push_back(segment.substr(0, segment.find('[')));
    path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  }
  return result;
}

bool same_segment(std::string_view known, std::string_view asked) {
  return known == "NAME" ? !asked.empty() : known == asked;
}

bool ends_with(const std::vector<std::string_view>& path,
               const std::vector<std::string_view>& end) {
  return end.size() <= path.size() &&
         std::equal(end.begin(), end.end(), path.end() - static_cast<std::ptrdiff_t>(end.size()),
                    [](std::string_view asked, std::string_view known) { return known == asked; });
}

bool matches(std::string_view known, const std::vector<std::string_view>& asked) {
  const auto segments = segments_of(known);
  return std::ranges::equal(segments, asked, same_segment);
}

std::string default_of(const Entry& entry) {
  if (entry.note.required) return "none; has to be given";
  if (entry.is_absent_by_default) return "absent";
  if (!entry.default_text.empty()) return entry.default_text;
  return entry.shape == entry.outer || entry.outer->kind == Shape::Kind::optional ? "" : "empty";
}

std::string entry_text(const Entry& entry) {
  std::string text =
      fmt::format("{}\n  {}\n\n", entry.path.empty() ? "plan" : entry.path, entry.note.doc);
  const auto line = [&text](std::string_view name, std::string_view value) {
    if (!value.empty()) text += fmt::format("  {:<9}{}\n", name, value);
  };
  line("Value", value_text(*entry.outer));
  line("Default", default_of(entry));
  line("Range", range_text(*entry.shape, entry.note));
  line("Raising", entry.note.raising);
  line("Change", entry.restart ? "needs `spillway upgrade`" : "live, by `spillway reload`");
  line("Example", entry.note.example);
  std::vector<std::string_view> fields;
  for (const FieldShape& field : entry.shape->fields) fields.push_back(field.name);
  line("Fields", listed(fields));
  return text;
}

// The deepest known field on the way to `asked`, and which of its fields was probably meant.
Error miss(std::string_view path, const std::vector<std::string_view>& asked,
           const std::vector<Entry>& entries) {
  for (size_t depth = asked.size(); depth-- > 0;) {
    const std::vector<std::string_view> around(asked.begin(),
                                               asked.begin() + static_cast<std::ptrdiff_t>(depth));
    const auto parent = std::ranges::find_if(
        entries, [&around](const Entry& entry) { return matches(entry.path, around); });
    if (parent == entries.end() || parent->shape->fields.empty()) continue;
    std::vector<std::string_view> known;
    for (const FieldShape& field : parent->shape->fields) known.push_back(field.name);
    const auto meant = nearest(asked[depth], known);
    const std::string where = parent->path.empty() ? "the plan" : parent->path;
    return {.code = Error::Code::not_found,
            .detail = meant ? fmt::format("{} is not a field of {}; did you mean \"{}\"?",
                                          in_quotes(asked[depth]), where, *meant)
                            : fmt::format("{} is not a field of {}; known: {}",
                                          in_quotes(asked[depth]), where, listed(known))};
  }
  return {.code = Error::Code::not_found,
          .detail = fmt::format("{} is not a field of the plan", in_quotes(path))};
}

// For a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string code(std::string_view text) {
  return text.empty() ? "" : fmt::format("`{}`", cell(text));
}

// "endpoints" of "services.NAME.endpoints[]", "services" of "services.NAME".
std::string row_name(std::string_view path) {
  if (path.ends_with(".NAME")) path.remove_suffix(5);
  path = path.substr(path.rfind('.') + 1);
  return std::string(path.substr(0, path.find('[')));
}

std::string table_row(const Entry& entry) {
  std::string meaning = cell(entry.note.doc);
  if (!entry.note.raising.empty()) {
    meaning += fmt::format(" *Raising it costs:* {}", cell(entry.note.raising));
  }
  if (!entry.note.example.empty()) {
    meaning += fmt::format(" *Example:* {}", code(entry.note.example));
  }
  const std::string fallback = default_of(entry);
  const bool is_value = !entry.default_text.empty() && !entry.note.required;
  const std::string range = range_text(*entry.shape, entry.note);
  return fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", row_name(entry.path), meaning,
                     cell(value_text(*entry.outer)), is_value ? code(fallback) : fallback, range,
                     entry.restart ? "upgrade" : "live");
}

bool is_child(const Entry& entry, const Entry& parent) {
  const auto path = segments_of(entry.path);
  const auto above = segments_of(parent.path);
  const bool is_map = !path.empty() && path.back() == "NAME";
  return path.size() == above.size() + (is_map ? 2 : 1) &&
         std::equal(above.begin(), above.end(), path.begin());
}

}  // namespace

Result<std::string> explain_field(std::string_view path) {
  const std::vector<Entry> entries = all_entries();
  const auto asked = segments_of(path);
  const auto whole = [&asked](const Entry& entry) { return matches(entry.path, asked); };
  if (const auto found = std::ranges::find_if(entries, whole); found != entries.end()) {
    return entry_text(*found);
  }
  std::vector<const Entry*> ending;
  std::vector<std::string_view> names;
  for (const Entry& entry : entries) {
    if (asked.empty() || !ends_with(segments_of(entry.path), asked)) continue;
    ending.push_back(&entry);
    names.push_back(entry.path);
  }
  if (ending.size() == 1) return entry_text(*ending.front());
  if (ending.size() > 1) {
    return fail(Error::Code::not_found,
                fmt::format("several fields end so; which one: {}", listed(names)));
  }
  return fail(miss(path, asked, entries));
}

std::string plan_reference() {
  const std::vector<Entry> entries = all_entries();
  std::string text =
      "# The plan file, field by field\n\n"
      "Written by the program from the structs that read the plan: edit those, not this page.\n"
      "`spillway explain field NAME` prints one entry, `spillway check --schema` the JSON Schema.\n"
      "`NAME` stands for a name you choose, `[]` for each item of a list. \"live\" means that\n"
      "`spillway reload` applies a change; \"upgrade\" that it takes `spillway upgrade`.\n";
  for (const Entry& parent : entries) {
    if (parent.shape->fields.empty()) continue;
    text += parent.path.empty() ? "\n## The top level\n\n"
                                : fmt::format("\n## `{}`\n\n{}\n\n", parent.path, parent.note.doc);
    text += "| Field | Meaning | Value | Default | Range | Change |\n|---|---|---|---|---|---|\n";
    for (const Entry& entry : entries) {
      if (is_child(entry, parent)) text += table_row(entry);
    }
  }
  return text;
}

}  // namespace spillway::plan
