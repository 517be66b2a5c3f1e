// http/media_type.cc: endings of file names, and ranges of Accept compared.
#include "http/media_type.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "http/accept_encoding.h"
#include "http/list.h"

namespace spillway::http {
namespace {

using Entry = std::pair<std::string_view, std::string_view>;

constexpr std::array endings = std::to_array<Entry>({
    {"aac", "audio/aac"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml"},
    {"avif", "image/avif"},
    {"bin", "application/octet-stream"},
    {"bmp", "image/bmp"},
    {"cjs", "text/javascript; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eot", "application/vnd.ms-fontobject"},
    {"flac", "audio/flac"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gz", "application/gzip"},
    {"htm", "text/html; charset=utf-8"},
    {"html", "text/html; charset=utf-8"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar; charset=utf-8"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"map", "application/json"},
    {"md", "text/markdown; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"rss", "application/rss+xml"},
    {"svg", "image/svg+xml; charset=utf-8"},
    {"tar", "application/x-tar"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain; charset=utf-8"},
    {"vtt", "text/vtt; charset=utf-8"},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "text/xml; charset=utf-8"},
    {"zip", "application/zip"},
});
static_assert(std::ranges::is_sorted(endings, {}, &Entry::first));
constexpr std::string_view unknown_type = "application/octet-stream";

// How exactly a range names a type; the more exact one decides.
enum class Fit : uint8_t { none, any, main_type, whole };

Fit fit_of(std::string_view range, std::string_view type) {
  if (range == "*/*") return Fit::any;
  if (equals_ignoring_case(range, type)) return Fit::whole;
  const std::string_view main_type = type.substr(0, type.find('/') + 1);
  const bool is_main = range.size() == main_type.size() + 1 && range.ends_with('*') &&
                       equals_ignoring_case(range.substr(0, main_type.size()), main_type);
  return is_main ? Fit::main_type : Fit::none;
}

}  // namespace

std::string_view media_type_of(std::string_view file_name) {
  const size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos || file_name.find('/', dot) != std::string_view::npos) {
    return unknown_type;
  }
  const std::string ending = lowered(file_name.substr(dot + 1));
  const auto found = std::ranges::lower_bound(endings, std::string_view(ending), {}, &Entry::first);
  return found != endings.end() && found->first == ending ? found->second : unknown_type;
}

uint16_t weight_of(const HeaderList& request, std::string_view media_type) {
  const std::string_view type = trimmed(media_type.substr(0, media_type.find(';')));
  Fit best = Fit::none;
  uint16_t weight = 0;
  bool has_accept = false;
  size_t elements = 0;
  for (const HeaderField& field : request) {
    if (!equals_ignoring_case(field.name, "accept")) continue;
    has_accept = true;
    ListReader list(field.value);
    for (std::string_view element; elements < accept_elements_max && list.next(element);
         ++elements) {
      const auto range = parse_preference(element);
      const Fit fit = range ? fit_of(range->name, type) : Fit::none;
      if (fit <= best) continue;
      best = fit;
      weight = range->weight;
    }
  }
  return has_accept ? weight : 1000;
}

}  // namespace spillway::http
