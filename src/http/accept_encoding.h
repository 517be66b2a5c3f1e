// http/accept_encoding.h: which coding of a body a client likes best (RFC 9110 section 12.5).
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "http/coding_config.h"
#include "http/field.h"

namespace spillway::http {

// Elements of Accept-Encoding beyond this are no real client's; the rest is not read.
inline constexpr size_t accept_encoding_elements_max = 32;

// The weight of a preference in thousandths, from "1", "0.5" or "0.333" (RFC 9110 section 12.4.2);
// nothing if it is malformed.
std::optional<uint16_t> parse_weight(std::string_view text);

// What a list of preferences names, and how much it is wanted.
struct Preference {
  std::string_view name;
  uint16_t weight = 1000;
};
// "gzip;q=0.5", white space around the semicolon as a list allows it. Nothing if it is malformed,
// or has another parameter.
std::optional<Preference> parse_preference(std::string_view element);

// The coding of `offered` that the client weighs highest, the earlier one among equals. Nothing:
// the body goes as it is, because the client says nothing, knows none of them, or weighs identity
// higher. An element that is malformed counts as not there; "x-gzip" is gzip (section 8.4.1.3).
std::optional<ContentCoding> choose_coding(const HeaderList& request,
                                           std::span<const ContentCoding> offered);

// Which codings a client takes at all, whatever it likes best: what has to be equal for two
// requests to be given the same stored body.
struct AcceptedCodings {
  std::array<bool, content_coding_count> takes{};
  bool operator==(const AcceptedCodings&) const = default;
};
AcceptedCodings accepted_codings(const HeaderList& request);

}  // namespace spillway::http
