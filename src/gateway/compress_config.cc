// gateway/compress_config.cc: reads and compares media types.
#include "gateway/compress_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace spillway::gateway {
namespace {

constexpr std::string_view any_with_suffix = "*+";

// RFC 6838 section 4.2.
bool is_restricted_name(std::string_view name) {
  static constexpr std::string_view others = "!#$&-^_.+";
  return !name.empty() && name.size() <= 127 && std::ranges::all_of(name, [](char c) {
    return is_alpha(c) || is_digit(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_pattern(std::string_view text) {
  if (text.starts_with(any_with_suffix)) return is_restricted_name(text.substr(2));
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || !is_restricted_name(text.substr(0, slash))) return false;
  const std::string_view subtype = text.substr(slash + 1);
  return subtype == "*" || is_restricted_name(subtype);
}

}  // namespace

Result<MediaPattern> MediaPattern::parse(std::string_view text) {
  if (is_pattern(text)) return MediaPattern{lowered(text)};
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is not a media type; expected one such as application/json, "
                          "text/* or *+json",
                          text));
}

bool MediaPattern::matches(std::string_view content_type) const {
  const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
  const std::string_view own = text;
  if (own.starts_with(any_with_suffix)) {
    const std::string_view suffix = own.substr(1);
    return type.size() > suffix.size() &&
           equals_ignoring_case(type.substr(type.size() - suffix.size()), suffix);
  }
  if (own.ends_with("/*")) {
    return equals_ignoring_case(type.substr(0, own.size() - 1), own.substr(0, own.size() - 1));
  }
  return equals_ignoring_case(type, own);
}

std::vector<MediaPattern> compressible_types() {
  constexpr std::array names = {"text/*",
                                "*+json",
                                "*+xml",
                                "*+text",
                                "font/otf",
                                "font/ttf",
                                "image/bmp",
                                "application/json",
                                "application/javascript",
                                "application/xml",
                                "application/wasm",
                                "application/x-javascript",
                                "application/vnd.ms-fontobject"};
  std::vector<MediaPattern> types;
  for (const char* name : names) types.push_back({name});
  return types;
}

Result<CompressConfig> CompressConfig::parse(std::string_view text) {
  if (text == "default") return CompressConfig{};
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is not known; expected default, off, or fields", text));
}

}  // namespace spillway::gateway
