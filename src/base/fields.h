// base/fields.h: how a config struct describes its fields, so that parser, manual and schema agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway {

// What the manual says of one field of a config struct. A struct describes itself once:
//
//   struct BreakerConfig {
//     Share error_share = Share::percent(50);
//     Duration open = 30s;
//
//     template <class Visitor>
//     static void describe(Visitor& visit) {
//       visit.field("error_share", &BreakerConfig::error_share,
//                   {.doc = "Opens when this share of the requests of the last 10 s failed."});
//       visit.field("open", &BreakerConfig::open,
//                   {.doc = "How long an open breaker lets nothing through.",
//                    .minimum = 0.1, .maximum = 3600, .unit = "s"});
//     }
//   };
//
// Visitors live in plan/: one reads YAML, one writes the manual, one the JSON Schema, one compares
// two values. Field types: bool, integers, double, std::string, Duration, ByteSize, Share, Rate,
// std::optional<T>, std::vector<T>, std::map<std::string, T>, other described structs, enums with
// an `enum_names(Enum)` overload, and types with `static Result<T> parse(std::string_view)`.
struct FieldNote {
  std::string_view doc;  // Whole sentences: what it means, and what happens at the bound.
  std::optional<double> minimum = {};  // Inclusive, in `unit`.
  std::optional<double> maximum = {};
  std::string_view unit = "";     // Of the bounds: "s", "B", "%", or empty for a count.
  std::string_view raising = "";  // The cost of raising it, if it has one.
  bool restart = false;           // True: a change needs `spillway upgrade`; false: live.
  bool required = false;
  bool secret = false;  // True: its value never appears in a message or a diff.
  std::string_view example = "";
};

}  // namespace spillway
