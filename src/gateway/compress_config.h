// gateway/compress_config.h: which answers are compressed on their way to the client.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/quantity.h"
#include "http/coding_config.h"

namespace spillway::gateway {

// Some media types (RFC 9110 section 8.3.1): one, "text/*", or "*+json" for a suffix (RFC 6839).
struct MediaPattern {
  std::string text;  // In small letters.

  static Result<MediaPattern> parse(std::string_view text);
  // The value of Content-Type, parameters and all.
  bool matches(std::string_view content_type) const;
  bool operator==(const MediaPattern&) const = default;
};
inline const std::string& to_string(const MediaPattern& pattern) { return pattern.text; }

// Types whose bodies are text and do not come compressed.
std::vector<MediaPattern> compressible_types();

struct CompressConfig {
  ByteSize minimum{1024};
  std::vector<http::ContentCoding> encodings = {http::ContentCoding::zstd, http::ContentCoding::br,
                                                http::ContentCoding::gzip};
  std::vector<MediaPattern> types = compressible_types();

  // "default".
  static Result<CompressConfig> parse(std::string_view text);
  bool operator==(const CompressConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("minimum", &CompressConfig::minimum,
                {.doc = "Shorter answers are sent as they are. Those of unknown length are "
                        "compressed.",
                 .minimum = 0,
                 .maximum = 1 << 26,
                 .unit = "B"});
    visit.field("encodings", &CompressConfig::encodings,
                {.doc = "What is offered, the best first: it decides among what a client likes "
                        "equally well (RFC 9110 section 12.5.3).",
                 .example = "[br, gzip]"});
    visit.field("types", &CompressConfig::types,
                {.doc = "Only answers of these media types.",
                 .example = "[\"text/*\", application/json, \"*+json\"]"});
  }
};

}  // namespace spillway::gateway
