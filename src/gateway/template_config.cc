// gateway/template_config.cc: takes a template apart at its braces.
#include "gateway/template_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/token.h"

namespace spillway::gateway {
namespace {

constexpr size_t text_max = 4000;  // Longer than any value that a server takes.

}  // namespace

Result<ValueTemplate> ValueTemplate::parse(std::string_view text) {
  static constexpr auto names = enum_names(Place{});
  if (text.size() > text_max) {
    return fail(Error::Code::invalid, fmt::format("is longer than {} bytes", text_max));
  }
  if (!is_field_text(text)) {
    return fail(Error::Code::invalid, "has a character that no header may have");
  }
  ValueTemplate result{.text = std::string(text)};
  Part part;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{') {
      part.text += text[i];
      continue;
    }
    if (text.substr(i).starts_with("{{")) {
      part.text += text[i++];
      continue;
    }
    const size_t end = text.find('}', i);
    const std::string_view name =
        end == std::string_view::npos ? text.substr(i) : text.substr(i + 1, end - i - 1);
    const auto found = std::ranges::find(names, name);
    if (end == std::string_view::npos || found == names.end()) {
      return fail(Error::Code::invalid,
                  fmt::format("\"{}\": {{{}}} is not known; expected {{{}}}, or {{{{ for a brace",
                              text, name, fmt::join(names, "}, {")));
    }
    part.place = static_cast<Place>(found - names.begin());
    result.parts.push_back(std::exchange(part, {}));
    i = end;
  }
  if (!part.text.empty()) result.parts.push_back(std::move(part));
  return result;
}

}  // namespace spillway::gateway
